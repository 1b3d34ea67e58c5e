"""Dates in columns of text, by a named rule for which of day and month comes first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from repayments.parsing.text import plain

_MONTHS = {
    1: "january jan জানুয়ারি জানুয়ারী জানু",
    2: "february feb ফেব্রুয়ারি ফেব্রুয়ারী ফেব",
    3: "march mar মার্চ",
    4: "april apr এপ্রিল",
    5: "may মে",
    6: "june jun জুন",
    7: "july jul জুলাই",
    8: "august aug আগস্ট আগষ্ট",
    9: "september sept sep সেপ্টেম্বর সেপ্ট",
    10: "october oct অক্টোবর",
    11: "november nov নভেম্বর",
    12: "december dec ডিসেম্বর",
}
_MONTH_OF = {
    name: number
    for number, names in _MONTHS.items()
    for name in plain(pd.Series(names.split(), dtype=object)).tolist()
}
_FIRST_YEAR, _LAST_YEAR = 1990, 2099
_CENTURY_FROM = 90
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_050
"""1 January 1990 to 31 December 2099 as Excel counts days; a bare number outside is no date."""
_TIME = r"[T ,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?: ?[AaPp][Mm])?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$"


class DateOrder(StrEnum):
    """Which comes first where a date is all digits. Bangladesh writes the day first; some systems do not."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


@dataclass(frozen=True, slots=True)
class Dates:
    """Days by row (NaT where unread) and the code of the fault where there is one."""

    day: npt.NDArray[np.datetime64]
    code: npt.NDArray[np.object_]


def read_dates(column: pd.Series, order: DateOrder = DateOrder.DAY_FIRST) -> Dates:
    """Read a column of dates. Blank is ``cell.missing``.

    ``25/03/2026``, ``25-03-26``, ``25.3.2026``, ``2026-03-25``, ``05-Mar-2026``, ``৫ মার্চ ২০২৬``,
    ``March 5, 2026`` and Excel's serial 46086 are all understood; a time of day falls away.
    """
    text = plain(column).str.replace(_TIME, "", regex=True)
    blank = (text == "").to_numpy(dtype=bool)
    size = len(text)
    year, month, day = (np.zeros(size, dtype=np.int64) for _ in range(3))
    known = np.zeros(size, dtype=bool)

    def take(pattern: str, names: tuple[str, str, str]) -> None:
        found = text.str.extract(pattern)
        fits = found.notna().all(axis=1).to_numpy(dtype=bool) & ~known
        for name, group in zip(names, found.columns, strict=True):
            if name == "month_name":
                values = found[group].str.casefold().map(_MONTH_OF).fillna(0).to_numpy(dtype=np.int64)
            else:
                values = found[group].fillna("0").to_numpy(dtype=object).astype(np.int64)
            target = {"y": year, "m": month, "d": day, "month_name": month}[name]
            target[fits] = values[fits]
        known[fits] = True

    separator = r"\s?[/.\-]\s?"
    take(rf"^([0-9]{{4}}){separator}([0-9]{{1,2}}){separator}([0-9]{{1,2}})$", ("y", "m", "d"))
    first, second = ("d", "m") if order is DateOrder.DAY_FIRST else ("m", "d")
    take(
        rf"^([0-9]{{1,2}}){separator}([0-9]{{1,2}}){separator}([0-9]{{4}}|[0-9]{{2}})$", (first, second, "y")
    )
    word = r"([A-Za-z]+|[\u0980-\u09e3]+)\.?"
    ordinal = r"(?:st|nd|rd|th|ই|লা|রা|ঠা|শে)?"
    gap = r"[\s/.\-,]*"
    year_text = r"([0-9]{4}|[0-9]{2})"
    take(rf"^([0-9]{{1,2}}){ordinal}{gap}{word}{gap}{year_text}$", ("d", "month_name", "y"))
    take(rf"^{word}[\s/.\-]*([0-9]{{1,2}})(?:st|nd|rd|th)?[\s,/.\-]+([0-9]{{4}})$", ("month_name", "d", "y"))
    take(r"^([0-9]{4})([0-9]{2})([0-9]{2})$", ("y", "m", "d"))
    year = np.where(known & (year < 100), year + np.where(year >= _CENTURY_FROM, 1900, 2000), year)
    answer, exists = _days(year, month, day, known)
    serial = (
        text.str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$")[0].fillna("0").to_numpy(dtype=object).astype(np.int64)
    )
    is_serial = ~known & (serial >= _FIRST_SERIAL) & (serial <= _LAST_SERIAL)
    answer[is_serial] = np.datetime64("1899-12-30") + serial[is_serial].astype("timedelta64[D]")
    unreal = known & ~exists
    no_such_day = "date.no_such_day" if order is DateOrder.DAY_FIRST else "date.no_such_day_month_first"
    code = np.select(
        [blank, unreal, ~known & ~is_serial], ["cell.missing", no_such_day, "date.unreadable"], default=""
    ).astype(object)
    return Dates(day=answer, code=code)


def _days(
    year: npt.NDArray[np.int64],
    month: npt.NDArray[np.int64],
    day: npt.NDArray[np.int64],
    known: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.bool_]]:
    """Days from their parts, and whether the calendar has them."""
    fits = known & (month >= 1) & (month <= 12) & (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    months = np.where(fits, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    first = months.astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    exists = fits & (day >= 1) & (day <= length)
    answer = np.full(len(year), np.datetime64("NaT"), dtype="datetime64[D]")
    answer[exists] = first[exists] + (day[exists] - 1).astype("timedelta64[D]")
    return answer, exists
