"""The working of interest raised by the day: the principal outstanding each day, from facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

import numpy as np

from calc.daycount import DayCount
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import Component, Rounding, to_rate_units
from lending.builders.workings import Stretch, Working
from reports.builders.account import Account
from reports.selectors.frames import Frame

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)


def daily_workings(
    account: Account,
    history: Frame,
    rates: Sequence[tuple[date, Decimal]],
    day_count: DayCount,
    rounding: Rounding,
) -> dict[int, Working]:
    """The working of each instalment's raised interest; only where it comes to what the books hold.

    `history` holds every due with the date it was taken back (`facts.plan_history`), `rates` the percent
    a year from each date. A period runs from the end before it to its own.
    """
    principal = history[history["component"] == PRINCIPAL]
    raised = account.plan[account.plan["component"] == INTEREST]
    if principal.empty or raised.empty:
        return {}
    back = principal[principal["taken_back_by"] > 0]
    paid = account.allocations[account.allocations["component"] == PRINCIPAL]
    movements = _movements(
        (principal["effective_date"], principal["amount_minor"], 1),
        (back["taken_back_on"], back["amount_minor"], -1),
        (paid["value_date"], paid["amount_minor"], -1),
    )
    ends = sorted(
        {account.header["disbursed_date"], *raised["effective_date"], *principal["nominal_date"].tolist()}
    )
    before = {end: start for start, end in pairwise(ends)}
    rows = [row for row in raised.itertuples() if row.effective_date in before]
    spans = Spans(
        np.zeros(len(rows), dtype=np.int64),
        np.array([before[row.effective_date] for row in rows], dtype="datetime64[D]"),
        np.array([row.effective_date for row in rows], dtype="datetime64[D]"),
    )
    priced = Rates(
        np.zeros(len(rates), dtype=np.int64),
        np.array([on for on, _rate in rates], dtype="datetime64[D]"),
        np.array([to_rate_units(rate) for _on, rate in rates], dtype=np.int64),
    )
    amounts, segments = daily_product(movements, priced, spans, day_count, rounding)
    return {
        int(row.instalment): Working(
            tuple(Stretch.of(part) for part in segments.of_row(at)), int(row.amount_minor), rounding
        )
        for at, row in enumerate(rows)
        if int(amounts[at]) == int(row.amount_minor)
    }


def _movements(*parts: tuple[Frame, Frame, int]) -> Movements:
    on = np.concatenate([np.array(days.tolist(), dtype="datetime64[D]") for days, _amounts, _sign in parts])
    amount = np.concatenate([sign * amounts.to_numpy(np.int64) for _days, amounts, sign in parts])
    return Movements(np.zeros(on.size, dtype=np.int64), on, amount)
