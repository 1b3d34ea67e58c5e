"""A sheet as text: what CSV, XLSX and XLS all become before anyone looks for a heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

import numpy as np
import pandas as pd

from repayments.faults import CannotReadFile
from repayments.parsing import limits

_EXCEL = Context(prec=15, rounding=ROUND_HALF_EVEN)
_LONGEST_NUMBER = 40

Cell = tuple[int, int]
"""Row number and column number, both from 1."""


@dataclass(slots=True)
class Sheet:
    """Cells as text, '' where blank; the index holds the sheet's row numbers, the columns its letters."""

    name: str
    cells: pd.DataFrame
    is_hidden: bool = False
    formulas: set[Cell] = field(default_factory=set)
    long_numbers: set[Cell] = field(default_factory=set)
    """Numbers of more than 15 digits: Excel had lost the rest before the file was written."""
    merged: dict[Cell, str] = field(default_factory=dict)
    """Cells that share one value over several rows → the merged range."""
    bijoy: set[Cell] = field(default_factory=set)
    """Cells set in a font whose letters are not Unicode."""

    def mask(self, marked: set[Cell] | Mapping[Cell, str], letter: str) -> np.ndarray:
        """Which rows of a column are marked."""
        number = letter_number(letter)
        rows = {row for row, column in marked if column == number}
        return self.cells.index.isin(rows)


def column_letter(number: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def letter_number(letters: str) -> int:
    """A → 1, AA → 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def frame_of(values: Mapping[Cell, str]) -> pd.DataFrame:
    """Lay cells out as a table of the rows that hold anything. Raises ``CannotReadFile`` when too many."""
    rows = sorted({row for row, _ in values})
    width = max((column for _, column in values), default=0)
    if len(rows) > limits.MAX_ROWS + 100:
        raise CannotReadFile("file.too_many_rows", limit=f"{limits.MAX_ROWS:,}")
    if width > limits.MAX_COLUMNS:
        raise CannotReadFile("file.too_many_columns", limit=limits.MAX_COLUMNS)
    place = {row: position for position, row in enumerate(rows)}
    table = np.full((len(rows), width), "", dtype=object)
    for (row, column), text in values.items():
        table[place[row], column - 1] = text[: limits.MAX_CELL]
    letters = [column_letter(number) for number in range(1, width + 1)]
    return pd.DataFrame(table, index=pd.Index(rows, dtype="int64"), columns=letters, dtype=object)


def exact_number(stored: str) -> tuple[str, bool]:
    """The number a person sees in a cell, as plain digits, and whether it has more than 15 of them.

    A workbook stores binary doubles and writes them with 17 digits: 4.1 is stored as
    4.0999999999999996. Excel itself keeps 15 digits of what is typed, so rounding the stored text to
    15 gives back exactly what was typed, up to 9,99,99,99,99,999.99 taka. The text never becomes a float.
    """
    if len(stored) > _LONGEST_NUMBER:
        return stored, False
    try:
        value = Decimal(stored)
    except InvalidOperation:
        return stored, False
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST_NUMBER:
        return stored, False
    rounded = _EXCEL.plus(value)
    plain = format(rounded, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return ("0" if plain in {"-0", ""} else plain), value.adjusted() >= _EXCEL.prec
