"""Building plans from terms, in columns: the periods are walked one by one, all loans at once."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from calc.calendar import EVERY_DAY, BusinessCalendar, DateColumn, DueDates, day_of_month, due_dates
from calc.daycount import DayCount, counted_days, year_fractions
from calc.interest import Segments, interest_on, level_instalments, period_ratios, sum_ratios
from calc.money import (
    HALF_UP,
    BoolColumn,
    IntColumn,
    ObjectColumn,
    Rounding,
    round_quotients,
    round_ratios,
)
from calc.schedule.plan import Schedule, ScheduleColumns, join_plans
from calc.schedule.terms import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    Method,
    Residue,
    Rules,
    Terms,
    TermsColumns,
    refusals,
)

_EXHAUSTED = "rounded so, the loan would be repaid before its last instalment"
_BELOW_INTEREST = "the instalment does not cover the interest of its period; the first period is too long"


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
    parts = [_nothing()]
    for number, rules in enumerate(terms.rules):
        members = np.flatnonzero(sound & (terms.rule == number))
        if members.size:
            parts.append(_build_group(rules, terms, members, calendar, refused))
    columns = join_plans(parts, refused)
    columns.prove(terms.principal)
    return columns


@dataclass
class _Walk:
    """Loans of one set of rules in the middle of being planned; tables are loans x periods."""

    rules: Rules
    balance: IntColumn
    numerators: IntColumn
    denominators: IntColumn
    opening: IntColumn
    principal: IntColumn
    interest: IntColumn
    capitalised: IntColumn
    fault: dict[str, BoolColumn] = field(default_factory=dict)

    def accrued(self, period: int) -> IntColumn:
        """Interest of a period on the running balance, rounded."""
        return interest_on(
            self.balance,
            self.numerators[:, period],
            self.denominators[:, period],
            self.rules.interest_rounding,
        )

    def flag(self, term: str, loans: BoolColumn) -> None:
        """Remember loans that the named term makes impossible."""
        self.fault[term] = self.fault.get(term, np.zeros(self.balance.size, dtype=bool)) | loans


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
    numerators, denominators = period_ratios(rate, factor_above, factor_below)
    walk = _Walk(
        rules=rules,
        balance=terms.principal[members].copy(),
        numerators=numerators,
        denominators=denominators,
        opening=np.zeros(ends.shape, dtype=np.int64),
        principal=np.zeros(ends.shape, dtype=np.int64),
        interest=np.zeros(ends.shape, dtype=np.int64),
        capitalised=np.zeros(ends.shape, dtype=np.int64),
    )
    _walk_grace(walk)
    _METHODS[rules.method](walk)

    failed = np.zeros(members.size, dtype=bool)
    for term, loans in walk.fault.items():
        reason = _BELOW_INTEREST if term == "first_due_on" else _EXHAUSTED
        for at in members[loans & ~failed]:
            refused[int(at)] = CannotSchedule(term, reason)
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
    above, below = year_fractions(starts, ends, rules.day_count)
    if rules.day_count is DayCount.MONTHLY_12:
        above[:, 1:], below[:, 1:] = rules.frequency.months, 12
    return above, below


def _walk_grace(walk: _Walk) -> None:
    """The periods before principal falls due.

    Capitalised interest is rounded on the running total, so that the roundings of many periods
    cannot pile up: 10,00,000.00 at 6 % is 10,30,377.51 after six months.
    """
    rounding = walk.rules.interest_rounding
    grace = walk.rules.grace_periods
    start = walk.balance
    below = np.full(start.size, 1, dtype=object)
    above = start.astype(object)
    for period in range(grace):
        walk.opening[:, period] = walk.balance
        if walk.rules.grace_kind is GraceKind.INTEREST_PAID:
            walk.interest[:, period] = walk.accrued(period)
        elif walk.rules.grace_kind is GraceKind.INTEREST_CAPITALISED:
            below = below * walk.denominators[:, period]
            above = above * (walk.denominators[:, period] + walk.numerators[:, period])
            grown = round_quotients(above, below * rounding.quantum_minor, rounding)
            walk.capitalised[:, period] = grown - walk.balance
            walk.balance = grown
    if walk.rules.grace_kind is GraceKind.INTEREST_ADDED:
        ratio = sum_ratios(walk.numerators[:, :grace], walk.denominators[:, :grace])
        walk.capitalised[:, grace - 1] = interest_on(start, *ratio, rounding)
        walk.balance = start + walk.capitalised[:, grace - 1]


def _equal_instalment(walk: _Walk) -> None:
    """One level instalment; the residue of rounding goes to the last, or is moved to the first.

    A poisha more at first is more than a poisha less at last, by the interest between; what cannot
    be moved so (a few minor units) stays in the last.
    """
    grace = walk.rules.grace_periods
    level = level_instalments(
        walk.balance,
        walk.numerators[:, grace:],
        walk.denominators[:, grace:],
        walk.rules.instalment_rounding,
    )
    last = _pay_level(walk, level, level)
    if walk.rules.residue is Residue.FIRST and walk.rules.instalments > 1:
        shrink, grow = _growth_after_first(walk)
        first = level
        for _ in range(3):
            first = first + round_quotients((last - level).astype(object) * shrink, grow, HALF_UP)
            last = _pay_level(walk, level, first)


def _growth_after_first(walk: _Walk) -> tuple[ObjectColumn, ObjectColumn]:
    """What a unit paid with the first instalment grows to by the last, as a fraction (below, above)."""
    below = np.full(walk.balance.size, 1, dtype=object)
    above = below.copy()
    for period in range(walk.rules.grace_periods + 1, walk.rules.periods):
        below = below * walk.denominators[:, period]
        above = above * (walk.denominators[:, period] + walk.numerators[:, period])
    return below, above


def _pay_level(walk: _Walk, level: IntColumn, first: IntColumn) -> IntColumn:
    """Walk the paying periods with a level instalment; the last one pays whatever is left. Returns it."""
    grace, periods = walk.rules.grace_periods, walk.rules.periods
    start = walk.balance
    below, exhausted = np.zeros(start.size, dtype=bool), np.zeros(start.size, dtype=bool)
    for period in range(grace, periods):
        interest = walk.accrued(period)
        principal = walk.balance
        if period < periods - 1:
            principal = (first if period == grace else level) - interest
            below |= principal < 0
            exhausted |= principal >= walk.balance
        _record(walk, period, principal, interest)
    walk.fault.clear()
    walk.flag("first_due_on", below)
    walk.flag("instalment_rounding", exhausted)
    walk.balance = start
    return walk.principal[:, -1] + walk.interest[:, -1]


def _record(walk: _Walk, period: int, principal: IntColumn, interest: IntColumn) -> None:
    """Write one period's row and move the balance on."""
    walk.opening[:, period] = walk.balance
    walk.principal[:, period] = principal
    walk.interest[:, period] = interest
    walk.balance = walk.balance - principal


