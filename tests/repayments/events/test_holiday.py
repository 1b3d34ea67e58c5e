"""A day between an instalment's own date and the business day on which it is late: nothing is left behind."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from daybook.selectors import open_business_date
from lending.models import Loan
from tests.lending.world import CRORE, World
from tests.repayments.events.books import made, pay, wanted
from tests.repayments.events.test_raised import closes_in_balance, go_to, opened, standing

pytestmark = pytest.mark.django_db

FRIDAY, SATURDAY, SUNDAY = date(2025, 8, 1), date(2025, 8, 2), date(2025, 8, 3)
SHARE = 8_33_333_33
"""A twelfth of one crore; 6 % over 360 on the 50,00,000.02 left on 1 July is 25,833.33 for July's 31 days."""
JULY = 25_833_33


def lent(**terms: Any) -> tuple[World, Loan]:
    """Twelve months of equal principal, paid up to July; open on 4 August, two days after the Saturday."""
    world = opened(frequency="monthly", instalment_count=12, **terms)
    loan = world.loan(amount=CRORE)
    for on in (date(2025, 3, 2), date(2025, 5, 4), date(2025, 7, 2), date(2025, 8, 4)):
        go_to(on)
        if on == date(2025, 7, 2):
            planned = loan.dues.filter(late_date__lte=on, component__in=[3, 4], mirror_of=None)
            for number, late in enumerate(sorted(set(planned.values_list("late_date", flat=True)))):
                owed = sum(due.amount_minor for due in planned.filter(late_date=late))
                pay(world, loan, late, owed, f"PAID {number}")
    assert loan.dues.get(component=4, instalment=7, mirror_of=None).late_date == SUNDAY
    return world, loan


def test_a_settlement_asks_for_the_instalment_of_the_holiday_too() -> None:
    """41,66,666.69 not due yet, a day's interest on it (694.44), and the instalment late on Sunday."""
    world, loan = lent()
    event = made(world, wanted("settlement", loan, SATURDAY, valid_until=SATURDAY, reference="ALL"))
    (figure,) = event.preview["figures"]
    assert figure["principal"] == 41_66_666_69 + SHARE == 50_00_000_02
    assert figure["interest"] == 694_44 + JULY
    for day in (SUNDAY, open_business_date(), date(2026, 1, 1)):
        now = standing(loan, day)
        assert (now["outstanding_minor"], now["interest_due_minor"], now["advance_minor"]) == (0, 0, 0)
    closes_in_balance(open_business_date())


def test_paid_by_the_day_it_holds_too() -> None:
    world, loan = lent(interest_basis="daily_product")
    event = made(world, wanted("settlement", loan, SATURDAY, valid_until=SATURDAY, reference="ALL"))
    assert event.preview["figures"][0]["principal"] == standing(loan, FRIDAY)["outstanding_minor"]
    for day in (SUNDAY, open_business_date(), date(2026, 1, 1)):
        now = standing(loan, day)
        assert (now["outstanding_minor"], now["interest_due_minor"], now["advance_minor"]) == (0, 0, 0)
    closes_in_balance(open_business_date())


def test_money_that_waits_for_sunday_already_is_not_asked_for_twice() -> None:
    world, loan = lent()
    pay(world, loan, FRIDAY, SHARE + JULY, "ON FRIDAY")
    event = made(world, wanted("settlement", loan, SATURDAY, valid_until=SATURDAY, reference="ALL"))
    assert event.amount_minor == 41_66_666_69 + 694_44
    assert standing(loan, SUNDAY)["outstanding_minor"] == 0
    closes_in_balance(open_business_date())
