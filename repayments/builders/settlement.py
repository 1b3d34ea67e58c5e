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

from calc.allocation import Allocations, Grid, Order, Receipts, difference
from calc.calendar import to_date
from calc.money import OWED, Component, IntColumn
from lending import words
from repayments.frames import Scope, read_dues, read_settled
from repayments.selectors.settling import SettlingFacts, settling_facts

COMPONENT_LABELS: dict[int, Promise] = {
    Component.CHARGE: _("Charge"),
    Component.PENAL: _("Penal interest"),
    Component.INTEREST: _("Interest"),
    Component.PRINCIPAL: _("Principal"),
    Component.REFUND: _("Refund"),
    Component.RECOVERY: _("Recovery"),
}
ORDER_LABELS: dict[str, Promise | str] = words.ALLOCATION_ORDERS | {Order.GRID: _("By the agreement's grid")}
_NOT_YET = np.iinfo(np.int64).max
"""Stands for the number of a receipt that is only proposed: it comes after every other of its date."""


@dataclass(frozen=True, slots=True)
class Line:
    """One due and what the receipt does to it; money in minor units.

    `before_minor` came from money that stands before this receipt, or was waived. `waited_days` is how
    long an advance waited for its due, `late_days` how late the money came; one of them is 0.
    `is_ahead`: the due has not come yet, the advance will meet it then.
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
    def is_early(self) -> bool:
        """Whether a grid let the money meet the due before it came."""
        return self.value_date < self.late_date

    @property
    def left_minor(self) -> int:
        return self.due_minor - self.before_minor - self.amount_minor


@dataclass(frozen=True, slots=True)
class Settlement:
    """A receipt's lines in order, and what of it has met no due yet and is held as an advance."""

    lines: tuple[Line, ...]
    held_minor: int
    rule: Order | Grid
    moved_count: int = 0
    """Of a proposed receipt: rows of other receipts that would be settled anew."""

    @property
    def rule_label(self) -> Promise | str:
        """The order in which the money went."""
        return order_label(self.rule)

    @property
    def settled_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines if not line.is_ahead)


def order_label(rule: Order | Grid) -> Promise | str:
    """What an order of settlement is called."""
    return ORDER_LABELS[Order.GRID if isinstance(rule, Grid) else rule]


def settlement_of(*, loan_id: int, receipt_id: int, value_date: date, as_of: date) -> Settlement:
    """What a posted receipt settles according to the books as of a date. Empty when it was reversed."""
    facts = settling_facts(np.array([loan_id], dtype=np.int64))
    return _explained(facts, facts.written, receipt_id, value_date, as_of, moved_count=0)


def preview(*, loan_id: int, amount_minor: int, value_date: date, as_of: date) -> Settlement:
    """What a receipt would settle as of a date if it were posted now; nothing is written."""
    facts = settling_facts(np.array([loan_id], dtype=np.int64))
    got = facts.receipts
    rows = facts.afresh(
        Receipts(
            loan=np.append(got.loan, loan_id),
            receipt=np.append(got.receipt, _NOT_YET),
            value_date=np.append(got.value_date, np.datetime64(value_date, "D")),
            amount=np.append(got.amount, amount_minor),
        )
    )
    changed = difference(facts.written, rows)
    return _explained(facts, rows, _NOT_YET, value_date, as_of, moved_count=int(changed.mirror.size))


def open_dues(loan_ids: IntColumn) -> pd.DataFrame:
    """What of the instalments is not settled yet, fallen due or not: a due date a row, oldest first.

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
    dues = dues[dues["component"].isin(OWED)].sort_values([*keys, "late_date"], kind="stable")
    both = dues.merge(settled.groupby(keys, as_index=False).sum(), on=keys, how="left")
    # A component that falls due on several dates (penal interest) is settled from the oldest.
    before = both.groupby(keys)["due_minor"].cumsum() - both["due_minor"]
    paid_minor = both["settled_minor"].fillna(0).astype("int64") - before
    both["settled_minor"] = np.clip(paid_minor, 0, both["due_minor"])
    rows = both.groupby(["loan_id", "late_date", "instalment"], as_index=False)[
        ["due_minor", "settled_minor"]
    ].sum()
    rows["open_minor"] = rows["due_minor"] - rows["settled_minor"]
    return rows[rows["open_minor"] > 0].reset_index(drop=True)


def _explained(
    facts: SettlingFacts, rows: Allocations, receipt: int, on: date, as_of: date, *, moved_count: int
) -> Settlement:
    """The rows of one receipt, each beside its due. The rows are of one loan, a page's worth."""
    plan: dict[tuple[int, int], tuple[date, int]] = {}
    for instalment, component, late, amount in _columns(facts.dues.netted(), "late_date"):
        first, total = plan.get((int(instalment), int(component)), (to_date(late), 0))
        plan[int(instalment), int(component)] = (first, total + int(amount))
    paid: dict[tuple[int, int], int] = {}
    reduced = facts.reduced
    for instalment, component, amount in zip(
        reduced.instalment, reduced.component, reduced.amount, strict=True
    ):
        key = (int(instalment), int(component))
        paid[key] = paid.get(key, 0) + int(amount)
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
    rule = next(iter(facts.rules.values()), Order.OLDEST_FIRST)
    return Settlement(tuple(lines), held, rule, moved_count)


def _columns(rows: Any, date_column: str) -> Any:
    return zip(rows.instalment, rows.component, getattr(rows, date_column), rows.amount, strict=True)
