"""From the bytes of a file to its rows as text, with what stands around them told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from repayments.faults import CannotReadFile, message
from repayments.parsing import limits
from repayments.parsing.amounts import read_amounts
from repayments.parsing.csvfile import read_csv
from repayments.parsing.fields import FIELDS, TOTAL_WORDS, Field, Holds
from repayments.parsing.headings import Headings, find_headings, missing_columns
from repayments.parsing.sheet import Sheet
from repayments.parsing.sniff import SUFFIXES, FileType, file_type
from repayments.parsing.text import heading_key, looks_bijoy, plain
from repayments.parsing.xlsfile import read_xls
from repayments.parsing.xlsxfile import read_xlsx

_READERS = {FileType.CSV: read_csv, FileType.XLSX: read_xlsx, FileType.XLS: read_xls}
_MARKS = ("formula", "long_number", "merged", "bijoy")


@dataclass(slots=True)
class ReadFile:
    """A file as read. ``cells`` are its rows, raw; ``marks`` name the cells with something about them."""

    sheet_name: str
    header_row: int
    columns: dict[str, tuple[str, str]]
    cells: pd.DataFrame
    marks: dict[str, dict[str, npt.NDArray[np.bool_]]]
    """Mark → column letter → which rows."""
    stated_total_minor: int | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)


def read_file(content: bytes, *, file_name: str, kind: str) -> ReadFile:
    """Read a file of one kind (a key of ``FIELDS``). Raises ``CannotReadFile`` with reason and remedy.

    Whatever the bytes are, the outcome is rows or that refusal: hostile input never gets further.
    """
    found = file_type(content)
    fields = FIELDS[kind]
    sheet, headings, messages = _choose(sheets_of(content), fields)
    if not file_name.lower().endswith(SUFFIXES[found]):
        messages.append(message("file.other_name", name=file_name, found=found.value))
    if headings.others:
        messages.append(message("file.columns_ignored", columns=", ".join(headings.others)))
    return _rows(sheet, headings, fields, messages)


def sheets_of(content: bytes) -> list[Sheet]:
    """Every sheet of a file, as text. Raises ``CannotReadFile``."""
    return _READERS[file_type(content)](content)


def as_rows(sheet: Sheet, kind: str) -> ReadFile:
    """One sheet known to have the headings of a kind. Raises ``CannotReadFile``."""
    headings = find_headings(sheet, FIELDS[kind])
    if headings is None:
        raise CannotReadFile("file.no_rows")
    return _rows(sheet, headings, FIELDS[kind], [])


def _rows(
    sheet: Sheet, headings: Headings, fields: tuple[Field, ...], messages: list[dict[str, Any]]
) -> ReadFile:
    rows = sheet.cells.loc[sheet.cells.index > headings.row]
    read = ReadFile(
        sheet_name=sheet.name, header_row=headings.row, columns=headings.columns, cells=rows, marks={},
        messages=messages,
    )  # fmt: skip
    _set_aside(read)
    if not len(read.cells):
        raise CannotReadFile("file.no_rows")
    if len(read.cells) > limits.MAX_ROWS:
        raise CannotReadFile("file.too_many_rows", limit=f"{limits.MAX_ROWS:,}")
    _mark(read, sheet, fields)
    return read


def _choose(sheets: list[Sheet], fields: tuple[Field, ...]) -> tuple[Sheet, Headings, list[dict[str, Any]]]:
    """The one visible sheet with the headings. Others with such headings are never dropped in silence."""
    visible = [sheet for sheet in sheets if not sheet.is_hidden and len(sheet.cells)]
    if not visible:
        raise CannotReadFile("file.no_sheet")
    candidates = [(sheet, find_headings(sheet, fields)) for sheet in visible]
    whole = [
        (sheet, found) for sheet, found in candidates if found and not missing_columns(sheet, found, fields)
    ]
    if not whole:
        best = max(candidates, key=lambda pair: len(pair[1].columns) if pair[1] else 0)
        raise missing_columns(*best, fields) or CannotReadFile("file.no_rows")
    filled = [pair for pair in whole if (pair[0].cells.index > pair[1].row).any()] or whole[:1]
    if len(filled) > 1:
        raise CannotReadFile(
            "file.several_sheets", sheets=", ".join(f"“{sheet.name}”" for sheet, _ in filled)
        )
    sheet, headings = filled[0]
    messages = []
    others = [other.name for other in visible if other is not sheet and not _is_read_beside(other, fields)]
    hidden = [other.name for other in sheets if other.is_hidden and len(other.cells)]
    if others:
        messages.append(message("file.other_sheets", sheets=", ".join(others)))
    if hidden:
        messages.append(message("file.hidden_sheets", sheets=", ".join(hidden)))
    return sheet, headings, messages


def has_headings(sheet: Sheet, fields: tuple[Field, ...]) -> bool:
    """Whether a sheet has every required heading of the fields, each once."""
    try:
        found = find_headings(sheet, fields)
    except CannotReadFile:
        return False
    return found is not None and missing_columns(sheet, found, fields) is None


def _is_read_beside(sheet: Sheet, fields: tuple[Field, ...]) -> bool:
    """A sheet of repayment plans stands beside a sub-loan list (repayments.parsing.plans reads it)."""
    return fields is FIELDS["subloans"] and has_headings(sheet, FIELDS["plans"])


def _set_aside(read: ReadFile) -> None:
    """Take totals, repeated headings, notes below the list and rows of nobody's payment out of the rows."""
    cells = read.cells
    headings = {name: heading_key(text) for name, (_, text) in read.columns.items()}
    letters = {name: letter for name, (letter, _) in read.columns.items()}
    repeated = np.ones(len(cells), dtype=bool)
    for name, letter in letters.items():
        repeated &= (cells[letter].map(heading_key) == headings[name]).to_numpy(dtype=bool)
    filled = pd.DataFrame({name: cells[letter] != "" for name, letter in letters.items()}, index=cells.index)
    totals = _totals(cells, letters, filled)
    amount_is_read = (
        read_amounts(cells[letters["amount"]]).is_read if "amount" in letters else filled.any(axis=1)
    )
    last_total = int(cells.index[totals][-1]) if totals.any() else None
    after = (
        cells.index.to_numpy() > last_total if last_total is not None else np.zeros(len(cells), dtype=bool)
    )
    count = filled.sum(axis=1).to_numpy()
    lone = (cells != "").sum(axis=1).to_numpy() <= 1
    tail = np.logical_and.accumulate((lone | totals | repeated)[::-1])[::-1]
    notes = ~totals & ~repeated & ((count == 0) | (after & ~amount_is_read & (count <= 2)) | (tail & lone))
    nothing_paid = np.zeros(len(cells), dtype=bool)
    if {"account", "value_date"} <= set(letters):
        paid = filled[[name for name in ("value_date", "amount", "reference") if name in filled]].any(axis=1)
        nothing_paid = ~totals & ~notes & ~repeated & filled["account"].to_numpy() & ~paid.to_numpy()
    if totals.any():
        read.messages.append(message("file.totals", rows=_numbers(cells.index[totals])))
        stated = read_amounts(cells[letters["amount"]][totals])
        if len(stated.minor) and stated.is_read[-1]:
            read.stated_total_minor = int(stated.minor[-1])
    if notes.any():
        read.messages.append(message("file.notes", rows=_numbers(cells.index[notes])))
    if nothing_paid.any():
        read.messages.append(message("file.nothing_paid", count=int(nothing_paid.sum())))
    read.cells = cells[~(totals | repeated | notes | nothing_paid)]
    if last_total is not None and (read.cells.index > last_total).any():
        read.messages.append(message("file.rows_added", row=last_total))


