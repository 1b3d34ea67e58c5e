"""A report as comma-separated text: parameters, then each table, amounts plain for any program to read."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

from daybook.formats import from_minor
from reports.builders.objects import Cell, Kind, Report, Share
from reports.render.text import plain

CONTENT_TYPE = "text/csv; charset=utf-8"
# A cell that begins so would be run as a formula by a spreadsheet (CWE-1236); an apostrophe keeps it text.
RISKY = ("=", "+", "-", "@", "\t", "\r")


def render_csv(report: Report) -> bytes:
    """UTF-8 with a mark, so that spreadsheets read Bangla; the same report gives the same bytes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(str(report.title))])
    for label, value in report.parameters:
        writer.writerow([_safe(str(label)), _safe(plain(value))])
    for table in report.tables:
        writer.writerow([])
        writer.writerow([_safe(str(table.title))])
        heads = [
            f"{column.group}: {column.label}" if column.group else str(column.label)
            for column in table.columns
        ]
        writer.writerow([_safe(head) for head in heads])
        for row in (*table.rows, *([table.total] if table.total else [])):
            cells = zip(row.cells, table.columns, strict=True)
            writer.writerow([_machine(cell, column.kind) for cell, column in cells])
        writer.writerows([[], *([_safe(str(label)), _safe(str(text))] for label, text in table.definitions)])
    writer.writerows([[], ["SHA-256", report.checksum]])
    return ("\ufeff" + out.getvalue()).encode("utf-8")


def _machine(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Share):
        return str(round(cell.percent, 6)) if cell.percent is not None else ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int) and kind is Kind.MONEY:
        return str(from_minor(cell))
    if isinstance(cell, int | Decimal):
        return str(cell)
    return _safe(plain(cell))


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text
