"""What every report is made of: parameters, tables, definitions, and a checksum of the figures.

A cell holds the value itself (minor units, a count, a date, an exact share), never text made from
it, so that a page, a sheet and a paper write the same figure each in its own way. The checksum is
taken over the values and so is the same in every language and format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import get_language, override

from daybook.selectors import Knowledge, booking_number_up_to
from reports.builders.particulars import Particulars
from reports.builders.shown import Count, Day, Percent, Taka


class Kind(StrEnum):
    """How a column is read: money in minor units, a count, a share of two amounts, a date, words."""

    TEXT = "text"
    MONEY = "money"
    COUNT = "count"
    SHARE = "share"
    DATE = "date"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Bilingual:
    """A name kept in both languages; written in the one in force."""

    en: str
    bn: str = ""

    def __str__(self) -> str:
        return self.bn if self.bn and (get_language() or "").startswith("bn") else self.en


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio that keeps its parts: 12 of 40 is 30 %, nothing of nothing is no ratio."""

    part: int
    whole: int

    @property
    def percent(self) -> Decimal | None:
        """Percent, exact to ten decimals; None without a denominator."""
        return Decimal(self.part) * 100 / Decimal(self.whole) if self.whole else None

    @property
    def exact(self) -> Fraction | None:
        """The ratio itself."""
        return Fraction(self.part, self.whole) if self.whole else None


Words: TypeAlias = str | Promise | Bilingual | Day | Percent | Count | Taka
Cell: TypeAlias = (
    int
    | str
    | date
    | Decimal
    | Share
    | Bilingual
    | Particulars
    | Promise
    | Day
    | Percent
    | Count
    | Taka
    | None
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. ``definition`` is printed under the table it stands in."""

    key: str
    label: Words
    kind: Kind = Kind.TEXT
    definition: Words = ""
    group: Words = ""

    @property
    def is_number(self) -> bool:
        """Whether its cells stand on the right."""
        return self.kind in (Kind.MONEY, Kind.COUNT, Kind.SHARE, Kind.RATE)


@dataclass(frozen=True, slots=True)
class Row:
    """Cells in the order of the columns; ``key`` names the row, ``link`` what is behind it."""

    cells: tuple[Cell, ...]
    key: str = ""
    link: Mapping[str, str] = field(default_factory=dict)


def column_sums(rows: Iterable[Row], places: Iterable[int]) -> tuple[int, ...]:
    """The sums of columns of whole numbers, by their place; an empty cell counts nothing."""
    kept = list(rows)
    return tuple(sum(cell for row in kept if isinstance(cell := row.cells[place], int)) for place in places)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, and their one total."""

    key: str
    title: Words
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    note: Words = ""

    def __post_init__(self) -> None:
        for row in (*self.rows, *([self.total] if self.total else [])):
            if len(row.cells) != len(self.columns):
                raise ValueError(f"table {self.key}: {len(row.cells)} cells for {len(self.columns)} columns")

    def column(self, key: str) -> list[Cell]:
        """The cells of one column, without the total."""
        at = [column.key for column in self.columns].index(key)
        return [row.cells[at] for row in self.rows]

    @property
    def definitions(self) -> list[tuple[Words, Words]]:
        """Label and definition of the columns that have one, each once."""
        found: dict[str, tuple[Words, Words]] = {}
        for column in self.columns:
            if column.definition:
                found.setdefault(str(column.definition), (column.label, column.definition))
        return list(found.values())


@dataclass(frozen=True, slots=True)
class Asked:
    """Which books a report reads: facts that count by ``as_of``, booked by ``knowledge``."""

    as_of: date
    knowledge: Knowledge

    @property
    def known_by(self) -> date:
        """The business date up to which bookings are known."""
        return self.knowledge.business_date

    @property
    def last_booking_id(self) -> int:
        """The last booking read."""
        return self.knowledge.last_booking_id

    @property
    def last_booking_number(self) -> int:
        """The number by which people know that booking."""
        return booking_number_up_to(self.last_booking_id)

    @property
    def is_projection(self) -> bool:
        """Whether the date lies beyond what the books knew."""
        return self.known_by < self.as_of

    @property
    def is_final(self) -> bool:
        """Whether the same question gets the same answer for ever."""
        return self.knowledge.is_final


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. ``parameters`` are printed; ``facts`` are the machine values that name the question."""

    name: str
    title: Words
    asked: Asked
    currency: str
    parameters: tuple[tuple[Words, Cell], ...]
    facts: Mapping[str, Any]
    tables: tuple[Table, ...]
    definitions: tuple[tuple[Words, Words], ...] = ()

    def table(self, key: str) -> Table:
        """One table by its key."""
        return next(table for table in self.tables if table.key == key)

    @property
    def checksum(self) -> str:
        """SHA-256 of the question and the figures; the same in every language and format."""
        with override("en"):
            content = {
                "report": self.name,
                "as_of": self.asked.as_of.isoformat(),
                "last_booking": self.asked.last_booking_id,
                "currency": self.currency,
                "question": dict(self.facts),
                "tables": {
                    table.key: {
                        "columns": [column.key for column in table.columns],
                        "rows": [_plain(row.cells) for row in table.rows],
                        "total": _plain(table.total.cells) if table.total else None,
                    }
                    for table in self.tables
                },
            }
            text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(cells: Iterable[Cell]) -> list[Any]:
    return [_value(cell) for cell in cells]


def _value(cell: Cell) -> Any:
    if cell is None or isinstance(cell, int):
        return cell
    if isinstance(cell, Share):
        return [cell.part, cell.whole]
    return str(cell)
