"""What is left of plans on the date of an event: balance, broken period, interest carried, terms."""

from dataclasses import dataclass, replace

import numpy as np

from calc.calendar import DateColumn, day_of_month
from calc.daycount import DayCount, counted_days, year_fractions
from calc.events.running import CannotReplan, Running
from calc.interest import Segments
from calc.money import BoolColumn, IntColumn, ObjectColumn, round_quotients, sum_by
from calc.schedule import CannotSchedule, GraceKind, Method

_WAITING = (GraceKind.INTEREST_DEFERRED, GraceKind.INTEREST_ADDED, GraceKind.INTEREST_WAIVED)
_NUMBER = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Rest:
    """Loans on the date of an event, columns with an entry a loan.

    on: the event's date; kept: the last instalment number that stands; back, standing: which plan rows
    the version takes back, and which of those it repeats because they fall due on the very date.
    alive: something falls due after the date; then first is the plan row the date breaks, balance what
    it opens with, segments (row = loan) and amount the interest owed from before, rest_days / rest_above
    / rest_below the part of a year left of it, and instalments, grace, quiet the periods left. level is
    the instalment in force, prepaid the principal of the next instalments paid already, flat_on what
    flat interest is counted on, seed the day of the month the plan
    keeps, steps_done the stepped instalments that stand.
    """

    on: DateColumn
    kept: IntColumn
    back: BoolColumn
    standing: BoolColumn
    alive: BoolColumn
    first: IntColumn
    balance: IntColumn
    segments: Segments
    amount: IntColumn
    rest_days: IntColumn
    rest_above: IntColumn
    rest_below: IntColumn
    instalments: IntColumn
    grace: IntColumn
    quiet: IntColumn
    level: IntColumn
    prepaid: IntColumn
    flat_on: IntColumn
    seed: IntColumn
    steps_done: IntColumn
    passed: IntColumn
    refused: dict[int, CannotSchedule]

    def owed(self) -> tuple[ObjectColumn, ObjectColumn]:
        """Interest owed from before the date, exact, as fractions of minor units."""
        above, below = self.segments.exact(self.on.size)
        return above + self.amount.astype(object) * below, below


def rest_of(running: Running, on: DateColumn, *, absorb: bool = False) -> Rest:
    """What is left of each plan on its event's date.

    A row whose interest runs to the very date stands, unless the event absorbs it: then the broken
    period is that one, with nothing left of it.
    """
    terms, plan, ends = running.terms, running.plan, running.ends
    loans, loan = len(running), plan.loan
    at = ends == on[loan]
    extra = plan.period == 0
    standing = at & (extra if absorb else np.ones_like(at))
    ahead = ~extra & ((ends > on[loan]) | (at & ~standing))
    periods = sum_by(loan, (~extra).astype(np.int64), loans)
    passed = sum_by(loan, (~extra & ~ahead).astype(np.int64), loans)
    alive = passed < periods
    begin = np.searchsorted(loan, np.arange(loans)) + sum_by(loan, extra.astype(np.int64), loans)
    top = max(len(plan) - 1, 0)
    first = np.minimum(begin + passed, top)
    grace, quiet = running.number("grace_periods"), _quiet(running)
    paying = np.minimum(begin + np.maximum(passed, grace), top)
    broken = _Broken(running, on, begin, first, alive, passed, grace, quiet)
    segments = broken.carried()
    rest_days, rest_above, rest_below = broken.left()
    back = ~((ends < on[loan]) & (plan.period >= 0))
    flat = running.has("method", Method.FLAT)
    has_rows = len(plan) > 0
    flat_on = terms.begun().flat_on
    base = plan.opening[np.minimum(begin + grace, top)] if has_rows else flat_on
    anchor = np.where(np.isnat(terms.first_due_on), terms.disbursed_on, terms.first_due_on)
    due_day = running.number("due_day")
    steps = running.number("steps_done") + np.maximum(passed - grace, 0)
    return Rest(
        on=on,
        kept=_kept(running, back),
        back=back,
        standing=standing,
        alive=alive,
        first=first,
        balance=np.where(alive, plan.opening[first], 0) if has_rows else flat_on,
        segments=segments,
        amount=broken.amount(),
        rest_days=rest_days,
        rest_above=rest_above,
        rest_below=rest_below,
        instalments=running.number("instalments") - np.maximum(passed - grace, 0),
        grace=np.maximum(grace - passed, 0),
        quiet=np.maximum(quiet - passed, 0),
        level=plan.level[paying] if has_rows else flat_on,
        prepaid=_prepaid(running, first),
        flat_on=np.where(flat, np.where(flat_on > 0, flat_on, base), 0),
        seed=np.where(due_day > 0, due_day, day_of_month(anchor)),
        steps_done=np.where(running.has("method", Method.STEP_UP), steps, 0),
        passed=passed,
        refused=_too_early(running, on),
    )


