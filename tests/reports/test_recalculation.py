"""The auditor's workbook recomputes what we report, from raw rows."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from lending.contract_words import contract_words
from reports.render.recalculation_walk import (
    AllocationRow,
    DueRow,
    PeriodRow,
    Recalculation,
    walk_dues,
    walk_periods,
)
from tests.reports.books import Book


@pytest.mark.parametrize("which", ["wholesale", 0, 3, 8, 11])
def test_the_sheet_agrees_with_what_we_report(
    book: Book, as_foundation: Callable[..., Any], which: str | int
) -> None:
    loan = book.wholesale if isinstance(which, str) else book.subloans[which]
    content = as_foundation("auditor").get(f"/reports/loans/{loan.pk}/recalculation.xlsx").content
    shown = openpyxl.load_workbook(io.BytesIO(content), data_only=True)["Result"]
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    for row in range(5, 10):
        assert str(formulas["Result"].cell(row, 2).value).startswith("=")
        assert shown.cell(row, 4).value == 0
        assert shown.cell(row, 5).value == "yes"
    assert all(str(cell.value).startswith("=") for cell in formulas["Dues"]["F"][1:])
    assert all(str(cell.value).startswith("=") for cell in formulas["Periods"]["H"][1:])


def test_the_same_books_give_the_same_workbook(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("auditor")
    address = f"/reports/loans/{book.wholesale.pk}/recalculation.xlsx"
    assert client.get(address).content == client.get(address).content


def worked(**changes: Any) -> Recalculation:
    """One crore at 2 %, ACT/360: 90 days of it are 50,000.00."""
    given: dict[str, Any] = {
        "number": "WL-1",
        "said": contract_words("interest"),
        "as_of": date(2025, 6, 30),
        "parameters": [],
        "principal_minor": 1_000_000_000,
        "annual_rate": Decimal(2),
        "day_count": "ACT/360",
        "is_flat": False,
        "periods": [PeriodRow(1, date(2025, 1, 1), date(2025, 4, 1), 0, 5_000_000, 0)],
        "dues": [
            DueRow(1, 3, "Interest", date(2025, 4, 1), 5_000_000),
            DueRow(2, 3, "Interest", date(2025, 6, 29), 100),
            DueRow(2, 4, "Principal", date(2025, 6, 30), 200),
            DueRow(3, 4, "Principal", date(2025, 9, 30), 300),
        ],
        "receipts": [(1, date(2025, 4, 1), 5_000_050, "A", 1), (2, date(2025, 7, 1), 900, "B", 2)],
        "allocations": [],
        "apart_minor": 0,
        "is_oldest_first": True,
        "reported": {},
        "checksum": "",
    }
    return Recalculation(**given | changes)


def test_ninety_days_of_a_crore_at_two_percent_are_fifty_thousand() -> None:
    assert walk_periods(worked())[0].interest == 5_000_000


def test_flat_interest_is_that_of_the_whole_term_in_equal_parts() -> None:
    periods = [PeriodRow(n, date(2025, n, 1), date(2025, n + 1, 1), 100, 0, 0) for n in (1, 2, 3)]
    flat = worked(is_flat=True, day_count="MONTHLY/12", periods=periods, principal_minor=10_000)
    results = walk_periods(flat)
    assert [result.interest for result in results] == [17, 17, 16]


def test_money_meets_the_oldest_due_and_nothing_before_it_falls_due() -> None:
    results = walk_dues(worked())
    assert [(r.settled, r.overdue) for r in results] == [(5_000_000, 0), (50, 50), (0, 0), (0, 0)]


def test_what_was_waived_takes_no_money_and_what_was_recovered_meets_no_due() -> None:
    dues = [
        DueRow(1, 3, "Interest", date(2025, 4, 1), 100, waived_minor=60),
        DueRow(1, 4, "Principal", date(2025, 4, 1), 100),
    ]
    results = walk_dues(worked(dues=dues, receipts=[(1, date(2025, 5, 1), 120, "A", 1)], apart_minor=20))
    assert [(r.settled, r.left) for r in results] == [(100, 0), (60, 40)]


def test_in_another_order_what_is_settled_is_summed_from_the_allocations() -> None:
    dues = [DueRow(1, 2, "Penal", date(2025, 4, day), 30) for day in (1, 2)]
    pieces = [AllocationRow(date(2025, 5, 1), "A", "Receipt", 1, 2, "Penal", 40, 1)]
    late = AllocationRow(date(2025, 7, 1), "B", "Receipt", 1, 2, "Penal", 20, 1)
    results = walk_dues(worked(dues=dues, allocations=[*pieces, late], is_oldest_first=False))
    assert [(r.settled, r.left) for r in results] == [(30, 0), (10, 20)]


def test_interest_owed_when_a_plan_began_falls_due_with_its_first_instalment() -> None:
    """Thirty days at 2 % on a crore before the change, sixty at 3 % after it, over 360."""
    before = PeriodRow(
        1, date(2025, 1, 1), date(2025, 1, 31), 0, 0, 0, rate=Decimal(2), balance_minor=1_000_000_000
    )
    after = PeriodRow(1, date(2025, 1, 31), date(2025, 4, 1), 0, 6_666_667, 0, rate=Decimal(3))
    assert [result.interest for result in walk_periods(worked(periods=[before, after]))] == [
        1_666_667,
        6_666_667,
    ]
