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
from reports.render.recalculation_walk import PeriodRow, Recalculation, walk_dues, walk_periods
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
            (1, 3, "Interest", date(2025, 4, 1), 5_000_000),
            (2, 3, "Interest", date(2025, 6, 29), 100),
            (2, 4, "Principal", date(2025, 6, 30), 200),
            (3, 4, "Principal", date(2025, 9, 30), 300),
        ],
        "receipts": [(1, date(2025, 4, 1), 5_000_050, "A", 1), (2, date(2025, 7, 1), 900, "B", 2)],
        "waived_minor": 0,
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
