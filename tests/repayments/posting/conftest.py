"""A database of one's own, where services commit for real and several connections meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from tests.conftest import ClonedDatabase


@pytest.fixture
def own_database(cloned_database: ClonedDatabase, django_db_blocker: Any) -> Iterator[ClonedDatabase]:
    """Point Django (every thread of it) at a clone; what the test commits goes with the clone."""
    settings = connections.databases["default"]
    name = settings["NAME"]
    with django_db_blocker.unblock():
        connection.close()  # what is open already would go on writing to the shared test database
    settings["NAME"] = cloned_database.name
    connection.settings_dict["NAME"] = cloned_database.name
    try:
        with django_db_blocker.unblock():
            yield cloned_database
            connection.close()
    finally:
        settings["NAME"] = name
        connection.settings_dict["NAME"] = name
