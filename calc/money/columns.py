"""Columns of money side by side: sorting, grouping and summing without a float or a loop."""

from collections.abc import Sequence
from math import prod
from typing import cast

import numpy as np
import numpy.typing as npt

from calc.money.amounts import IntColumn

BoolColumn = npt.NDArray[np.bool_]

_KEY_LIMIT = 2**63


def sort_order(*keys: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """The stable order that sorts rows by the first key, then the second, and so on.

    Keys are whole numbers or datetime64 dates. They are packed into one number where that fits, which
    makes rows that already stand in order cost almost nothing.
    """
    packed = _packed(keys)
    if packed is None:
        return np.lexsort(tuple(reversed([_number(key) for key in keys])))
    if bool(np.all(packed[1:] >= packed[:-1])):
        return np.arange(packed.size)
    return np.argsort(packed, kind="stable")


def is_strictly_sorted(*keys: npt.NDArray[np.generic]) -> bool:
    """Do rows stand in the order of their keys, no two of them equal? False also where keys do not pack."""
    packed = _packed(keys)
    return packed is not None and bool(np.all(packed[1:] > packed[:-1]))


def _packed(keys: tuple[npt.NDArray[np.generic], ...]) -> IntColumn | None:
    """Several keys as one number that sorts the same; None where it would not fit."""
    numbers = [_number(key) for key in keys]
    if not numbers[0].size:
        return np.zeros(0, dtype=np.int64)
    lows = [int(number.min()) for number in numbers]
    widths = [int(number.max()) - low + 1 for number, low in zip(numbers, lows, strict=True)]
    if prod(widths) >= _KEY_LIMIT:
        return None
    packed = numbers[0].astype(np.int64)
    packed -= lows[0]
    for number, low, width in zip(numbers[1:], lows[1:], widths[1:], strict=True):
        packed *= width
        packed += number
        if low:
            packed -= low
    return packed


def _number(key: npt.NDArray[np.generic]) -> npt.NDArray[np.integer]:
    """Whole numbers as they are, dates as the days they count."""
    return key.view(np.int64) if key.dtype.kind == "M" else cast("npt.NDArray[np.integer]", key)


def group_starts(*keys: npt.NDArray[np.generic]) -> BoolColumn:
    """True on the first row of each run of equal keys; rows must already stand in key order."""
    starts = np.zeros(keys[0].size, dtype=bool)
    starts[:1] = True
    for key in keys:
        starts[1:] |= key[1:] != key[:-1]
    return starts


def sum_by(groups: npt.NDArray[np.integer], amounts: IntColumn, size: int) -> IntColumn:
    """Sum amounts by group number (0 to size - 1) in whole numbers; a group without rows sums to 0."""
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, groups, amounts)
    return totals


def running_sum_by(starts: BoolColumn, amounts: IntColumn) -> IntColumn:
    """Running sum that begins anew where `starts` is true; rows must stand group by group."""
    total = np.cumsum(amounts, dtype=np.int64)
    first = np.flatnonzero(starts)
    before = total[first] - amounts[first]
    return total - np.repeat(before, np.diff(np.append(first, total.size)))


def distinct(*columns: IntColumn) -> IntColumn:
    """The different numbers in several columns, ascending; fast where each column is sorted already.

    A stable sort merges sorted runs, which on such columns is many times faster than hashing.
    """
    merged = np.sort(np.concatenate(columns), kind="stable")
    return merged[group_starts(merged)]


def unpaired(
    olds: Sequence[npt.NDArray[np.generic]], news: Sequence[npt.NDArray[np.generic]]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions of old rows that no new row equals in every column, and of new rows that no old row equals.

    Equal rows pair off one to one. Both sides give the same columns in the same order.
    """
    keys = [np.concatenate(both) for both in zip(olds, news, strict=True)]
    old_count = olds[0].size
    is_new = np.repeat([0, 1], [old_count, news[0].size])
    order = sort_order(*keys, is_new)
    starts = group_starts(*(key[order] for key in keys))
    group = np.cumsum(starts) - 1
    side = is_new[order]
    old_sizes = sum_by(group, (1 - side).astype(np.int64), int(starts.sum()))
    new_sizes = sum_by(group, side.astype(np.int64), int(starts.sum()))
    place = np.arange(order.size) - np.flatnonzero(starts)[group]
    place = np.where(side == 1, place - old_sizes[group], place)
    alone = place >= np.where(side == 1, old_sizes[group], new_sizes[group])
    return np.sort(order[alone & (side == 0)]), np.sort(order[alone & (side == 1)] - old_count)
