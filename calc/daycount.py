"""Day counts: what part of a year lies between two dates, as an exact fraction.

Sources: ISDA 2006 definitions 4.16 for 30/360 (f, g), ACT/360 (e), ACT/365F (d), ACT/ACT (b);
monthly/12 is the custom of instalment loans: a month is a twelfth of a year whatever its length;
ACT/364 that of weekly loans: a week is a fifty-second.
"""

from datetime import date
from enum import StrEnum
from fractions import Fraction

import numpy as np
import numpy.typing as npt

_Dates = npt.NDArray[np.datetime64]
_Ints = npt.NDArray[np.int64]

_ACT_ACT_DENOMINATOR = 365 * 366


class DayCount(StrEnum):
    """The basis on which a year's interest is spread over days."""

    THIRTY_360 = "30/360"
    THIRTY_E_360 = "30E/360"
    ACT_360 = "ACT/360"
    ACT_364 = "ACT/364"
    ACT_365F = "ACT/365F"
    ACT_ACT = "ACT/ACT"
    MONTHLY_12 = "MONTHLY/12"


def year_fraction(start: date, end: date, day_count: DayCount) -> Fraction:
    """The exact part of a year from start to end (start counted, end not)."""
    numerators, denominators = year_fractions(
        np.array([start], dtype="datetime64[D]"), np.array([end], dtype="datetime64[D]"), day_count
    )
    return Fraction(int(numerators[0]), int(denominators[0]))


def counted_days(start: _Dates, end: _Dates, day_count: DayCount) -> _Ints:
    """Days the basis counts from start to end: calendar days, or days of 30-day months."""
    match day_count:
        case DayCount.THIRTY_360 | DayCount.THIRTY_E_360:
            return _thirty_days(start, end, european=day_count is DayCount.THIRTY_E_360)
        case _:
            return (end - start).astype(np.int64)


def year_fractions(start: _Dates, end: _Dates, day_count: DayCount) -> tuple[_Ints, _Ints]:
    """Numerators and denominators of the part of a year from start to end, in columns.

    ValueError if an end lies before its start.
    """
    if bool(np.any(end < start)):
        raise ValueError("a period ends before it starts")
    days = counted_days(start, end, day_count)
    match day_count:
        case DayCount.THIRTY_360 | DayCount.THIRTY_E_360 | DayCount.ACT_360:
            return days, np.full_like(days, 360)
        case DayCount.ACT_364:
            return days, np.full_like(days, 364)
        case DayCount.ACT_365F:
            return days, np.full_like(days, 365)
        case DayCount.ACT_ACT:
            leap = _leap_days(end) - _leap_days(start)
            return leap * 365 + (days - leap) * 366, np.full_like(days, _ACT_ACT_DENOMINATOR)
        case DayCount.MONTHLY_12:
            return _monthly(start, end)


def _thirty_days(start: _Dates, end: _Dates, *, european: bool) -> _Ints:
    """Days between two dates in months of 30 days.

    European: each 31st becomes the 30th. Bond basis: the end's 31st does so only when the
    start stands on the 30th or 31st.
    """
    start_month, end_month = start.astype("datetime64[M]"), end.astype("datetime64[M]")
    start_day = np.minimum((start - start_month.astype("datetime64[D]")).astype(np.int64) + 1, 30)
    end_day = (end - end_month.astype("datetime64[D]")).astype(np.int64) + 1
    shorten = (end_day == 31) & (european | (start_day == 30))
    end_day = np.where(shorten, 30, end_day)
    days: _Ints = (end_month - start_month).astype(np.int64) * 30 + end_day - start_day
    return days


def _leap_days(day: _Dates) -> _Ints:
    """Days of leap years from 1 January 1970 to the day; differences of it count leap-year days."""
    year = day.astype("datetime64[Y]")
    number = year.astype(np.int64) + 1970
    is_leap = (number % 4 == 0) & ((number % 100 != 0) | (number % 400 == 0))
    before = number - 1
    leap_years = (before // 4 - before // 100 + before // 400) - (1969 // 4 - 1969 // 100 + 1969 // 400)
    into_year = (day - year.astype("datetime64[D]")).astype(np.int64)
    return leap_years * 366 + np.where(is_leap, into_year, 0)


def _monthly(start: _Dates, end: _Dates) -> tuple[_Ints, _Ints]:
    """Whole months as twelfths, and a broken month as days of its own length.

    Month ends meet: 28 February to 31 March is one month. 15 January to 20 February is
    1 + 5/28 months, because the month broken into runs from 15 February to 15 March.
    """
    start_month, end_month = start.astype("datetime64[M]"), end.astype("datetime64[M]")
    seed = (start - start_month.astype("datetime64[D]")).astype(np.int64)
    whole = (end_month - start_month).astype(np.int64)
    at_month_end = ((start + np.timedelta64(1, "D")).astype("datetime64[M]") > start_month) & (
        (end + np.timedelta64(1, "D")).astype("datetime64[M]") > end_month
    )
    whole = np.where(~at_month_end & (_months_on(start_month, seed, whole) > end), whole - 1, whole)
    reached = _months_on(start_month, seed, whole)
    length = (_months_on(start_month, seed, whole + 1) - reached).astype(np.int64)
    left = np.where(at_month_end, 0, (end - reached).astype(np.int64))
    length = np.where(left == 0, 1, length)
    return whole * length + left, 12 * length


def _months_on(month: _Dates, seed: _Ints, count: _Ints) -> _Dates:
    """The date `count` months on from a month and a day in it counted from 0, cut at the month's end."""
    first = (month + count.astype("timedelta64[M]")).astype("datetime64[D]")
    last = (month + (count + 1).astype("timedelta64[M]")).astype("datetime64[D]") - np.timedelta64(1, "D")
    reached: _Dates = np.minimum(first + seed.astype("timedelta64[D]"), last)
    return reached
