"""How a cell is written for people: on a page, on paper, and in comma-separated text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from daybook import formats
from reports.builders.objects import Cell, Column, Kind, Report, Row, Share, Table
from reports.builders.particulars import Particulars


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell as read: its text, a second line, and what stands behind it (for a tooltip)."""

    text: str
    detail: str
    behind: str
    is_number: bool
    is_negative: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row as read."""

    cells: tuple[ShownCell, ...]
    key: str
    link: dict[str, str]


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as read; ``groups`` are headings over several columns with their widths."""

    key: str
    title: str
    columns: tuple[Column, ...]
    groups: tuple[tuple[str, int], ...]
    rows: tuple[ShownRow, ...]
    total: ShownRow | None
    note: str
    definitions: tuple[tuple[str, str], ...]


def show_table(table: Table) -> ShownTable:
    """Write a table in the language in force."""
    groups: list[tuple[str, int]] = []
    for column in table.columns:
        label = str(column.group)
        if groups and groups[-1][0] == label:
            groups[-1] = (label, groups[-1][1] + 1)
        else:
            groups.append((label, 1))
    return ShownTable(
        key=table.key,
        title=str(table.title),
        columns=table.columns,
        groups=tuple(groups) if any(label for label, _width in groups) else (),
        rows=tuple(_row(table, row) for row in table.rows),
        total=_row(table, table.total) if table.total else None,
        note=str(table.note),
        definitions=tuple((str(label), str(text)) for label, text in table.definitions),
    )


def show_parameters(report: Report) -> list[tuple[str, str]]:
    """The question as printed: label and value."""
    return [(str(label), plain(value)) for label, value in report.parameters]


def _row(table: Table, row: Row) -> ShownRow:
    cells = tuple(show(cell, column.kind) for cell, column in zip(row.cells, table.columns, strict=True))
    return ShownRow(cells, row.key, dict(row.link))


def show(cell: Cell, kind: Kind = Kind.TEXT) -> ShownCell:
    """One cell in the language in force; an absent value is an empty cell."""
    is_number = kind in (Kind.MONEY, Kind.COUNT, Kind.SHARE, Kind.RATE)
    if cell is None or cell == "":
        return ShownCell("", "", "", is_number, is_negative=False)
    if isinstance(cell, Share):
        behind = f"{formats.taka_minor(cell.part)} ÷ {formats.taka_minor(cell.whole)}"
        return ShownCell(formats.percent(cell.percent, places=1), "", behind, is_number, is_negative=False)
    if isinstance(cell, Particulars):
        return ShownCell(cell.headline, cell.detail, "", is_number, is_negative=False)
    if isinstance(cell, date):
        return ShownCell(formats.day(cell), "", "", is_number, is_negative=False)
    if isinstance(cell, int) and kind is Kind.MONEY:
        return ShownCell(formats.taka_minor(cell), "", "", is_number, is_negative=cell < 0)
    if isinstance(cell, int):
        return ShownCell(formats.number(cell), "", "", is_number, is_negative=cell < 0)
    if isinstance(cell, Decimal):
        return ShownCell(formats.percent(cell), "", "", is_number, is_negative=cell < 0)
    return ShownCell(str(cell), "", "", is_number, is_negative=False)


def plain(cell: Cell, kind: Kind = Kind.TEXT) -> str:
    """One cell as a single piece of text."""
    shown = show(cell, kind)
    return f"{shown.text} ({shown.detail})" if shown.detail else shown.text
