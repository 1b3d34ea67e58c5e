"""A whole book to attack as a partner's session would; undone after every attack."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from lending.services.application_lines import replace_lines
from repayments.models import Upload, UploadRow
from tests.conftest import set_role
from tests.lending.world import CRORE, World, subloan_rows
from tests.reports.books import Book, make_book


@pytest.fixture(scope="module")
def book(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Closed days, receipts, sub-loans; made once, as every test here is refused or rolled back."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            set_role("paikar_worker")
            made = make_book()
            made.world.application()
            made.world.tranche(made.world.facility(), amount=CRORE)
            listed = made.world.application()
            replace_lines(application=listed, rows=subloan_rows(2), actor=made.world.people["maker"])
            yield made
            transaction.set_rollback(True)
        connection.close()  # as Django's own test cases do: a test with a database of its own opens another


@pytest.fixture
def world(book: Book, django_db_blocker: Any) -> Any:
    """The book's programme; what a test does is undone to here."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield book.world
            transaction.set_rollback(True)
        set_role("paikar_worker")


@pytest.fixture
def upload(world: World) -> Upload:
    made = Upload.objects.create(
        institution=world.bank, kind="repayments", state="preview", work="done", file_name="a.csv",
        content=b"x", size_bytes=1, content_sha256="0", made_by=world.people["maker"],
    )  # fmt: skip
    UploadRow.objects.create(
        upload=made, institution=world.bank, row_number=2, cells={"A": "1"}, state="ready", amount_minor=100
    )
    return made