def _prepaid(running: Running, first: IntColumn) -> IntColumn:
    """What is left of principal prepaid: so much less than its level each row since fell due for."""
    plan, begun = running.plan, running.terms.begun().prepaid
    if not begun.any():
        return begun
    share = running.has("method", Method.EQUAL_PRINCIPAL)[plan.loan]
    short = plan.level - plan.principal - np.where(share, 0, plan.interest)
    over = (plan.level > 0) & (np.arange(len(plan)) < first[plan.loan])
    return np.maximum(begun - sum_by(plan.loan, np.where(over, np.maximum(short, 0), 0), begun.size), 0)


def _too_early(running: Running, on: DateColumn) -> dict[int, CannotSchedule]:
    """Loans that have no plan, or whose plan begins after the event."""
    found: dict[int, CannotSchedule] = dict(running.plan.refused)
    for position in np.flatnonzero(on < running.terms.disbursed_on):
        since = running.terms.disbursed_on[position].item()
        sentence = "the plan in force runs from {date}; an event before it would change what it changed"
        found.setdefault(int(position), CannotReplan("effective_on", sentence, date=since))
    return found


def _quiet(running: Running) -> IntColumn:
    quiet = np.array([rules.quiet_periods for rules in running.terms.rules], dtype=np.int64)
    return quiet[running.terms.rule]


def _kept(running: Running, back: BoolColumn) -> IntColumn:
    """The last instalment number that stands: one below the first taken back."""
    plan, loans = running.plan, len(running)
    low = np.full(loans, _NUMBER, dtype=np.int64)
    high = running.terms.begun().numbered_after.copy()
    numbered = plan.instalment > 0
    np.minimum.at(low, plan.loan[back & numbered], plan.instalment[back & numbered])
    np.maximum.at(high, plan.loan, plan.instalment)
    return np.where(low < _NUMBER, low - 1, high)


