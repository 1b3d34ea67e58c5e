"""Walking the periods of loans that share their rules: one period after the other, all loans at once."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from calc.daycount import DayCount
from calc.interest import interest_on, level_instalments, period_ratios, sum_ratios, weighted_instalments
from calc.interest.level import Carried
from calc.money import (
    HALF_UP,
    BoolColumn,
    IntColumn,
    ObjectColumn,
    Rounding,
    round_quotients,
    round_ratios,
)
from calc.schedule.terms import GraceKind, LevelFrom, Method, Residue, Rules

_YEAR_DAYS = {
    DayCount.THIRTY_360: 360,
    DayCount.THIRTY_E_360: 360,
    DayCount.ACT_360: 360,
    DayCount.ACT_364: 364,
    DayCount.ACT_365F: 365,
    DayCount.ACT_ACT: 365,
}
BELOW_INTEREST = "an instalment would not cover the interest of its period"
EXHAUSTED = "with these instalments the loan would be repaid before its last one"
NOT_REPAID = "amounts of {given_minor} minor units in all do not repay the balance at the end of grace"


@dataclass
class Walk:
    """Loans of one set of rules in the middle of being planned; tables are loans x periods.

    numerators / denominators: rate x part of a year of each period; nominal_above / nominal_below:
    the same for a period like all others; agreed: level instalments that contracts name, 0 for none;
    flat_on: what flat interest is counted on; prepaid: principal of the next instalments that is paid
    already; carried: interest owed from before the first period.
    `level` is the instalment, or share of principal, that a period's amount follows from.
    """

    rules: Rules
    balance: IntColumn
    numerators: IntColumn
    denominators: IntColumn
    nominal_above: IntColumn
    nominal_below: IntColumn
    agreed: IntColumn
    flat_on: IntColumn
    prepaid: IntColumn
    carried: Carried | None = None
    opening: IntColumn = field(init=False)
    principal: IntColumn = field(init=False)
    interest: IntColumn = field(init=False)
    capitalised: IntColumn = field(init=False)
    level: IntColumn = field(init=False)
    faults: dict[tuple[str, str], BoolColumn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.numerators.shape
        self.opening, self.principal, self.interest, self.capitalised, self.level = (
            np.zeros(shape, dtype=np.int64) for _ in range(5)
        )

    def run(self) -> None:
        """Plan every period: the grace, then the method's instalments."""
        _grace(self)
        _METHODS[self.rules.method](self)
        quiet, waiting = self.rules.quiet_periods, self.rules.silent_periods
        if self.rules.grace_kind is GraceKind.INTEREST_DEFERRED:
            self.interest[:, quiet] += self.simple_interest(self.interest_base(self.opening[:, 0]), 0, quiet)
        elif self.rules.grace_kind is GraceKind.INTEREST_WAIVED and waiting and self.carried is not None:
            self.interest[:, waiting] += self.simple_interest(np.zeros_like(self.balance), 0, 1)

    def accrued(self, period: int) -> IntColumn:
        """Interest of a period on the running balance, rounded; flat interest looks at the whole amount."""
        return self.simple_interest(self.interest_base(self.balance), period, period + 1)

    def interest_base(self, balance: IntColumn) -> IntColumn:
        """What interest is counted on: the running balance, or of flat interest the whole amount."""
        flat = self.rules.method is Method.FLAT
        return np.where(self.flat_on > 0, self.flat_on, balance) if flat else balance

    def simple_interest(self, balance: IntColumn, first: int, after: int) -> IntColumn:
        """Interest of several periods on one balance, with what is carried into the first, rounded once."""
        above, below = self.numerators[:, first:after], self.denominators[:, first:after]
        carried = self.carried if first == 0 else None
        if carried is None and after - first == 1:
            return interest_on(balance, above[:, 0], below[:, 0], self.rules.interest_rounding)
        total, parts = sum_ratios(above, below)
        product = balance.astype(object) * total
        if carried is not None:
            product, parts = product * carried[1] + carried[0] * parts, parts * carried[1]
            product = np.maximum(product, 0)
        rounding = self.rules.interest_rounding
        return round_quotients(product, parts * rounding.quantum_minor, rounding)

    def record(self, period: int, principal: IntColumn, interest: IntColumn) -> None:
        """Write one period's row and move the balance on."""
        self.opening[:, period] = self.balance
        self.principal[:, period] = principal
        self.interest[:, period] = interest
        self.balance = self.balance - principal

    def flag(self, term: str, reason: str, loans: BoolColumn) -> None:
        """Remember loans that the named term makes impossible."""
        self.faults[term, reason] = self.faults.get((term, reason), np.zeros_like(loans)) | loans


