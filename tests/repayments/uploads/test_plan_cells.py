"""Cells of the repayment plans a bank sends beside its sub-loan list."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
import xlsxwriter

from repayments.faults import CannotReadFile
from repayments.parsing.plans import read_plans

HEADINGS = ("Loan account", "Instalment", "Due date", "Principal", "Interest")


def workbook(*lines: tuple[Any, ...]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet("Plan")
    for row, line in enumerate((HEADINGS, *lines)):
        for column, value in enumerate(line):
            sheet.write(row, column, value)
    book.close()
    return content.getvalue()


def read(*lines: tuple[Any, ...]) -> list[tuple[int, int, int]]:
    plan = read_plans(workbook(*lines), business_date=date(2025, 1, 1))
    assert plan is not None
    columns = (plan[name].tolist() for name in ("n", "principal_minor", "interest_minor"))
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("blank", ["", "-", "nil", 0])
def test_no_interest_may_be_written_as_one_likes(blank: str | int) -> None:
    assert read(("A-1", 1, "01/03/2025", 500, blank), ("A-1", 2, "01/04/2025", 500, 7.25)) == [
        (1, 500_00, 0),
        (2, 500_00, 7_25),
    ]


def test_an_instalment_in_grace_is_of_interest_only() -> None:
    assert read(("A-1", 1, "01/03/2025", 0, 55), ("A-1", 2, "01/04/2025", 1_000, 55)) == [
        (1, 0, 55_00),
        (2, 1_000_00, 55_00),
    ]


@pytest.mark.parametrize("interest", ["abc", "1.2.3", -5])
def test_interest_that_cannot_be_read_is_refused_by_its_cell(interest: str | int) -> None:
    with pytest.raises(CannotReadFile, match="row 3, column E"):
        read(("A-1", 1, "01/03/2025", 500, 1), ("A-1", 2, "01/04/2025", 500, interest))
