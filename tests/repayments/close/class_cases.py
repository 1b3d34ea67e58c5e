"""When is a loan late, and in which class: every boundary, worked with pencil and calendar. Amounts are taka.

Unless a case says otherwise, instalments are of principal only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from calc.calendar import add_months
from calc.classification import LoanClass
from tests.repayments.close.books import Instalment

STANDARD, SMA, SS, DF, BL = (LoanClass(number) for number in range(5))


def monthly(first: date, count: int, amount: int = 10_000) -> list[tuple[date, int]]:
    """So many instalments, each a month after the one before (the 31st where the month has one)."""
    return [(add_months(first, n), amount) for n in range(count)]


def quarterly(first: date, count: int, amount: int = 30_000) -> list[tuple[date, int]]:
    return [(add_months(first, 3 * n), amount) for n in range(count)]


@dataclass(frozen=True)
class Case:
    """What is lent and paid, and what must be found on a date."""

    says: str
    on: date
    plan: Sequence[Instalment]
    expect: LoanClass
    days: int
    months: int
    paid: Sequence[tuple[date, int]] = field(default_factory=list)
    tier: str = "subloan"
    kind: str = "bank"
    size: str = "small"
    policy: str = ""
    lent: date | None = None
    provision: int | None = None
    provision_policy: str | None = None


ONE_OF_31_MARCH: list[Instalment] = [(date(2026, 3, 31), 90_000)]
# Twelve of 10,000 from 31 January 2026; nothing paid unless said.
YEAR = monthly(date(2026, 1, 31), 12)
# Twenty-four of 10,000 from 31 January 2025, paid on time up to and including 28 February 2026.
PAID_TO_FEBRUARY = monthly(date(2025, 1, 31), 24)
FOURTEEN_PAYMENTS = [(day, amount) for day, amount in PAID_TO_FEBRUARY[:14]]
# Six quarters of 30,000 from 30 September 2025; those of September and December paid on time.
QUARTERS = quarterly(date(2025, 9, 30), 6)
TWO_QUARTERS = [(day, amount) for day, amount in QUARTERS[:2]]

TIME_BOUNDS = [
    Case(
        "not late on its own due date", date(2026, 3, 31), ONE_OF_31_MARCH, STANDARD, 0, 0, tier="wholesale"
    ),
    Case("one day late the day after", date(2026, 4, 1), ONE_OF_31_MARCH, STANDARD, 1, 0, tier="wholesale"),
    Case("31 March is 2 months on 31 May", date(2026, 5, 31), ONE_OF_31_MARCH, SMA, 61, 2, tier="wholesale"),
    Case("and not on 30 May", date(2026, 5, 30), ONE_OF_31_MARCH, STANDARD, 60, 1, tier="wholesale"),
    Case("31 March is 3 months on 30 June", date(2026, 6, 30), ONE_OF_31_MARCH, SS, 91, 3, tier="wholesale"),
    Case("and not on 29 June", date(2026, 6, 29), ONE_OF_31_MARCH, SMA, 90, 2, tier="wholesale"),
    Case("6 months on 30 September", date(2026, 9, 30), ONE_OF_31_MARCH, DF, 183, 6, tier="wholesale"),
    Case("and not on 29 September", date(2026, 9, 29), ONE_OF_31_MARCH, SS, 182, 5, tier="wholesale"),
    Case("12 months on 31 March", date(2027, 3, 31), ONE_OF_31_MARCH, BL, 365, 12, tier="wholesale"),
    Case("and not on 30 March", date(2027, 3, 30), ONE_OF_31_MARCH, DF, 364, 11, tier="wholesale"),
    Case(
        "30 November is 3 months on 28 February",
        date(2026, 2, 28),
        [(date(2025, 11, 30), 90_000)],
        SS,
        90,
        3,
        tier="wholesale",
    ),
    Case(
        "and not on 27 February",
        date(2026, 2, 27),
        [(date(2025, 11, 30), 90_000)],
        SMA,
        89,
        2,
        tier="wholesale",
    ),
    Case(
        "in a leap year on 29 February",
        date(2028, 2, 29),
        [(date(2027, 11, 30), 90_000)],
        SS,
        91,
        3,
        tier="wholesale",
    ),
    Case(
        "and then not on 28 February",
        date(2028, 2, 28),
        [(date(2027, 11, 30), 90_000)],
        SMA,
        90,
        2,
        tier="wholesale",
    ),
    Case(
        "31 December is 2 months on 28 February",
        date(2026, 2, 28),
        [(date(2025, 12, 31), 90_000)],
        SMA,
        59,
        2,
        tier="wholesale",
    ),
    Case(
        "after the last instalment months go on: 6",
        date(2026, 6, 30),
        quarterly(date(2025, 3, 31), 4),
        DF,
        181,
        6,
        paid=quarterly(date(2025, 3, 31), 3),
        tier="wholesale",
    ),
    Case(
        "after the last instalment: 12",
        date(2026, 12, 31),
        quarterly(date(2025, 3, 31), 4),
        BL,
        365,
        12,
        paid=quarterly(date(2025, 3, 31), 3),
        tier="wholesale",
    ),
]

AMOUNT_BOUNDS = [
    Case(
        "a new loan that missed its first: one of the two due in its first 2 months",
        date(2026, 2, 1),
        YEAR,
        STANDARD,
        1,
        0,
        policy="BANK-2025",
    ),
    Case("that missed both: 2 months", date(2026, 3, 1), YEAR, SMA, 29, 1, policy="BANK-2025"),
    Case("that missed three: 3 months", date(2026, 4, 1), YEAR, SS, 60, 2, policy="BANK-2025"),
    Case(
        "14 paid, one unpaid: 1 month",
        date(2026, 4, 30),
        PAID_TO_FEBRUARY,
        STANDARD,
        30,
        1,
        paid=FOURTEEN_PAYMENTS,
    ),
    Case(
        "two unpaid of the two that fell due in 2 months",
        date(2026, 5, 1),
        PAID_TO_FEBRUARY,
        SMA,
        31,
        1,
        paid=FOURTEEN_PAYMENTS,
    ),
    Case(
        "three unpaid of the three that fell due in 3 months",
        date(2026, 6, 1),
        PAID_TO_FEBRUARY,
        SS,
        62,
        2,
        paid=FOURTEEN_PAYMENTS,
    ),
    Case(
        "part-paid by half of one: less than 3 months' worth",
        date(2026, 6, 1),
        PAID_TO_FEBRUARY,
        SMA,
        62,
        2,
        paid=[*FOURTEEN_PAYMENTS, (date(2026, 5, 20), 5_000)],
    ),
    Case(
        "one paid late: the oldest is now of 30 April",
        date(2026, 6, 1),
        PAID_TO_FEBRUARY,
        SMA,
        32,
        1,
        paid=[*FOURTEEN_PAYMENTS, (date(2026, 5, 20), 10_000)],
    ),
    Case(
        "all paid: nothing overdue",
        date(2026, 6, 1),
        PAID_TO_FEBRUARY,
        STANDARD,
        0,
        0,
        paid=[*FOURTEEN_PAYMENTS, (date(2026, 5, 31), 30_000)],
    ),
    Case(
        "a quarter missed by a day is 3 months' worth",
        date(2026, 3, 31),
        QUARTERS,
        SS,
        1,
        0,
        paid=TWO_QUARTERS,
    ),
    Case(
        "a quarter paid but for one taka",
        date(2026, 3, 31),
        QUARTERS,
        STANDARD,
        1,
        0,
        paid=[*TWO_QUARTERS, (date(2026, 3, 31), 29_999)],
    ),
    Case("two quarters missed are 6 months' worth", date(2026, 7, 1), QUARTERS, DF, 93, 3, paid=TWO_QUARTERS),
    Case("in grace nothing falls due", date(2026, 6, 29), monthly(date(2026, 6, 30), 12), STANDARD, 0, 0),
    Case(
        "the first after grace, one day late, is one of the next months' dues",
        date(2026, 7, 1),
        monthly(date(2026, 6, 30), 12),
        STANDARD,
        1,
        0,
    ),
]