def _grace(walk: Walk) -> None:
    """The periods before principal falls due.

    Capitalised interest is rounded on the running total, so that the roundings of many periods
    cannot pile up: 10,00,000.00 at 6 % is 10,30,377.51 after six months.
    """
    rules, rounding = walk.rules, walk.rules.interest_rounding
    above, below = walk.balance.astype(object), np.full(walk.balance.size, 1, dtype=object)
    for period in range(rules.grace_periods):
        walk.opening[:, period] = walk.balance
        if period >= rules.quiet_periods:
            walk.interest[:, period] = walk.accrued(period)
        elif rules.grace_kind is GraceKind.INTEREST_CAPITALISED:
            below = below * walk.denominators[:, period]
            above = above * (walk.denominators[:, period] + walk.numerators[:, period])
            if period == 0 and walk.carried is not None:
                above = above * walk.carried[1] + walk.carried[0] * below
                below = below * walk.carried[1]
            grown = round_quotients(above, below * rounding.quantum_minor, rounding)
            walk.capitalised[:, period] = grown - walk.balance
            walk.balance = grown
        elif rules.grace_kind is GraceKind.INTEREST_ADDED and period == rules.quiet_periods - 1:
            base = walk.interest_base(walk.balance)
            walk.capitalised[:, period] = walk.simple_interest(base, 0, rules.quiet_periods)
            walk.balance = walk.balance + walk.capitalised[:, period]


def _equal_instalment(walk: Walk) -> None:
    """One level instalment; the residue of rounding goes to the last, or is moved to the first.

    A poisha more at first is more than a poisha less at last, by the interest between; what cannot
    be moved so (a few minor units) stays in the last.
    """
    rules, rounding = walk.rules, walk.rules.instalment_rounding
    if rules.level_from is LevelFrom.NOMINAL:
        shape = (walk.balance.size, rules.amortised_over or rules.instalments)
        ratios = (
            np.broadcast_to(walk.nominal_above[:, None], shape),
            np.broadcast_to(walk.nominal_below[:, None], shape),
        )
    else:
        ratios = walk.numerators[:, rules.grace_periods :], walk.denominators[:, rules.grace_periods :]
    level = walk.agreed
    if not level.all():
        found = level_instalments(walk.balance, *ratios, rounding, _carried_into_level(walk))
        level = np.where(level > 0, level, found)
    payments = np.repeat(level[:, None], rules.instalments, axis=1)
    last = _pay(walk, payments)
    if rules.residue is Residue.FIRST and rules.instalments > 1:
        shrink, grow = _growth_after_first(walk)
        for _ in range(3):
            payments[:, 0] += round_quotients((last - level).astype(object) * shrink, grow, HALF_UP)
            last = _pay(walk, payments)
    walk.level[:, rules.grace_periods :] = level[:, None]


def _carried_into_level(walk: Walk) -> Carried | None:
    """Carried interest, where the first paying instalment is the one it falls due with."""
    rules = walk.rules
    waits = rules.grace_periods or rules.quiet_periods or rules.level_from is LevelFrom.NOMINAL
    return None if waits else walk.carried


def _growth_after_first(walk: Walk) -> tuple[ObjectColumn, ObjectColumn]:
    """What a unit paid with the first instalment grows to by the last, as a fraction (below, above)."""
    below = np.full(walk.balance.size, 1, dtype=object)
    above = below.copy()
    for period in range(walk.rules.grace_periods + 1, walk.rules.periods):
        below = below * walk.denominators[:, period]
        above = above * (walk.denominators[:, period] + walk.numerators[:, period])
    return below, above


