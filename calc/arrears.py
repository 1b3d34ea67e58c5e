"""How late a loan is, as of any date: design.md section 3, "Lateness, once for all".

Dues and settled amounts come in as columns for any number of loans; one row a loan comes out.
"""

from dataclasses import dataclass
from datetime import date
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

from calc.allocation import Settled
from calc.calendar import NO_DATE, DateColumn, add_months_columns, months_between
from calc.money import (
    OWED,
    Component,
    IntColumn,
    distinct,
    group_starts,
    is_strictly_sorted,
    running_sum_by,
    sort_order,
    sum_by,
)
from calc.schedule import Dues

_KINDS = int(Component.RECOVERY)
"""Width of the tables by component: 1 to RECOVERY, the one never used included."""
_FAR = np.iinfo(np.int64).max


class Bucket(IntEnum):
    """Days past due in the ladder that reports use."""

    CURRENT = 0
    DAYS_1_30 = 1
    DAYS_31_60 = 2
    DAYS_61_90 = 3
    DAYS_91_180 = 4
    DAYS_181_365 = 5
    OVER_365 = 6


BUCKET_FROM = np.array([1, 31, 61, 91, 181, 366], dtype=np.int64)
"""First day past due of each bucket after CURRENT."""


class Fault(IntFlag):
    """Why a loan's figures cannot be trusted; its facts contradict each other."""

    NONE = 0
    NEGATIVE_DUE = 1
    NEGATIVE_SETTLED = 2
    SETTLED_BEYOND_DUE = 4


@dataclass(frozen=True)
class Arrears:
    """The standing of loans side by side as of one date; money in int64 minor units.

    overdue_*: late date before the date and not settled. fallen_*: late date on or before it and
    not settled (overdue, and due today). outstanding_*: everything not settled, fallen due or not.
    due_in_window has one column for each of `windows` (months N): principal and interest due in N
    months, those that end on D or, of a younger loan, its first.
    A refund that its advance no longer covers is owed like a charge. written_off is what was written
    off and has not come in since: a memo, never outstanding, overdue or late.
    """

    as_of: date
    windows: tuple[int, ...]
    loan: IntColumn
    overdue_charge: IntColumn
    overdue_penal: IntColumn
    overdue_interest: IntColumn
    overdue_principal: IntColumn
    overdue_total: IntColumn
    overdue_since: DateColumn
    days_past_due: npt.NDArray[np.int32]
    months_overdue: npt.NDArray[np.int32]
    bucket: npt.NDArray[np.int8]
    overdue_instalments: npt.NDArray[np.int32]
    fallen_charge: IntColumn
    fallen_penal: IntColumn
    fallen_interest: IntColumn
    fallen_principal: IntColumn
    outstanding_charge: IntColumn
    outstanding_penal: IntColumn
    outstanding_interest: IntColumn
    outstanding_principal: IntColumn
    advance: IntColumn
    suspense: IntColumn
    written_off: IntColumn
    due_in_window: IntColumn
    fault: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return int(self.loan.size)

    def window(self, months: int) -> IntColumn:
        """What falls due in so many months (see `_windows`); ValueError if `measure` was not asked for it."""
        if months not in self.windows:
            raise ValueError(f"the amount due in {months} months was not measured; pass it in windows")
        return self.due_in_window[:, self.windows.index(months)]


