"""Building plans from terms, in columns: the periods are walked one by one, all loans at once."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from calc.calendar import EVERY_DAY, BusinessCalendar, DateColumn, DueDates, day_of_month, due_dates
from calc.daycount import DayCount, counted_days, year_fractions
from calc.interest import Segments, period_ratios
from calc.money import BoolColumn, IntColumn
from calc.schedule.carried import TakenOver
from calc.schedule.checks import refusals
from calc.schedule.methods import METHODS
from calc.schedule.plan import Schedule, ScheduleColumns, join_plans
from calc.schedule.terms import CannotSchedule, GraceKind, InterestTo, Method, Rules, Terms, TermsColumns
from calc.schedule.walk import BEYOND, Walk, nominal_ratios


def build_schedule(terms: Terms, calendar: BusinessCalendar = EVERY_DAY) -> Schedule:
    """The plan of one loan; CannotSchedule where its terms contradict each other."""
    return Schedule.of(build_schedules(TermsColumns.of([terms]), calendar))


def build_schedules(terms: TermsColumns, calendar: BusinessCalendar = EVERY_DAY) -> ScheduleColumns:
    """The plans of any number of loans.

    Loans whose terms contradict each other get no rows and stand in `refused`; the rest are
    planned. ArithmeticError if a plan does not add up.
    """
    refused = refusals(terms)
    sound = np.ones(len(terms), dtype=bool)
    sound[list(refused)] = False
    parts: list[ScheduleColumns] = []
    for number, rules in enumerate(terms.rules):
        members = np.flatnonzero(sound & (terms.rule == number))
        if members.size:
            parts.append(_build_group(rules, terms, members, calendar, refused))
    columns = join_plans(parts or [_nothing()], refused)
    columns.prove(terms.principal)
    return columns


@dataclass(frozen=True)
class _Periods:
    """The periods of loans that share their rules (tables of loans x periods), and what they take over."""

    members: npt.NDArray[np.intp]
    due: DueDates
    starts: DateColumn
    ends: DateColumn
    days: IntColumn
    above: IntColumn
    below: IntColumn
    rate: IntColumn
    begun: TakenOver


def _build_group(
    rules: Rules,
    terms: TermsColumns,
    members: npt.NDArray[np.intp],
    calendar: BusinessCalendar,
    refused: dict[int, CannotSchedule],
) -> ScheduleColumns:
    """Plan the loans that share one set of rules.

    Where an amount overflows the loans are planned in halves, down to the one that grows too large;
    that one is refused and stops no other.
    """
    periods = _periods(rules, terms, members, calendar, refused)
    if not periods.members.size:
        return _nothing()
    numerators, denominators = period_ratios(periods.rate, periods.above, periods.below)
    nominal_above, nominal_below = nominal_ratios(rules, terms.rate[periods.members])
    walk = Walk(
        rules=rules,
        balance=terms.principal[periods.members].copy(),
        numerators=numerators,
        denominators=denominators,
        nominal_above=nominal_above,
        nominal_below=nominal_below,
        agreed=terms.agreed()[periods.members],
        flat_on=periods.begun.flat_on,
        prepaid=periods.begun.prepaid,
        carried=periods.begun.owed(),
    )
    try:
        walk.run(METHODS[rules.method])
    except OverflowError:
        if members.size > 1:
            halves = np.array_split(members, 2)
            return join_plans([_build_group(rules, terms, half, calendar, refused) for half in halves], {})
        if not any(loans.any() for loans in walk.faults.values()):
            walk.flag("annual_rate", BEYOND, np.ones(1, dtype=bool))
    failed = np.zeros(periods.members.size, dtype=bool)
    for (term, sentence), loans in walk.faults.items():
        refusal = CannotSchedule(term, sentence, given_minor=sum(rules.amounts))
        refused.update((int(at), refusal) for at in periods.members[loans & ~failed])
        failed |= loans
    return _columns(walk, periods, ~failed)


def _periods(
    rules: Rules,
    terms: TermsColumns,
    members: npt.NDArray[np.intp],
    calendar: BusinessCalendar,
    refused: dict[int, CannotSchedule],
) -> _Periods:
    """Dates, days and rates of every period; a loan whose first period has no length is refused."""
    due = _period_dates(rules, terms, members, calendar)
    disbursed = terms.disbursed_on[members]
    ends = due.adjusted if rules.interest_to is InterestTo.ADJUSTED else due.nominal
    begun = terms.begun().take(members)
    early = (due.nominal[:, 0] <= disbursed) | (due.adjusted[:, 0] <= disbursed)
    early = np.where(begun.rest_below > 0, ends[:, 0] < disbursed, early)
    if early.any():
        reason = "the first period would end on or before the disbursement; move the first due date"
        refused.update((int(at), CannotSchedule("first_due_on", reason)) for at in members[early])
        members, disbursed, ends = members[~early], disbursed[~early], ends[~early]
        due = DueDates(due.nominal[~early], due.adjusted[~early])
        begun = begun.take(np.flatnonzero(~early))
    starts = np.concatenate([disbursed[:, None], ends[:, :-1]], axis=1)
    above, below = _factors(rules, starts, ends)
    days = counted_days(starts, ends, rules.day_count)
    goes_on = begun.rest_below > 0
    for table, rest in ((above, begun.rest_above), (below, begun.rest_below), (days, begun.rest_days)):
        table[goes_on, 0] = rest[goes_on]
    rate = np.broadcast_to(terms.rate[members][:, None], ends.shape)
    if rules.grace_kind is GraceKind.INTEREST_WAIVED:
        rate = rate.copy()
        rate[:, : rules.quiet_periods] = 0
    return _Periods(members, due, starts, ends, days, above, below, rate, begun)


def _columns(walk: Walk, periods: _Periods, kept: BoolColumn) -> ScheduleColumns:
    """The rows of the loans that were planned, with their working."""
    count, loans = walk.rules.periods, int(kept.sum())
    numbers = np.arange(1, count + 1, dtype=np.int32)
    instalment = np.tile(np.maximum(numbers - walk.rules.silent_periods, 0), loans)
    instalment[instalment > 0] += np.repeat(periods.begun.numbered_after[kept], count)[instalment > 0]
    working = {
        "rate": periods.rate,
        "from_on": periods.starts,
        "to_on": periods.ends,
        "days": periods.days,
        "numerator": periods.above,
        "denominator": periods.below,
        "balance": _interest_base(walk),
    }
    segments = Segments(
        row=np.arange(loans * count, dtype=np.int64),
        **{name: np.ascontiguousarray(table)[kept].ravel() for name, table in working.items()},
    )
    segments = segments.take(segments.from_on < segments.to_on)
    if periods.begun.segments.row.size:
        before = periods.begun.take(np.flatnonzero(kept)).segments
        segments = Segments.join([replace(before, row=before.row * count), segments])
    return ScheduleColumns(
        loan=np.repeat(periods.members[kept], count),
        period=np.tile(numbers, loans),
        instalment=instalment,
        nominal_on=periods.due.nominal[kept].ravel(),
        due_on=periods.due.adjusted[kept].ravel(),
        opening=walk.opening[kept].ravel(),
        principal=walk.principal[kept].ravel(),
        interest=walk.interest[kept].ravel(),
        capitalised=walk.capitalised[kept].ravel(),
        closing=(walk.opening + walk.capitalised - walk.principal)[kept].ravel(),
        level=walk.level[kept].ravel(),
        segments=segments,
        refused={},
    )


def _period_dates(
    rules: Rules, terms: TermsColumns, members: npt.NDArray[np.intp], calendar: BusinessCalendar
) -> DueDates:
    """The end of every period, counted from the first due date where given, else the disbursement."""
    given = ~np.isnat(terms.first_due_on[members])
    anchor = np.where(given, terms.first_due_on[members], terms.disbursed_on[members])
    seed = day_of_month(anchor) if rules.due_day == 0 else np.full(members.size, rules.due_day)
    nominal = np.empty((members.size, rules.periods), dtype="datetime64[D]")
    adjusted = nominal.copy()
    for has_first in (True, False):
        mine = given == has_first
        steps = np.arange(rules.periods, dtype=np.int64) + (-rules.silent_periods if has_first else 1)
        part = due_dates(
            anchor[mine],
            steps,
            rules.frequency,
            every_days=rules.every_days,
            seed_day=seed[mine],
            calendar=calendar,
            roll=rules.roll,
        )
        nominal[mine], adjusted[mine] = part.nominal, part.adjusted
    return DueDates(nominal, adjusted)


def _factors(rules: Rules, starts: DateColumn, ends: DateColumn) -> tuple[IntColumn, IntColumn]:
    """Part of a year of each period; under monthly/12 all but the first are whole by definition."""
    if rules.day_count is not DayCount.MONTHLY_12:
        return year_fractions(starts, ends, rules.day_count)
    above = np.full(ends.shape, rules.frequency.months, dtype=np.int64)
    below = np.full(ends.shape, 12, dtype=np.int64)
    above[:, 0], below[:, 0] = year_fractions(starts[:, 0], ends[:, 0], rules.day_count)
    return above, below


def _interest_base(walk: Walk) -> IntColumn:
    """The balance each period's working starts from: flat interest looks at the whole amount always."""
    base = walk.opening.copy()
    if walk.rules.method is Method.FLAT:
        grace = walk.rules.grace_periods
        base[:, grace:] = walk.opening[:, grace : grace + 1]
        base = np.where(walk.flat_on[:, None] > 0, walk.flat_on[:, None], base)
    return base


def _nothing() -> ScheduleColumns:
    """No plan at all, to join others to."""
    number, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
    small = number.astype(np.int32)
    money = (number,) * 6
    return ScheduleColumns(number, small, small, day, day, *money, segments=Segments.none(), refused={})
