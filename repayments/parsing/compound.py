"""The container of old Office files (OLE2): enough of it to take one stream out, whatever the bytes say."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from repayments.faults import CannotReadFile

_SPECIAL = 0xFFFFFFFB
"""Sector numbers from here on are marks (end of chain, free, table), not places."""
_SMALL = 64
_ROOT = 5


def stream_named(content: bytes, *names: str) -> bytes:
    """The first stream with one of the names (any case). Raises ``CannotReadFile`` when there is none."""
    try:
        return _Container(content).stream(names)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise CannotReadFile("file.damaged", detail=error) from error


class _Container:
    """Sectors in chains. Every walk is bounded, so that a chain biting its own tail ends."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, small_shift = struct.unpack_from("<HH", content, 30)
        if shift not in {9, 12} or small_shift != 6:
            raise ValueError("unknown sector size")
        self._size = 1 << shift
        self._most = len(content) // self._size + 1
        first, _, self._cutoff, self._first_small, _, table, _ = struct.unpack_from("<7I", content, 48)
        self._links = self._read_links(table)
        self._entries = list(self._read_directory(first))

    def _sector(self, number: int) -> bytes:
        return self._content[(number + 1) * self._size : (number + 2) * self._size]

    def _numbers(self, sector: int) -> Sequence[int]:
        return struct.unpack(f"<{self._size // 4}I", self._sector(sector).ljust(self._size, b"\xff"))

    def _read_links(self, table: int) -> list[int]:
        """Sector → the sector after it. The list of table sectors goes on in a chain of its own."""
        tables = list(struct.unpack_from("<109I", self._content, 76))
        for _ in range(self._most):
            if table >= _SPECIAL:
                break
            *more, table = self._numbers(table)
            tables += more
        links: list[int] = []
        for number in [number for number in tables if number < _SPECIAL][: self._most]:
            links += self._numbers(number)
        return links

    def _follow(self, first: int, links: list[int]) -> Iterator[int]:
        for _ in range(len(links)):
            if first >= len(links):
                return
            yield first
            first = links[first]

    def _chain(self, first: int) -> bytes:
        sectors = (
            number for number, _ in zip(self._follow(first, self._links), range(self._most), strict=False)
        )
        return b"".join(map(self._sector, sectors))

    def _read_directory(self, first: int) -> Iterator[tuple[str, int, int, int]]:
        directory = self._chain(first)
        for place in range(0, len(directory) - 127, 128):
            entry = directory[place : place + 128]
            length = min(64, int.from_bytes(entry[64:66], "little"))
            name = entry[: max(0, length - 2)].decode("utf-16-le", "replace").lower()
            start, size = struct.unpack_from("<II", entry, 116)
            yield name, entry[66], start, size

    def stream(self, names: Sequence[str]) -> bytes:
        wanted = {name.lower() for name in names}
        found = next(((start, size) for name, _, start, size in self._entries if name in wanted), None)
        if found is None:
            raise ValueError("it holds no workbook")
        start, size = found
        if size >= self._cutoff:
            return self._chain(start)[:size]
        root = next((start for _, kind, start, _ in self._entries if kind == _ROOT), _SPECIAL)
        small = self._chain(root)
        links: list[int] = []
        for number in self._follow(self._first_small, self._links):
            links += self._numbers(number)
        pieces = [small[n * _SMALL : (n + 1) * _SMALL] for n in self._follow(start, links)]
        return b"".join(pieces)[:size]
