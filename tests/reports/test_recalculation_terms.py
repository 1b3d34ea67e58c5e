"""LibreOffice works every kind of contract out again and comes to what the engine books, to the poisha."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle, product
from typing import Any

import openpyxl
import pytest

from calc.allocation import Grid, Order
from calc.calendar import Frequency
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import CannotSchedule, GraceKind, LevelFrom, Method, Residue, Terms, build_schedule
from reports.builders.recalculation_rows import Recalculation
from reports.render.recalculation import render_recalculation
from tests.reports.spreadsheet import computed, differing, parted
from tests.reports.worked import plan_row, recalculation

START = date(2024, 1, 31)
AS_OF = date(2025, 3, 20)
GRID = Grid.parse(
    [
        *("past_due.interest", "due.interest", "past_due.principal", "due.principal"),
        *("past_due.penal", "due.penal", "past_due.charge", "due.charge"),
        *("in_advance.principal", "in_advance.interest", "in_advance.penal", "in_advance.charge"),
    ]
)
ORDERS = (Order.OLDEST_FIRST, Order.BY_COMPONENT, Order.PRINCIPAL_FIRST, GRID)
ROUNDINGS = tuple(Rounding(mode, quantum) for quantum, mode in product((1, 100, 500, 1000), RoundingMode))
GRACES: tuple[dict[str, Any], ...] = (
    {},
    {"grace_periods": 2, "grace_kind": GraceKind.INTEREST_PAID},
    {"grace_periods": 2, "grace_kind": GraceKind.INTEREST_ADDED},
    {"grace_periods": 3, "grace_kind": GraceKind.INTEREST_CAPITALISED},
    {"grace_periods": 3, "grace_kind": GraceKind.INTEREST_DEFERRED, "interest_grace": 2},
    {"grace_periods": 2, "grace_kind": GraceKind.INTEREST_WAIVED},
)


def contracts() -> Iterator[tuple[str, Terms]]:
    """Every method × frequency, with all day counts; the other terms take their turns."""
    roundings, interest, graces = cycle(ROUNDINGS), cycle(ROUNDINGS[:8]), cycle(GRACES)
    residues, rates = cycle((Residue.LAST, Residue.LAST, Residue.FIRST)), cycle(("9", "7.125", "0", "12.5"))
    days = cycle(DayCount)
    for method, frequency in product(Method, Frequency):
        day_count = next(days)
        if day_count is DayCount.MONTHLY_12 and not frequency.months:
            day_count = next(days)
        given: dict[str, Any] = {
            "method": method,
            "frequency": frequency,
            "day_count": day_count,
            "instalments": 7,
            "every_days": 45 if frequency is Frequency.EVERY_N_DAYS else 0,
            "principal_minor": 123_456_789,
            "annual_rate": Decimal(next(rates)),
            "disbursed_on": START,
            "instalment_rounding": next(roundings),
            "interest_rounding": next(interest),
            "residue": next(residues),
            **next(graces),
        }
        if method is Method.IRREGULAR:
            given |= {"grace_periods": 0, "grace_kind": GraceKind.NONE, "interest_grace": 0}
            given["amounts"] = (20_000_000, 0, 3_456_789, 50_000_000, 0, 25_000_000, 25_000_000)
        if method is Method.STEP_UP:
            given |= {"step_percent": Decimal("7.5"), "step_every": 2}
        terms = Terms(**given)
        try:
            build_schedule(terms)
        except CannotSchedule:
            continue
        yield f"{method}-{frequency}-{day_count}".replace("/", ""), terms
    usual: dict[str, Any] = {
        "method": Method.EQUAL_INSTALMENT,
        "instalments": 6,
        "principal_minor": 100_000_000,
        "annual_rate": Decimal(6),
        "disbursed_on": START,
    }
    yield "balloon-monthly-MONTHLY12", Terms(**usual, level_from=LevelFrom.NOMINAL, amortised_over=60)
    yield (
        "agreed-monthly-ACT365F",
        Terms(**usual, agreed_instalment_minor=17_500_000, day_count=DayCount.ACT_365F),
    )
    yield "broken-monthly-MONTHLY12", Terms(**usual, first_due_on=date(2024, 3, 10))


def paid(terms: Terms) -> list[tuple[date, int]]:
    """Receipts too small, too late, too large and early, so that every order decides something."""
    fallen = [period for period in build_schedule(terms).instalments if period.due_on <= AS_OF]
    found = []
    for at, period in enumerate(fallen):
        share, late = ((100, 0), (60, 9), (0, 0), (330, 3))[at % 4]
        if share:
            found.append((period.due_on + timedelta(days=late), period.total_minor * share // 100 + 1))
    return [(on, minor) for on, minor in found if minor > 0]


def books() -> dict[str, Recalculation]:
    """A loan for every contract, in the orders by turns, with charges and penal interest on its way."""
    orders: cycle[Order | Grid] = cycle(ORDERS)
    found: dict[str, Recalculation] = {}
    for name, terms in contracts():
        due = [period for period in build_schedule(terms).instalments if period.due_on <= AS_OF][:3]
        extra = [
            plan_row(period.instalment, component, period.due_on + timedelta(days=days), 777 * days, START)
            for period in due
            for component, days in ((2, 5), (2, 6), (1, 10))
        ]
        rule = next(orders)
        found[f"{name}-{'grid' if isinstance(rule, Grid) else rule}"] = recalculation(
            terms, paid(terms), rule, AS_OF, penal=extra
        )
    return found


@pytest.fixture(scope="module")
def made() -> dict[str, Recalculation]:
    return books()


@pytest.fixture(scope="module")
def sheets(made: dict[str, Recalculation]) -> dict[str, openpyxl.Workbook]:
    return computed({name: render_recalculation(sheet) for name, sheet in made.items()})


def test_every_kind_of_contract_is_there(made: dict[str, Recalculation]) -> None:
    for choices in (Method, Frequency, DayCount):
        for choice in choices:
            assert any(str(choice).replace("/", "") in name.split("-") for name in made), choice
    terms = [version.terms for sheet in made.values() for version in sheet.versions if version.terms]
    assert {one.instalment_rounding for one in terms} == set(ROUNDINGS)
    assert {one.grace_kind for one in terms} == set(GraceKind)
    assert {one.residue for one in terms} == set(Residue)
    assert {sheet.rule for sheet in made.values()} == set(ORDERS)


def test_no_figure_differs(sheets: dict[str, openpyxl.Workbook]) -> None:
    wrong = {name: differing(sheet) for name, sheet in sheets.items() if differing(sheet)}
    assert not wrong
    assert all(sheet["Result"]["B4"].value == 0 for sheet in sheets.values())


def test_what_is_stored_is_what_the_formulas_come_to(
    made: dict[str, Recalculation], sheets: dict[str, openpyxl.Workbook]
) -> None:
    """Whoever opens the workbook without computing it anew sees the same figures."""
    for name, sheet in made.items():
        stored = openpyxl.load_workbook(io.BytesIO(render_recalculation(sheet)), data_only=True)
        assert parted(stored, sheets[name]) == [], name
