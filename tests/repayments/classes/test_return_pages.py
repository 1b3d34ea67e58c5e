"""Returns on screen and paper, and two who lock one at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, connections, transaction

from daybook.services import roll_day
from repayments.models import ClassificationReturn
from repayments.services.returns import CannotLockReturn, compute_return, draft_return, lock_return
from tests.conftest import ClonedDatabase
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

CLAIM = [(date(2025, 9, 30), 90_000_00, 2_000_00)]


def made_books() -> ClosingBooks:
    books = closing_books()
    books.lend(CLAIM, disbursed=date(2025, 3, 31), tier="wholesale")
    roll_day(closing=BOOKS_OPEN, opening=date(2026, 1, 1))
    return books


def made_return(books: ClosingBooks) -> ClassificationReturn:
    made = draft_return(
        tier="wholesale", institution_id=None, as_of=BOOKS_OPEN, known_by_date=BOOKS_OPEN, reason="",
        actor=books.maker,
    )  # fmt: skip
    compute_return(return_id=made.pk, claimed_by="a worker")
    return made


@pytest.mark.django_db
def test_a_return_from_its_draft_to_its_paper(
    as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    books = made_books()
    officer, approver, auditor = (as_foundation(role) for role in ("officer", "approver", "auditor"))
    assert as_partner(books.institution).get("/repayments/returns/").status_code == 403
    assert auditor.get("/repayments/returns/new/").status_code == 403
    refused = officer.post(
        "/repayments/returns/new/",
        {"tier": "wholesale", "institution": "", "as_of": "2025-12-31", "known_by": "2026-01-01"},
    )
    assert "Select a valid choice" in refused.content.decode()
    sent = officer.post(
        "/repayments/returns/new/",
        {"tier": "wholesale", "institution": "", "as_of": "2025-12-31", "known_by": "2025-12-31"},
    )
    made = ClassificationReturn.objects.get()
    assert sent["Location"] == f"/repayments/returns/{made.pk}/"
    assert "Queued" in officer.get(sent["Location"]).content.decode()
    compute_return(return_id=made.pk, claimed_by="a worker")

    assert "18,000.00" in auditor.get(sent["Location"]).content.decode()
    assert "C-0" in auditor.get(f"{sent['Location']}lines/?loan_class=2").content.decode()
    assert "No row fits" in auditor.get(f"{sent['Location']}lines/?loan_class=4").content.decode()
    officer.post(f"{sent['Location']}decide/", {"lock": "", "reason": ""})
    made.refresh_from_db()
    assert made.state == "draft", "an officer drafts and does not lock"
    approver.post(f"{sent['Location']}decide/", {"lock": "", "reason": "Compared with the ledger."})
    made.refresh_from_db()
    assert (made.state, made.decided_by) == ("locked", approver.user)
    proved = auditor.post(f"{sent['Location']}prove/", follow=True)
    assert "every line is the same" in proved.content.decode()
    for kind, start in (("pdf", b"%PDF"), ("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
        first = auditor.get(f"/reports/returns/{made.pk}/{kind}/?lang=bn")
        assert first.content.startswith(start)
        assert first.content == auditor.get(f"/reports/returns/{made.pk}/{kind}/?lang=bn").content


def test_of_two_who_lock_at_once_one_is_refused(
    cloned_database: ClonedDatabase, django_db_blocker: Any
) -> None:
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        settings["NAME"] = cloned_database.name
        try:
            with transaction.atomic():
                books = made_books()
                other = type(books.checker).objects.create(username="second", full_name="Second")
            made = made_return(books)
            at_once, outcomes = threading.Barrier(2), []

            def lock(person: Any) -> None:
                at_once.wait(10)
                try:
                    lock_return(return_id=made.pk, reason="", actor=person)
                    outcomes.append("locked")
                except CannotLockReturn as refusal:
                    outcomes.append(str(refusal))
                finally:
                    connection.close()

            people = [threading.Thread(target=lock, args=(person,)) for person in (books.checker, other)]
            for person in people:
                person.start()
            for person in people:
                person.join(20)
            assert sorted(outcomes) == ["This return is locked already.", "locked"]
            made.refresh_from_db()
            assert made.booking is not None
        finally:
            connection.close()
            settings["NAME"] = before
