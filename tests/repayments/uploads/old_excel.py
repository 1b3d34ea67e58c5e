"""The smallest old workbook (.xls) there is: records in a stream in a compound file."""

from __future__ import annotations

import struct
from collections.abc import Sequence

BOF, EOF, BOUNDSHEET, NUMBER, LABEL, FORMULA, DIMENSIONS = 0x809, 0x0A, 0x85, 0x203, 0x204, 0x06, 0x200
SECTOR = 512


class Formula(float):
    """A number that the file holds as the result of a formula."""


def xls_file(*rows: Sequence[str | float], sheet: str = "March", stream: str = "Workbook") -> bytes:
    """A workbook with one sheet; texts as labels, numbers as IEEE doubles."""
    cells = b"".join(
        _cell(row, column, value) for row, cells in enumerate(rows) for column, value in enumerate(cells)
    )
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows), default=0), 0)
    page = _record(BOF, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + _record(DIMENSIONS, size)
    page += cells + _record(EOF, b"")
    head = _record(BOF, struct.pack("<HHHHII", 0x600, 0x05, 0, 0, 0, 0))
    name = sheet.encode("latin-1")
    bound = struct.pack("<BB", len(name), 0) + name
    offset = len(head) + 4 + 6 + len(bound) + 4
    workbook = (
        head + _record(BOUNDSHEET, struct.pack("<IBB", offset, 0, 0) + bound) + _record(EOF, b"") + page
    )
    return _compound(stream, workbook)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _cell(row: int, column: int, value: str | float) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(LABEL, place + struct.pack("<HB", len(value), 1) + text)
    if isinstance(value, Formula):
        return _record(FORMULA, place + struct.pack("<dHIH", value, 0, 0, 3) + b"\x1e\x01\x00")
    return _record(NUMBER, place + struct.pack("<d", value))


def _compound(name: str, stream: bytes) -> bytes:
    stream = stream.ljust(max(4096, -(-len(stream) // SECTOR) * SECTOR), b"\x00")
    count = len(stream) // SECTOR
    links = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, 2 + count), 0xFFFFFFFE]
    tables = -(-len(links) // (SECTOR // 4))
    assert tables == 1, "the test file grew beyond one table of sectors"
    table = struct.pack(f"<{len(links)}I", *links).ljust(SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\x00")
    header += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    header += struct.pack("<I", 0) + b"\xff" * (108 * 4)
    entries = _entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1) + _entry(name, 2, 2, len(stream))
    return header + table + entries.ljust(SECTOR, b"\x00") + stream


def _entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    text = name.encode("utf-16-le")
    entry = text.ljust(64, b"\x00") + struct.pack(
        "<HBBIII", len(text) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child
    )
    return entry + b"\x00" * 36 + struct.pack("<IQ", start, size)