def measure(
    dues: Dues,
    settled: Settled,
    as_of: date,
    *,
    loans: IntColumn | None = None,
    windows: tuple[int, ...] = (),
) -> Arrears:
    """Measure every loan as of a date.

    `dues` is the plan as of that date, `settled` what had been settled by then
    (`Allocations.settled`, or sums from the database). `loans` (sorted, unique) names the rows
    wanted, those without dues included; left out, every loan that occurs. A loan whose facts
    contradict each other is flagged in `fault`, never raised, so that it cannot stop the rest.
    """
    day = np.datetime64(as_of, "D")
    names = distinct(dues.loan, settled.loan) if loans is None else loans
    fault = np.zeros(names.size, dtype=np.int8)
    plan, rank = _net_plan(dues, names, fault)
    paid = _paid(plan, rank, settled, names, fault)
    unpaid = plan.amount - paid

    kind = np.where(plan.component == Component.REFUND, Component.CHARGE, plan.component)
    slot = rank * _KINDS + kind - 1
    overdue = (plan.late_date < day) & (unpaid > 0) & (kind != Component.RECOVERY)
    fallen = plan.late_date <= day
    size = names.size * _KINDS
    overdue_by = sum_by(slot[overdue], unpaid[overdue], size).reshape(-1, _KINDS)
    fallen_by = sum_by(slot[fallen], unpaid[fallen], size).reshape(-1, _KINDS)
    outstanding_by = sum_by(slot, unpaid, size).reshape(-1, _KINDS)

    since = np.full(names.size, _FAR, dtype=np.int64)
    np.minimum.at(since, rank[overdue], plan.late_date[overdue].astype(np.int64))
    overdue_since = np.where(since == _FAR, NO_DATE, since.astype("datetime64[D]"))
    days = np.where(since == _FAR, 0, day.astype(np.int64) - since).astype(np.int32)
    counted = np.flatnonzero(overdue)
    first_of_instalment = group_starts(rank[counted], plan.instalment[counted])
    instalments = np.bincount(rank[counted][first_of_instalment], minlength=names.size)

    charge, penal, interest, principal = (owed - 1 for owed in OWED)
    return Arrears(
        as_of=as_of,
        windows=windows,
        loan=names,
        overdue_charge=overdue_by[:, charge],
        overdue_penal=overdue_by[:, penal],
        overdue_interest=overdue_by[:, interest],
        overdue_principal=overdue_by[:, principal],
        overdue_total=overdue_by.sum(axis=1),
        overdue_since=overdue_since,
        days_past_due=days,
        months_overdue=months_between(overdue_since, day).astype(np.int32),
        bucket=buckets(days),
        overdue_instalments=instalments.astype(np.int32),
        fallen_charge=fallen_by[:, charge],
        fallen_penal=fallen_by[:, penal],
        fallen_interest=fallen_by[:, interest],
        fallen_principal=fallen_by[:, principal],
        outstanding_charge=outstanding_by[:, charge],
        outstanding_penal=outstanding_by[:, penal],
        outstanding_interest=outstanding_by[:, interest],
        outstanding_principal=outstanding_by[:, principal],
        advance=_held(settled, names, Component.ADVANCE),
        suspense=_held(settled, names, Component.SUSPENSE),
        written_off=outstanding_by[:, Component.RECOVERY - 1],
        due_in_window=_windows(plan, rank, names.size, day, windows),
        fault=fault,
    )


def buckets(days_past_due: npt.NDArray[np.integer], starts: IntColumn = BUCKET_FROM) -> npt.NDArray[np.int8]:
    """The bucket (Bucket) of each number of days past due, or its place on another ladder.

    `starts` holds the first day of every rung after the one of loans that are not late.
    """
    return np.searchsorted(starts, days_past_due, side="right").astype(np.int8)


def _net_plan(dues: Dues, names: IntColumn, fault: npt.NDArray[np.int8]) -> tuple[Dues, npt.NDArray[np.intp]]:
    """Dues of the wanted loans by loan, instalment, component, late date, each once; and loan positions.

    Rows that come so, as they do of a plan that never changed, are not copied.
    """
    wanted, place = _positions(names, dues.loan)
    rows, rank = (dues, place) if bool(wanted.all()) else (dues.take(wanted), place[wanted])
    if not is_strictly_sorted(rank, rows.instalment, rows.component, rows.late_date):
        order = sort_order(rank, rows.instalment, rows.component, rows.late_date)
        rows, rank = rows.take(order), rank[order]
        first = np.flatnonzero(group_starts(rank, rows.instalment, rows.component, rows.late_date))
        sums = np.add.reduceat(rows.amount, first)
        rows, rank = rows.take(first), rank[first]
        rows = Dues(rows.loan, rows.instalment, rows.component, rows.late_date, sums)
    fault[rank[rows.amount < 0]] |= Fault.NEGATIVE_DUE
    return Dues(rows.loan, rows.instalment, rows.component, rows.late_date, np.maximum(rows.amount, 0)), rank


