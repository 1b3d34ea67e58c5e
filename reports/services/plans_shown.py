"""A loan's plans as its page and its workbook show them: each version rebuilt, with its working."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from calc.daycount import DayCount
from calc.money import Component, Rounding, RoundingMode
from daybook.selectors import business_calendar
from lending.builders.workings import Working
from lending.models import Agreement, Schedule, Tier
from repayments.models import LoanEvent, LoanEventLine
from reports.builders.account import Account
from reports.builders.daily import daily_workings
from reports.builders.objects import Asked, Words
from reports.builders.recalculated import plan_rows, plan_versions
from reports.builders.terms import term_words
from reports.builders.versions import Version, Worked, build_versions
from reports.builders.workings import (
    Rebuilt,
    quiet_workings,
    rebuild_plan,
    workings,
    workings_on_the_day,
)
from reports.selectors import facts
from reports.selectors.frames import Frame
from reports.selectors.recalculating import every_due

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Shown:
    """The plan in force in words, the working of every instalment that stands, and all versions."""

    terms: Sequence[tuple[Words, Words]]
    annual_rate: Decimal | None
    workings: Mapping[int, Working]
    versions: Sequence[Version]


def show_plans(account: Account, asked: Asked) -> Shown:
    """Rebuild every version of a loan's plan known then, and say what replaced what."""
    loan_id, mode = int(account.header["loan_id"]), str(account.header["contract_mode"])
    on, last = asked.as_of, asked.last_booking_id
    schedules = facts.schedule_versions([loan_id], as_of=on, last_booking_id=last)
    history = facts.plan_history(loan_id, as_of=on, last_booking_id=last)
    is_daily = _is_daily(account)
    worked = {
        version: Worked(
            term_words(one.terms, mode), workings(one), quiet_workings(one), sorted(one.differing)
        )
        for version, one in rebuilt(schedules, history, plans_interest=not is_daily).items()
    }
    if len(schedules) > 1 and not is_daily:
        _add_workings_of_events(worked, account, schedules, last)
    standing = _standing(account, {version: one.workings for version, one in worked.items()})
    standing |= raised_workings(account, schedules, history)
    newest = worked.get(schedules[-1].version) if schedules else None
    return Shown(
        terms=newest.terms if newest else [],
        annual_rate=_rate_in_force(account, schedules),
        workings=standing,
        versions=build_versions(schedules, history, worked, _events(schedules)),
    )


def rebuilt(schedules: Sequence[Schedule], history: Frame, *, plans_interest: bool) -> dict[int, Rebuilt]:
    """Each version that was generated, built again beside what it booked, by its number."""
    found = {}
    for schedule in schedules:
        mine = history[(history["version"] == schedule.version) & (history["instalment"] > 0)]
        if mine.empty:
            continue
        interest, principal = (_by_instalment(mine, component) for component in (INTEREST, PRINCIPAL))
        calendar = business_calendar(last_booking_id=schedule.booking_id)
        one = rebuild_plan(schedule.terms, calendar, interest if plans_interest else None, principal)
        if one:
            found[schedule.version] = one
    return found


def _by_instalment(rows: Frame, component: int) -> dict[int, int]:
    sums = rows[rows["component"] == component].groupby("instalment")["amount_minor"].sum()
    return {int(number): int(minor) for number, minor in sums.items() if minor}


def _add_workings_of_events(
    worked: dict[int, Worked], account: Account, schedules: Sequence[Schedule], last_booking_id: int
) -> None:
    """What falls due on the day of an event is worked out of the plan before it."""
    plan = plan_rows(every_due(int(account.header["loan_id"]), last_booking_id=last_booking_id))
    for version in plan_versions(account.header, schedules, plan):
        own = workings_on_the_day(version, plan)
        if own:
            mine = worked.get(version.number, Worked((), {}, ()))
            worked[version.number] = replace(mine, workings={**mine.workings, **own})


def _is_daily(account: Account) -> bool:
    """Whether the loan's interest is raised by the day."""
    agreement = Agreement.objects.get(pk=int(account.header["agreement_id"]))
    is_daily = agreement.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT
    return bool(is_daily and account.header["tier"] == Tier.WHOLESALE)


def raised_workings(account: Account, schedules: Sequence[Schedule], history: Frame) -> dict[int, Working]:
    """The working of interest that was raised by the day; nothing where interest was planned."""
    if not _is_daily(account):
        return {}
    agreement = Agreement.objects.get(pk=int(account.header["agreement_id"]))
    usual = account.header["annual_rate"] or 0
    rates = [
        (schedule.effective_date, Decimal(str(schedule.terms.get("annual_rate", usual))))
        for schedule in schedules
    ]
    latest: dict[date, Decimal] = dict(rates)  # of two versions from one date the later counts
    rounding = Rounding(RoundingMode(agreement.interest_rounding), agreement.interest_quantum_minor)
    return daily_workings(account, history, sorted(latest.items()), DayCount(agreement.day_count), rounding)


def _rate_in_force(account: Account, schedules: Sequence[Schedule]) -> Decimal | None:
    """Percent a year of the newest version that names a rate, else the loan's."""
    named = [schedule.terms["annual_rate"] for schedule in schedules if schedule.terms.get("annual_rate")]
    rate: Decimal | None = account.header["annual_rate"]
    return Decimal(str(named[-1])) if named else rate


def _standing(account: Account, by_version: Mapping[int, Mapping[int, Working]]) -> dict[int, Working]:
    """The working of each instalment by the version whose due still stands."""
    planned = account.plan[account.plan["component"].isin([INTEREST, PRINCIPAL])]
    found = {}
    for number, version in planned.groupby("instalment")["version"].max().items():
        working = by_version.get(int(version), {}).get(int(number))
        if working:
            found[int(number)] = working
    return found


def _events(schedules: Sequence[Schedule]) -> dict[int, LoanEvent]:
    """What a person proposed and another approved, by the version it made."""
    lines = LoanEventLine.objects.filter(schedule__in=[one.pk for one in schedules]).select_related(
        "event__made_by", "event__decided_by"
    )
    return {int(line.schedule_id): line.event for line in lines if line.schedule_id}
