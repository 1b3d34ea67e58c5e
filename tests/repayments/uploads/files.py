"""Files as banks send them, made in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import xlsxwriter

HEADINGS = ("Loan account", "Payment date", "Amount", "Reference", "Borrower name")
GOOD = ("0012345", "05/02/2025", "1,000.00", "R1", "Karim")  # a row under HEADINGS with nothing wrong


def csv_file(*rows: Sequence[object], headings: Sequence[str] = HEADINGS, encoding: str = "utf-8") -> bytes:
    """A CSV file with headings in its first row."""
    lines = [",".join(f'"{cell}"' for cell in row) for row in (headings, *rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def xlsx_file(
    *rows: Sequence[Any], headings: Sequence[str] = HEADINGS, titles: Sequence[str] = (), sheet: str = "March"
) -> bytes:
    """A workbook with titles above the headings."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page = book.add_worksheet(sheet)
        for number, title in enumerate(titles):
            page.write(number, 0, title)
        for number, row in enumerate((headings, *rows), start=len(titles)):
            page.write_row(number, 0, row)
    return buffer.getvalue()


def zip_file(**members: bytes) -> bytes:
    """A ZIP archive; in member names __ stands for / and _dot_ for the dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


def with_member(workbook: bytes, name: str, content: bytes) -> bytes:
    """A workbook with one of its parts replaced or added."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.namelist():
            if entry != name:
                target.writestr(entry, source.read(entry))
        target.writestr(name, content)
    return buffer.getvalue()
