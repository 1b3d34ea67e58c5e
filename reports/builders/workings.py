"""How each interest figure of a plan came about: days, basis, balance, rate, product, rounding.

The plan is built again from its stored terms and the calendar known when it was booked, by the same engine;
a working is shown only where it gives exactly what the books hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from calc.calendar import BusinessCalendar
from calc.schedule import (
    CannotSchedule,
    Schedule,
    Terms,
    build_schedule,
    read_terms,
)
from lending.builders.workings import Working, working_of


def fitting_plan(
    stored: Mapping[str, Any], calendar: BusinessCalendar, interest: Mapping[int, int]
) -> tuple[Terms, Schedule] | None:
    """The terms and plan that give exactly the interest the books hold (by instalment), or None."""
    try:
        terms = read_terms(stored)
        plan = build_schedule(terms, calendar)
    except CannotSchedule:  # the institution supplied the plan: nothing is kept of its terms
        return None
    made = {p.instalment: p.interest_minor for p in plan.instalments if p.interest_minor}
    held = {number: minor for number, minor in interest.items() if minor}
    return (terms, plan) if made == held else None


def workings(terms: Terms, plan: Schedule) -> dict[int, Working]:
    """The working of each instalment's interest."""
    found = {period.instalment: working_of(period, terms) for period in plan.instalments}
    return {number: working for number, working in found.items() if working and not working.joins_principal}


def quiet_workings(terms: Terms, plan: Schedule) -> list[tuple[date, Working]]:
    """The working of interest that no due shows: of grace periods at whose end nothing falls due."""
    found = ((period.due_on, working_of(period, terms)) for period in plan.periods if not period.instalment)
    return [(on, working) for on, working in found if working]