def _equal_principal(walk: _Walk) -> None:
    """The same principal each time, interest on what is left."""
    shares = _shares(walk, walk.balance, walk.rules.instalment_rounding)
    for period in range(walk.rules.grace_periods, walk.rules.periods):
        interest = walk.accrued(period)
        _record(walk, period, shares[:, period - walk.rules.grace_periods], interest)


def _flat(walk: _Walk) -> None:
    """Interest on the whole amount for the whole term, spread evenly like the principal."""
    grace = walk.rules.grace_periods
    ratio = sum_ratios(walk.numerators[:, grace:], walk.denominators[:, grace:])
    interest = interest_on(walk.balance, *ratio, walk.rules.interest_rounding)
    interests = _shares(walk, interest, walk.rules.interest_rounding)
    totals = _shares(walk, walk.balance + interest, walk.rules.instalment_rounding)
    principals = totals - interests
    walk.flag("instalment_rounding", np.any(principals < 0, axis=1))
    for period in range(grace, walk.rules.periods):
        _record(walk, period, principals[:, period - grace], interests[:, period - grace])


def _bullet(walk: _Walk) -> None:
    """Interest each period, the whole principal with the last."""
    for period in range(walk.rules.grace_periods, walk.rules.periods):
        interest = walk.accrued(period)
        is_last = period == walk.rules.periods - 1
        _record(walk, period, walk.balance if is_last else np.zeros_like(walk.balance), interest)


_METHODS = {
    Method.EQUAL_INSTALMENT: _equal_instalment,
    Method.EQUAL_PRINCIPAL: _equal_principal,
    Method.FLAT: _flat,
    Method.BULLET: _bullet,
}


def _shares(walk: _Walk, amount: IntColumn, rounding: Rounding) -> IntColumn:
    """An amount in equal parts, loans x instalments; the last or first part takes the residue.

    Flags loans in which rounding up would leave that part negative.
    """
    count = walk.rules.instalments
    share = round_ratios(amount, 1, count, rounding)
    shares = np.repeat(share[:, None], count, axis=1)
    shares[:, -1 if walk.rules.residue is Residue.LAST else 0] = amount - share * (count - 1)
    walk.flag("instalment_rounding", np.any(shares < 0, axis=1))
    return shares


def _interest_base(walk: _Walk) -> IntColumn:
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
