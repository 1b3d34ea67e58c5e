"""The terms of a loan, one or many, and what makes them contradict each other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType

import numpy as np
import numpy.typing as npt

from calc.calendar import NO_DATE, DateColumn, Frequency, RollRule, to_date
from calc.daycount import DayCount
from calc.interest import Segment, Segments
from calc.money import HALF_UP, IntColumn, Rounding, from_rate_units, to_rate_units
from calc.schedule.carried import Part, TakenOver


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
    repays the `amounts` of principal, in minor units. `steps_done` is the number of stepped
    instalments that stand before the plan begins.
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
    steps_done: int = 0

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
    instalment the contract names (of equal principal: the principal of each; of steps: the first; 0:
    it is worked out); the last one takes what is left.

    The rest belongs to plans that go on from another (calc.events): `carried` and `carried_minor` are
    interest owed from before, due with the first interest of this plan; `rest` is what is left of the
    period it begins in; `flat_on_minor` what flat interest is counted on (0: the principal);
    `numbered_after` the last instalment number before it; `prepaid_minor` the principal of its next
    instalments that is paid already (the principal does not hold it any more).
    """

    principal_minor: int
    annual_rate: Decimal
    disbursed_on: date
    first_due_on: date | None = None
    agreed_instalment_minor: int = 0
    carried: tuple[Segment, ...] = ()
    carried_minor: int = 0
    rest: Part | None = None
    flat_on_minor: int = 0
    numbered_after: int = 0
    prepaid_minor: int = 0

    def rules(self) -> Rules:
        """The rules alone, which loans may share."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})


@dataclass(frozen=True)
class TermsColumns:
    """Terms of loans side by side.

    rules: the distinct rules; rule int64: which of them each loan has; principal int64 minor units;
    rate int64 rate units (millionths of a percent a year); disbursed_on and first_due_on
    datetime64[D], the latter NaT where it follows from the disbursement; agreed_instalment int64
    minor units, 0 where it is worked out (left out: everywhere); taken_over: of plans that go on from
    others.
    """

    rules: tuple[Rules, ...]
    rule: IntColumn
    principal: IntColumn
    rate: IntColumn
    disbursed_on: DateColumn
    first_due_on: DateColumn
    agreed_instalment: IntColumn | None = None
    taken_over: TakenOver | None = None

    def __len__(self) -> int:
        return int(self.rule.size)

    def agreed(self) -> IntColumn:
        """Agreed instalments, 0 where there is none."""
        return (
            np.zeros(len(self), dtype=np.int64) if self.agreed_instalment is None else self.agreed_instalment
        )

    def begun(self) -> TakenOver:
        """What each plan takes over; nothing where it begins at the beginning."""
        return TakenOver.nothing(len(self)) if self.taken_over is None else self.taken_over

    def take(self, members: npt.NDArray[np.intp]) -> "TermsColumns":
        """Some of the loans, in the order given; positions must ascend."""
        return TermsColumns(
            self.rules,
            self.rule[members],
            self.principal[members],
            self.rate[members],
            self.disbursed_on[members],
            self.first_due_on[members],
            self.agreed()[members],
            self.begun().take(members),
        )

    def one(self, position: int) -> Terms:
        """The terms of one loan."""
        begun, first = self.begun(), self.first_due_on[position]
        part = (begun.rest_days, begun.rest_above, begun.rest_below)
        rules = self.rules[int(self.rule[position])]
        return Terms(
            **{field.name: getattr(rules, field.name) for field in fields(Rules)},
            principal_minor=int(self.principal[position]),
            annual_rate=from_rate_units(int(self.rate[position])),
            disbursed_on=to_date(self.disbursed_on[position]),
            first_due_on=None if np.isnat(first) else to_date(first),
            agreed_instalment_minor=int(self.agreed()[position]),
            carried=begun.segments.of_row(position),
            carried_minor=int(begun.amount[position]),
            rest=Part(*(int(column[position]) for column in part)) if begun.rest_below[position] else None,
            flat_on_minor=int(begun.flat_on[position]),
            numbered_after=int(begun.numbered_after[position]),
            prepaid_minor=int(begun.prepaid[position]),
        )

    @classmethod
    def of(cls, terms: Sequence[Terms]) -> "TermsColumns":
        """Columns from the terms of single loans.

        CannotSchedule names a term that is no value of its kind (a text, a float), or a rate too fine.
        """
        for term in terms:
            _check_kinds(term)
        numbers: dict[Rules, int] = {}
        rule = [numbers.setdefault(term.rules(), len(numbers)) for term in terms]
        return cls(
            rules=tuple(numbers),
            rule=np.array(rule, dtype=np.int64),
            principal=_whole([term.principal_minor for term in terms]),
            rate=_whole([_rate_units(term.annual_rate) for term in terms]),
            disbursed_on=np.array([term.disbursed_on for term in terms], dtype="datetime64[D]"),
            first_due_on=np.array([term.first_due_on or NO_DATE for term in terms], dtype="datetime64[D]"),
            agreed_instalment=_whole([term.agreed_instalment_minor for term in terms]),
            taken_over=_taken_over(terms),
        )


CHOICES: dict[str, type[StrEnum]] = {
    "method": Method,
    "frequency": Frequency,
    "grace_kind": GraceKind,
    "day_count": DayCount,
    "roll": RollRule,
    "interest_to": InterestTo,
    "residue": Residue,
    "level_from": LevelFrom,
}
PERCENTS = ("annual_rate", "step_percent")
DAYS = ("disbursed_on", "first_due_on")
ROUNDINGS = ("instalment_rounding", "interest_rounding")
_WHOLE = (int, np.integer)
_KINDS: dict[str, type | tuple[type, ...]] = {
    **CHOICES,
    **dict.fromkeys(ROUNDINGS, Rounding),
    **dict.fromkeys(PERCENTS, (Decimal, *_WHOLE)),
    "disbursed_on": date,
    "first_due_on": (date, NoneType),
    "amounts": tuple,
    "carried": tuple,
    "rest": (Part, NoneType),
}
"""What each term is made of; the others are whole numbers."""
_KIND_OF = [(field.name, _KINDS.get(field.name, _WHOLE)) for field in fields(Terms)]


def _check_kinds(terms: Terms) -> None:
    """A text or a float where a term wants its own kind would be taken for something else."""
    for name, kind in _KIND_OF:
        if not isinstance(getattr(terms, name), kind):
            raise CannotSchedule(name, "the term cannot be read: {value}", value=getattr(terms, name))


def _whole(values: Sequence[int]) -> IntColumn:
    return np.array(values, dtype=np.int64)


def _taken_over(terms: Sequence[Terms]) -> TakenOver:
    """The columns of what single plans take over."""
    rests = [term.rest or Part(0, 0, 0) for term in terms]
    return TakenOver(
        segments=Segments.of([term.carried for term in terms]),
        amount=_whole([term.carried_minor for term in terms]),
        rest_days=_whole([rest.days for rest in rests]),
        rest_above=_whole([rest.numerator for rest in rests]),
        rest_below=_whole([rest.denominator for rest in rests]),
        flat_on=_whole([term.flat_on_minor for term in terms]),
        numbered_after=_whole([term.numbered_after for term in terms]),
        prepaid=_whole([term.prepaid_minor for term in terms]),
    )


def _rate_units(annual_rate: Decimal) -> int:
    try:
        return to_rate_units(Decimal(annual_rate))
    except ValueError as error:
        sentence = "a rate of {rate} % is finer than a millionth of a percent"
        raise CannotSchedule("annual_rate", sentence, rate=annual_rate) from error
