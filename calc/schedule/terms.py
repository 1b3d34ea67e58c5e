"""The terms of a loan, one or many, and what makes them contradict each other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np

from calc.calendar import NO_DATE, DateColumn, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import HALF_UP, IntColumn, Rounding, to_rate_units


class CannotSchedule(Exception):
    """The terms contradict each other. `term` names the one to change, `reason` says why.

    `sentence` is the reason with its gaps open and `parameters` what fills them: whoever shows the
    refusal in another language knows it by its sentence.
    """

    def __init__(self, term: str, sentence: str, **parameters: object) -> None:
        self.term = term
        self.sentence = sentence
        self.parameters = parameters
        self.reason = sentence.format_map(parameters)
        super().__init__(f"{term}: {self.reason}")


class Method(StrEnum):
    """How principal and interest are spread over the instalments."""

    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    FLAT = "flat"
    BULLET = "bullet"
    STEP_UP = "step_up"
    IRREGULAR = "irregular"


class GraceKind(StrEnum):
    """What happens to interest while no principal is due.

    INTEREST_PAID: it falls due each grace period. INTEREST_ADDED: simple interest is added to the
    balance once, at the end. INTEREST_CAPITALISED: it is added each period and bears interest.
    INTEREST_DEFERRED: it waits, bearing nothing, and falls due with the first interest after it.
    INTEREST_WAIVED: none is charged.
    """

    NONE = "none"
    INTEREST_PAID = "interest_paid"
    INTEREST_ADDED = "interest_added"
    INTEREST_CAPITALISED = "interest_capitalised"
    INTEREST_DEFERRED = "interest_deferred"
    INTEREST_WAIVED = "interest_waived"


class InterestTo(StrEnum):
    """Whether a period's interest runs to the nominal or to the holiday-adjusted due date."""

    NOMINAL = "nominal"
    ADJUSTED = "adjusted"


class LevelFrom(StrEnum):
    """Periods the level instalment is worked out from: as they are, or all alike (a nominal rate)."""

    PERIODS = "periods"
    NOMINAL = "nominal"


class Residue(StrEnum):
    """Which instalment takes what the rounding of the others leaves."""

    LAST = "last"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a contract says whatever the amount, the rate and the dates; many loans share it.

    `instalments` counts the periods that repay principal; grace comes before and on top. `due_day`
    fixes the day of the month (0: the day of the first due date, else of the disbursement).
    `interest_grace` is the number of first periods to which the kind of grace applies, where that
    is not all of the grace (0: all); the interest of the rest is paid. `amortised_over` periods,
    where more than the instalments, make the level instalment smaller and the last one a balloon.
    STEP_UP raises the instalment by `step_percent` after every `step_every` instalments. IRREGULAR
    repays the `amounts` of principal, in minor units.
    """

    method: Method
    instalments: int
    frequency: Frequency = Frequency.MONTHLY
    every_days: int = 0
    due_day: int = 0
    grace_periods: int = 0
    grace_kind: GraceKind = GraceKind.NONE
    day_count: DayCount = DayCount.MONTHLY_12
    roll: RollRule = RollRule.NONE
    interest_to: InterestTo = InterestTo.NOMINAL
    instalment_rounding: Rounding = HALF_UP
    interest_rounding: Rounding = HALF_UP
    residue: Residue = Residue.LAST
    interest_grace: int = 0
    level_from: LevelFrom = LevelFrom.PERIODS
    amortised_over: int = 0
    step_percent: Decimal = Decimal(0)
    step_every: int = 0
    amounts: tuple[int, ...] = ()

    @property
    def periods(self) -> int:
        """All periods of the plan, grace included."""
        return self.grace_periods + self.instalments

    @property
    def silent_periods(self) -> int:
        """Grace periods at whose end nothing falls due."""
        return min(self.quiet_periods, self.grace_periods)

    @property
    def quiet_periods(self) -> int:
        """First periods whose interest is not paid at their end."""
        if self.grace_kind in {GraceKind.NONE, GraceKind.INTEREST_PAID}:
            return 0
        return self.interest_grace or self.grace_periods


@dataclass(frozen=True, kw_only=True)
class Terms(Rules):
    """The terms of one loan: rules, principal in minor units, percent a year, and dates.

    `first_due_on` is the first date on which anything falls due (after a grace in which nothing
    does); left out, periods are counted from the disbursement. `agreed_instalment_minor` is a level
    instalment the contract names (0: it is worked out); the last one takes what is left.
    """

    principal_minor: int
    annual_rate: Decimal
    disbursed_on: date
    first_due_on: date | None = None
    agreed_instalment_minor: int = 0

    def rules(self) -> Rules:
        """The rules alone, which loans may share."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})


@dataclass(frozen=True)
class TermsColumns:
    """Terms of loans side by side.

    rules: the distinct rules; rule int64: which of them each loan has; principal int64 minor units;
    rate int64 rate units (millionths of a percent a year); disbursed_on and first_due_on
    datetime64[D], the latter NaT where it follows from the disbursement; agreed_instalment int64
    minor units, 0 where it is worked out (left out: everywhere).
    """

    rules: tuple[Rules, ...]
    rule: IntColumn
    principal: IntColumn
    rate: IntColumn
    disbursed_on: DateColumn
    first_due_on: DateColumn
    agreed_instalment: IntColumn | None = None

    def __len__(self) -> int:
        return int(self.rule.size)

    def agreed(self) -> IntColumn:
        """Agreed instalments, 0 where there is none."""
        return (
            np.zeros(len(self), dtype=np.int64) if self.agreed_instalment is None else self.agreed_instalment
        )

    @classmethod
    def of(cls, terms: Sequence[Terms]) -> "TermsColumns":
        """Columns from the terms of single loans; CannotSchedule if a rate is too fine to hold."""
        numbers: dict[Rules, int] = {}
        rule = [numbers.setdefault(term.rules(), len(numbers)) for term in terms]
        return cls(
            rules=tuple(numbers),
            rule=np.array(rule, dtype=np.int64),
            principal=np.array([term.principal_minor for term in terms], dtype=np.int64),
            rate=np.array([_rate_units(term.annual_rate) for term in terms], dtype=np.int64),
            disbursed_on=np.array([term.disbursed_on for term in terms], dtype="datetime64[D]"),
            first_due_on=np.array([term.first_due_on or NO_DATE for term in terms], dtype="datetime64[D]"),
            agreed_instalment=np.array([term.agreed_instalment_minor for term in terms], dtype=np.int64),
        )


def _rate_units(annual_rate: Decimal) -> int:
    try:
        return to_rate_units(annual_rate)
    except ValueError as error:
        sentence = "a rate of {rate} % is finer than a millionth of a percent"
        raise CannotSchedule("annual_rate", sentence, rate=annual_rate) from error
