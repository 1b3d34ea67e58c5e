"""Building plans from terms, in columns: the periods are walked one by one, all loans at once."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from calc.calendar import EVERY_DAY, BusinessCalendar, DateColumn, DueDates, day_of_month, due_dates
from calc.daycount import DayCount, counted_days, year_fractions
from calc.interest import Segments, period_ratios
from calc.money import IntColumn
from calc.schedule.checks import MAX_PERIODS, refusals
from calc.schedule.plan import Schedule, ScheduleColumns, join_plans
from calc.schedule.terms import CannotSchedule, GraceKind, InterestTo, Method, Rules, Terms, TermsColumns
from calc.schedule.walk import BELOW_INTEREST, EXHAUSTED, Walk, nominal_ratios


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


def instalments_needed(terms: Terms, calendar: BusinessCalendar = EVERY_DAY) -> int:
    """How many instalments of the agreed amount repay the loan, the last being no larger.

    This is what shortens a term: 5,000.00 at 12 % and 862.00 a month takes 7. CannotSchedule if no
    number of them ever does.
    """
    low, high = 1, MAX_PERIODS - terms.grace_periods
    while low < high:
        middle = (low + high) // 2
        if _is_repaid(replace(terms, instalments=middle), calendar):
            high = middle
        else:
            low = middle + 1
    if not _is_repaid(replace(terms, instalments=high), calendar):
        sentence = "instalments of {minor} minor units never repay the loan"
        raise CannotSchedule("agreed_instalment", sentence, minor=terms.agreed_instalment_minor)
    return high


def _is_repaid(terms: Terms, calendar: BusinessCalendar) -> bool:
    """Whether the agreed instalment repays the loan within this many."""
    try:
        plan = build_schedule(terms, calendar)
    except CannotSchedule as refusal:
        if refusal.term == "agreed_instalment" and refusal.reason == EXHAUSTED:
            return True
        if refusal.reason == BELOW_INTEREST:
            return False
        raise
    return plan.periods[-1].total_minor <= terms.agreed_instalment_minor


def _build_group(
    rules: Rules,
    terms: TermsColumns,
    members: npt.NDArray[np.intp],
    calendar: BusinessCalendar,
    refused: dict[int, CannotSchedule],
) -> ScheduleColumns:
    """Plan the loans that share one set of rules."""
    due = _period_dates(rules, terms, members, calendar)
    disbursed = terms.disbursed_on[members]
    ends = due.adjusted if rules.interest_to is InterestTo.ADJUSTED else due.nominal
    early = (due.nominal[:, 0] <= disbursed) | (due.adjusted[:, 0] <= disbursed)
    if early.any():
        reason = "the first period would end on or before the disbursement; move the first due date"
        refused.update((int(at), CannotSchedule("first_due_on", reason)) for at in members[early])
        members, disbursed, ends = members[~early], disbursed[~early], ends[~early]
        due = DueDates(due.nominal[~early], due.adjusted[~early])
    if not members.size:
        return _nothing()

    starts = np.concatenate([disbursed[:, None], ends[:, :-1]], axis=1)
    factor_above, factor_below = _factors(rules, starts, ends)
    rate = np.broadcast_to(terms.rate[members][:, None], ends.shape)
    if rules.grace_kind is GraceKind.INTEREST_WAIVED:
        rate = rate.copy()
        rate[:, : rules.quiet_periods] = 0
    numerators, denominators = period_ratios(rate, factor_above, factor_below)
    nominal_above, nominal_below = nominal_ratios(rules, terms.rate[members])
    walk = Walk(
        rules=rules,
        balance=terms.principal[members].copy(),
        numerators=numerators,
        denominators=denominators,
        nominal_above=nominal_above,
        nominal_below=nominal_below,
        agreed=terms.agreed()[members],
    )
    walk.run()

    failed = np.zeros(members.size, dtype=bool)
    for (term, sentence), loans in walk.faults.items():
        refusal = CannotSchedule(term, sentence, given_minor=sum(rules.amounts))
        refused.update((int(at), refusal) for at in members[loans & ~failed])
        failed |= loans
    kept = ~failed
    shape = (int(kept.sum()), rules.periods)
    flat = {
        "rate": rate,
        "from_on": starts,
        "to_on": ends,
        "days": counted_days(starts, ends, rules.day_count),
        "numerator": factor_above,
        "denominator": factor_below,
        "balance": _interest_base(walk),
    }
    closing = walk.opening + walk.capitalised - walk.principal
    numbers = np.arange(1, rules.periods + 1, dtype=np.int32)
    return ScheduleColumns(
        loan=np.repeat(members[kept], rules.periods),
        period=np.tile(numbers, shape[0]),
        instalment=np.tile(np.maximum(numbers - rules.silent_periods, 0), shape[0]),
        nominal_on=due.nominal[kept].ravel(),
        due_on=due.adjusted[kept].ravel(),
        opening=walk.opening[kept].ravel(),
        principal=walk.principal[kept].ravel(),
        interest=walk.interest[kept].ravel(),
        capitalised=walk.capitalised[kept].ravel(),
        closing=closing[kept].ravel(),
        segments=Segments(
            row=np.arange(shape[0] * rules.periods, dtype=np.int64),
            **{name: np.ascontiguousarray(table)[kept].ravel() for name, table in flat.items()},
        ),
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
    return base


def _nothing() -> ScheduleColumns:
    """No plan at all, to join others to."""
    number, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
    small = number.astype(np.int32)
    segments = Segments(number, day, day, number, number, number, number, number)
    return ScheduleColumns(
        number, small, small, day, day, number, number, number, number, number, segments, refused={}
    )
