"""A return: drafted from the books, locked by a second person, true for ever, and driving suspense."""

from __future__ import annotations

from datetime import date

import pytest

from calc.classification import LoanClass
from daybook.selectors import known_by, open_business_date
from daybook.services import roll_day
from lending.models import Loan
from repayments.frames import Scope
from repayments.models import ClassificationReturn, ReturnLine
from repayments.selectors import measure_loans
from repayments.services import returns
from repayments.services.returns import (
    CannotDraftReturn,
    CannotLockReturn,
    compute_return,
    discard_return,
    draft_return,
    latest_quarter_end,
    lock_return,
    previous_quarter_end,
    recompute_checksum,
)
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

CLAIM = [(date(2025, 9, 30), 90_000_00, 2_000_00), (date(2026, 6, 30), 10_000_00, 1_000_00)]


@pytest.fixture
def books() -> ClosingBooks:
    """Two late claims and a good sub-loan on the evening of 31 December, the day after it open."""
    books = closing_books()
    for tier in ("wholesale", "wholesale", "subloan"):
        books.lend(CLAIM, disbursed=date(2025, 3, 31), tier=tier)
    roll_day(closing=BOOKS_OPEN, opening=date(2026, 1, 1))
    return books


def drafted(books: ClosingBooks, **changes: object) -> ClassificationReturn:
    wanted = {
        "tier": "wholesale",
        "institution_id": None,
        "as_of": BOOKS_OPEN,
        "known_by_date": BOOKS_OPEN,
        "reason": "",
        "actor": books.maker,
    } | changes
    made = draft_return(**wanted)  # type: ignore[arg-type]
    assert compute_return(return_id=made.pk, claimed_by="a worker")
    made.refresh_from_db()
    return made


def test_a_return_holds_every_loan_of_its_tier_and_its_totals(books: ClosingBooks) -> None:
    made = drafted(books)
    lines = list(ReturnLine.objects.filter(classification_return=made))
    assert (made.loan_count, made.work, made.provision_minor) == (2, "done", 2 * 20_000_00)
    assert [
        (line.loan_class, line.suspense_minor, line.base_minor, line.provision_minor) for line in lines
    ] == [(LoanClass.SS, 2_000_00, 100_000_00, 20_000_00)] * 2
    assert "WS-DEFAULT" in made.policies["classification"].values()


def test_a_return_in_many_lots_is_the_same_return(
    books: ClosingBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = drafted(books)
    discard_return(return_id=whole.pk, reason="Again, in lots.", actor=books.maker)
    monkeypatch.setattr(returns, "LOANS_AT_ONCE", 1)
    assert drafted(books).checksum == whole.checksum


def test_the_one_who_drafted_it_does_not_lock_it_and_nobody_locks_it_twice(books: ClosingBooks) -> None:
    made = drafted(books)
    with pytest.raises(CannotLockReturn, match="somebody else"):
        lock_return(return_id=made.pk, reason="", actor=books.maker)
    assert lock_return(return_id=made.pk, reason="Checked.", actor=books.checker).state == "locked"
    with pytest.raises(CannotLockReturn, match="locked already"):
        lock_return(return_id=made.pk, reason="", actor=books.checker)
    with pytest.raises(CannotLockReturn, match="locked already"):
        discard_return(return_id=made.pk, reason="No.", actor=books.maker)


def test_from_its_lock_on_its_classes_drive_suspense(books: ClosingBooks) -> None:
    lock_return(return_id=drafted(books).pk, reason="", actor=books.checker)
    loan = Loan.objects.filter(tier="wholesale").earliest("id")
    roll_day(closing=open_business_date(), opening=date(2026, 7, 15))
    books.receive(loan, date(2026, 7, 15), 92_000_00)
    before, after = known_by(BOOKS_OPEN), known_by(date(2026, 7, 15))

    row = measure_loans(
        Scope.of_loans([loan.pk]), as_of=date(2026, 7, 15), last_booking_id=after.last_booking_id
    ).rows[0]
    assert (row["loan_class"], row["reported_class"]) == (LoanClass.STANDARD, LoanClass.SS)
    assert (row["suspense_minor"], row["base_minor"]) == (1_000_00, 10_000_00)

    row = measure_loans(
        Scope.of_loans([loan.pk]), as_of=BOOKS_OPEN, last_booking_id=before.last_booking_id
    ).rows[0]
    assert row["reported_class"] == LoanClass.UNCLASSIFIED, "nobody knew of the return then"


def test_a_locked_return_never_changes_whatever_is_booked_later(books: ClosingBooks) -> None:
    made = lock_return(return_id=drafted(books).pk, reason="", actor=books.checker)
    lines = list(ReturnLine.objects.filter(classification_return=made).values())
    books.receive(Loan.objects.filter(tier="wholesale").earliest("id"), date(2025, 10, 1), 92_000_00)
    assert recompute_checksum(made) == made.checksum
    assert list(ReturnLine.objects.filter(classification_return=made).values()) == lines


def test_a_line_that_no_longer_holds_shows_in_the_checksum(books: ClosingBooks) -> None:
    made = drafted(books, known_by_date=BOOKS_OPEN)
    books.receive(Loan.objects.filter(tier="wholesale").earliest("id"), date(2025, 10, 1), 92_000_00)
    roll_day(closing=date(2026, 1, 1), opening=date(2026, 1, 2))
    discard_return(return_id=made.pk, reason="A receipt was missing.", actor=books.maker)
    again = drafted(books, known_by_date=date(2026, 1, 1))
    assert again.checksum != made.checksum


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"as_of": date(2025, 12, 30)}, "end of a quarter"),
        ({"known_by_date": date(2026, 1, 1)}, "not a closed business date"),
        ({"as_of": date(2026, 3, 31)}, "before its own date"),
    ],
)
def test_a_return_that_could_not_stay_true_is_refused(
    books: ClosingBooks, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(CannotDraftReturn, match=words):
        drafted(books, **changes)


def test_one_return_a_tier_and_quarter_until_it_is_discarded(books: ClosingBooks) -> None:
    made = drafted(books)
    with pytest.raises(CannotDraftReturn, match="already"):
        drafted(books)
    drafted(books, tier="subloan")
    drafted(books, institution_id=books.institution.pk)
    discard_return(return_id=made.pk, reason="Wrong remarks.", actor=books.maker)
    drafted(books)


def test_a_lapsed_drafting_is_begun_anew(books: ClosingBooks) -> None:
    made = drafted(books)
    ClassificationReturn.objects.filter(pk=made.pk).update(
        work="running", claimed_by="the dead", claimed_until=made.made_at
    )
    assert compute_return(return_id=made.pk, claimed_by="the living")
    made.refresh_from_db()
    assert ReturnLine.objects.filter(classification_return=made).count() == made.loan_count == 2
    assert not compute_return(return_id=made.pk, claimed_by="a doubled message")


@pytest.mark.parametrize(
    ("on", "end"),
    [
        (date(2026, 11, 22), date(2026, 9, 30)),
        (date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 3, 30), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2025, 12, 31)),
    ],
)
def test_the_quarter_that_ended_last(on: date, end: date) -> None:
    assert latest_quarter_end(on) == end


def test_quarters_before_one_another() -> None:
    ends = [date(2026, 12, 31)]
    for _ in range(4):
        ends.append(previous_quarter_end(ends[-1]))
    assert ends[1:] == [date(2026, 9, 30), date(2026, 6, 30), date(2026, 3, 31), date(2025, 12, 31)]
