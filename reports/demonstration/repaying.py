"""How the borrowers repay: each keeps a habit, and the book as a whole looks like a real one.

What falls due comes from calc, on the terms the bank's own list states, as a bank's system would compute it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random

import numpy as np
import pandas as pd

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import to_rate_units
from calc.schedule import GraceKind, Method, Rules, ScheduleColumns, TermsColumns, build_schedules
from reports.demonstration.cast import Cast, off_weekend

LATE_FILE_PERCENT = 1.2
"""Rows that a branch sends a month late: they lead to a replay."""


class Habit(StrEnum):
    """How one borrower pays."""

    PUNCTUAL = "punctual"
    DAYS_LATE = "days late"
    PART_PAYER = "part payer"
    AHEAD = "ahead"
    DEFAULTER = "defaulter"
    RECOVERED = "recovered"


HABITS = {
    Habit.PUNCTUAL: 68.0,
    Habit.DAYS_LATE: 17.0,
    Habit.PART_PAYER: 3.0,
    Habit.AHEAD: 6.0,
    Habit.DEFAULTER: 3.5,
    Habit.RECOVERED: 2.5,
}


@dataclass(frozen=True, slots=True)
class Instalment:
    """What falls due on one date, in minor units."""

    number: int
    due_on: date
    principal_minor: int
    interest_minor: int

    @property
    def total_minor(self) -> int:
        """Principal and interest."""
        return self.principal_minor + self.interest_minor


@dataclass(frozen=True, slots=True)
class Payment:
    """Money a borrower pays on a day."""

    value_date: date
    amount_minor: int
    principal_minor: int
    interest_minor: int


def plans(loans: pd.DataFrame) -> ScheduleColumns:
    """What falls due on each sub-loan; row n of the loans is position n of the plan."""
    keys = list(zip(*(loans[name] for name in _RULE_FIELDS), strict=True))
    distinct = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return build_schedules(
        TermsColumns(
            rules=tuple(_rules(*key) for key in distinct),
            rule=np.array([distinct[key] for key in keys], dtype=np.int64),
            principal=loans["amount_minor"].to_numpy(dtype=np.int64),
            rate=np.array([to_rate_units(rate) for rate in loans["annual_rate"]], dtype=np.int64),
            disbursed_on=loans["disbursed_date"].to_numpy(dtype="datetime64[D]"),
            first_due_on=np.full(len(loans), np.datetime64("NaT"), dtype="datetime64[D]"),
        ),
        BusinessCalendar(),
    )


_RULE_FIELDS = ("method", "instalment_count", "frequency", "grace_months", "grace_kind")


def _rules(method: str, instalments: int, frequency: str, grace_months: int, grace_kind: str) -> Rules:
    kind = Frequency(frequency)
    return Rules(
        method=Method(method),
        instalments=instalments,
        frequency=kind,
        grace_periods=grace_months // kind.months,
        grace_kind=GraceKind(grace_kind) if grace_months else GraceKind.NONE,
        day_count=DayCount.MONTHLY_12,
        roll=RollRule.FOLLOWING,
    )


def draw_receipts(loans: pd.DataFrame, cast: Cast, *, seed: int) -> pd.DataFrame:
    """One row a payment: loan key, value date, amount with the bank's own split, and the file it comes in.

    Ordered by file, institution and value date; references are the bank's own and never repeat in it.
    """
    until = cast.business_date
    files = file_dates(cast)
    dues = _instalments(plans(loans), len(loans))
    rows = []
    for key, player, plan in zip(loans["key"], loans["player"], dues, strict=True):
        random = Random(f"{seed}/{key}")  # noqa: S311  # repeatable on purpose
        habit = random.choices(list(HABITS), weights=list(HABITS.values()))[0]
        for payment in _payments(habit, plan, until, random):
            place = next(number for number, day in enumerate(files) if day >= payment.value_date)
            late = random.random() * 100 < LATE_FILE_PERCENT and place + 1 < len(files)
            rows.append((key, player, habit.value, files[place + late], *_fields(payment)))
    receipts = pd.DataFrame(rows, columns=["loan", "player", "habit", "file_on", *_PAYMENT_FIELDS])
    receipts = receipts.sort_values(
        ["file_on", "player", "value_date", "loan"], kind="stable", ignore_index=True
    )
    number = receipts.groupby(["player", "file_on"]).cumcount() + 1
    receipts["reference"] = [
        f"{player[:4]}{day:%y%m%d}{count:05d}"
        for player, day, count in zip(receipts["player"], receipts["file_on"], number, strict=True)
    ]
    return receipts


def file_dates(cast: Cast) -> tuple[date, ...]:
    """Business dates on which banks send repayments: month ends, twice in the last fortnight, the last."""
    days = cast.daily_closes
    return tuple(sorted({*cast.month_ends, days[len(days) // 2], days[-1], cast.business_date}))


_PAYMENT_FIELDS = ("value_date", "amount_minor", "principal_minor", "interest_minor")


def _fields(payment: Payment) -> tuple[object, ...]:
    return (payment.value_date, payment.amount_minor, payment.principal_minor, payment.interest_minor)


def _instalments(columns: ScheduleColumns, count: int) -> list[list[Instalment]]:
    """The instalments of each loan, in order."""
    found: list[list[Instalment]] = [[] for _ in range(count)]
    rows = zip(
        columns.loan.tolist(),
        columns.instalment.tolist(),
        columns.due_on.tolist(),
        columns.principal.tolist(),
        columns.interest.tolist(),
        strict=True,
    )
    for loan, instalment, due_on, principal, interest in rows:
        if instalment and principal + interest:
            found[loan].append(Instalment(instalment, due_on, principal, interest))
    return found


def _payments(habit: Habit, plan: list[Instalment], until: date, random: Random) -> Iterator[Payment]:
    """What the borrower pays up to a date."""
    fallen = [instalment for instalment in plan if instalment.due_on <= until]
    paid: Iterator[Payment]
    match habit:
        case Habit.PUNCTUAL:
            paid = (_pay([instalment], instalment.due_on) for instalment in fallen)
        case Habit.DAYS_LATE:
            paid = (
                _pay([instalment], _later(instalment.due_on, random.randint(1, 19))) for instalment in fallen
            )
        case Habit.PART_PAYER:
            paid = _in_parts(fallen, random)
        case Habit.AHEAD:
            paid = _ahead(plan, fallen, random)
        case Habit.DEFAULTER:
            stop = random.randint(1, max(2, len(plan) * 2 // 3))
            paid = (_pay([instalment], instalment.due_on) for instalment in fallen[:stop])
        case Habit.RECOVERED:
            paid = _after_a_gap(fallen, random)
    return (payment for payment in paid if payment.value_date <= until)


def _pay(instalments: list[Instalment], on: date) -> Payment:
    """Pay instalments in full on a day."""
    principal = sum(instalment.principal_minor for instalment in instalments)
    interest = sum(instalment.interest_minor for instalment in instalments)
    return Payment(on, principal + interest, principal, interest)


def _in_parts(fallen: list[Instalment], random: Random) -> Iterator[Payment]:
    """Pay two thirds or so, in whole taka, and the rest with every third instalment."""
    owed_principal = owed_interest = 0
    for number, instalment in enumerate(fallen, start=1):
        owed_principal += instalment.principal_minor
        owed_interest += instalment.interest_minor
        share = 100 if number % 3 == 0 and random.random() < 0.85 else random.randint(45, 85)
        principal = owed_principal if share == 100 else owed_principal * share // 100 // 100 * 100
        interest = owed_interest if share == 100 else owed_interest * share // 100 // 100 * 100
        if principal + interest:
            yield Payment(
                _later(instalment.due_on, random.randint(0, 9)), principal + interest, principal, interest
            )
            owed_principal -= principal
            owed_interest -= interest


def _ahead(plan: list[Instalment], fallen: list[Instalment], random: Random) -> Iterator[Payment]:
    """Pay some instalments at once every now and then, before they fall due."""
    position = 0
    while position < len(fallen):
        count = random.choice((1, 1, 1, 1, 2, 3, 6))
        yield _pay(plan[position : position + count], fallen[position].due_on)
        position += count


def _after_a_gap(fallen: list[Instalment], random: Random) -> Iterator[Payment]:
    """Pay nothing for a while, then everything that fell due meanwhile."""
    if not fallen:
        return
    gap_from = random.randrange(len(fallen))
    gap = random.randint(3, 8)
    for position, instalment in enumerate(fallen):
        if not gap_from <= position < gap_from + gap:
            missed = fallen[gap_from:position] if position == gap_from + gap else []
            yield _pay([*missed, instalment], instalment.due_on)


def _later(day: date, days: int) -> date:
    """Some days later, moved off the weekend."""
    return off_weekend(day + timedelta(days=days))
