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
from calc.schedule import CannotSchedule, GraceKind, InterestTo, Method, Residue, Terms, build_schedule

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
    def exact_taka(self) -> Decimal:
        """The product before rounding, to six places of the currency's unit, cut."""
        scaled = self.exact_minor * 10_000
        return Decimal(scaled.numerator // scaled.denominator).scaleb(-6)


def terms_of(stored: Mapping[str, Any]) -> Terms | None:
    """The terms a schedule was built from; None for a plan supplied by the institution."""
    if not stored.get("method"):
        return None
    values: dict[str, Any] = {
        name: kind(stored[name]) for name, kind in _CHOICES.items() if stored.get(name) not in (None, "")
    }
    values.update({name: int(stored[name]) for name in _COUNTS if stored.get(name) not in (None, "")})
    for name in ("instalment_rounding", "interest_rounding"):
        if name in stored:
            values[name] = _rounding(str(stored[name]))
    first = stored.get("first_due_on")
    return Terms(
        annual_rate=Decimal(str(stored["annual_rate"])),
        disbursed_on=date.fromisoformat(str(stored["disbursed_on"])),
        first_due_on=date.fromisoformat(str(first)) if first not in (None, "", "None") else None,
        **values,
    )


def _rounding(text: str) -> Rounding:
    """A rounding as it was written into the stored terms: its mode and quantum."""
    mode, quantum = _MODE.search(text), _QUANTUM.search(text)
    return Rounding(
        RoundingMode(mode.group(1)) if mode else HALF_UP.mode,
        int(quantum.group(1)) if quantum else HALF_UP.quantum_minor,
    )


def workings(
    stored: Mapping[str, Any], calendar: BusinessCalendar, interest_due: Mapping[int, int]
) -> dict[int, tuple[Working, ...]]:
    """The working of each instalment's interest, for those the engine reproduces to the minor unit.

    ``interest_due`` is what the books hold, by instalment.
    """
    terms = terms_of(stored)
    if terms is None:
        return {}
    try:
        plan = build_schedule(terms, calendar)
    except CannotSchedule:
        return {}
    found: dict[int, tuple[Working, ...]] = {}
    for period in plan.instalments:
        if period.interest_minor != interest_due.get(period.instalment, 0) or not period.interest_minor:
            continue
        found[period.instalment] = tuple(
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
    return found
