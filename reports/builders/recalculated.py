"""What the auditor's workbook needs to know of plan versions: their terms and dates, never their amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from calc.calendar import BusinessCalendar
from calc.events import AtEvent, Running
from calc.events.accruing import earned
from calc.events.rest import rest_of
from calc.schedule import (
    CannotSchedule,
    InterestTo,
    SuppliedRow,
    Terms,
    build_schedule,
    read_terms,
)
from calc.schedule import (
    Schedule as Plan,
)
from daybook.selectors import business_calendar
from lending.models import Agreement, Schedule
from reports.builders.recalculation_rows import INTEREST, PRINCIPAL, PeriodRow, PlanRow, VersionRow
from reports.selectors.frames import Frame


def plan_rows(dues: Frame) -> list[PlanRow]:
    """The rows of `reports.selectors.recalculating.every_due`."""
    return [
        PlanRow(
            version=int(due.version),
            instalment=int(due.instalment),
            component=int(due.component),
            nominal_on=due.nominal_date,
            late_on=due.late_date,
            from_on=due.effective_date,
            minor=int(due.amount_minor),
            booking=int(due.booking_number),
            back_on=due.taken_back_on if isinstance(due.taken_back_on, date) else None,
            back_by=int(due.taken_back_by),
            is_raised=bool(due.is_raised),
        )
        for due in dues.itertuples()
    ]


def plan_versions(
    header: Mapping[str, Any], schedules: Sequence[Schedule], plan: Sequence[PlanRow]
) -> list[VersionRow]:
    """The numbered plans, oldest first, each built anew from its stored terms and the calendar known then."""
    found: list[VersionRow] = []
    owes_all = header["contract_mode"] == Agreement.ContractMode.MURABAHA
    for schedule in schedules:
        calendar = business_calendar(last_booking_id=schedule.booking_id)
        terms, built = _built(schedule.terms, calendar)
        accrued: dict[str, Any] = {}
        if found:
            accrued = _accrued(header, found[-1], plan, schedule.effective_date, calendar)
        found.append(
            VersionRow(
                number=schedule.version,
                cause=str(schedule.get_cause_display()),
                from_on=schedule.effective_date,
                principal_minor=schedule.principal_minor,
                capitalised_minor=schedule.capitalised_minor,
                added_minor=schedule.added_minor,
                transferred_minor=schedule.transferred_minor,
                booking=int(schedule.booking.number or 0),
                terms=terms,
                plan=built,
                is_supplied=terms is None
                and (schedule.version == 1 or schedule.cause == Schedule.Cause.SUPPLIED),
                owes_all=owes_all and schedule.cause == Schedule.Cause.SETTLEMENT,
                **accrued,
            )
        )
    return found


def _built(stored: Mapping[str, Any], calendar: BusinessCalendar) -> tuple[Terms | None, Plan | None]:
    """Terms and plan, or neither where the terms say no plan."""
    try:
        terms = read_terms(stored)
        return terms, build_schedule(terms, calendar)
    except CannotSchedule:  # supplied, or all of it fell due on the day of the event
        return None, None


def _accrued(
    header: Mapping[str, Any],
    before: VersionRow,
    plan: Sequence[PlanRow],
    on: date,
    calendar: BusinessCalendar,
) -> dict[str, Any]:
    """Which stretches of the version before had run by a date: their days, balances and rates."""
    running = _running(header, before, plan, calendar)
    if running is None:
        return {}
    days = np.array([on], dtype="datetime64[D]")
    rest = rest_of(running, days)
    if rest.refused:
        return {}
    owed = earned(running, rest)
    return {
        "accrued": owed.segments.of_row(0),
        "accrued_minor": int(owed.amount[0]),
        "accrued_terms": running.terms.one(0),
        "falls_due_minor": int(running.plan.interest[rest.standing].sum()),
    }


def _running(
    header: Mapping[str, Any], before: VersionRow, plan: Sequence[PlanRow], calendar: BusinessCalendar
) -> Running | None:
    """The version before, as it ran."""
    mine = [due for due in plan if due.version == before.number and not due.is_raised]
    if before.terms is not None:
        own: dict[int, dict[int, PlanRow]] = {}
        for due in mine:
            if due.instalment <= before.terms.numbered_after and due.component in (INTEREST, PRINCIPAL):
                own.setdefault(due.instalment, {})[due.component] = due
        at_event = [
            AtEvent(
                loan=0,
                instalment=number,
                nominal_on=next(iter(rows.values())).nominal_on,
                due_on=next(iter(rows.values())).late_on,
                principal_minor=rows[PRINCIPAL].minor if PRINCIPAL in rows else 0,
                interest_minor=rows[INTEREST].minor if INTEREST in rows else 0,
            )
            for number, rows in sorted(own.items())
        ]
        return Running.of([before.terms], calendar, at_event)
    if not before.is_supplied:
        return None
    rows: dict[int, dict[int, PlanRow]] = {}
    for due in mine:
        if due.component in (INTEREST, PRINCIPAL):
            rows.setdefault(due.instalment, {})[due.component] = due
    supplied = [
        SuppliedRow(
            at,
            next(iter(parts.values())).late_on,
            parts[PRINCIPAL].minor if PRINCIPAL in parts else 0,
            parts[INTEREST].minor if INTEREST in parts else 0,
        )
        for at, (_number, parts) in enumerate(sorted(rows.items()), start=1)
    ]
    principal = sum(row.principal_minor for row in supplied)
    try:
        return Running.of_supplied(principal, header["disbursed_date"], supplied, calendar)
    except CannotSchedule:
        return None


def rates_by_date(schedules: Sequence[Schedule], usual: Decimal | None) -> list[tuple[date, Decimal]]:
    """The contract's rate from each date: of two versions from one date the later counts."""
    found: dict[date, Decimal] = {}
    for schedule in schedules:
        named = schedule.terms.get("annual_rate")
        if schedule.version == 1 or named is not None:
            found[schedule.effective_date] = Decimal(str(named if named is not None else usual or 0))
    return sorted(found.items())


def periods_raised(
    header: Mapping[str, Any],
    agreement: Agreement,
    schedules: Sequence[Schedule],
    plan: Sequence[PlanRow],
    as_of: date,
) -> list[PeriodRow]:
    """The interest periods of a daily-product loan by a date: those its versions keep until a later one
    begins, and those that the instalments of principal end."""
    ends: set[tuple[date, int, date]] = set()
    for schedule in schedules:
        for kept in schedule.terms.get("accruals", []):
            until, late = date.fromisoformat(kept["until"]), date.fromisoformat(kept["late"])
            later = [one for one in schedules if one.version > schedule.version]
            if not any(one.effective_date <= until for one in later):
                ends.add((until, int(kept["instalment"]), late))
    for due in plan:
        stands = due.from_on <= as_of and (due.back_on is None or due.back_on > as_of)
        if due.component == PRINCIPAL and stands:
            until = due.late_on if agreement.interest_to == InterestTo.ADJUSTED else due.nominal_on
            ends.add((until, due.instalment, due.late_on))
    starts = [header["disbursed_date"], *(until for until, _number, _late in sorted(ends))]
    return [
        PeriodRow(number, from_on, to_on, late)
        for (from_on, to_on), (_until, number, late) in zip(pairwise(starts), sorted(ends), strict=True)
    ]
