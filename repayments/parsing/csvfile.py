"""CSV in the encodings and with the delimiters that banks' systems write."""

from __future__ import annotations

import codecs
import csv
import io
import re
import statistics

import numpy as np
import pandas as pd

from repayments.faults import CannotReadFile
from repayments.parsing import limits
from repayments.parsing.sheet import Sheet, column_letter

_DELIMITERS = (",", ";", "\t", "|")
_LITERAL = r'^="([^"]*)"$'
"""="00123" is how exports keep leading zeros; it is a text in disguise, not a sum."""


def read_csv(content: bytes) -> list[Sheet]:
    """Read a CSV file as one sheet. Raises ``CannotReadFile``."""
    text = decode(content)
    delimiter, text = _delimiter(text)
    rows = _rows(text, delimiter)
    if not rows:
        raise CannotReadFile("file.empty")
    width = max(map(len, rows))
    if width > limits.MAX_COLUMNS:
        raise CannotReadFile("file.too_many_columns", limit=limits.MAX_COLUMNS)
    padded = [row + [""] * (width - len(row)) for row in rows]
    letters = [column_letter(number) for number in range(1, width + 1)]
    cells = pd.DataFrame(
        np.array(padded, dtype=object), index=pd.RangeIndex(1, len(rows) + 1), columns=letters, dtype=object
    )
    cells = cells.apply(lambda column: column.str.strip().str.slice(0, limits.MAX_CELL)).astype(object)
    cells = cells.replace(_LITERAL, r"\1", regex=True)
    cells = cells[(cells != "").any(axis=1)]
    starts = cells.apply(lambda column: column.str.startswith("=")).to_numpy(dtype=bool)
    row_numbers = cells.index.to_numpy()
    formulas = {(int(row_numbers[row]), int(column) + 1) for row, column in np.argwhere(starts)}
    return [Sheet(name="", cells=cells, formulas=formulas)]


def decode(content: bytes) -> str:
    """Bytes to text: by byte-order mark, else UTF-16 by its zero bytes, else UTF-8, else Windows-1252."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(content, "utf-16")
    head = content[:2000]
    if b"\x00" in head:
        zeros_even, zeros_odd = head[0::2].count(0), head[1::2].count(0)
        encoding = "utf-16-le" if zeros_odd > zeros_even else "utf-16-be"
        if max(zeros_even, zeros_odd) < len(head) // 10:
            raise CannotReadFile("file.wrong_type", found="a file of an unknown kind")
        return _decoded(content, encoding)
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(content, "cp1252")
    return _decoded(content, "utf-8-sig")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise CannotReadFile("file.encoding", detail=error) from error
    odd = len(re.findall(r"[\x00-\x08\x0e-\x1f]", text[:4000]))
    if odd > len(text[:4000]) // 50:
        raise CannotReadFile("file.wrong_type", found="a file of an unknown kind")
    return text


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter that cuts the first lines into most pieces; Excel's own ``sep=`` line decides."""
    first, _, rest = text.partition("\n")
    if re.fullmatch(r"sep=.\r?", first):
        return first[4], rest
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:40]

    def pieces(delimiter: str) -> float:
        return statistics.median_high([line.count(delimiter) for line in lines]) if lines else 0

    best = max(_DELIMITERS, key=pieces)
    return (
        best if pieces(best) else max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines))
    ), text


def _rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    start = 1
    try:
        for row in reader:
            rows.append(row)
            start = reader.line_num + 1
            if len(rows) > limits.MAX_ROWS + 100:
                raise CannotReadFile("file.too_many_rows", limit=f"{limits.MAX_ROWS:,}")
    except csv.Error as error:
        if "end of data" in str(error):
            raise CannotReadFile("file.quote_open", line=start) from error
        raise CannotReadFile("file.damaged", detail=f"line {start}: {error}") from error
    return rows