def _paid(
    plan: Dues,
    rank: npt.NDArray[np.intp],
    settled: Settled,
    names: IntColumn,
    fault: npt.NDArray[np.int8],
) -> IntColumn:
    """What of each due is settled; a key due on several dates is filled from the oldest."""
    width = 1 + max(
        int(plan.instalment.max(initial=0)),
        int(settled.instalment.max(initial=0)),
    )
    keys, total = _settled_by_key(settled, names, width)
    owner = keys // ((_KINDS + 1) * width)
    fault[owner[total < 0]] |= Fault.NEGATIVE_SETTLED

    key = _key(rank, plan.instalment, plan.component, width)
    starts = group_starts(key)
    first = np.flatnonzero(starts)
    is_once = first.size == key.size
    owed = key if is_once else key[first]
    found = np.searchsorted(owed, keys)
    matched = found < owed.size
    matched[matched] = owed[found[matched]] == keys[matched]
    available = np.zeros(owed.size, dtype=np.int64)
    available[found[matched]] = total[matched]
    if is_once:
        paid = used_by_key = np.minimum(np.maximum(available, 0), plan.amount)
    else:
        before = running_sum_by(starts, plan.amount) - plan.amount
        paid = np.minimum(np.maximum(available[np.cumsum(starts) - 1] - before, 0), plan.amount)
        used_by_key = np.add.reduceat(paid, first)

    used = np.zeros(keys.size, dtype=np.int64)
    used[matched] = used_by_key[found[matched]]
    fault[owner[total > used]] |= Fault.SETTLED_BEYOND_DUE
    return paid


def _settled_by_key(settled: Settled, names: IntColumn, width: int) -> tuple[IntColumn, IntColumn]:
    """What was settled of each (loan, instalment, component), once each and in order."""
    wanted, place = _positions(names, settled.loan)
    wanted &= settled.component < Component.ADVANCE
    columns = place, settled.instalment, settled.component, settled.amount
    if not bool(wanted.all()):
        columns = place[wanted], settled.instalment[wanted], settled.component[wanted], settled.amount[wanted]
    key, amount = _key(*columns[:3], width), columns[3]
    if is_strictly_sorted(key):
        return key, amount
    order = sort_order(key)
    key = key[order]
    first = np.flatnonzero(group_starts(key))
    return key[first], np.add.reduceat(amount[order], first)


def _key(
    rank: npt.NDArray[np.intp],
    instalment: npt.NDArray[np.int32],
    component: npt.NDArray[np.int8],
    width: int,
) -> IntColumn:
    """Loan, instalment and component as one number."""
    key = rank.astype(np.int64)
    key *= width
    key += instalment
    key *= _KINDS + 1
    key += component
    return key


def _held(settled: Settled, names: IntColumn, component: Component) -> IntColumn:
    """What stands unspent as an advance or in suspense, by loan."""
    wanted, place = _positions(names, settled.loan)
    wanted &= settled.component == component
    return sum_by(place[wanted], settled.amount[wanted], names.size)


def _windows(
    plan: Dues, rank: npt.NDArray[np.intp], size: int, day: np.datetime64, windows: tuple[int, ...]
) -> IntColumn:
    """Principal and interest that fall due in N months, a column for each N.

    The months end on `day`; those of a loan whose first due is younger than N months begin with that
    due instead, so that one missed instalment is measured against N months of them, never against itself.
    """
    table = np.zeros((size, len(windows)), dtype=np.int64)
    counts = (plan.component == Component.INTEREST) | (plan.component == Component.PRINCIPAL)
    first = np.full(size, _FAR, dtype=np.int64)
    np.minimum.at(first, rank[counts], plan.late_date[counts].astype(np.int64))
    first_due = np.where(first == _FAR, day.astype(np.int64), first).astype("datetime64[D]")
    for column, months in enumerate(windows):
        opens = add_months_columns(np.array([day], dtype="datetime64[D]"), -months)[0]
        young = first_due > opens
        from_on = np.where(young, first_due, opens + 1)
        to_on = np.where(young, np.maximum(add_months_columns(first_due, months) - 1, day), day)
        inside = counts & (plan.late_date >= from_on[rank]) & (plan.late_date <= to_on[rank])
        table[:, column] = sum_by(rank[inside], plan.amount[inside], size)
    return table


def _positions(names: IntColumn, loan: IntColumn) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Which rows belong to a wanted loan, and that loan's position; looked up once for each run of rows."""
    runs = np.flatnonzero(group_starts(loan))
    ids = loan[runs]
    place = np.searchsorted(names, ids)
    place[place == names.size] = 0
    known = names[place] == ids if names.size else np.zeros(ids.size, dtype=bool)
    lengths = np.diff(np.append(runs, loan.size))
    return np.repeat(known, lengths), np.repeat(place, lengths)
