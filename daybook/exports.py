"""A list as a file: exactly the rows and columns seen, with the parameters that chose them.

Text can never become a formula. In XLSX every text is written as text; CSV has no types, so a text that a
spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import xlsxwriter

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
XLSX_ROWS = 1_048_575
# Spreadsheets have no setting for lakh and crore; conditions in the number format do it, two at most. So
# amounts below zero, whose sign some programs drop where there are conditions, have formats of their own.
INDIAN_MONEY = r"[>=10000000]##\,##\,##\,##0.00;[>=100000]##\,##\,##0.00;##,##0.00"
BELOW_ZERO = {"thousand": "#,##0.00", "lakh": r"##\,##\,##0.00", "crore": r"##\,##\,##\,##0.00"}
MAX_WIDTH = 50


class CannotExport(Exception):
    """The list is longer than a worksheet can be."""


@dataclass(frozen=True)
class Sheet:
    """What goes into a file: a title, parameters as (name, value), heads, rows, and a foot of totals."""

    title: str
    parameters: Sequence[tuple[str, str]]
    heads: Sequence[str]
    rows: Iterable[Sequence[Any]]
    foot: Sequence[Any]


def to_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a mark, so that Excel reads Bangla; parameters are comment-like first lines."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([safe_text(sheet.title)])
    for name, value in sheet.parameters:
        writer.writerow([safe_text(name), safe_text(value)])
    writer.writerow([])
    writer.writerow([safe_text(head) for head in sheet.heads])
    for row in sheet.rows:
        writer.writerow([_csv_cell(value) for value in row])
    if any(value is not None for value in sheet.foot):
        writer.writerow([_csv_cell(value) for value in sheet.foot])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def to_xlsx(sheet: Sheet, *, created: datetime) -> bytes:
    """A workbook with the list and a sheet of parameters. ``created`` is the moment of the run."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.set_properties({"title": sheet.title, "created": created.replace(tzinfo=None)})
    styles = {
        "head": book.add_format(
            {"bold": True, "bottom": 1, "bg_color": "#E9F2F0", "text_wrap": True, "valign": "top"}
        ),
        **money_styles(book, "money", {}),
        "day": book.add_format({"num_format": "dd mmm yyyy"}),
        "moment": book.add_format({"num_format": "dd mmm yyyy hh:mm"}),
        "bold": book.add_format({"bold": True, "top": 1}),
        **money_styles(book, "bold_money", {"bold": True, "top": 1}),
    }
    page = book.add_worksheet("List")
    for column, head in enumerate(sheet.heads):
        page.write_string(0, column, head, styles["head"])
    widths = [len(head) for head in sheet.heads]
    last = 0
    for last, row in enumerate(sheet.rows, start=1):
        if last > XLSX_ROWS:
            book.close()
            raise CannotExport(f"A worksheet holds {XLSX_ROWS:,} rows; narrow the filter or take CSV.")
        for column, value in enumerate(row):
            _write(page, last, column, value, styles)
            widths[column] = max(widths[column], min(_width(value), MAX_WIDTH))
    for column, value in enumerate(sheet.foot):
        if value is not None:
            _write(
                page,
                last + 1,
                column,
                value,
                styles | {"text": styles["bold"]},
                money="bold_money",
            )
    for column, width in enumerate(widths):
        page.set_column(column, column, width + 2)
    page.freeze_panes(1, 0)
    if last:
        page.autofilter(0, 0, last, len(sheet.heads) - 1)
    about = book.add_worksheet("Parameters")
    about.set_column(0, 0, 26)
    about.set_column(1, 1, 60)
    about.write_string(0, 0, sheet.title, styles["bold"])
    for line, (name, value) in enumerate(sheet.parameters, start=1):
        about.write_string(line, 0, name)
        about.write_string(line, 1, value)
    book.close()
    return file.getvalue()


def money_styles(book: Any, name: str, look: dict[str, Any]) -> dict[str, Any]:
    """The styles of an amount in one look, for ``money_style`` to choose from."""
    formats = {name: INDIAN_MONEY} | {
        f"{name}_{size}": f"#,##0.00;-{places}" for size, places in BELOW_ZERO.items()
    }
    return {key: book.add_format({**look, "num_format": places}) for key, places in formats.items()}


def money_style(styles: dict[str, Any], taka: Fraction | Decimal, name: str = "money") -> Any:
    """The style of an amount, in taka: below zero that of its size."""
    if taka >= 0:
        return styles[name]
    return styles[f"{name}_{'crore' if taka <= -(10**7) else 'lakh' if taka <= -(10**5) else 'thousand'}"]


def safe_text(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would calculate."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return safe_text(str(value))


def _write(
    page: Any, line: int, column: int, value: Any, styles: dict[str, Any], money: str = "money"
) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        page.write_string(line, column, "yes" if value else "no", styles.get("text"))
    elif isinstance(value, Decimal):
        page.write_number(line, column, value, money_style(styles, value, money))
    elif isinstance(value, int):
        page.write_number(line, column, value, styles.get("text"))
    elif isinstance(value, datetime):
        page.write_datetime(line, column, value, styles["moment"])
    elif isinstance(value, date):
        page.write_datetime(line, column, value, styles["day"])
    else:
        page.write_string(line, column, str(value), styles.get("text"))


def _width(value: Any) -> int:
    if isinstance(value, Decimal):
        return len(f"{value:,.2f}") + 2
    if isinstance(value, date):
        return 12
    return len(str(value)) if value is not None else 0
