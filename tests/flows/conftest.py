"""The whole site on one book, made once a module; every test's own changes are undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests.conftest import set_role
from tests.flows.site import Site
from tests.reports.books import make_book


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    """Made once; every test's own changes are undone."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            set_role("paikar_worker")
            yield Site(make_book())
            transaction.set_rollback(True)
        connection.close()


@pytest.fixture
def undone(site: Site, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        set_role("paikar_worker")
