"""Amounts of money in columns of text: to whole poisha, exactly, or to a named fault."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from repayments.parsing.text import plain

_UNITS = r"(?i)(?:tk\.?|taka|bdt|৳|টাকা|টাঃ|/[-=]$|only\.?$|মাত্র$)"
_GROUPED = r"^[0-9]{1,3}(?:,[0-9]{2})*,[0-9]{3}$|^[0-9]{1,3}(?:,[0-9]{3})+$|^[0-9]+$"
"""1,23,456 or 123,456 or 123456. A comma anywhere else may be a decimal comma, so it is not guessed at."""
_MAX_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Amounts:
    """Poisha by row, whether it could be read, and the code of the fault where it could not."""

    minor: npt.NDArray[np.int64]
    code: npt.NDArray[np.object_]

    @property
    def is_read(self) -> npt.NDArray[np.bool_]:
        return self.code == ""


def read_amounts(column: pd.Series) -> Amounts:
    """Read a column of amounts in taka. Blank is ``cell.missing``; zero and negative amounts are read.

    ``Tk 1,23,456.50``, ``১,২৩,৪৫৬.৫০``, ``123,456.5/-`` and ``(500)`` (negative) are all understood.
    """
    if column.empty:
        return Amounts(minor=np.empty(0, dtype=np.int64), code=np.empty(0, dtype=object))
    text = plain(column)
    blank = (text == "").to_numpy(dtype=bool)
    bare = text.str.replace(_UNITS, "", regex=True).str.replace(r"\s+", "", regex=True)
    bare = bare.str.replace("−", "-", regex=False).str.replace("–", "-", regex=False)
    bracketed = bare.str.fullmatch(r"\(.+\)").to_numpy(dtype=bool)
    bare = bare.where(~bracketed, bare.str.slice(1, -1))
    trailing = bare.str.fullmatch(r"[0-9.,]+-").to_numpy(dtype=bool)
    leading = bare.str.startswith("-").to_numpy(dtype=bool)
    bare = bare.where(~leading, bare.str.slice(1)).where(~trailing, bare.str.slice(0, -1))
    bare = bare.where(~bare.str.startswith("+"), bare.str.slice(1))
    parts = bare.str.partition(".")
    whole, point, fraction = parts[0], parts[1], parts[2]
    whole = whole.where((whole != "") | (fraction == ""), "0")
    shaped = whole.str.fullmatch(_GROUPED) & fraction.str.fullmatch(r"[0-9]*")
    shaped &= (fraction != "") | (point == "")
    digits = whole.str.replace(",", "", regex=False).str.lstrip("0")
    kept = fraction.str.rstrip("0")
    signs = bracketed.astype(int) + trailing.astype(int) + leading.astype(int)
    is_shaped = shaped.to_numpy(dtype=bool) & ~blank & (signs <= 1)
    too_large = is_shaped & (digits.str.len() > _MAX_DIGITS).to_numpy(dtype=bool)
    finer = is_shaped & (kept.str.len() > 2).to_numpy(dtype=bool)
    good = is_shaped & ~too_large & ~finer
    poisha = (digits + kept.str.pad(2, side="right", fillchar="0")).where(good, "0")
    minor = poisha.to_numpy(dtype=object).astype(np.int64)
    minor = np.where(signs > 0, -minor, minor)
    code = np.select(
        [blank, too_large, finer, ~is_shaped],
        ["cell.missing", "amount.too_large", "amount.finer", "amount.unreadable"],
        default="",
    ).astype(object)
    return Amounts(minor=minor, code=code)
