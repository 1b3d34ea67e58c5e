"""Daily product: interest on the principal really outstanding each day, raised from facts.

A movement counts from its own date: what is repaid on the due date bears no interest for the days
after it. A span is the stretch whose interest is asked for, usually from one due date to the next;
it is cut into segments wherever principal or rate changes, and its interest is the sum of the
segments' exact products, rounded once.
"""

from dataclasses import dataclass

import numpy as np

from calc.calendar import DateColumn
from calc.daycount import DayCount, counted_days, year_fractions
from calc.interest.segments import Segments, exact_sums, period_ratios
from calc.money import (
    IntColumn,
    Rounding,
    distinct,
    group_starts,
    round_quotients,
    round_ratios,
    running_sum_by,
    sort_order,
    sum_by,
)

_DAY_BITS = 20


@dataclass(frozen=True)
class Movements:
    """Changes of principal: loan int64; on datetime64[D]; amount int64, lent positive, repaid negative."""

    loan: IntColumn
    on: DateColumn
    amount: IntColumn


@dataclass(frozen=True)
class Rates:
    """Rates from a date: loan int64; on datetime64[D]; rate int64 rate units."""

    loan: IntColumn
    on: DateColumn
    rate: IntColumn


@dataclass(frozen=True)
class Spans:
    """Stretches of days whose interest is asked for: loan int64; from_on and to_on datetime64[D]."""

    loan: IntColumn
    from_on: DateColumn
    to_on: DateColumn


def daily_product(
    movements: Movements,
    rates: Rates,
    spans: Spans,
    day_count: DayCount,
    rounding: Rounding,
    *,
    round_each: bool = False,
) -> tuple[IntColumn, Segments]:
    """Interest of each span in minor units, and the segments that explain it (`row` is the span).

    A span's interest is rounded once, or with `round_each` segment by segment, as some books do:
    4 days on 5,000.00 and 27 on 3,549.32 at 12 % over 365 are 38.08, or 6.58 + 31.51 = 38.09.
    Principal below zero (an over-payment) bears nothing; before its first rate a loan bears
    nothing. ValueError if a span ends before it starts.
    """
    row, from_on, to_on, held, rate = cut_spans(movements, rates, spans)
    numerator, denominator = _parts(spans, row, from_on, to_on, day_count)
    segments = Segments(
        row=row,
        from_on=from_on,
        to_on=to_on,
        days=counted_days(spans.from_on[row], to_on, day_count)
        - counted_days(spans.from_on[row], from_on, day_count),
        balance=held,
        rate=rate,
        numerator=numerator,
        denominator=denominator,
    )
    ratios = period_ratios(rate, numerator, denominator)
    if round_each:
        return sum_by(row, round_ratios(held, *ratios, rounding), spans.loan.size), segments
    above, below = exact_sums(row, held, ratios, spans.loan.size)
    return round_quotients(above, below * rounding.quantum_minor, rounding), segments


def cut_spans(
    movements: Movements, rates: Rates, spans: Spans
) -> tuple[IntColumn, DateColumn, DateColumn, IntColumn, IntColumn]:
    """Cut spans wherever balance or rate changes: row (the span), from_on, to_on, balance, rate.

    A balance below zero counts as none; before its first rate a loan has the rate 0. A span of no days
    is one piece of no days.
    """
    moved = sort_order(movements.loan, movements.on)
    move_keys = _keys(movements.loan[moved], movements.on[moved])
    balance = running_sum_by(group_starts(movements.loan[moved]), movements.amount[moved])
    rated = sort_order(rates.loan, rates.on)
    rate_keys = _keys(rates.loan[rated], rates.on[rated])

    changes = distinct(move_keys, rate_keys)
    low = np.searchsorted(changes, _keys(spans.loan, spans.from_on), side="right")
    high = np.maximum(np.searchsorted(changes, _keys(spans.loan, spans.to_on), side="left"), low)
    pieces = high - low + 1
    row = np.repeat(np.arange(spans.loan.size), pieces)
    place = np.arange(row.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    at = low[row] + place - 1
    from_on = spans.from_on[row]
    inner = place > 0
    from_on[inner] = _date_of(changes[at[inner]])
    to_on = spans.to_on[row]
    last = place == pieces[row] - 1
    to_on[~last] = from_on[1:][~last[:-1]]

    start_keys = _keys(spans.loan[row], from_on)
    held = np.maximum(_latest(move_keys, balance, start_keys), 0)
    return row, from_on, to_on, held, _latest(rate_keys, rates.rate[rated], start_keys)


def penal_interest(
    overdue: IntColumn,
    rate: IntColumn,
    from_on: DateColumn,
    to_on: DateColumn,
    day_count: DayCount,
    rounding: Rounding,
) -> IntColumn:
    """Penal interest on overdue instalments, simple and not compounded, in columns of minor units.

    overdue x rate x days / basis: 26,456.22 at 1.5 % for 30 days over 360 is 33.07.
    """
    numerator, denominator = year_fractions(from_on, to_on, day_count)
    return round_ratios(overdue, *period_ratios(rate, numerator, denominator), rounding)


def _keys(loan: IntColumn, day: DateColumn) -> IntColumn:
    """Loan and date in one number that sorts by loan, then date."""
    return (loan << _DAY_BITS) + day.astype(np.int64) + (1 << (_DAY_BITS - 1))


def _date_of(keys: IntColumn) -> DateColumn:
    days = (keys & ((1 << _DAY_BITS) - 1)) - (1 << (_DAY_BITS - 1))
    return days.astype("datetime64[D]")


def _latest(keys: IntColumn, values: IntColumn, wanted: IntColumn) -> IntColumn:
    """The value in force for each wanted loan and date; 0 before the loan's first."""
    found = np.searchsorted(keys, wanted, side="right") - 1
    mine = found >= 0
    mine[mine] = (keys[found[mine]] >> _DAY_BITS) == (wanted[mine] >> _DAY_BITS)
    result = np.zeros(wanted.size, dtype=np.int64)
    result[mine] = values[found[mine]]
    return result


def _parts(
    spans: Spans, row: IntColumn, from_on: DateColumn, to_on: DateColumn, day_count: DayCount
) -> tuple[IntColumn, IntColumn]:
    """Part of a year of each segment, so that the segments of a span add up to the span.

    Under monthly/12 a segment takes its share of the span's months by calendar days.
    """
    start = spans.from_on[row]
    if day_count is not DayCount.MONTHLY_12:
        until, below = year_fractions(start, to_on, day_count)
        since, _ = year_fractions(start, from_on, day_count)
        return until - since, below
    above, below = year_fractions(spans.from_on, spans.to_on, day_count)
    length = np.maximum((spans.to_on - spans.from_on).astype(np.int64), 1)
    days = (to_on - from_on).astype(np.int64)
    return above[row] * days, below[row] * length[row]
