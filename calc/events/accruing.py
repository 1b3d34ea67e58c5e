"""Interest earned up to an event at which it falls due: settled, rescheduled, or paid with a prepayment."""

from dataclasses import replace

import numpy as np

from calc.events.rest import Rest
from calc.events.running import Running
from calc.interest import Segments
from calc.money import RATE_DENOMINATOR, BoolColumn, IntColumn, round_quotients
from calc.schedule import Method


def earned(running: Running, rest: Rest) -> Rest:
    """The rest of each plan with the interest that is earned, should nothing of the plan go on.

    Flat interest is spread evenly over the instalments, so of a broken period it is earned evenly too:
    so much of the period's share as of its days has gone by, written as share x 100 % x part.
    """
    flat = spread_evenly(running, rest)
    if not flat.any():
        return rest
    parts, plan = running.plan.segments, running.plan
    loans = np.flatnonzero(flat)
    rows = rest.first[loans]
    last = parts.take(np.searchsorted(parts.row, rows, side="right") - 1)
    below = last.numerator * rest.rest_below[loans]
    above = below - rest.rest_above[loans] * last.denominator
    divisor = np.maximum(np.gcd(above, below), 1)
    even = Segments(
        row=loans.astype(np.int64),
        from_on=last.from_on,
        to_on=np.minimum(rest.on[loans], last.to_on),
        days=last.days - rest.rest_days[loans],
        balance=plan.interest[rows],
        rate=np.full(loans.size, RATE_DENOMINATOR, dtype=np.int64),
        numerator=above // divisor,
        denominator=np.maximum(below // divisor, 1),
    )
    even = even.take((even.from_on < even.to_on) & (even.balance > 0))
    others = rest.segments.take(~flat[rest.segments.row])
    return replace(rest, segments=Segments.join([others, even]), amount=np.where(flat, 0, rest.amount))


def accrued_minor(running: Running, rest: Rest) -> IntColumn:
    """Interest earned up to the date, rounded once as each loan's terms round interest."""
    above, below = earned(running, rest).owed()
    accrued = np.zeros(len(running), dtype=np.int64)
    for number, rules in enumerate(running.terms.rules):
        mine = running.terms.rule == number
        rounding = rules.interest_rounding
        owed = np.maximum(above[mine], 0)
        accrued[mine] = round_quotients(owed, below[mine] * rounding.quantum_minor, rounding)
    return accrued


def spread_evenly(running: Running, rest: Rest) -> BoolColumn:
    """Loans whose interest is one amount for the whole term, of which instalments are falling due."""
    return running.has("method", Method.FLAT) & rest.alive & (rest.grace == 0)
