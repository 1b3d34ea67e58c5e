"""How each receipt went: what it met, in which order, why that, and what was left of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from calc.money import Component
from reports.builders.account import Account
from reports.builders.objects import Words
from reports.selectors.frames import Frame

ADVANCE, REFUND, RECOVERY = int(Component.ADVANCE), int(Component.REFUND), int(Component.RECOVERY)


class Why(StrEnum):
    """Why money met a due on its day; the page puts each into words."""

    PAST_DUE = "past_due"
    DUE = "due"
    IN_ADVANCE = "in_advance"
    RECOVERY = "recovery"
    REFUND = "refund"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a receipt. `before_minor` of the due was settled by then, `left_minor` is what the
    receipt (or the advance it left) still had afterwards. Minor units."""

    on: date
    instalment: int
    component: int
    label: Words
    late_date: date | None
    due_minor: int
    before_minor: int
    amount_minor: int
    left_minor: int
    why: Why
    from_advance: bool

    @property
    def open_minor(self) -> int:
        """What of the due is still not settled."""
        return self.due_minor - self.before_minor - self.amount_minor


def build_pieces(account: Account) -> dict[int, list[Piece]]:
    """The live pieces of each receipt by its id, in the order in which the money went."""
    plan = _plan(account.plan)
    rank = {key: at for at, key in enumerate(sorted(plan, key=lambda key: (plan[key][0], *key)))}
    settled: dict[tuple[int, int], int] = defaultdict(int)
    left: dict[int, int] = {int(row.id): int(row.amount_minor) for row in account.receipts.itertuples()}
    held: dict[int, int] = defaultdict(int)
    found: dict[int, list[Piece]] = defaultdict(list)
    rows = sorted(
        account.allocations.itertuples(),
        key=lambda row: (
            row.value_date,
            int(row.source) != 2,  # on a day advances meet what falls due, then receipts come
            int(row.receipt_id),
            int(row.component) == ADVANCE,
            rank.get((int(row.instalment), int(row.component)), 0),
        ),
    )
    for row in rows:
        key, amount, receipt = (
            (int(row.instalment), int(row.component)),
            int(row.amount_minor),
            int(row.receipt_id),
        )
        if key[1] != ADVANCE:
            late, due = plan.get(key, (row.value_date, 0))
            before = settled[key]
            settled[key] += amount
            if not receipt:
                continue
            from_advance = int(row.source) == 2
            purse = held if from_advance else left
            purse[receipt] = purse.get(receipt, 0) - amount
            why = _why(key[1], late, row.value_date)
            label = account.labels[key[1]]
            found[receipt].append(
                Piece(
                    row.value_date, *key, label, late, due, before, amount, purse[receipt], why, from_advance
                )
            )
        elif amount > 0:
            held[receipt] += amount
            found[receipt].append(
                Piece(row.value_date, *key, account.labels[key[1]], None, 0, 0, amount, 0, Why.HELD, False)
            )
    return found


def _plan(plan: Frame) -> Mapping[tuple[int, int], tuple[date, int]]:
    """First late date and amount of each due; one that falls due on several dates comes as one."""
    sums = plan.groupby(["instalment", "component"]).agg(
        late=("late_date", "min"), due=("amount_minor", "sum")
    )
    return {(int(n), int(kind)): (row.late, int(row.due)) for (n, kind), row in sums.iterrows()}


def _why(component: int, late: date, on: date) -> Why:
    if component == RECOVERY:
        return Why.RECOVERY
    if component == REFUND:
        return Why.REFUND
    if late < on:
        return Why.PAST_DUE
    return Why.DUE if late == on else Why.IN_ADVANCE
