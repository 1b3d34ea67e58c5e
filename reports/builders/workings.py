"""How each interest figure of a plan came about: days, basis, balance, rate, product, rounding.

The plan is built again from its stored terms and the calendar known when it was booked, by the same engine;
a working is shown only where it gives exactly what the books hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    Method,
    Schedule,
    Terms,
    build_schedule,
    read_terms,
)
from lending.builders.workings import Working, working_of
from lending.stored_terms import terms_from_json

_CHOICES: dict[str, type[Any]] = {
    "method": Method,
    "frequency": Frequency,
    "grace_kind": GraceKind,
    "day_count": DayCount,
}


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
    if "annual_rate" in stored:
        for read in (read_terms, terms_from_json):
            try:
                return [read(stored)]
            except (CannotSchedule, TypeError, ValueError, KeyError):
                continue  # kept in another form; where neither reads it there is no working to show
        return []
    values: dict[str, Any] = {
        name: kind(stored[name]) for name, kind in _CHOICES.items() if stored.get(name) not in (None, "")
    }
    if booked.annual_rate is None:
        return []
    step = max(values["frequency"].months, 1)
    grace = int(stored.get("grace_months") or 0)
    paying = stored.get("instalment_count") or (int(stored.get("tenor_months") or 0) - grace) // step
    usual = DayCount.MONTHLY_12 if values["frequency"].months > 0 else DayCount.ACT_365F
    values |= {
        "instalments": int(paying),
        "grace_periods": grace // step,
        "every_days": int(stored.get("every_days") or 0),
        "due_day": int(stored.get("due_day") or 0),
        "step_every": int(stored.get("step_every") or 0),
        "step_percent": Decimal(stored.get("step_percent") or 0),
        "day_count": values.get("day_count", usual),
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


def workings(terms: Terms, plan: Schedule) -> dict[int, Working]:
    """The working of each instalment's interest."""
    found = {period.instalment: working_of(period, terms) for period in plan.instalments}
    return {number: working for number, working in found.items() if working and not working.joins_principal}


def quiet_workings(terms: Terms, plan: Schedule) -> list[tuple[date, Working]]:
    """The working of interest that no due shows: of grace periods at whose end nothing falls due."""
    found = ((period.due_on, working_of(period, terms)) for period in plan.periods if not period.instalment)
    return [(on, working) for on, working in found if working]
