"""How each interest figure of a plan came about: days, basis, balance, rate, product, rounding.

The plan is built again from its stored terms and the calendar known when it was booked, by the same engine;
a working is shown only where it gives exactly what the books hold, and where it does not the page says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from calc.calendar import BusinessCalendar
from calc.money import round_ratio
from calc.schedule import (
    CannotSchedule,
    Schedule,
    Terms,
    build_schedule,
    read_terms,
)
from lending.builders.workings import Stretch, Working, working_of
from reports.builders.recalculation_rows import INTEREST, PlanRow, VersionRow


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A version built again. ``differing`` are the instalments of which the books hold another figure."""

    terms: Terms
    plan: Schedule
    differing: frozenset[int]


def rebuild_plan(
    stored: Mapping[str, Any],
    calendar: BusinessCalendar,
    interest: Mapping[int, int] | None,
    principal: Mapping[int, int],
) -> Rebuilt | None:
    """A version from its terms, beside what it booked by instalment; None where the terms say no plan.

    ``interest`` is None where interest is not planned but raised by the day. Instalments that the version
    has on the day of its event are not of its terms.
    """
    try:
        terms = read_terms(stored)
        plan = build_schedule(terms, calendar)
    except CannotSchedule:  # the institution supplied the plan: nothing is kept of its terms
        return None
    made = {p.instalment: (p.interest_minor if interest is not None else 0, p.principal_minor)
            for p in plan.instalments}  # fmt: skip
    booked = {number for number in (*(interest or {}), *principal) if number > terms.numbered_after}
    differing = {
        number
        for number in made.keys() | booked
        if made.get(number, (0, 0)) != ((interest or {}).get(number, 0), principal.get(number, 0))
    }
    return Rebuilt(terms, plan, frozenset(differing))


def workings(one: Rebuilt) -> dict[int, Working]:
    """The working of each instalment's interest."""
    found = {period.instalment: working_of(period, one.terms) for period in one.plan.instalments}
    return {
        number: working
        for number, working in found.items()
        if working and not working.joins_principal and number not in one.differing
    }


def quiet_workings(one: Rebuilt) -> list[tuple[date, Working]]:
    """The working of interest that no due shows: of grace periods at whose end nothing falls due."""
    quiet = [period for period in one.plan.periods if not period.instalment]
    found = ((period.due_on, working_of(period, one.terms)) for period in quiet)
    return [(on, working) for on, working in found if working]


def workings_on_the_day(version: VersionRow, plan: Sequence[PlanRow]) -> dict[int, Working]:
    """The working of interest that falls due on the day of an event: what had accrued of the plan before."""
    rounding, numbered = version.accrued_rounding, version.terms.numbered_after if version.terms else None
    if rounding is None or version.owes_all:
        return {}
    found = {}
    for due in plan:
        own = due.version == version.number and due.component == INTEREST and not due.is_raised
        if not own or (numbered is not None and due.instalment > numbered):
            continue
        working = Working(tuple(Stretch.of(part) for part in version.accrued), due.minor, rounding)
        exact = working.exact_minor + version.accrued_minor
        whole = round_ratio(max(exact.numerator, 0), exact.denominator, rounding)
        if whole + version.falls_due_minor == due.minor:
            found[due.instalment] = working
    return found
