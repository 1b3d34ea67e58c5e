"""Judgements, securities and returns in closes: snapshots keep them, and a closed day verifies for ever."""

from __future__ import annotations

from datetime import date

import pytest

from calc.classification import Basis, LoanClass
from lending.models import Security
from repayments.models import ArrearsSnapshot, ClassFreeze, DayRun
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from repayments.services.judgements import freeze_classes, hold_class
from repayments.services.returns import compute_return, draft_return, lock_return
from tests.repayments.close.books import BOOKS_OPEN, closing_books

pytestmark = pytest.mark.django_db

LATE = [(date(2025, 10, 2), 90_000_00, 2_000_00)]


def test_what_stood_in_a_close_stays_whatever_is_judged_later() -> None:
    books = closing_books()
    claims = [books.lend(LATE, disbursed=date(2025, 6, 30), tier="wholesale") for _ in range(2)]
    people = {"made_by": books.maker, "approved_by": books.checker}
    assert close_day().state == DayRun.State.CLOSED
    before = verify_close(BOOKS_OPEN)

    freeze_classes(
        freeze=ClassFreeze(
            reference="BRPD 17/2020", from_date=date(2026, 1, 1), to_date=date(2026, 6, 30), reason="Flood."
        ),
        booking=books.booking(),
        **people,
    )
    hold_class(
        loan_ids=[claims[1].pk], at_least=LoanClass.DF, from_date=BOOKS_OPEN, kind="judgement",
        reason="Closed.", booking=books.booking(), **people,
    )  # fmt: skip
    Security.objects.create(
        loan=claims[1], institution=books.institution, category="land", kind="Deed", value=10_000,
        eligible_percent=50, valued_date=BOOKS_OPEN, from_date=BOOKS_OPEN, booking=books.booking(), **people,
    )  # fmt: skip
    made = draft_return(
        tier="wholesale", institution_id=None, as_of=BOOKS_OPEN, known_by_date=BOOKS_OPEN, reason="",
        actor=books.maker,
    )  # fmt: skip
    compute_return(return_id=made.pk, claimed_by="w")
    lock_return(return_id=made.pk, reason="", actor=books.checker)
    run = close_day(opening=date(2026, 1, 4))
    close_day()

    rows = ArrearsSnapshot.objects.filter(business_date=date(2026, 1, 4)).order_by("loan_id")
    assert [
        (row.loan_class, row.class_basis, row.reported_class, row.suspense_minor, row.security_minor)
        for row in rows
    ] == [
        (LoanClass.SMA, Basis.FROZEN, LoanClass.SMA, 0, 0),
        (LoanClass.DF, Basis.FLOOR, LoanClass.SMA, 0, 5_000_00),
    ]
    assert rows[1].base_minor == 92_000_00 - 5_000_00
    assert run.state == DayRun.State.CLOSED
    for day in (BOOKS_OPEN, run.business_date, date(2026, 1, 4)):
        assert verify_close(day).differences == []
    assert verify_close(BOOKS_OPEN).checksum == before.checksum
