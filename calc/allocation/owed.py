"""What is left to pay: dues net of their mirrors and of what was settled without money."""

import numpy as np

from calc.allocation.rows import Settled
from calc.calendar import DateColumn
from calc.money import IntColumn, distinct, group_starts, running_sum_by, sort_order, sum_by
from calc.schedule import Dues

ALWAYS = np.datetime64("0001-01-01", "D")
"""In force from the beginning of time."""


def left_to_pay(
    dues: Dues, reduced: Settled | None, effective_on: DateColumn | None
) -> tuple[Dues, DateColumn]:
    """Net dues in the order of their dates, each with the date from which it stands in the plan.

    Of several rows of one key the latest date counts. ValueError if dues net below zero, or if more
    of one was waived, written off or transferred than fell due.
    """
    net = dues.netted()
    in_force: DateColumn = np.full(len(net), ALWAYS)
    if effective_on is not None:
        in_force = _in_force(dues, effective_on, net)
    if reduced is None or not reduced.loan.size:
        return net, in_force
    amount = net.amount - _taken_off(net, reduced)
    rest = np.flatnonzero(amount > 0)
    return (
        Dues(
            net.loan[rest],
            net.instalment[rest],
            net.component[rest],
            net.late_date[rest],
            amount[rest],
        ),
        in_force[rest],
    )


def _in_force(dues: Dues, effective_on: DateColumn, net: Dues) -> DateColumn:
    """The latest effective date among the rows of each net due; both sets hold the same keys, sorted."""
    rows = np.concatenate([np.arange(len(dues)), np.full(len(net), -1)])
    both = [
        np.concatenate([getattr(dues, name), getattr(net, name)])
        for name in ("loan", "late_date", "instalment", "component")
    ]
    order = sort_order(*both)
    group = np.cumsum(group_starts(*(key[order] for key in both))) - 1
    latest = np.full(int(group.max(initial=-1)) + 1, ALWAYS.astype(np.int64))
    raw = rows[order] >= 0
    np.maximum.at(latest, group[raw], effective_on[rows[order][raw]].astype(np.int64))
    found = latest[group[~raw]].astype("datetime64[D]")
    return found[np.argsort(order[~raw] - len(dues), kind="stable")]


def _taken_off(net: Dues, reduced: Settled) -> IntColumn:
    """What of each due was settled without money; a key due on several dates from the oldest."""
    loans = distinct(reduced.loan)
    mine = np.flatnonzero(np.isin(net.loan, loans))
    width = 1 + max(int(net.instalment[mine].max(initial=0)), int(reduced.instalment.max(initial=0)))
    rank = np.searchsorted(loans, net.loan[mine])
    key = (rank * width + net.instalment[mine]) * 16 + net.component[mine]
    other = (np.searchsorted(loans, reduced.loan) * width + reduced.instalment) * 16 + reduced.component
    keys = distinct(key, other)
    total = sum_by(np.searchsorted(keys, other), reduced.amount, keys.size)
    order = sort_order(key, net.late_date[mine])
    place = np.searchsorted(keys, key[order])
    amount = net.amount[mine[order]]
    before = running_sum_by(group_starts(key[order]), amount) - amount
    taken = np.minimum(np.maximum(total[place] - before, 0), amount)
    wrong = np.flatnonzero(sum_by(place, taken, keys.size) != total)
    if wrong.size:
        at = int(np.flatnonzero(other == keys[wrong[0]])[0])
        raise ValueError(
            f"loan {reduced.loan[at]}, instalment {reduced.instalment[at]}: what was waived, written off or "
            f"transferred ({total[wrong[0]]} minor units) is not within what fell due"
        )
    found = np.zeros(len(net), dtype=np.int64)
    found[mine[order]] = taken
    return found
