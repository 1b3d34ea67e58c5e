"""How each interest figure of a plan came about: days, basis, balance, rate, product, rounding.

The plan is built again from its stored terms and the calendar known when it was booked, by the same engine;
a working is shown only where it gives exactly what the books hold.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import HALF_UP, Rounding, RoundingMode, from_rate_units
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    Method,
    Residue,
    Schedule,
    Terms,
    build_schedule,
)
from daybook.formats import digits

_CHOICES: dict[str, type[Any]] = {
    "method": Method,
    "frequency": Frequency,
    "grace_kind": GraceKind,
    "day_count": DayCount,
    "roll": RollRule,
    "interest_to": InterestTo,
    "residue": Residue,
}
_COUNTS = ("instalments", "every_days", "due_day", "grace_periods", "principal_minor")
_ROUNDINGS = ("instalment_rounding", "interest_rounding")
_MODE = re.compile(r"'(half_up|half_even|up|down)'")
_QUANTUM = re.compile(r"quantum_minor'?: ?(\d+)")


@dataclass(frozen=True, slots=True)
class Working:
    """One stretch of days of one instalment's interest. Money in minor units; `exact_minor` unrounded."""

    from_on: date
    to_on: date
    days: int
    balance_minor: int
    rate_percent: Decimal
    factor: Fraction
    exact_minor: Fraction

    @property
    def factor_text(self) -> str:
        """The part of a year as a fraction, in the digits of the page."""
        return digits(str(self.factor))

    @property
    def exact_taka(self) -> Decimal:
        """The product before rounding, to six places of the currency's unit, cut."""
        scaled = self.exact_minor * 10_000
        return Decimal(scaled.numerator // scaled.denominator).scaleb(-6)


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books hold of a generated plan: the loan's own figures, and interest due by instalment."""

    principal_minor: int
    annual_rate: Decimal | None
    disbursed_on: date
    first_nominal_date: date
    interest: Mapping[int, int]


def _candidates(stored: Mapping[str, Any], booked: Booked) -> list[Terms]:
    """The terms a plan may have been built from; none for a plan supplied by the institution.

    A tranche keeps its terms whole. A bank's list keeps what the bank stated: the rest follows from the
    loan, and periods are counted from the disbursement or from the first due date, whichever was stated.
    """
    if not stored.get("method"):
        return []
    values: dict[str, Any] = {
        name: kind(stored[name]) for name, kind in _CHOICES.items() if stored.get(name) not in (None, "")
    }
    if "annual_rate" in stored:
        values |= {name: int(stored[name]) for name in _COUNTS if stored.get(name) not in (None, "")}
        values |= {name: _rounding(str(stored[name])) for name in _ROUNDINGS if name in stored}
        first = stored.get("first_due_on")
        return [
            Terms(
                annual_rate=Decimal(str(stored["annual_rate"])),
                disbursed_on=date.fromisoformat(str(stored["disbursed_on"])),
                first_due_on=date.fromisoformat(str(first)) if first not in (None, "", "None") else None,
                **values,
            )
        ]
    if booked.annual_rate is None:
        return []
    step = max(values["frequency"].months, 1)
    grace = int(stored.get("grace_months") or 0)
    paying = stored.get("instalment_count") or (int(stored.get("tenor_months") or 0) - grace) // step
    by_months = values["frequency"].months > 0
    values |= {
        "instalments": int(paying),
        "grace_periods": grace // step,
        "day_count": DayCount.MONTHLY_12 if by_months else DayCount.ACT_365F,
        "roll": RollRule.FOLLOWING,
        "principal_minor": booked.principal_minor,
        "annual_rate": booked.annual_rate,
        "disbursed_on": booked.disbursed_on,
    }
    return [Terms(**values), Terms(**values, first_due_on=booked.first_nominal_date)]


def fitting_plan(
    stored: Mapping[str, Any], calendar: BusinessCalendar, booked: Booked
) -> tuple[Terms, Schedule] | None:
    """The terms and plan that give exactly the interest the books hold; None where none does."""
    for terms in _candidates(stored, booked):
        try:
            plan = build_schedule(terms, calendar)
        except CannotSchedule:
            continue
        made = {p.instalment: p.interest_minor for p in plan.instalments if p.interest_minor}
        if made == {number: minor for number, minor in booked.interest.items() if minor}:
            return terms, plan
    return None


def _rounding(text: str) -> Rounding:
    """A rounding as it was written into the stored terms: its mode and quantum."""
    mode, quantum = _MODE.search(text), _QUANTUM.search(text)
    return Rounding(
        RoundingMode(mode.group(1)) if mode else HALF_UP.mode,
        int(quantum.group(1)) if quantum else HALF_UP.quantum_minor,
    )


def workings(plan: Schedule) -> dict[int, tuple[Working, ...]]:
    """The working of each instalment's interest."""
    return {
        period.instalment: tuple(
            Working(
                from_on=part.from_on,
                to_on=part.to_on,
                days=part.days,
                balance_minor=part.balance_minor,
                rate_percent=from_rate_units(part.rate_units),
                factor=part.factor,
                exact_minor=part.exact_minor,
            )
            for part in period.segments
        )
        for period in plan.instalments
        if period.interest_minor
    }