def _totals(cells: pd.DataFrame, letters: dict[str, str], filled: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Rows in which a cell says total and the date is blank: a borrower may be called Total Fashion."""
    says = np.zeros(len(cells), dtype=bool)
    for letter in cells.columns:
        says |= plain(cells[letter]).str.contains(TOTAL_WORDS, regex=True).to_numpy(dtype=bool)
    for name in ("value_date", "disbursed_date", "gender"):
        if name in letters:
            column = cells[letters[name]]
            says &= ~filled[name].to_numpy() | plain(column).str.contains(TOTAL_WORDS, regex=True).to_numpy(
                dtype=bool
            )
    return says


def _numbers(rows: pd.Index) -> str:
    shown = ", ".join(str(row) for row in rows[:12])
    return shown if len(rows) <= 12 else f"{shown} … ({len(rows)})"


def _mark(read: ReadFile, sheet: Sheet, fields: tuple[Field, ...]) -> None:
    """Note which cells of the fields hold formulas, lost digits, shared amounts or Bijoy letters."""
    rows = sheet.cells.index.isin(read.cells.index)
    read.marks = {mark: {} for mark in _MARKS}
    bijoy_columns = []
    by_name = {spec.name: spec for spec in fields}
    for name, (letter, heading) in read.columns.items():
        marked = {
            "formula": sheet.mask(sheet.formulas, letter)[rows],
            "long_number": sheet.mask(sheet.long_numbers, letter)[rows],
            "merged": sheet.mask(sheet.merged, letter)[rows],
            "bijoy": np.zeros(len(read.cells), dtype=bool),
        }
        if by_name[name].holds in {Holds.NAME, Holds.TEXT}:
            column = read.cells[letter]
            by_font = sheet.mask(sheet.bijoy, letter)[rows] & column.str.contains(r"[A-Za-z]").to_numpy(
                dtype=bool
            )
            marked["bijoy"] = by_font | looks_bijoy(column)
            if marked["bijoy"].any():
                bijoy_columns.append(f"{letter} ({heading})")
        for mark, mask in marked.items():
            if mask.any():
                read.marks[mark][letter] = mask
    if bijoy_columns:
        read.messages.append(message("file.bijoy", columns=", ".join(bijoy_columns)))
