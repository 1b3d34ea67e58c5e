"""One engine: n loans in columns are n loans one by one, from their terms to their provision."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calc.allocation import Allocations, Grid, Order, Orders, Receipts, Settled, allocate
from calc.arrears import Arrears, measure
from calc.classification import (
    Classes,
    InstitutionKind,
    LoanClass,
    Provisions,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
    classify,
    provision,
)
from calc.money import Component
from calc.schedule import Dues, Terms, TermsColumns, build_schedules
from tests.calc.reference import CLASSIFICATION, PROVISION
from tests.calc.strategies import CALENDAR, terms
from tests.calc.test_orders import rules

AS_OF = st.dates(date(2024, 2, 29), date(2031, 12, 31))
NO_CLASS = int(LoanClass.UNCLASSIFIED)


@dataclass(frozen=True)
class Loan:
    """What one loan brings: terms, an order, receipts by day and amount, and what decides its policy."""

    number: int
    terms: Terms
    order: Order | Grid
    received: tuple[tuple[date, int], ...]
    waived: bool
    traits: tuple[Tier, InstitutionKind, SizeTier, int]
    frozen: int
    judged: int
    suspense: int
    security: int


@st.composite
def loans(draw: st.DrawFn) -> list[Loan]:
    numbers = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=6, unique=True))
    grades = st.sampled_from([NO_CLASS, *map(int, LoanClass)])
    found = []
    for number in sorted(numbers):
        wanted = draw(terms())
        start = wanted.disbursed_on
        days = st.dates(start - timedelta(days=40), start + timedelta(days=1500))
        part = st.integers(1, wanted.principal_minor // 2)
        found.append(
            Loan(
                number=number,
                terms=wanted,
                order=draw(rules),
                received=tuple(draw(st.lists(st.tuples(days, part), max_size=6))),
                waived=draw(st.booleans()),
                traits=(
                    draw(st.sampled_from(list(Tier))),
                    draw(st.sampled_from([InstitutionKind.BANK, InstitutionKind.FINANCE_COMPANY])),
                    draw(st.sampled_from(list(SizeTier))),
                    draw(st.sampled_from([12, 60, 61, 120])),
                ),
                frozen=draw(grades),
                judged=draw(grades),
                suspense=draw(st.integers(0, 10**6)),
                security=draw(st.integers(0, 10**9)),
            )
        )
    return found


@dataclass(frozen=True)
class Reckoned:
    """Everything the engine says of some loans."""

    dues: Dues
    rows: Allocations
    arrears: Arrears
    classes: Classes
    provisions: Provisions


def reckon(mine: list[Loan], as_of: date) -> Reckoned:
    """From terms to provision in one pass over all loans given."""
    ids = _whole([loan.number for loan in mine])
    plans = build_schedules(TermsColumns.of([loan.terms for loan in mine]), CALENDAR)
    dues = plans.dues(ids)
    received = [(loan.number, at, *one) for loan in mine for at, one in enumerate(loan.received, start=1)]
    receipts = Receipts(
        loan=_whole([row[0] for row in received]),
        receipt=_whole([row[0] * 10 + row[1] for row in received]),
        value_date=np.array([row[2] for row in received], dtype="datetime64[D]"),
        amount=_whole([row[3] for row in received]),
    )
    distinct = tuple(dict.fromkeys(loan.order for loan in mine))
    orders = Orders(distinct, ids, _whole([distinct.index(loan.order) for loan in mine]))
    waived = _waived(dues, [loan.number for loan in mine if loan.waived])
    rows = allocate(dues, receipts, orders, reduced=waived)
    settled = _joined(rows.settled(np.datetime64(as_of)), waived)
    arrears = measure(dues, settled, as_of, loans=ids, windows=CLASSIFICATION.windows)
    tier, kind, size, term = zip(*(loan.traits for loan in mine), strict=True)
    traits = Traits(_small(tier), _small(kind), _small(size), _whole(term))
    chosen = choose_policies(CLASSIFICATION.scopes, traits, as_of)
    frozen, judged = (_small([getattr(loan, name) for loan in mine]) for name in ("frozen", "judged"))
    classes = classify(arrears, CLASSIFICATION, chosen, frozen=frozen, judged=judged)
    provisions = provision(
        arrears.outstanding_principal + arrears.fallen_interest,
        _whole([loan.suspense for loan in mine]),
        _whole([loan.security for loan in mine]),
        classes.loan_class,
        PROVISION,
        choose_policies(PROVISION.scopes, traits, as_of),
    )
    return Reckoned(dues, rows, arrears, classes, provisions)


def _whole(values: object) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def _small(values: object) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    return np.array(values, dtype=np.int8)


def _waived(dues: Dues, numbers: list[int]) -> Settled:
    """Half of the interest of the first instalment, of the loans named."""
    first = np.flatnonzero(
        np.isin(dues.loan, numbers) & (dues.instalment == 1) & (dues.component == Component.INTEREST)
    )
    half = dues.amount[first] // 2
    some = first[half > 0]
    return Settled(dues.loan[some], dues.instalment[some], dues.component[some], half[half > 0])


def _joined(one: Settled, other: Settled) -> Settled:
    return Settled(
        **{
            field.name: np.concatenate([getattr(one, field.name), getattr(other, field.name)])
            for field in fields(Settled)
        }
    )


@settings(max_examples=40)
@given(loans(), AS_OF)
def test_loans_in_columns_are_the_loans_one_by_one(mine: list[Loan], as_of: date) -> None:
    together = reckon(mine, as_of)
    assert not together.arrears.fault.any()
    for at, loan in enumerate(mine):
        alone = reckon([loan], as_of)
        for part in ("dues", "rows"):
            ours, theirs = getattr(together, part), getattr(alone, part)
            rows = ours.take(ours.loan == loan.number)
            for field in fields(theirs):
                assert getattr(rows, field.name).tolist() == getattr(theirs, field.name).tolist()
        for part in ("arrears", "classes", "provisions"):
            ours, theirs = getattr(together, part), getattr(alone, part)
            for field in fields(theirs):
                column = getattr(theirs, field.name)
                if isinstance(column, np.ndarray):
                    assert getattr(ours, field.name)[at].tolist() == column[0].tolist(), field.name


@settings(max_examples=40)
@given(loans(), AS_OF, st.randoms())
def test_the_order_in_which_loans_stand_changes_nothing(
    mine: list[Loan], as_of: date, chance: Random
) -> None:
    """Terms may come in any order; the loans' numbers decide where their rows stand."""
    shuffled = list(mine)
    chance.shuffle(shuffled)
    ids = _whole([loan.number for loan in shuffled])
    dues = build_schedules(TermsColumns.of([loan.terms for loan in shuffled]), CALENDAR).dues(ids)
    order = np.argsort(dues.loan, kind="stable")
    straight = reckon(mine, as_of).dues
    for field in fields(Dues):
        assert getattr(dues, field.name)[order].tolist() == getattr(straight, field.name).tolist()
