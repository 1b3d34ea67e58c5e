"""Which money settles which due, for thousands of loans at once.

A receipt pays at most what has fallen due by its value date; the rest is held as an advance. When
a due arrives that an advance can meet, two rows dated that day carry it over, so the rows with
value date <= D always tell what was settled as of D.
"""

from enum import StrEnum

from calc.allocation.by_priority import Priority, by_priority
from calc.allocation.oldest_first import oldest_first
from calc.allocation.rows import Allocations, Difference, Receipts, Settled, Source, difference
from calc.schedule import Dues

__all__ = [
    "Allocations",
    "Difference",
    "Dues",
    "Order",
    "Receipts",
    "Settled",
    "Source",
    "allocate",
    "difference",
]


class Order(StrEnum):
    """In which order money settles what has fallen due.

    OLDEST_FIRST: by instalment, inside it charge, penal, interest, principal. BY_COMPONENT: all
    charges, then all penal interest, interest, principal, each oldest first across instalments.
    PRINCIPAL_FIRST: all principal, then interest, penal interest, charges (for bad loans).
    """

    OLDEST_FIRST = "oldest_first"
    BY_COMPONENT = "by_component"
    PRINCIPAL_FIRST = "principal_first"


_PRIORITIES = {
    Order.BY_COMPONENT: Priority.COMPONENT,
    Order.PRINCIPAL_FIRST: Priority.COMPONENT_REVERSED,
}


def allocate(dues: Dues, receipts: Receipts, order: Order = Order.OLDEST_FIRST) -> Allocations:
    """Settle dues with receipts in the order named, for any number of loans at once.

    Rows come ordered by loan, value date, receipt, instalment and component. Receipts may precede
    the loan's first due; they wait as advances. ValueError if a receipt is not positive or dues net
    below zero; ArithmeticError if what was settled does not add up; OverflowError if all the money
    together passes 62 bits (allocate in slices of loans then).
    """
    if order is Order.OLDEST_FIRST:
        return oldest_first(dues, receipts)
    return by_priority(dues, receipts, _PRIORITIES[order])
