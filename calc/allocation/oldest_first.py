"""The oldest due first, by instalment: thousands of loans at once, by merging cumulative sums.

Dues stand in the order (late date, instalment, component), receipts in the order (value date,
receipt number). Laid end to end, the dues of a loan and its receipts are two rulers over the same
length of money; where either has a mark the money is cut, and each piece says which receipt pays
which due. No loop over loans or receipts.
"""

import numpy as np
import numpy.typing as npt

from calc.allocation.rows import (
    Allocations,
    Receipts,
    advance_rows,
    joined,
    settling_rows,
    used_up_rows,
)
from calc.money import IntColumn, distinct, group_starts, running_sum_by, sum_by
from calc.schedule import Dues


def oldest_first(due: Dues, got: Receipts) -> Allocations:
    """Settle net dues with receipts in order, oldest due first; see `calc.allocation.allocate`."""
    piece, to, by = match_lengths(due.loan, due.amount, got.loan, got.amount)
    fallen = due.late_date[to] <= got.value_date[by]
    direct = settling_rows(due, got, by[fallen], to[fallen], piece[fallen], from_advance=False)
    late = settling_rows(due, got, by[~fallen], to[~fallen], piece[~fallen], from_advance=True)
    held = got.amount - sum_by(by[fallen], piece[fallen], len(got))
    return joined(direct, advance_rows(got, held), used_up_rows(late), late)


def match_lengths(
    left_loan: IntColumn, left: IntColumn, right_loan: IntColumn, right: IntColumn
) -> tuple[IntColumn, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Lay two columns of amounts end to end loan by loan, and cut them where either has a mark.

    Gives the pieces and, for each, the row of the left and of the right column it lies in; what one
    side has more than the other is left out. Both columns stand loan by loan, ascending.
    ArithmeticError if the pieces do not add up; OverflowError if the money passes 62 bits.
    """
    loans = distinct(left_loan, right_loan)
    left_rank, right_rank = np.searchsorted(loans, left_loan), np.searchsorted(loans, right_loan)
    left_total, right_total = sum_by(left_rank, left, loans.size), sum_by(right_rank, right, loans.size)
    length = np.maximum(left_total, right_total)
    if int((length >> 31).sum()) + loans.size >= 2**31:
        raise OverflowError("the money of these loans passes 62 bits together; allocate in slices")
    base = np.cumsum(length) - length
    left_end = base[left_rank] + running_sum_by(group_starts(left_loan), left)
    right_end = base[right_rank] + running_sum_by(group_starts(right_loan), right)
    marks = distinct(base, left_end, right_end)
    begin, end = marks[:-1], marks[1:]
    by = np.searchsorted(right_end, end)
    covered = _covers(right_end - right, by, end)
    begin, end, by = begin[covered], end[covered], by[covered]
    to = np.searchsorted(left_end, end)
    met = _covers(left_end - left, to, end)
    piece = (end - begin)[met]
    if int(piece.sum()) != int(np.minimum(left_total, right_total).sum()):
        raise ArithmeticError("settled amounts do not add up to the lesser of dues and receipts")
    return piece, to[met], by[met]


def _covers(starts: IntColumn, found: npt.NDArray[np.intp], end: IntColumn) -> npt.NDArray[np.bool_]:
    """True where the interval found for a piece's end really holds the piece."""
    inside = found < starts.size
    inside[inside] = starts[found[inside]] < end[inside]
    return inside