def _step_up(walk: Walk) -> None:
    """Instalments that grow by a percentage after every few; the last takes the residue."""
    rules = walk.rules
    growth = 1 + Fraction(rules.step_percent) / 100
    done = rules.steps_done
    reached = [(done + number) // rules.step_every for number in range(rules.instalments)]
    weights = [growth ** (step - reached[0]) for step in reached]
    above, below = walk.numerators[:, rules.grace_periods :], walk.denominators[:, rules.grace_periods :]
    carried = _carried_into_level(walk)
    found = weighted_instalments(walk.balance, above, below, weights, rules.instalment_rounding, carried)
    agreed = np.stack([_grown(walk.agreed, weight, rules.instalment_rounding) for weight in weights], axis=1)
    _pay(walk, np.where(walk.agreed[:, None] > 0, agreed, found))


def _grown(amount: IntColumn, weight: Fraction, rounding: Rounding) -> IntColumn:
    """Amounts times a weight, rounded."""
    above, below = (
        amount.astype(object) * weight.numerator,
        np.full(amount.size, weight.denominator, dtype=object),
    )
    return round_quotients(above, below * rounding.quantum_minor, rounding)


def _pay(walk: Walk, payments: IntColumn) -> IntColumn:
    """Walk the paying periods with these instalments; the last pays whatever is left, and is given back."""
    grace, periods = walk.rules.grace_periods, walk.rules.periods
    start, prepaid = walk.balance, walk.prepaid
    walk.faults.clear()
    walk.level[:, grace:] = payments
    below, exhausted = np.zeros(start.size, dtype=bool), np.zeros(start.size, dtype=bool)
    for period in range(grace, periods):
        interest = walk.accrued(period)
        principal = walk.balance
        if period < periods - 1:
            principal = payments[:, period - grace] - interest
            below |= principal < 0
            covered = np.clip(principal, 0, prepaid)
            principal, prepaid = principal - covered, prepaid - covered
            exhausted |= principal >= walk.balance
        walk.record(period, principal, interest)
    agreed = walk.agreed > 0
    walk.flag("agreed_instalment", BELOW_INTEREST, below & agreed)
    walk.flag("agreed_instalment", EXHAUSTED, exhausted & agreed)
    steps = walk.rules.method is Method.STEP_UP
    walk.flag("step_percent" if steps else "first_due_on", BELOW_INTEREST, below & ~agreed)
    walk.flag("instalment_rounding", EXHAUSTED, exhausted & ~agreed)
    walk.balance = start
    return walk.principal[:, -1] + walk.interest[:, -1]


def _equal_principal(walk: Walk) -> None:
    """The same principal each time, interest on what is left; what is prepaid covers the first of them."""
    shares = _shares(walk, walk.balance + walk.prepaid, walk.rules.instalment_rounding)
    before = np.cumsum(shares, axis=1) - shares
    _repay(walk, shares - np.clip(walk.prepaid[:, None] - before, 0, shares))


def _irregular(walk: Walk) -> None:
    """The principal the contract lists, interest on what is left."""
    amounts = np.array(walk.rules.amounts, dtype=np.int64)
    walk.flag("amounts", NOT_REPAID, walk.balance != amounts.sum())
    _repay(walk, np.broadcast_to(amounts, (walk.balance.size, amounts.size)))


def _bullet(walk: Walk) -> None:
    """Interest each period, the whole principal with the last."""
    principals = np.zeros((walk.balance.size, walk.rules.instalments), dtype=np.int64)
    principals[:, -1] = walk.balance
    _repay(walk, principals)


def _repay(walk: Walk, principals: IntColumn) -> None:
    """Given principals, interest on the running balance."""
    for period in range(walk.rules.grace_periods, walk.rules.periods):
        interest = walk.accrued(period)
        walk.record(period, principals[:, period - walk.rules.grace_periods], interest)


def _flat(walk: Walk) -> None:
    """Interest on the whole amount for the whole term, spread evenly like the principal."""
    grace, rules = walk.rules.grace_periods, walk.rules
    interest = walk.simple_interest(walk.interest_base(walk.balance), grace, rules.periods)
    interests = _interest_shares(walk, interest)
    principals = _shares(walk, walk.balance + interest, rules.instalment_rounding) - interests
    agreed = walk.agreed > 0
    walk.flag("agreed_instalment", BELOW_INTEREST, agreed & np.any(principals[:, :-1] < 0, axis=1))
    walk.flag("agreed_instalment", EXHAUSTED, agreed & (principals[:, -1] < 0))
    walk.flag("instalment_rounding", EXHAUSTED, ~agreed & np.any(principals < 0, axis=1))
    for period in range(grace, rules.periods):
        walk.record(period, principals[:, period - grace], interests[:, period - grace])


def _shares(walk: Walk, amount: IntColumn, rounding: Rounding) -> IntColumn:
    """An amount in equal parts, loans x instalments; flags loans whose last part rounding makes negative."""
    agreed = walk.agreed > 0
    share = np.where(agreed, walk.agreed, round_ratios(amount, 1, walk.rules.instalments, rounding))
    shares = _parts(walk, amount, share)
    walk.level[:, walk.rules.grace_periods :] = share[:, None]
    exhausted = np.any(shares < 0, axis=1)
    walk.flag("agreed_instalment", EXHAUSTED, exhausted & agreed)
    walk.flag("instalment_rounding", EXHAUSTED, exhausted & ~agreed)
    return shares


def _interest_shares(walk: Walk, interest: IntColumn) -> IntColumn:
    """Interest in equal parts; a few poisha over many instalments never make the last part negative."""
    count = walk.rules.instalments
    share = round_ratios(interest, 1, count, walk.rules.interest_rounding)
    return _parts(walk, interest, np.minimum(share, interest // max(count - 1, 1)))


def _parts(walk: Walk, amount: IntColumn, share: IntColumn) -> IntColumn:
    """The same share for every instalment but the last or first, which takes the residue."""
    count = walk.rules.instalments
    shares = np.repeat(share[:, None], count, axis=1)
    shares[:, -1 if walk.rules.residue is Residue.LAST else 0] = amount - share * (count - 1)
    return shares


def nominal_ratios(rules: Rules, rate: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Rate x part of a year of a period like all others: months / 12, or days over the basis's year."""
    if rules.frequency.months:
        part, year = rules.frequency.months, 12
    else:
        part, year = rules.frequency.days(rules.every_days), _YEAR_DAYS[rules.day_count]
    return period_ratios(rate, np.full_like(rate, part), np.full_like(rate, year))


_METHODS = {
    Method.EQUAL_INSTALMENT: _equal_instalment,
    Method.EQUAL_PRINCIPAL: _equal_principal,
    Method.FLAT: _flat,
    Method.BULLET: _bullet,
    Method.STEP_UP: _step_up,
    Method.IRREGULAR: _irregular,
}
