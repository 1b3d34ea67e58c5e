"""Workbooks for institutions: the template to fill in, and their own file back with what became of each row.

Every text is written as text, and one that a spreadsheet would take for a formula carries Excel's quote
prefix, so that it stays text even when somebody edits the cell.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import xlsxwriter

from calc.money import from_minor
from daybook.exports import FORMULA_STARTS
from repayments.parsing.fields import Field
from repayments.parsing.sheet import letter_number

_WIDTH, _MAX_WIDTH = 16, 48
_EMPTY_ROWS = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row already known to the template: cells by field name, and figures for information."""

    cells: dict[str, str]
    figures: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    row_number: int
    cells: dict[str, str]
    status: str
    loan: str
    reason: str
    remedy: str


def template_workbook(
    *,
    title: str,
    fields: Sequence[Field],
    bangla: bool,
    rows: Sequence[Wanted] = (),
    figure_headings: Sequence[str] = (),
    codes_title: str,
    created: datetime,
    beside: tuple[str, Sequence[Field]] | None = None,
    tell: Callable[[str], str] = str,
) -> bytes:
    """A workbook to fill in: the headings we read, the rows we expect, and a sheet of codes.

    ``tell`` puts a heading or code into the words of the institution's contracts; all of them are read back.

    ``figure_headings`` stand right of ours and are not read back; they must not sound like one of ours.
    ``beside`` is the title and the fields of a second sheet that may stay empty.
    """
    buffer, book = _new_book(created)
    style = _Styles(book)
    sheet = book.add_worksheet(title[:31])
    headings = _write_headings(sheet, style, fields, bangla, tell)
    for column, heading in enumerate(figure_headings, start=len(fields)):
        sheet.write_string(0, column, heading, style.quiet)
        sheet.set_column(column, column, max(_WIDTH, len(heading) + 3))
    for number, row in enumerate(rows, start=1):
        for column, spec in enumerate(fields):
            if spec.name in row.cells:
                style.write(sheet, number, column, row.cells[spec.name])
        for column, minor in enumerate(row.figures, start=len(fields)):
            sheet.write_number(number, column, from_minor(minor), style.money)
    for column, spec in enumerate(fields):
        if spec.choices:
            last = max(len(rows), _EMPTY_ROWS)
            codes = [template_code(code, tell) for code in spec.choices]
            sheet.data_validation(1, column, last, column, {"validate": "list", "source": codes})
    sheet.freeze_panes(1, 1)
    if beside is not None:
        _write_headings(book.add_worksheet(beside[0][:31]), style, beside[1], bangla, tell)
    _write_codes(book, style, fields, headings, codes_title, tell)
    book.close()
    return buffer.getvalue()


def template_code(code: str, tell: Callable[[str], str]) -> str:
    """A code as it is, unless the contract has another word for what it says."""
    plain = code.replace("_", " ")
    said = tell(plain)
    return code if said == plain else said


def _write_headings(
    sheet: Any, style: _Styles, fields: Sequence[Field], bangla: bool, tell: Callable[[str], str]
) -> list[str]:
    headings = [tell(spec.heading_bn if bangla else spec.heading) for spec in fields]
    for column, (spec, heading) in enumerate(zip(fields, headings, strict=True)):
        sheet.write_string(0, column, heading, style.required if spec.required else style.heading)
        sheet.set_column(column, column, max(_WIDTH, len(heading) + 3), style.text)
    return headings


def _write_codes(
    book: xlsxwriter.Workbook,
    style: _Styles,
    fields: Sequence[Field],
    headings: Sequence[str],
    title: str,
    tell: Callable[[str], str],
) -> None:
    listed = [(heading, spec) for heading, spec in zip(headings, fields, strict=True) if spec.choices]
    if not listed:
        return
    sheet = book.add_worksheet(title[:31])
    for column, (heading, spec) in enumerate(listed):
        sheet.write_string(0, column, heading, style.heading)
        sheet.set_column(column, column, 24)
        for number, (code, words) in enumerate(spec.choices.items(), start=1):
            bangla = [word for word in words.split(";") if not word.isascii()]
            sheet.write_string(
                number,
                column,
                f"{template_code(code, tell)} – {tell(bangla[0])}" if bangla else template_code(code, tell),
            )


def outcome_workbook(
    *,
    header_row: int,
    headings: dict[str, str],
    rows: Sequence[Outcome],
    status_headings: Sequence[str],
    created: datetime,
) -> bytes:
    """The rows where the file had them (same rows, same columns), and right of them what became of each."""
    buffer, book = _new_book(created)
    style = _Styles(book)
    sheet = book.add_worksheet()
    letters = {*headings, *(letter for row in rows[:1] for letter in row.cells)}
    width = max(map(letter_number, letters), default=0)
    for letter in letters:
        sheet.write_string(
            header_row - 1, letter_number(letter) - 1, headings.get(letter, letter), style.heading
        )
    sheet.set_column(0, max(width - 1, 0), _WIDTH)
    for offset, heading in enumerate(status_headings):
        sheet.write_string(header_row - 1, width + offset, heading, style.required)
    sheet.set_column(width, width + 1, _WIDTH)
    sheet.set_column(width + 2, width + 3, _MAX_WIDTH)
    for row in rows:
        for letter, text in row.cells.items():
            if text:
                style.write(sheet, row.row_number - 1, letter_number(letter) - 1, text)
        for offset, text in enumerate((row.status, row.loan, row.reason, row.remedy)):
            if text:
                style.write(sheet, row.row_number - 1, width + offset, text)
    sheet.freeze_panes(header_row, 0)
    book.close()
    return buffer.getvalue()


def _new_book(created: datetime) -> tuple[io.BytesIO, xlsxwriter.Workbook]:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties({"created": created.replace(tzinfo=None), "author": "Paikar"})
    return buffer, book


class _Styles:
    """Formats of one workbook, and the one way text gets into a cell."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.heading = book.add_format({"bold": True, "bg_color": "#E9F2F0", "bottom": 1})
        self.required = book.add_format({"bold": True, "bg_color": "#CFE5DF", "bottom": 1})
        self.quiet = book.add_format({"italic": True, "font_color": "#55666A", "bottom": 1})
        self.text = book.add_format({"num_format": "@"})
        self.quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        self.money = book.add_format({"num_format": "#,##0.00", "font_color": "#55666A"})

    def write(self, sheet: Any, row: int, column: int, text: str) -> None:
        sheet.write_string(row, column, text, self.quoted if text.startswith(FORMULA_STARTS) else self.text)
