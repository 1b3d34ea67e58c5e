"""A wholesale loan of one crore, disbursed on 1 January 2025: quarterly principal after half a year, 2 %."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection, connections

from lending.models import Loan
from tests.conftest import ClonedDatabase
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, pay_all_due

TODAY = date(2026, 2, 10)


@pytest.fixture
def world(db: None) -> World:
    """People, an agreement, an allotment."""
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    """Paid on the day up to 10 February 2026, the open business date."""
    made = world.loan()
    go_to(TODAY)
    pay_all_due(world, made, TODAY)
    return made


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
