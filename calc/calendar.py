"""Months, due dates and business days, in single dates and in columns of datetime64[D]."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

DateColumn = npt.NDArray[np.datetime64]
NO_DATE = np.datetime64("NaT", "D")


class Weekday(IntEnum):
    """Days numbered as Python's date.weekday() numbers them."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


class Frequency(StrEnum):
    """How often a plan falls due; EVERY_N_DAYS takes its number of days from the terms."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    EVERY_N_DAYS = "every_n_days"

    @property
    def months(self) -> int:
        """Months in a period; 0 if periods are counted in days."""
        return _MONTHS.get(self, 0)

    def days(self, every_days: int = 0) -> int:
        """Days in a period; 0 if periods are counted in months."""
        return every_days if self is Frequency.EVERY_N_DAYS else _DAYS.get(self, 0)


_MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.HALF_YEARLY: 6, Frequency.YEARLY: 12}
_DAYS = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}


class RollRule(StrEnum):
    """Where a due date goes that is no business day.

    MODIFIED_FOLLOWING goes to the next business day unless that lies in another month,
    and then to the one before.
    """

    NONE = "none"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"
    PRECEDING = "preceding"


def dates(days: Iterable[date | str | np.datetime64]) -> DateColumn:
    """A column of datetime64[D] from dates or ISO texts."""
    return np.array(list(days), dtype="datetime64[D]")


def to_date(day: np.datetime64) -> date:
    """The Python date of a datetime64[D]; ValueError for NaT."""
    value = day.astype("datetime64[D]").item()
    if value is None:
        raise ValueError("there is no date here")
    return date(value.year, value.month, value.day)


def add_months(day: date, months: int, *, seed_day: int | None = None) -> date:
    """The date so many months on; 31 January + 1 is 28 or 29 February.

    `seed_day` is the day the plan keeps in mind: with 31, 28 February + 1 is 31 March.
    """
    moved = add_months_columns(np.array([day], dtype="datetime64[D]"), months, seed_day=seed_day)
    return to_date(moved[0])


def add_months_columns(
    days: DateColumn, months: npt.ArrayLike, *, seed_day: npt.ArrayLike | None = None
) -> DateColumn:
    """`add_months` in columns; the three columns broadcast, and NaT stays NaT."""
    month = days.astype("datetime64[M]")
    wanted = day_of_month(days) if seed_day is None else np.asarray(seed_day, dtype=np.int64)
    target = month + np.asarray(months, dtype=np.int64).astype("timedelta64[M]")
    first = target.astype("datetime64[D]")
    moved: DateColumn = first + (np.minimum(wanted, days_in_month(first)) - 1).astype("timedelta64[D]")
    return moved


def day_of_month(days: DateColumn) -> npt.NDArray[np.int64]:
    """1 to 31; 1 for NaT, which no caller may rely on."""
    count = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    return np.where(np.isnat(days), 1, count + 1)


def days_in_month(days: DateColumn) -> npt.NDArray[np.int64]:
    """Length of the month in which each date lies; 31 for NaT."""
    month = days.astype("datetime64[M]")
    first = month.astype("datetime64[D]")
    after = (month + np.timedelta64(1, "M")).astype("datetime64[D]")
    return np.where(np.isnat(days), 31, (after - first).astype(np.int64))


def months_between(start: DateColumn, end: np.datetime64 | date | DateColumn) -> npt.NDArray[np.int64]:
    """Greatest n with add_months(start, n) <= end; 0 where that is negative or a date is missing.

    31 March to 30 June is 3 months; 31 January to 28 February is 1.
    """
    until = np.asarray(end, dtype="datetime64[D]")
    apart = (until.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.int64)
    known = ~(np.isnat(start) | np.isnat(until))
    apart = np.where(known, apart, 0)
    too_far = add_months_columns(start, apart) > until
    return np.where(known, np.maximum(apart - too_far, 0), 0)


@dataclass(frozen=True)
class BusinessCalendar:
    """Which days are worked: the weekend (Friday and Saturday unless said) and dated holidays."""

    weekend: frozenset[Weekday] = frozenset({Weekday.FRI, Weekday.SAT})
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.weekend) == len(Weekday):
            raise ValueError("a week needs at least one working day")

    @cached_property
    def _busdays(self) -> np.busdaycalendar:
        mask = [weekday not in self.weekend for weekday in Weekday]
        return np.busdaycalendar(weekmask=mask, holidays=dates(sorted(self.holidays)))

    def is_business_day(self, days: DateColumn) -> npt.NDArray[np.bool_]:
        """True where the day is neither weekend nor holiday."""
        return np.asarray(np.is_busday(days, busdaycal=self._busdays))

    def roll(self, days: DateColumn, rule: RollRule) -> DateColumn:
        """Move each day that is no business day as the rule says; NaT stays NaT."""
        if rule is RollRule.NONE:
            return days.astype("datetime64[D]")
        rolled = days.astype("datetime64[D]")
        known = ~np.isnat(rolled)
        rolled[known] = np.busday_offset(rolled[known], 0, roll=_NUMPY_ROLL[rule], busdaycal=self._busdays)
        return rolled

    def next_business_day(self, day: date) -> date:
        """The first business day after this one."""
        after = dates([day]) + np.timedelta64(1, "D")
        return to_date(self.roll(after, RollRule.FOLLOWING)[0])


_NUMPY_ROLL: dict[RollRule, Literal["forward", "modifiedfollowing", "backward"]] = {
    RollRule.FOLLOWING: "forward",
    RollRule.MODIFIED_FOLLOWING: "modifiedfollowing",
    RollRule.PRECEDING: "backward",
}

EVERY_DAY = BusinessCalendar(weekend=frozenset())
"""A calendar on which every day is worked."""


@dataclass(frozen=True)
class DueDates:
    """Due dates of loans side by side: one row a loan, one column a period, both datetime64[D]."""

    nominal: DateColumn
    adjusted: DateColumn


def due_dates(
    anchor: DateColumn,
    steps: npt.NDArray[np.int64],
    frequency: Frequency,
    *,
    every_days: int = 0,
    seed_day: npt.NDArray[np.int64] | None = None,
    calendar: BusinessCalendar = EVERY_DAY,
    roll: RollRule = RollRule.NONE,
) -> DueDates:
    """Due dates `steps` periods away from each anchor date, nominal and holiday-adjusted.

    With months the seed day (the anchor's own day unless given) is kept: seeded 31 January, then
    28 February, 31 March, 30 April. ValueError if the frequency has no length.
    """
    rows = anchor.astype("datetime64[D]")[:, None]
    if frequency.months:
        seeds = None if seed_day is None else seed_day[:, None]
        nominal = add_months_columns(rows, steps[None, :] * frequency.months, seed_day=seeds)
    elif frequency.days(every_days) > 0:
        nominal = rows + (steps[None, :] * frequency.days(every_days)).astype("timedelta64[D]")
    else:
        raise ValueError(f"frequency {frequency} needs its number of days")
    return DueDates(nominal=nominal, adjusted=calendar.roll(nominal, roll))
