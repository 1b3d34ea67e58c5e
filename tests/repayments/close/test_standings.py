"""Standings recomputed from the facts equal a walk through the facts by hand, for any pair of clocks."""

from __future__ import annotations

from datetime import date

import pytest

from daybook.selectors import known_by
from repayments.frames import Scope
from repayments.selectors import standings
from repayments.services.posting import post_receipts
from tests.repayments.posting.books import make_books, receipts

pytestmark = pytest.mark.django_db


def test_a_loan_without_policies_is_measured_and_says_so() -> None:
    books = make_books()
    loan = books.loan([(date(2025, 10, 31), 100_00), (date(2025, 11, 30), 100_00)], tier="subloan")
    post_receipts(receipts=receipts((loan, date(2025, 11, 5), 30_00, "R1")), booking=books.booking())

    found = standings(
        as_of=date(2025, 12, 31), knowledge=known_by(date(2025, 12, 31)), scope=Scope.of_loans([loan.pk])
    ).iloc[0]

    assert found["number"] == loan.number
    assert (found["tier"], found["currency"], found["state"]) == ("subloan", "BDT", "computed")
    assert found["outstanding_minor"] == 170_00
    assert found["days_past_due"] == 61
    assert found["overdue_since"].date() == date(2025, 10, 31)
    assert found["loan_class"] == -1
    assert found["classification_policy_id"] == 0
