"""Files as banks send them: eight institutions, eight shapes, none of them tidy.

A row maps field names to values. A date or a whole number of poisha is written in the manner of the shape;
a text goes in as it stands, which is how a mistake gets into a file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from calc.money import from_minor
from reports.demonstration import headings as words
from reports.demonstration.numerals import BANGLA_MONTHS, bangla, day_first, grouped, plain

MONEY = frozenset({"amount", "principal", "interest"})
DATES = frozenset({"value_date", "disbursed_date"})
CODED = frozenset({"gender", "size_tier", "activity", "method", "frequency", "grace_kind", "is_machinery"})


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that computes its amount, with the result that was last shown."""

    text: str
    shown_minor: int


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The manner of an institution's files. ``typed``: Excel's own dates and numbers; else all is text."""

    suffix: str
    headings: Mapping[str, str]
    typed: bool = False
    in_bangla: bool = False
    bangla_digits: bool = False
    day: Callable[[date], str] = day_first
    money: Callable[[int], str] = grouped
    title_rows: int = 0
    serial: bool = False
    total: str = ""
    encoding: str = "utf-8"
    delimiter: str = ","
    cover_sheet: bool = False
    notes_sheet: bool = False
    group_row: bool = False
    merged_branch: bool = False


SHAPES = {
    "titled_workbook": Shape(".xlsx", words.FORMAL, title_rows=4, serial=True, total="Total"),
    "unicode_text": Shape(
        ".csv",
        words.SYSTEM,
        day=lambda day: f"{day:%d-%b-%Y}",
        money=lambda minor: f"{from_minor(minor):,.2f}",
        encoding="utf-16",
        delimiter="\t",
    ),
    "banded_workbook": Shape(
        ".xlsx",
        words.PLAIN,
        typed=True,
        title_rows=1,
        total="Grand Total",
        notes_sheet=True,
        merged_branch=True,
    ),
    "plain_csv": Shape(
        ".csv", words.PLAIN, day=lambda day: day.isoformat(), money=plain, encoding="utf-8-sig"
    ),
    "bangla_workbook": Shape(
        ".xlsx", words.BANGLA, in_bangla=True, bangla_digits=True, title_rows=3, serial=True, total="মোট"
    ),
    "merged_workbook": Shape(
        ".xlsx", words.PROFIT, typed=True, title_rows=2, cover_sheet=True, group_row=True, total="TOTAL"
    ),
    "semicolon_csv": Shape(
        ".csv", words.SYSTEM, day=lambda day: f"{day:%d.%m.%Y}", money=plain, encoding="cp1252", delimiter=";"
    ),
    "bangla_csv": Shape(
        ".csv",
        words.BANGLA,
        in_bangla=True,
        money=lambda minor: f"৳ {grouped(minor)}",
        title_rows=1,
        total="সর্বমোট",
    ),
}


def write_sheet(
    shape: Shape, kind: str, rows: Sequence[Row], *, institution: str, period: date, total_minor: int
) -> bytes:
    """Write rows of a kind (repayments, subloans, borrowers) as a file. The same rows give the same bytes."""
    grid = _Grid(shape, kind, words.FIELDS[kind], institution, period)
    for number, row in enumerate(rows, start=1):
        grid.add(number, row)
    if shape.total:
        grid.add_total(total_minor)
    return _workbook(grid) if shape.suffix == ".xlsx" else _text(grid)


def layout(shape: Shape, kind: str) -> tuple[int, dict[str, str]]:
    """The sheet row of the first row of the list, and the column letter of each field."""
    fields = words.FIELDS[kind]
    first_row = shape.title_rows + shape.group_row + 2
    return first_row, {name: _letter(place + shape.serial) for place, name in enumerate(fields)}


class _Grid:
    """The cells of a file, before they become a workbook or a text."""

    def __init__(
        self, shape: Shape, kind: str, fields: tuple[str, ...], institution: str, period: date
    ) -> None:
        self.shape, self.kind, self.fields, self.period = shape, kind, fields, period
        self.titles = _titles(shape, kind, institution, period)
        self.rows: list[list[Any]] = []
        self.has_total = False

    @property
    def header_row(self) -> int:
        """The row of headings, counted from 1."""
        return len(self.titles) + self.shape.group_row + 1

    def headings(self) -> list[str]:
        named = [self._heading(name) for name in self.fields]
        return ["ক্রমিক" if self.shape.in_bangla else "SL", *named] if self.shape.serial else named

    def _heading(self, name: str) -> str:
        if name == "amount" and self.shape.in_bangla and self.kind != "repayments":
            return words.BANGLA_LOAN_AMOUNT
        if name == "amount" and self.kind != "repayments":
            return "Loan amount"
        return self.shape.headings[name]

    def add(self, number: int, row: Row) -> None:
        cells = [self._cell(name, row.get(name, "")) for name in self.fields]
        self.rows.append([self._digits(str(number)), *cells] if self.shape.serial else cells)

    def add_total(self, total_minor: int) -> None:
        cells: list[Any] = [""] * len(self.fields)
        cells[0] = self.shape.total
        cells[self.fields.index("amount")] = self._cell("amount", total_minor)
        self.rows.append(["", *cells] if self.shape.serial else cells)
        self.has_total = True

    def _cell(self, name: str, value: Any) -> Any:
        if isinstance(value, Formula):
            return value
        if name in MONEY and isinstance(value, int):
            return from_minor(value) if self.shape.typed else self._digits(self.shape.money(value))
        if name in DATES and isinstance(value, date):
            return value if self.shape.typed else self._digits(self.shape.day(value))
        if name in CODED:
            spoken = words.BANGLA_WORDS if self.shape.in_bangla else words.ENGLISH_WORDS
            return spoken.get(value, value)
        return self._digits(str(value))

    def _digits(self, text: str) -> str:
        return bangla(text) if self.shape.bangla_digits else text


def _titles(shape: Shape, kind: str, institution: str, period: date) -> list[str]:
    english, in_bangla = words.TITLES[kind]
    month = (
        f"{BANGLA_MONTHS[period.month - 1]} {bangla(str(period.year))}"
        if shape.in_bangla
        else f"{period:%B %Y}"
    )
    subject = in_bangla if shape.in_bangla else english
    lines = [institution, f"{subject}: {month}", "SME Foundation credit wholesaling programme", ""]
    if shape.title_rows == 1:
        return [f"{institution}, {subject}, {month}"]
    return lines[: shape.title_rows]


def _text(grid: _Grid) -> bytes:
    shape = grid.shape
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=shape.delimiter, lineterminator="\r\n")
    writer.writerows([title] for title in grid.titles)
    writer.writerow(grid.headings())
    writer.writerows(grid.rows)
    return out.getvalue().encode(shape.encoding)


def _workbook(grid: _Grid) -> bytes:
    shape = grid.shape
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {"created": datetime(grid.period.year, grid.period.month, grid.period.day, tzinfo=UTC)}
    )
    bold = book.add_format({"bold": True, "align": "center"})
    forms = {
        date: book.add_format({"num_format": "dd-mm-yyyy"}),
        Decimal: book.add_format({"num_format": "#,##0.00"}),
    }
    if shape.cover_sheet:
        cover = book.add_worksheet("Forwarding")
        cover.write_column(
            0, 0, ["To: the SME Foundation", "Please find the statement on the next sheet.", ""]
        )
    sheet = book.add_worksheet("Statement")
    headings = grid.headings()
    for row, title in enumerate(grid.titles):
        if title:
            sheet.merge_range(row, 0, row, len(headings) - 1, title, bold)
    if shape.group_row:
        half = len(headings) // 2
        sheet.merge_range(grid.header_row - 2, 0, grid.header_row - 2, half - 1, "Client", bold)
        sheet.merge_range(
            grid.header_row - 2, half, grid.header_row - 2, len(headings) - 1, "Transaction", bold
        )
    sheet.write_row(grid.header_row - 1, 0, headings, bold)
    for number, cells in enumerate(grid.rows, start=grid.header_row):
        for column, value in enumerate(cells):
            _write_cell(sheet, number, column, value, forms)
    if shape.merged_branch and grid.kind == "repayments":
        _merge_branches(sheet, grid, bold)
    if shape.notes_sheet:
        notes = book.add_worksheet("Notes")
        notes.write_column(0, 0, ["Prepared by the credit administration division.", "Figures in taka."])
    book.close()
    return out.getvalue()


def _write_cell(sheet: Any, row: int, column: int, value: Any, forms: Mapping[type, Any]) -> None:
    if isinstance(value, Formula):
        sheet.write_formula(row, column, value.text, None, from_minor(value.shown_minor))
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, forms[date])
    elif isinstance(value, Decimal):
        sheet.write_number(row, column, value, forms[Decimal])
    elif value != "":
        sheet.write_string(row, column, value)


def _merge_branches(sheet: Any, grid: _Grid, form: Any) -> None:
    """Write a branch once over the rows that share it, as a report with a breaking column prints it."""
    names = [cells[0] for cells in grid.rows[: len(grid.rows) - grid.has_total]]
    start = 0
    for position in range(1, len(names) + 1):
        if position == len(names) or names[position] != names[start]:
            if position - start > 1 and names[start]:
                sheet.merge_range(
                    grid.header_row + start, 0, grid.header_row + position - 1, 0, names[start], form
                )
            start = position


def _letter(place: int) -> str:
    """A for 0, Z for 25."""
    return chr(ord("A") + place)
