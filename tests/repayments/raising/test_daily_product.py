"""A daily-product loan from its disbursement on: principal planned, interest raised from the facts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from calc.schedule import read_terms
from daybook.selectors import open_business_date
from daybook.services import roll_day
from lending.models import Due, Loan, Schedule
from lending.services.agreements import CannotDraftAgreement
from lending.services.schedules import DUE_COLUMNS, append_versions
from repayments.builders.raised import raised_on
from repayments.frames import Scope
from repayments.models import DayRun, Receipt
from repayments.selectors import measure_loans
from repayments.services.close import close_day
from repayments.services.policies import load_policies
from repayments.services.posting import post_receipts, reverse_receipts
from repayments.services.raising import raise_day
from tests.lending.world import CRORE, World, make_world
from tests.repayments.posting.books import check_guards, receipts

pytestmark = pytest.mark.django_db

PENAL, INTEREST, PRINCIPAL = 2, 3, 4
TERMS: dict[str, Any] = {
    "interest_basis": "daily_product",
    "annual_rate": Decimal(6),
    "penal_rate": Decimal("1.5"),
    "instalment_count": 4,
    "grace_months": 0,
    "grace_kind": "none",
    "method": "equal_principal",
    "frequency": "quarterly",
    "day_count": "ACT/360",
}


@pytest.fixture
def world(db: None) -> World:
    made = make_world(**TERMS)
    load_policies(
        booking=made.booking(), proposed_by=made.people["officer"], approved_by=made.people["approver"]
    )
    return made


def go_to(day: date) -> None:
    """Raise and roll to a day, leaving out those between: as if the books had been shut."""
    today = open_business_date()
    raise_day(business_date=today)
    roll_day(closing=today, opening=day)


def pay(world: World, loan: Loan, day: date, amount: int) -> None:
    booking = world.booking()
    post_receipts(receipts=receipts((loan, day, amount, f"R{booking.pk}")), booking=booking)


def raised(loan: Loan, component: int) -> list[tuple[int, date, int]]:
    rows = Due.objects.filter(loan=loan, component=component, mirror_of=None, mirror=None)
    return [(row.instalment, row.late_date, row.amount_minor) for row in rows.order_by("late_date")]


def test_the_plan_has_principal_only_and_names_its_interest_periods(world: World) -> None:
    loan = world.loan(amount=CRORE)
    assert set(Due.objects.filter(loan=loan).values_list("component", flat=True)) == {PRINCIPAL}
    terms = Schedule.objects.get(loan=loan).terms
    assert terms["accruals"] == [
        {"instalment": 1, "until": "2025-04-01", "late": "2025-04-01"},
        {"instalment": 2, "until": "2025-07-01", "late": "2025-07-01"},
        {"instalment": 3, "until": "2025-10-01", "late": "2025-10-01"},
        {"instalment": 4, "until": "2026-01-01", "late": "2026-01-01"},
    ]
    assert read_terms(terms).instalments == 4


def test_interest_is_raised_at_the_due_date_on_what_was_outstanding_each_day(world: World) -> None:
    """1,00,00,000.00 at 6 % over 360. To 1 April 90 days: 1,50,000.00, paid with the principal 10 days late.

    To 1 July 10 days on 1,00,00,000.00 and 81 on 75,00,000.00: 16,666.67 + 1,01,250.00 = 1,17,916.67.
    Ten days late on 26,50,000.00 at 1.5 % are 1,104.17.
    """
    loan = world.loan(amount=CRORE)
    go_to(date(2025, 3, 31))
    go_to(date(2025, 4, 1))
    assert raised(loan, INTEREST) == []
    go_to(date(2025, 4, 11))
    assert raised(loan, INTEREST) == [(1, date(2025, 4, 1), 1_50_000_00)]
    pay(world, loan, date(2025, 4, 11), 26_50_000_00)
    go_to(date(2025, 7, 1))
    assert sum(amount for _, _, amount in raised(loan, PENAL)) == 1_104_17
    go_to(date(2025, 7, 2))
    assert raised(loan, INTEREST)[1:] == [(2, date(2025, 7, 1), 1_17_916_67)]
    check_guards()


def test_facts_that_come_late_raise_the_interest_again(world: World) -> None:
    """The receipt bounces in July: 91 days on 1,00,00,000.00 are 1,51,666.67; the old row is taken back."""
    loan = world.loan(amount=CRORE)
    go_to(date(2025, 4, 1))
    go_to(date(2025, 4, 11))
    pay(world, loan, date(2025, 4, 11), 26_50_000_00)
    for day in (date(2025, 7, 1), date(2025, 7, 2)):
        go_to(day)
    receipt = Receipt.objects.get(loan=loan)
    reverse_receipts(receipt_ids=[receipt.pk], booking=world.booking(), reason="Bounced")
    go_to(date(2025, 7, 3))
    assert raised(loan, INTEREST) == [
        (1, date(2025, 4, 1), 1_50_000_00),
        (2, date(2025, 7, 1), 1_51_666_67),
    ]
    mirror = Due.objects.get(loan=loan, component=INTEREST, mirror_of__isnull=False)
    assert (mirror.amount_minor, mirror.effective_date) == (-1_17_916_67, date(2025, 7, 1))
    check_guards()


def test_money_that_waits_meets_the_interest_on_the_night_it_is_raised(world: World) -> None:
    """Paid on the due date before anybody knew the interest: it waits one evening as an advance."""
    loan = world.loan(amount=CRORE)
    go_to(date(2025, 4, 1))
    pay(world, loan, date(2025, 4, 1), 26_50_000_00)
    run = close_day(opening=date(2025, 4, 2))
    assert run.state == DayRun.State.CLOSED, run.error
    check_guards()
    rows = measure_loans(
        Scope.of_loans([loan.pk]), as_of=date(2025, 4, 1), last_booking_id=run.last_booking_id
    )
    assert (rows.rows["advance_minor"][0], rows.rows["interest_due_minor"][0]) == (0, 0)
    go_to(date(2025, 4, 20))
    go_to(date(2025, 4, 21))
    assert raised(loan, PENAL) == []


@pytest.mark.parametrize(
    "changes", [{"method": "flat"}, {"grace_months": 6, "grace_kind": "interest_capitalised"}]
)
def test_terms_that_need_interest_in_the_plan_are_refused(db: None, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotDraftAgreement):
        make_world(**(TERMS | changes))


def test_what_is_still_to_come_is_a_forecast_and_not_due(world: World) -> None:
    """Paid as planned: 1,50,000.00, then 91 days on 75,00,000 and 92 on 50,00,000 and 25,00,000 at 6 %."""
    loan = world.loan(amount=CRORE)
    shown = raised_on(
        loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=date(2025, 1, 1), last_booking_id=2**60
    )
    assert [row.interest_minor for row in shown.interest] == [
        1_50_000_00,
        1_13_750_00,
        76_666_67,
        38_333_33,
    ]
    assert all(row.is_forecast for row in shown.interest)
    assert shown.forecast_minor == 3_78_750_00
    go_to(date(2025, 4, 1))
    go_to(date(2025, 4, 2))
    after = raised_on(
        loan_id=loan.pk, agreement_id=loan.agreement_id, as_of=date(2025, 4, 1), last_booking_id=2**60
    )
    assert [row.is_forecast for row in after.interest] == [False, True, True, True]


def test_a_new_version_with_another_rate_splits_the_period_where_it_begins(world: World) -> None:
    """75,00,000.00 from 1 April: 44 days at 6 % and, from 15 May, 47 at 5 %: 1,03,958.33."""
    loan = world.loan(amount=CRORE)
    go_to(date(2025, 4, 1))
    pay(world, loan, date(2025, 4, 1), 26_50_000_00)
    go_to(date(2025, 5, 15))
    dues = Due.objects.filter(loan=loan, component=PRINCIPAL, instalment__gt=1)
    append_versions(
        versions=pd.DataFrame(
            [
                {
                    "loan_id": loan.pk, "cause": "rate_change", "effective_date": date(2025, 5, 15),
                    "terms": {"annual_rate": "5"}, "keeps_to": 1, "capitalised_minor": 0, "added_minor": 0,
                    "transferred_minor": 0,
                }
            ]
        ),
        dues=pd.DataFrame(list(dues.values(*DUE_COLUMNS))),
        booking=world.booking(),
    )  # fmt: skip
    go_to(date(2025, 7, 1))
    go_to(date(2025, 7, 2))
    assert raised(loan, INTEREST)[1:] == [(2, date(2025, 7, 1), 1_03_958_33)]
    check_guards()
