"""Cases a finance officer can work by hand, booked with plan and receipts and measured as the close does.

The cases are in ``class_cases`` and ``provision_cases``.
"""

from __future__ import annotations

from datetime import date

import pytest

from calc.calendar import add_months
from calc.classification import LoanClass
from repayments.frames import Scope
from repayments.models import ClassificationPolicy, ProvisionPolicy
from repayments.selectors import measure_loans
from tests.repayments.close.books import closing_books
from tests.repayments.close.class_cases import AMOUNT_BOUNDS, TIME_BOUNDS, Case
from tests.repayments.close.provision_cases import PROVISIONS, SAME_DAY

pytestmark = pytest.mark.django_db

EVERYTHING = 2**62


@pytest.mark.parametrize(
    "case", TIME_BOUNDS + AMOUNT_BOUNDS + SAME_DAY + PROVISIONS, ids=lambda case: case.says.replace(" ", "-")
)
def test_case(case: Case) -> None:
    books = closing_books(kind=case.kind)
    plan = [(row[0], *(amount * 100 for amount in row[1:])) for row in case.plan]
    start = case.lent or add_months(case.plan[0][0], -24 if len(plan) == 1 else -1)
    loan = books.lend(plan, disbursed=start, tier=case.tier, size=case.size)  # type: ignore[arg-type]
    for day, amount in case.paid:
        books.receive(loan, min(day, date(2025, 12, 31)), amount * 100)

    row = measure_loans(Scope.of_loans([loan.pk]), as_of=case.on, last_booking_id=EVERYTHING).rows[0]

    assert (row["days_past_due"], row["months_overdue"]) == (case.days, case.months)
    assert LoanClass(row["loan_class"]) is case.expect
    if case.policy:
        assert ClassificationPolicy.objects.get(pk=row["classification_policy_id"]).code == case.policy
    if case.provision_policy == "":
        assert row["provision_policy_id"] == 0, "no policy, which is not the same as no provision"
    elif case.provision_policy is not None:
        assert ProvisionPolicy.objects.get(pk=row["provision_policy_id"]).code == case.provision_policy
    if case.provision is not None:
        assert row["provision_minor"] == case.provision * 100


def test_without_any_policy_there_is_no_class_and_no_provision() -> None:
    books = closing_books(policies=False)
    loan = books.lend([(date(2025, 3, 31), 90_000_00)], disbursed=date(2025, 1, 31))
    row = measure_loans(Scope.of_loans([loan.pk]), as_of=date(2025, 12, 31), last_booking_id=EVERYTHING).rows[
        0
    ]
    assert LoanClass(row["loan_class"]) is LoanClass.UNCLASSIFIED
    assert (row["classification_policy_id"], row["provision_policy_id"]) == (0, 0)
    assert row["days_past_due"] == 275, "lateness needs no policy"
