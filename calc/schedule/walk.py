"""Walking the periods of loans that share their rules: one period after the other, all loans at once."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from calc.daycount import DayCount
from calc.interest import interest_on, period_ratios, sum_ratios
from calc.interest.level import Carried
from calc.money import (
    BoolColumn,
    IntColumn,
    round_quotients,
)
from calc.schedule.terms import GraceKind, Method, Rules

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
BEYOND = "at this rate the amounts grow beyond what the books can hold"
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

    def run(self, repay: "Callable[[Walk], None]") -> None:
        """Plan every period: the grace, then the instalments of the method (calc.schedule.methods)."""
        _grace(self)
        repay(self)
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


def nominal_ratios(rules: Rules, rate: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Rate x part of a year of a period like all others: months / 12, or days over the basis's year."""
    if rules.frequency.months:
        part, year = rules.frequency.months, 12
    else:
        part, year = rules.frequency.days(rules.every_days), _YEAR_DAYS[rules.day_count]
    return period_ratios(rate, np.full_like(rate, part), np.full_like(rate, year))
