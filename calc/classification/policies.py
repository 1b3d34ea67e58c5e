"""Dated policies as columns, and which of them governs each loan.

A policy has a scope: tier, kind of institution, sizes of enterprise, term, and a period. Among the
policies that fit a loan the most specific scope wins, then the latest start. A loan that none fits
has no policy, and one that two fit equally well has an ambiguous one: both are codes of their own
and never a default.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum

import numpy as np
import numpy.typing as npt

from calc.calendar import NO_DATE, DateColumn
from calc.money import IntColumn, to_rate_units

NO_POLICY = 0
AMBIGUOUS_POLICY = -1
NO_BOUND = -1


class LoanClass(IntEnum):
    """Standing of a loan, from good to bad; UNCLASSIFIED only where no policy could be applied."""

    UNCLASSIFIED = -1
    STANDARD = 0
    SMA = 1
    SS = 2
    DF = 3
    BL = 4


class Tier(IntEnum):
    """Whose asset: the foundation's claim on an institution, or the institution's on an entrepreneur."""

    WHOLESALE = 1
    SUBLOAN = 2


class InstitutionKind(IntEnum):
    """Kind of institution; ANY belongs in policies only."""

    ANY = 0
    BANK = 1
    FINANCE_COMPANY = 2


class SizeTier(IntEnum):
    """Size of enterprise (SMESPD Circular 01 of 17 March 2025)."""

    UNKNOWN = 0
    INFORMAL = 1
    COTTAGE = 2
    MICRO = 3
    SMALL = 4
    MEDIUM = 5
    LARGE = 6


class ClassTest(StrEnum):
    """What decides the class: time overdue, amount overdue, or the worse of both."""

    TIME = "time"
    AMOUNT = "amount"
    TIME_OR_AMOUNT = "time_or_amount"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """To which loans a policy applies and when; `policy` is its positive number.

    Terms are in months: `term_over` is exclusive, `term_up_to` inclusive. `effective_to` is the
    last day.
    """

    policy: int
    tier: Tier
    effective_from: date
    effective_to: date | None = None
    institution_kind: InstitutionKind = InstitutionKind.ANY
    sizes: frozenset[SizeTier] = frozenset()
    term_over: int | None = None
    term_up_to: int | None = None


@dataclass(frozen=True, kw_only=True)
class ClassificationPolicy(Scope):
    """Bounds in months since the late date, lower bound inclusive; the lag is added to each.

    `counts_from` days after the late date the months begin (0: due 31 March is 3 months on 30 June).
    """

    test: ClassTest
    ss: int
    df: int
    bl: int
    sma: int | None = None
    lag: int = 0
    counts_from: int = 0


@dataclass(frozen=True, kw_only=True)
class ProvisionPolicy(Scope):
    """Percent of the base for each class, and the least share of the outstanding a classified base may be."""

    standard: Decimal
    sma: Decimal
    ss: Decimal
    df: Decimal
    bl: Decimal
    floor: Decimal = Decimal(0)


@dataclass(frozen=True)
class Scopes:
    """Scopes as columns: sizes is a set of bits (1 << SizeTier), 0 for all; NO_BOUND where open."""

    policy: IntColumn
    tier: npt.NDArray[np.int8]
    institution_kind: npt.NDArray[np.int8]
    sizes: IntColumn
    term_over: IntColumn
    term_up_to: IntColumn
    effective_from: DateColumn
    effective_to: DateColumn

    @classmethod
    def of(cls, rows: Sequence[Scope]) -> "Scopes":
        """Columns from single scopes; ValueError if a number is not positive or used twice."""
        numbers = [row.policy for row in rows]
        if len(set(numbers)) != len(numbers) or min(numbers, default=1) < 1:
            raise ValueError("policies need positive numbers, each used once")
        return cls(
            policy=np.array(numbers, dtype=np.int64),
            tier=np.array([row.tier for row in rows], dtype=np.int8),
            institution_kind=np.array([row.institution_kind for row in rows], dtype=np.int8),
            sizes=np.array([sum(1 << size for size in row.sizes) for row in rows], dtype=np.int64),
            term_over=_bounds(row.term_over for row in rows),
            term_up_to=_bounds(row.term_up_to for row in rows),
            effective_from=np.array([row.effective_from for row in rows], dtype="datetime64[D]"),
            effective_to=np.array([row.effective_to or NO_DATE for row in rows], dtype="datetime64[D]"),
        )


@dataclass(frozen=True)
class ClassificationPolicies:
    """Classification policies as columns; bounds int64 [policies, 4] for SMA, SS, DF, BL."""

    scopes: Scopes
    test: npt.NDArray[np.str_]
    bounds: IntColumn
    lag: IntColumn
    counts_from: IntColumn

    @classmethod
    def of(cls, rows: Sequence[ClassificationPolicy]) -> "ClassificationPolicies":
        """Columns from single policies; ValueError where bounds fall or an amount test has a lag."""
        for row in rows:
            bounds = [bound for bound in (row.sma, row.ss, row.df, row.bl) if bound is not None]
            if bounds != sorted(bounds) or bounds[0] < 0:
                raise ValueError(f"policy {row.policy}: the bounds {bounds} do not rise")
            if row.lag and row.test is not ClassTest.TIME:
                raise ValueError(f"policy {row.policy}: an amount test cannot have a lag")
        table = [_bounds((row.sma, row.ss, row.df, row.bl)) for row in rows]
        return cls(
            scopes=Scopes.of(rows),
            test=np.array([row.test.value for row in rows], dtype=np.str_),
            bounds=np.array(table, dtype=np.int64).reshape(-1, 4),
            lag=np.array([row.lag for row in rows], dtype=np.int64),
            counts_from=np.array([row.counts_from for row in rows], dtype=np.int64),
        )

    @property
    def windows(self) -> tuple[int, ...]:
        """Months for which `arrears.measure` must sum what fell due, for the amount tests here."""
        by_amount = self.bounds[self.test != ClassTest.TIME.value]
        return tuple(int(months) for months in np.unique(by_amount[by_amount > 0]))


@dataclass(frozen=True)
class ProvisionPolicies:
    """Provision policies as columns; rate int64 [policies, 5] rate units, Standard to BL."""

    scopes: Scopes
    rate: IntColumn
    floor: IntColumn

    @classmethod
    def of(cls, rows: Sequence[ProvisionPolicy]) -> "ProvisionPolicies":
        """Columns from single policies."""
        table = [[to_rate_units(x) for x in (r.standard, r.sma, r.ss, r.df, r.bl)] for r in rows]
        return cls(
            scopes=Scopes.of(rows),
            rate=np.array(table, dtype=np.int64).reshape(-1, 5),
            floor=np.array([to_rate_units(row.floor) for row in rows], dtype=np.int64),
        )


@dataclass(frozen=True)
class Traits:
    """What of a loan decides its policy: tier, institution_kind and size int8, term_months int64."""

    tier: npt.NDArray[np.int8]
    institution_kind: npt.NDArray[np.int8]
    size: npt.NDArray[np.int8]
    term_months: IntColumn

    @classmethod
    def of(cls, rows: Sequence[tuple[Tier, InstitutionKind, SizeTier, int]]) -> "Traits":
        """Columns from rows of tier, institution kind, size and term in months."""
        tiers, kinds, sizes, terms = zip(*rows, strict=True) if rows else ((),) * 4
        return cls(
            np.array(tiers, dtype=np.int8),
            np.array(kinds, dtype=np.int8),
            np.array(sizes, dtype=np.int8),
            np.array(terms, dtype=np.int64),
        )


@dataclass(frozen=True)
class Chosen:
    """The governing policy of each loan: its number, or NO_POLICY / AMBIGUOUS_POLICY; row -1 without one."""

    policy: IntColumn
    row: IntColumn


def choose_policies(scopes: Scopes, traits: Traits, on: date) -> Chosen:
    """The policy in force for each loan on a date: most specific scope, then latest start.

    Specific means: the institution's kind named, sizes named, term bounded, counted one each;
    among equals fewer sizes.
    """
    day = np.datetime64(on, "D")
    row = np.full(traits.tier.size, -1, dtype=np.int64)
    tied = np.zeros(traits.tier.size, dtype=bool)
    best = np.zeros(traits.tier.size, dtype=np.int64)
    for number, rank in enumerate(_ranks(scopes)):
        if scopes.effective_from[number] > day or scopes.effective_to[number] < day:
            continue
        fits = _fits(scopes, number, traits)
        tied = np.where(fits & (row >= 0) & (rank == best), True, tied & ~(fits & (rank > best)))
        better = fits & (rank > best)
        row[better], best[better] = number, rank
    policy = np.where(row >= 0, scopes.policy[row] if scopes.policy.size else 0, NO_POLICY)
    return Chosen(policy=np.where(tied, AMBIGUOUS_POLICY, policy), row=np.where(tied, -1, row))


def _fits(scopes: Scopes, number: int, traits: Traits) -> npt.NDArray[np.bool_]:
    """Which loans lie in a policy's scope."""
    kind, sizes = scopes.institution_kind[number], int(scopes.sizes[number])
    over, up_to = scopes.term_over[number], scopes.term_up_to[number]
    fits: npt.NDArray[np.bool_] = traits.tier == scopes.tier[number]
    if kind != InstitutionKind.ANY:
        fits &= traits.institution_kind == kind
    if sizes:
        fits &= (sizes >> traits.size.astype(np.int64)) & 1 == 1
    if over != NO_BOUND:
        fits &= traits.term_months > over
    if up_to != NO_BOUND:
        fits &= traits.term_months <= up_to
    return fits


def _ranks(scopes: Scopes) -> list[int]:
    """A number for each policy that grows with how specific it is, then with its start; from 1 up."""
    keys = [
        (
            int(scopes.institution_kind[at] != InstitutionKind.ANY)
            + int(scopes.sizes[at] != 0)
            + int(scopes.term_over[at] != NO_BOUND or scopes.term_up_to[at] != NO_BOUND),
            -int(scopes.sizes[at]).bit_count(),
            int(scopes.effective_from[at].astype(np.int64)),
        )
        for at in range(scopes.policy.size)
    ]
    order = {key: place for place, key in enumerate(sorted(set(keys)), start=1)}
    return [order[key] for key in keys]


def _bounds(values: Iterable[int | None]) -> IntColumn:
    """Optional whole numbers as a column, NO_BOUND where there is none."""
    return np.array([NO_BOUND if value is None else value for value in values], dtype=np.int64)
