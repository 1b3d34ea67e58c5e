"""Penal interest on overdue instalments, simple and never on itself, day by day in columns.

An item is one instalment of one loan. It bears penal interest from its late date on what of its
principal and interest is not settled: overdue x rate x days / basis, the days counted from the late
date. What is paid on a day bears none for the days after it. The amount of day D is round(total to D)
less round(total to D - 1), so the amounts of the days always add up to the rounded total.
"""

from dataclasses import dataclass
from math import lcm

import numpy as np

from calc.calendar import DateColumn, add_months_columns, months_between
from calc.daycount import DayCount, counted_days, year_fractions
from calc.interest import Movements, Rates, Segments, Spans, cut_spans
from calc.money import (
    HALF_UP,
    RATE_DENOMINATOR,
    IntColumn,
    ObjectColumn,
    Rounding,
    group_starts,
    round_quotients,
)

_MONTH_PARTS = lcm(28, 29, 30, 31)
"""Into so many parts a month of any length divides without remainder."""


@dataclass(frozen=True)
class Items:
    """Instalments side by side: loan int64; instalment int32; late_date, since and until datetime64[D].

    `late_date` is the day from which days are counted; amounts are wanted for the days after `since`
    (not before the late date) up to `until`.
    """

    loan: IntColumn
    instalment: IntColumn
    late_date: DateColumn
    since: DateColumn
    until: DateColumn


@dataclass(frozen=True)
class DayAmounts:
    """Penal interest of single days: item int64 (position in `Items`), on datetime64[D], amount int64 > 0."""

    item: IntColumn
    on: DateColumn
    amount: IntColumn


def penal_by_day(
    items: Items,
    overdue: Movements,
    rates: Rates,
    day_count: DayCount,
    rounding: Rounding = HALF_UP,
) -> DayAmounts:
    """The penal interest of each day after `since`; days that come to nothing are left out.

    `overdue` (+ what fell due, - what was settled) and `rates` name the item by its position in `loan`.
    26,456.22 overdue at 1.5 % over 360 comes to 1.10 a day, 33.07 in 30 days.
    """
    row, from_on, to_on, held, rate = cut_spans(overdue, rates, _spans(items))
    late = items.late_date[row]
    since_parts, basis = _elapsed(late, from_on, day_count)
    until_parts, _ = _elapsed(late, to_on, day_count)
    weight = held.astype(object) * rate.astype(object)
    exact = weight * (until_parts - since_parts)
    before = _sum_before(row, exact)

    bears = np.flatnonzero((held > 0) & (rate > 0) & (to_on > np.maximum(from_on, items.since[row])))
    start = np.maximum(from_on, items.since[row])[bears]
    length = (to_on[bears] - start).astype(np.int64) + 1
    piece = np.repeat(bears, length)
    step = np.arange(piece.size) - np.repeat(np.cumsum(length) - length, length)
    day = np.repeat(start, length) + step.astype("timedelta64[D]")
    parts, _ = _elapsed(late[piece], day, day_count)
    total = before[piece] + weight[piece] * (parts - since_parts[piece])
    below = np.full(total.size, RATE_DENOMINATOR * basis * rounding.quantum_minor, dtype=object)
    rounded = round_quotients(total, below, rounding)
    amount = np.diff(rounded, prepend=0)
    wanted = (step > 0) & (amount != 0)
    return DayAmounts(row[piece][wanted], day[wanted], amount[wanted])


def penal_working(items: Items, overdue: Movements, rates: Rates, day_count: DayCount) -> Segments:
    """The stretches of one overdue amount and one rate from each late date to `until`; `row` is the item."""
    row, from_on, to_on, held, rate = cut_spans(overdue, rates, _spans(items))
    late = items.late_date[row]
    since_parts, basis = _elapsed(late, from_on, day_count)
    until_parts, _ = _elapsed(late, to_on, day_count)
    worth = (held > 0) & (to_on > from_on)
    return Segments(
        row=row[worth],
        from_on=from_on[worth],
        to_on=to_on[worth],
        days=(counted_days(late, to_on, day_count) - counted_days(late, from_on, day_count))[worth],
        balance=held[worth],
        rate=rate[worth],
        numerator=(until_parts - since_parts)[worth],
        denominator=np.full(int(worth.sum()), basis, dtype=np.int64),
    )


def penal_total(
    items: Items, overdue: Movements, rates: Rates, day_count: DayCount, rounding: Rounding = HALF_UP
) -> IntColumn:
    """What each item comes to from its late date to `until`, rounded once: the sum of its days."""
    parts = penal_working(items, overdue, rates, day_count)
    exact = parts.balance.astype(object) * parts.rate.astype(object) * parts.numerator.astype(object)
    starts = group_starts(parts.row)
    running = np.cumsum(exact)
    last = np.append(np.flatnonzero(starts)[1:], parts.row.size)[: int(starts.sum())] - 1
    sums = np.diff(running[last], prepend=0) if exact.size else exact
    below = parts.denominator[last].astype(object) * (RATE_DENOMINATOR * rounding.quantum_minor)
    total = np.zeros(items.loan.size, dtype=np.int64)
    total[parts.row[starts]] = round_quotients(sums, below, rounding)
    return total


def _spans(items: Items) -> Spans:
    return Spans(np.arange(items.loan.size), items.late_date, np.maximum(items.until, items.late_date))


def _sum_before(row: IntColumn, exact: ObjectColumn) -> ObjectColumn:
    """The sum of the pieces of the same item before each piece; exact, in Python's whole numbers."""
    running = np.concatenate([np.zeros(1, dtype=object), np.cumsum(exact)]) if exact.size else exact
    first = np.flatnonzero(group_starts(row))
    base = np.repeat(first, np.diff(np.append(first, row.size)))
    return running[:-1] - running[base] if exact.size else exact


def _elapsed(start: DateColumn, day: DateColumn, day_count: DayCount) -> tuple[IntColumn, int]:
    """The part of a year from each start to its day, over one denominator; it never falls from day to day.

    Under monthly/12 whole months are counted as lateness counts them (31 March to 30 June is 3), and
    the month broken into takes its days' share.
    """
    if day_count is not DayCount.MONTHLY_12:
        above, below = year_fractions(start, day, day_count)
        return above, int(below[0]) if below.size else 1
    months = months_between(start, day)
    reached = add_months_columns(start, months)
    length = (add_months_columns(start, months + 1) - reached).astype(np.int64)
    share = (day - reached).astype(np.int64) * (_MONTH_PARTS // np.maximum(length, 1))
    return months * _MONTH_PARTS + share, 12 * _MONTH_PARTS