@dataclass(frozen=True)
class _Broken:
    """The period each event breaks, and where the interest that is still owed begins."""

    running: Running
    on: DateColumn
    begin: IntColumn
    first: IntColumn
    alive: BoolColumn
    passed: IntColumn
    grace: IntColumn
    quiet: IntColumn

    @property
    def waiting(self) -> BoolColumn:
        """Loans none of whose interest has fallen due or been added yet."""
        return self.running.has("grace_kind", *_WAITING) & (self.passed < self.quiet)

    @property
    def flat(self) -> BoolColumn:
        """Loans whose interest is one amount for the whole term, spread evenly, and has begun to fall due."""
        method: BoolColumn = self.running.has("method", Method.FLAT)
        return method & (self.passed >= self.grace)

    def carried(self) -> Segments:
        """Stretches before the event whose interest has not fallen due, `row` the loan."""
        parts = self.running.plan.segments
        if not parts.row.size:
            return Segments.none()
        loan = self.running.plan.loan[parts.row]
        since = np.where(self.waiting, self.begin, np.where(self.flat, self.begin + self.grace, self.first))
        mine = self.alive[loan] & (parts.row >= since[loan]) & (parts.row <= self.first[loan])
        mine &= (parts.from_on < self.on[loan]) & (parts.balance > 0) & (parts.rate > 0)
        chosen, loan = parts.take(mine), loan[mine]
        days, above, below = self._until(chosen, loan)
        cut = chosen.to_on > self.on[loan]
        return _compressed(
            Segments(
                row=loan,
                from_on=chosen.from_on,
                to_on=np.where(cut, self.on[loan], chosen.to_on),
                days=np.where(cut, days, chosen.days),
                balance=chosen.balance,
                rate=chosen.rate,
                numerator=np.where(cut, above, chosen.numerator),
                denominator=np.where(cut, below, chosen.denominator),
            )
        )

    def left(self) -> tuple[IntColumn, IntColumn, IntColumn]:
        """Days and part of a year (above, below) left of each broken period; 0, 0, 0 where none is."""
        parts, loans = self.running.plan.segments, np.arange(self.on.size)
        zeros = np.zeros(self.on.size, dtype=np.int64)
        if not parts.row.size:
            return zeros, zeros, zeros
        place = np.maximum(np.searchsorted(parts.row, self.first, side="right") - 1, 0)
        last = parts.take(place)
        days, above, _ = self._until(last, loans)
        begun = last.from_on < self.on
        monthly = self._by_days(loans)
        whole = (last.to_on - last.from_on).astype(np.int64)
        scaled = np.maximum(whole, 1)
        inside = np.clip((self.on - last.from_on).astype(np.int64), 0, whole)
        left_above = np.where(monthly, last.numerator * (whole - inside), last.numerator - above)
        left_below = np.where(monthly, last.denominator * scaled, last.denominator)
        left_above, left_below = _reduced(monthly, left_above, left_below)
        return (
            np.where(self.alive, np.where(begun, last.days - days, last.days), 0),
            np.where(self.alive, np.where(begun, left_above, last.numerator), 0),
            np.where(self.alive, np.where(begun, left_below, last.denominator), 0),
        )

    def amount(self) -> IntColumn:
        """Interest owed besides the stretches: what fell due of them already counts below zero."""
        plan, loans = self.running.plan, self.on.size
        begun = self.running.terms.begun().amount
        if not len(plan):
            return begun
        fresh = self.passed == 0
        above, below = plan.segments.exact(len(plan))
        own = np.zeros(loans, dtype=np.int64)
        for number, rules in enumerate(self.running.terms.rules):
            mine = np.flatnonzero((self.running.terms.rule == number) & self.alive)
            rows, rounding = self.first[mine], rules.interest_rounding
            own[mine] = round_quotients(above[rows], below[rows] * rounding.quantum_minor, rounding)
        beyond = plan.interest[self.first] - own
        quiet = self.passed < self.quiet
        row = np.arange(len(plan))
        loan = plan.loan
        fallen = (row >= (self.begin + self.grace)[loan]) & (row < self.first[loan])
        paid = sum_by(loan, np.where(fallen, plan.interest, 0), loans)
        flat = np.where(self.grace == 0, begun, 0) - paid
        normal = np.where(fresh | self.waiting, begun, np.where(quiet, 0, beyond))
        return np.where(self.alive, np.where(self.flat, flat, normal), 0)

    def _by_days(self, loan: IntColumn) -> BoolColumn:
        """Whether a stretch is shared by calendar days: months whole by definition, supplied plans."""
        monthly = self.running.has("day_count", DayCount.MONTHLY_12) | self.running.supplied
        return monthly[loan]

    def _until(self, parts: Segments, loan: IntColumn) -> tuple[IntColumn, IntColumn, IntColumn]:
        """Days and part of a year of stretches up to the event, on the denominators of the whole."""
        until = np.clip(self.on[loan], parts.from_on, parts.to_on)
        days, above = np.zeros_like(parts.days), np.zeros_like(parts.days)
        by_days = self._by_days(loan)
        for kind in DayCount:
            mine = self.running.has("day_count", kind)[loan] & ~by_days
            if mine.any():
                days[mine] = counted_days(parts.from_on[mine], until[mine], kind)
                above[mine] = year_fractions(parts.from_on[mine], until[mine], kind)[0]
        days, above = np.minimum(days, parts.days), np.minimum(above, parts.numerator)
        inside = (until - parts.from_on).astype(np.int64)
        whole = np.maximum((parts.to_on - parts.from_on).astype(np.int64), 1)
        above = np.where(by_days, parts.numerator * inside, above)
        below = np.where(by_days, parts.denominator * whole, parts.denominator)
        return np.where(by_days, inside, days), *_reduced(by_days, above, below)


def _reduced(chosen: BoolColumn, above: IntColumn, below: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Fractions in lowest terms where chosen, so that cuts of cuts stay small."""
    divisor = np.where(chosen, np.maximum(np.gcd(above, below), 1), 1)
    return above // divisor, below // divisor


def _compressed(parts: Segments) -> Segments:
    """Stretches that follow each other on one balance, rate and denominator, made one."""
    if parts.row.size < 2:
        return parts
    joins = parts.from_on[1:] == parts.to_on[:-1]
    for column in (parts.row, parts.balance, parts.rate, parts.denominator):
        joins &= column[1:] == column[:-1]
    starts = np.flatnonzero(np.concatenate([[True], ~joins]))
    last = np.append(starts[1:], parts.row.size) - 1
    kept = parts.take(starts)
    return replace(
        kept,
        to_on=parts.to_on[last],
        days=np.add.reduceat(parts.days, starts),
        numerator=np.add.reduceat(parts.numerator, starts),
    )
