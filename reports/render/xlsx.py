"""A report as a workbook: a sheet per table, amounts as numbers in lakh and crore, and its parameters."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from daybook.exports import money_style, money_styles
from daybook.formats import from_minor
from reports.builders.objects import Cell, Kind, Report, Share, Table
from reports.render.text import plain

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FONT = "Hind Siliguri"


def render_xlsx(report: Report) -> bytes:
    """A workbook; its creation date is the as-of date, so that the same report gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {"title": str(report.title), "created": datetime.combine(report.asked.as_of, datetime.min.time())}
    )
    styles = make_styles(book)
    for table in report.tables:
        _table_sheet(book, styles, report, table)
    _question_sheet(book, styles, report)
    book.close()
    return out.getvalue()


def make_styles(book: Any) -> dict[str, Any]:
    """The formats every sheet uses."""
    base = {"font_name": FONT, "font_size": 10, "valign": "top"}
    line = {"border": 1, "border_color": "#D5DAE0"}
    total = {**base, **line, "bold": True, "top": 2}
    return {
        "title": book.add_format({**base, "bold": True, "font_size": 14}),
        "plain": book.add_format(base),
        "muted": book.add_format({**base, "font_color": "#5F6B7A"}),
        "wrap": book.add_format({**base, "text_wrap": True}),
        "head": book.add_format({**base, **line, "bold": True, "bg_color": "#EEF2F6", "text_wrap": True}),
        "head_right": book.add_format(
            {**base, **line, "bold": True, "bg_color": "#EEF2F6", "text_wrap": True, "align": "right"}
        ),
        "text": book.add_format({**base, **line}),
        **money_styles(book, "money", base | line),
        "count": book.add_format({**base, **line, "num_format": "#,##0"}),
        "share": book.add_format({**base, **line, "num_format": "0.00%"}),
        "rate": book.add_format({**base, **line, "num_format": "0.0000"}),
        "date": book.add_format({**base, **line, "num_format": "dd mmm yyyy", "align": "left"}),
        "total_text": book.add_format(total),
        **money_styles(book, "total_money", total),
        "total_count": book.add_format({**total, "num_format": "#,##0"}),
        "total_share": book.add_format({**total, "num_format": "0.00%"}),
        "total_rate": book.add_format({**total, "num_format": "0.0000"}),
        "total_date": book.add_format({**total, "num_format": "dd mmm yyyy"}),
    }


def _table_sheet(book: Any, styles: dict[str, Any], report: Report, table: Table) -> None:
    sheet = book.add_worksheet(sheet_name(str(table.title)))
    sheet.write_string(0, 0, f"{report.title}: {table.title}", styles["title"])
    sheet.write_string(
        1, 0, " · ".join(f"{label}: {plain(value)}" for label, value in report.parameters), styles["muted"]
    )
    top = 4
    for at, column in enumerate(table.columns):
        if column.group and (at == 0 or table.columns[at - 1].group != column.group):
            width = sum(1 for other in table.columns if other.group == column.group)
            sheet.merge_range(top - 1, at, top - 1, at + width - 1, str(column.group), styles["head"])
        sheet.write_string(top, at, str(column.label), styles["head_right" if column.is_number else "head"])
        sheet.set_column(at, at, {Kind.TEXT: 34, Kind.MONEY: 19, Kind.DATE: 13}.get(column.kind, 10))
    for number, row in enumerate(table.rows, start=top + 1):
        for at, column in enumerate(table.columns):
            write_cell(sheet, number, at, row.cells[at], column.kind, styles)
    last = top + 1 + len(table.rows)
    if table.total:
        for at, column in enumerate(table.columns):
            write_cell(sheet, last, at, table.total.cells[at], column.kind, styles, prefix="total_")
    for number, (label, text) in enumerate(table.definitions, start=last + 2):
        sheet.write_string(number, 0, f"{label}: {text}", styles["muted"])
    sheet.freeze_panes(top + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)


def _question_sheet(book: Any, styles: dict[str, Any], report: Report) -> None:
    sheet = book.add_worksheet("SHA-256")
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, str(report.title), styles["title"])
    rows = [*((str(label), plain(value)) for label, value in report.parameters), ("SHA-256", report.checksum)]
    for number, (label, value) in enumerate(rows, start=2):
        sheet.write_string(number, 0, label, styles["plain"])
        sheet.write_string(number, 1, value, styles["plain"])


def write_cell(
    sheet: Any, row: int, at: int, cell: Cell, kind: Kind, styles: dict[str, Any], prefix: str = ""
) -> None:
    """Write one value with its own type; money leaves as a number of whole currency units."""
    style = styles[f"{prefix}{kind}"]
    if cell is None:
        sheet.write_blank(row, at, None, style)
    elif isinstance(cell, Share):
        if cell.percent is None:
            sheet.write_blank(row, at, None, style)
        else:
            sheet.write_number(row, at, cell.percent / 100, style)
    elif isinstance(cell, date):
        sheet.write_datetime(row, at, cell, style)
    elif isinstance(cell, int) and kind is Kind.MONEY:
        taka = from_minor(cell)
        sheet.write_number(row, at, taka, money_style(styles, taka, f"{prefix}money"))
    elif isinstance(cell, int | Decimal):
        sheet.write_number(row, at, cell, style)
    else:
        sheet.write_string(row, at, plain(cell), style)


def sheet_name(title: str) -> str:
    """A sheet's name holds 31 characters and none of these signs."""
    return "".join(sign for sign in title if sign not in "[]:*?/\\'")[:31] or "Sheet"
