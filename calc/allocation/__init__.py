"""Which money settles which due, for thousands of loans at once.

A receipt pays at most what has fallen due by its value date; the rest is held as an advance. When
a due arrives that an advance can meet, two rows dated that day carry it over, so the rows with
value date <= D always tell what was settled as of D. Only a grid with cells in advance lets a
receipt meet coming instalments on its own date.
"""

import numpy as np

from calc.allocation.by_priority import by_priority
from calc.allocation.oldest_first import oldest_first
from calc.allocation.orders import CannotOrder, Grid, Order, Orders, Timing
from calc.allocation.owed import left_to_pay
from calc.allocation.rows import (
    Allocations,
    Difference,
    Receipts,
    Settled,
    Source,
    difference,
    in_order,
    joined,
)
from calc.calendar import DateColumn
from calc.money import Component, sort_order
from calc.schedule import Dues

__all__ = [
    "Allocations",
    "CannotOrder",
    "Difference",
    "Dues",
    "Grid",
    "Order",
    "Orders",
    "Receipts",
    "Settled",
    "Source",
    "Timing",
    "allocate",
    "difference",
]


def allocate(
    dues: Dues,
    receipts: Receipts,
    order: Order | Grid | Orders = Order.OLDEST_FIRST,
    *,
    reduced: Settled | None = None,
    effective_on: DateColumn | None = None,
) -> Allocations:
    """Settle dues with receipts in the order of each loan, for any number of loans at once.

    `reduced` is what was settled without money (waived, written off, transferred): receipts never pay
    it again. `effective_on`, row for row with `dues`, is the date from which a due stands in the plan;
    a grid that settles in advance does not meet it earlier.

    Rows come ordered by loan, value date, receipt, instalment and component. Receipts may precede
    the loan's first due; they wait as advances. ValueError if a receipt is not positive, dues net
    below zero or less fell due than was settled without money; ArithmeticError if what was settled
    does not add up; OverflowError if all the money together passes 62 bits (allocate in slices of
    loans then); CannotOrder if the order is GRID without its cells.
    """
    orders = order if isinstance(order, Orders) else Orders.everywhere(order)
    due, in_force = left_to_pay(dues, reduced, effective_on)
    got = in_order(receipts)
    rules = (*orders.rules, Order.OLDEST_FIRST)
    of_due, of_receipt = (orders.of(rows.loan) % len(rules) for rows in (due, got))
    plain = np.array([rule is Order.OLDEST_FIRST for rule in rules])
    special = due.loan[(due.component == Component.REFUND) | (due.component == Component.RECOVERY)]
    walked_due, walked_receipt = (
        ~plain[of_loan] | np.isin(rows.loan, special) if special.size else ~plain[of_loan]
        for rows, of_loan in ((due, of_due), (got, of_receipt))
    )
    parts = [oldest_first(due.take(~walked_due), got.take(~walked_receipt))]
    if bool(walked_due.any()) or bool(walked_receipt.any()):
        walked = due.take(walked_due), got.take(walked_receipt)
        parts.append(by_priority(*walked, rules, of_due[walked_due], in_force[walked_due]))
    rows = joined(*parts)
    if int(rows.amount.sum()) != int(got.amount.sum()):
        raise ArithmeticError("what receipts settle and hold does not add up to them")
    return rows.take(sort_order(rows.loan, rows.value_date, rows.receipt, rows.instalment, rows.component))
