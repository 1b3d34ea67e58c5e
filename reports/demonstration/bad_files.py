"""Files that never become rows: sent twice, of a wrong kind, empty, incomplete, or a trap."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reports.demonstration.cast import Cast, Player
from reports.demonstration.files import BankFile, Kind
from reports.demonstration.sheets import SHAPES


class End(StrEnum):
    """How such a file ends: turned away when it is sent, or kept and set aside by the reader."""

    REFUSED = "refused"
    UNREADABLE = "unreadable"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file, what is the matter with it, and how it should end."""

    player: Player
    on: date
    name: str
    content: bytes
    mistake: str
    end: End


def bad_files(cast: Cast, files: Sequence[BankFile], *, names: Mapping[str, str]) -> list[BadFile]:
    """The bad files of one institution, sent on the last month end. ``names``: institutions by code.

    The file sent again is one whose rows can all be read: what cannot be read never counts as the same.
    """
    on = cast.last_month_end
    sent = next(
        file
        for file in reversed(files)
        if file.kind is Kind.REPAYMENTS and file.on <= on and all(row.state != "invalid" for row in file.rows)
    )
    institution = names[sent.player.code]
    again = sent.write(institution=institution, tranche_numbers={})
    other = SHAPES["plain_csv" if SHAPES[sent.player.shape].suffix == ".xlsx" else "titled_workbook"]
    resaved = sent.write(institution=institution, tranche_numbers={}, shape=other)
    made = (
        (f"Copy of {sent.name}", again, "the same file again", End.REFUSED),
        (f"Resaved {sent.name}{other.suffix}", resaved, "the same rows in another file", End.DISCARDED),
        ("Statement.xlsx", b"%PDF-1.7\n% a printed statement\n", "a PDF called a workbook", End.REFUSED),
        ("Empty.csv", b"", "an empty file", End.REFUSED),
        ("Incomplete.csv", _INCOMPLETE.encode(), "no column of amounts", End.UNREADABLE),
        ("Huge.xlsx", _zeros(), "50 MB of zeros in a small workbook", End.REFUSED),
    )
    return [BadFile(sent.player, on, *parts) for parts in made]


_INCOMPLETE = "Loan account,Payment date,Reference\r\n1501000000001,31/10/2026,A-1\r\n"


def _zeros() -> bytes:
    """A workbook that unpacks to 50 MB of nothing."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            ("xl/workbook.xml", b"<workbook/>"),
            ("xl/worksheets/sheet1.xml", b"0" * (50 * 1024 * 1024)),
        ):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
