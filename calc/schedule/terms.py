"""The terms of a loan, one or many, and what makes them contradict each other."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np

from calc.calendar import NO_DATE, DateColumn, Frequency, RollRule, add_months
from calc.daycount import DayCount
from calc.money import HALF_UP, RATE_UNITS, IntColumn, Rounding, to_rate_units

MAX_PERIODS = 1200
"""Longest plan, in periods: a hundred years of months."""


class CannotSchedule(Exception):
    """The terms contradict each other. `term` names the one to change, `reason` says why."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(f"{term}: {reason}")
        self.term = term
        self.reason = reason


class Method(StrEnum):
    """How principal and interest are spread over the instalments."""

    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    FLAT = "flat"
    BULLET = "bullet"


class GraceKind(StrEnum):
    """What happens to interest while no principal is due.

    INTEREST_PAID: it falls due each grace period. INTEREST_ADDED: simple interest is added to the
    balance once, at the end. INTEREST_CAPITALISED: it is added each period and bears interest.
    """

    NONE = "none"
    INTEREST_PAID = "interest_paid"
    INTEREST_ADDED = "interest_added"
    INTEREST_CAPITALISED = "interest_capitalised"


class InterestTo(StrEnum):
    """Whether a period's interest runs to the nominal or to the holiday-adjusted due date."""

    NOMINAL = "nominal"
    ADJUSTED = "adjusted"


class Residue(StrEnum):
    """Which instalment takes what the rounding of the others leaves."""

    LAST = "last"
    FIRST = "first"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a contract says whatever the amount, the rate and the dates; many loans share it.

    `instalments` counts the periods that repay principal; grace comes before and on top. `due_day`
    fixes the day of the month (0: the day of the first due date, else of the disbursement).
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

    @property
    def periods(self) -> int:
        """All periods of the plan, grace included."""
        return self.grace_periods + self.instalments

    @property
    def silent_periods(self) -> int:
        """Grace periods at whose end nothing falls due."""
        return 0 if self.grace_kind is GraceKind.INTEREST_PAID else self.grace_periods

    def check(self) -> None:
        """Raise CannotSchedule where the rules contradict each other."""
        by_days = not self.frequency.months
        faults = (
            (self.instalments < 1, "instalments", "at least one instalment must repay the loan"),
            (self.periods > MAX_PERIODS, "instalments", f"a plan has at most {MAX_PERIODS} periods"),
            (self.grace_periods < 0, "grace_periods", "grace cannot be negative"),
            (
                self.grace_periods > 0 and self.grace_kind is GraceKind.NONE,
                "grace_kind",
                "say whether interest is paid, added or capitalised during the grace periods",
            ),
            (
                self.grace_periods == 0 and self.grace_kind is not GraceKind.NONE,
                "grace_periods",
                "a kind of grace needs at least one grace period",
            ),
            (
                by_days and self.frequency.days(self.every_days) < 1,
                "every_days",
                "say every how many days an instalment falls due",
            ),
            (
                self.every_days != 0 and self.frequency is not Frequency.EVERY_N_DAYS,
                "every_days",
                "a number of days belongs to the frequency 'every n days' only",
            ),
            (not 0 <= self.due_day <= 31, "due_day", "a due day lies between 1 and 31"),
            (by_days and self.due_day != 0, "due_day", "a fixed due day needs periods counted in months"),
            (
                by_days and self.day_count is DayCount.MONTHLY_12,
                "day_count",
                "monthly/12 needs periods counted in months",
            ),
            (
                self.interest_to is InterestTo.ADJUSTED and self.day_count is DayCount.MONTHLY_12,
                "interest_to",
                "monthly/12 does not count the days by which a holiday moves a due date",
            ),
        )
        for contradicts, term, reason in faults:
            if contradicts:
                raise CannotSchedule(term, reason)


@dataclass(frozen=True, kw_only=True)
class Terms(Rules):
    """The terms of one loan: rules, principal in minor units, percent a year, and dates.

    `first_due_on` is the first date on which anything falls due (after a grace in which nothing
    does); left out, periods are counted from the disbursement.
    """

    principal_minor: int
    annual_rate: Decimal
    disbursed_on: date
    first_due_on: date | None = None

    def rules(self) -> Rules:
        """The rules alone, which loans may share."""
        return Rules(**{field.name: getattr(self, field.name) for field in fields(Rules)})


@dataclass(frozen=True)
class TermsColumns:
    """Terms of loans side by side.

    rules: the distinct rules; rule int64: which of them each loan has; principal int64 minor units;
    rate int64 rate units (millionths of a percent a year); disbursed_on and first_due_on
    datetime64[D], the latter NaT where it follows from the disbursement.
    """

    rules: tuple[Rules, ...]
    rule: IntColumn
    principal: IntColumn
    rate: IntColumn
    disbursed_on: DateColumn
    first_due_on: DateColumn

    def __len__(self) -> int:
        return int(self.rule.size)

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
        )


def refusals(terms: TermsColumns) -> dict[int, CannotSchedule]:
    """What contradicts in each loan's own figures, by position; rules are checked apart."""
    found: dict[int, CannotSchedule] = {}
    for number, rules in enumerate(terms.rules):
        mine = terms.rule == number
        try:
            rules.check()
        except CannotSchedule as refusal:
            found.update((int(position), refusal) for position in np.flatnonzero(mine))
            continue
        tests = (
            (terms.principal <= 0, "principal", "a loan needs a positive principal"),
            (terms.principal >= 2**53, "principal", "the principal is beyond what the books can hold"),
            (terms.rate < 0, "annual_rate", "a rate cannot be negative"),
            (terms.rate > 1000 * RATE_UNITS, "annual_rate", "a rate above 1000 % a year is a slip"),
            (np.isnat(terms.disbursed_on), "disbursed_on", "the date of disbursement is missing"),
            (
                terms.first_due_on <= terms.disbursed_on,
                "first_due_on",
                "the first due date must lie after the disbursement",
            ),
        )
        for contradicts, term, reason in tests:
            for position in np.flatnonzero(mine & contradicts):
                found.setdefault(int(position), CannotSchedule(term, reason))
        for position in np.flatnonzero(mine & ~np.isnat(terms.first_due_on) & (rules.due_day > 0)):
            first = terms.first_due_on[position].item()
            if add_months(first, 0, seed_day=rules.due_day) != first:
                reason = f"the first due date {first} does not fall on the fixed due day {rules.due_day}"
                found.setdefault(int(position), CannotSchedule("first_due_on", reason))
    return found


def _rate_units(annual_rate: Decimal) -> int:
    try:
        return to_rate_units(annual_rate)
    except ValueError as error:
        raise CannotSchedule("annual_rate", str(error)) from error
