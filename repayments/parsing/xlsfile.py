"""XLS, the binary workbook of old banking systems, through calamine.

A BIFF file stores IEEE doubles and nothing else, so there is no text to read. The shortest text that
means the same double is rounded to the 15 digits Excel keeps (``sheet.exact_number``), which gives back
what was typed; no arithmetic is ever done on the float. What calamine does not tell (formulas, and sizes
before it allocates) comes from a walk over the file's records.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine as calamine

from repayments.faults import CannotReadFile
from repayments.parsing import limits
from repayments.parsing.compound import stream_named
from repayments.parsing.sheet import Cell, Sheet, exact_number, frame_of
from repayments.parsing.xlsxfile import spread_merges

_BOF, _FORMULA = 0x0809, 0x0006
_CELL_RECORDS = frozenset([0x0006, 0x0203, 0x0204, 0x0205, 0x027E, 0x00BD, 0x00FD, 0x00D6])
_WORKSHEET = 0x0010


def read_xls(content: bytes) -> list[Sheet]:
    """Read every sheet of an old workbook as text. Raises ``CannotReadFile``."""
    formulas = _formulas(content)
    try:
        workbook = calamine.load_workbook(io.BytesIO(content))
        sheets = []
        worksheets = [
            meta for meta in workbook.sheets_metadata if meta.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        for position, meta in enumerate(worksheets):
            is_hidden = meta.visible != calamine.SheetVisibleEnum.Visible
            of_sheet = formulas[position] if position < len(formulas) else set()
            sheets.append(_sheet(workbook.get_sheet_by_name(meta.name), is_hidden, of_sheet))
    except (CannotReadFile, KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except calamine.PasswordError as error:
        raise CannotReadFile("file.encrypted") from error
    except BaseException as error:  # a panic of the Rust reader is no Exception, yet only bad input
        raise CannotReadFile("file.damaged", detail=error) from error
    return sheets


def _sheet(source: calamine.CalamineSheet, is_hidden: bool, formulas: set[Cell]) -> Sheet:
    values: dict[Cell, str] = {}
    sheet = Sheet(name=source.name, cells=frame_of({}), is_hidden=is_hidden, formulas=formulas)
    top, left = source.start or (0, 0)
    for row, cells in enumerate(source.to_python(skip_empty_area=True), start=top + 1):
        for column, value in enumerate(cells, start=left + 1):
            text, is_long = _text(value)
            if text:
                values[row, column] = text
            if is_long:
                sheet.long_numbers.add((row, column))
    for place in formulas:
        values.setdefault(place, "=")
    ranges = [
        (top + 1, left + 1, bottom + 1, right + 1)
        for (top, left), (bottom, right) in source.merged_cell_ranges or []
    ]
    sheet.merged = spread_merges(values, ranges)
    sheet.cells = frame_of(values)
    return sheet


def _text(value: Any) -> tuple[str, bool]:
    if isinstance(value, bool):
        return str(value).upper(), False
    if isinstance(value, int | float):
        return exact_number(repr(value))
    if isinstance(value, datetime):
        return value.date().isoformat(), False
    if isinstance(value, date | time | timedelta):
        return str(value), False
    return str(value).strip(), False


def _formulas(content: bytes) -> list[set[Cell]]:
    """Places of the formulas of each worksheet, in order. Refuses one too large to open."""
    sheets: list[set[Cell]] = []
    last_row = last_column = 0
    inside = False
    for record, body in _records(stream_named(content, "Workbook", "Book")):
        if record == _BOF:
            inside = len(body) >= 4 and int.from_bytes(body[2:4], "little") == _WORKSHEET
            if inside:
                sheets.append(set())
        elif inside and record in _CELL_RECORDS and len(body) >= 4:
            row, column = struct.unpack_from("<HH", body)
            last_row, last_column = max(last_row, row), max(last_column, column)
            if record == _FORMULA:
                sheets[-1].add((row + 1, column + 1))
    if last_column >= limits.MAX_COLUMNS:
        raise CannotReadFile("file.too_many_columns", limit=limits.MAX_COLUMNS)
    if last_row >= limits.MAX_ROWS + 100:
        raise CannotReadFile("file.too_many_rows", limit=f"{limits.MAX_ROWS:,}")
    return sheets


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(stream):
        record, size = struct.unpack_from("<HH", stream, place)
        yield record, stream[place + 4 : place + 4 + size]
        place += 4 + size
