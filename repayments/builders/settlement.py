"""What a receipt settles, line by line with its working: of a posted receipt, or of one only proposed.

Both are the same calculation: the loan's live dues and receipts through ``calc.allocation``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.allocation import Allocations, Receipts, Source, allocate, difference
from calc.calendar import to_date
from calc.money import Component, IntColumn
from calc.schedule import Dues
from repayments.frames import Scope, read_allocations, read_dues, read_receipts, read_settled

COMPONENT_LABELS: dict[int, Promise] = {
    Component.CHARGE: _("Charge"),
    Component.PENAL: _("Penal interest"),
    Component.INTEREST: _("Interest"),
    Component.PRINCIPAL: _("Principal"),
}
_NOT_YET = np.iinfo(np.int64).max
"""Stands for the number of a receipt that is only proposed: it comes after every other of its date."""


@dataclass(frozen=True, slots=True)
class Line:
    """One due and what the receipt does to it; money in minor units.

    `before_minor` came from money that stands before this receipt. `waited_days` is how long an
    advance waited for its due, `late_days` how late the money came; one of them is 0. `is_ahead`: the
    due has not come yet, the advance will meet it then.
    """

    value_date: date
    instalment: int
    component: int
    late_date: date
    due_minor: int
    before_minor: int
    amount_minor: int
    waited_days: int
    late_days: int
    is_ahead: bool

    @property
    def component_label(self) -> Promise:
        return COMPONENT_LABELS[self.component]

    @property
    def left_minor(self) -> int:
        return self.due_minor - self.before_minor - self.amount_minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """A receipt's lines in order, and what of it has met no due yet and is held as an advance."""

    lines: tuple[Line, ...]
    held_minor: int
    moved_count: int = 0
    """Of a proposed receipt: rows of other receipts that would be settled anew."""

    @property
    def settled_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if not line.is_ahead)


def live_receipts(loan_ids: IntColumn) -> Receipts:
    """The receipts of the loans that were not taken back, as calc takes them."""
    rows = read_receipts(Scope.of_loans(loan_ids))
    return Receipts(rows["loan_id"], rows["id"], rows["value_date"], rows["amount_minor"])


def live_allocations(loan_ids: IntColumn) -> tuple[Allocations, IntColumn]:
    """What receipts and advances settle by the books, without what was taken back; and the rows' ids."""
    rows = read_allocations(Scope.of_loans(loan_ids))
    rows = rows[np.isin(rows["source"], [Source.RECEIPT, Source.ADVANCE])]
    allocations = Allocations(
        receipt=rows["receipt_id"],
        loan=rows["loan_id"],
        instalment=rows["instalment"],
        component=rows["component"].astype(np.int8),
        value_date=rows["value_date"],
        amount=rows["amount_minor"],
        source=rows["source"].astype(np.int8),
    )
    return allocations, rows["id"]


def settlement_of(*, loan_id: int, receipt_id: int, value_date: date, as_of: date) -> Settlement:
    """What a posted receipt settles according to the books as of a date. Empty when it was reversed."""
    ids = np.array([loan_id], dtype=np.int64)
    rows, _ = live_allocations(ids)
    return _explained(read_dues(Scope.of_loans(ids)), rows, receipt_id, value_date, as_of, moved_count=0)


def preview(*, loan_id: int, amount_minor: int, value_date: date, as_of: date) -> Settlement:
    """What a receipt would settle as of a date if it were posted now; nothing is written."""
    ids = np.array([loan_id], dtype=np.int64)
    dues, got = read_dues(Scope.of_loans(ids)), live_receipts(ids)
    with_it = Receipts(
        loan=np.append(got.loan, loan_id),
        receipt=np.append(got.receipt, _NOT_YET),
        value_date=np.append(got.value_date, np.datetime64(value_date, "D")),
        amount=np.append(got.amount, amount_minor),
    )
    rows = allocate(dues, with_it)
    changed = difference(live_allocations(ids)[0], rows)
    return _explained(dues, rows, _NOT_YET, value_date, as_of, moved_count=int(changed.mirror.size))


def open_dues(loan_ids: IntColumn) -> pd.DataFrame:
    """What is not settled yet, whether fallen due or not: an instalment of a loan a row, oldest first.

    Columns loan_id, instalment, late_date, due_minor, settled_minor, open_minor.
    """
    keys = ["loan_id", "instalment", "component"]
    scope = Scope.of_loans(loan_ids)
    plan, paid = read_dues(scope).netted(), read_settled(scope)
    dues = pd.DataFrame(
        {
            "loan_id": plan.loan,
            "instalment": plan.instalment,
            "component": plan.component,
            "late_date": plan.late_date.astype("datetime64[s]"),
            "due_minor": plan.amount,
        }
    )
    settled = pd.DataFrame(
        {
            "loan_id": paid.loan,
            "instalment": paid.instalment,
            "component": paid.component,
            "settled_minor": paid.amount,
        }
    )
    both = dues.merge(settled.groupby(keys, as_index=False).sum(), on=keys, how="left")
    both["settled_minor"] = both["settled_minor"].fillna(0).astype("int64")
    rows = both.groupby(["loan_id", "late_date", "instalment"], as_index=False)[
        ["due_minor", "settled_minor"]
    ].sum()
    rows["open_minor"] = rows["due_minor"] - rows["settled_minor"]
    return rows[rows["open_minor"] > 0].reset_index(drop=True)


def _explained(
    dues: Dues, rows: Allocations, receipt: int, on: date, as_of: date, *, moved_count: int
) -> Settlement:
    """The rows of one receipt, each beside its due. The rows are of one loan, a page's worth."""
    plan = {
        (int(instalment), int(component)): (to_date(late), int(amount))
        for instalment, component, late, amount in _columns(dues.netted(), "late_date")
    }
    paid: dict[tuple[int, int], int] = {}
    lines: list[Line] = []
    held = 0
    order = np.lexsort((rows.component, rows.instalment, rows.receipt, rows.value_date))
    ordered = rows.take(order)
    for number, (instalment, component, value_date, amount) in zip(
        ordered.receipt.tolist(), _columns(ordered, "value_date"), strict=True
    ):
        if component == Component.ADVANCE:
            held += int(amount) if number == receipt and to_date(value_date) <= as_of else 0
            continue
        key = (int(instalment), int(component))
        before = paid.get(key, 0)
        paid[key] = before + int(amount)
        if number == receipt:
            late_date, due = plan.get(key, (to_date(value_date), 0))
            day = to_date(value_date)
            lines.append(
                Line(
                    value_date=day,
                    instalment=key[0],
                    component=key[1],
                    late_date=late_date,
                    due_minor=due,
                    before_minor=before,
                    amount_minor=int(amount),
                    waited_days=max((day - on).days, 0),
                    late_days=max((day - late_date).days, 0),
                    is_ahead=day > as_of,
                )
            )
    return Settlement(tuple(lines), held, moved_count)


def _columns(rows: Any, date_column: str) -> Any:
    return zip(rows.instalment, rows.component, getattr(rows, date_column), rows.amount, strict=True)
