"""What would be open under a new plan: the loan's dues as they would stand, met by the money there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from calc.allocation import Dues, Settled, allocate
from calc.calendar import to_date
from calc.money import Component
from repayments.selectors.settling import settling_facts
from repayments.services.events.facts import PLANNED, Facts
from repayments.services.events.raised import NOTHING, Raised

OWED = (1, 2, 3, 4)


@dataclass(frozen=True)
class Open:
    """What of one loan's dues is open as of a date, oldest first, and what is held as an advance."""

    rows: tuple[dict[str, Any], ...]
    advance_minor: int

    def of(self, *components: int) -> int:
        """How much of some components is open."""
        return sum(row["amount_minor"] for row in self.rows if row["component"] in (components or OWED))


def open_under(
    facts: Facts,
    on: date,
    *,
    dues: pd.DataFrame | None = None,
    keeps_to: int | None = None,
    settling: Sequence[Mapping[str, Any]] = (),
    raised: Raised = NOTHING,
    ends: bool = False,
) -> Open:
    """What is open on a date under the plan in force, or under a new plan that keeps dues to an instalment.

    ``settling`` are rows without money that would stand, too, ``raised`` what a close would have raised by
    then. ``ends``: what is kept and falls due later is asked for as well, since nothing is to be left: an
    instalment of a holiday, whose interest has run out and which is late the next business day. Nothing is
    written.
    """
    now = settling_facts(facts.ids)
    stands = facts.dues[~np.isin(facts.dues["id"], raised.gone)]
    if keeps_to is not None:
        stands = stands[~(np.isin(stands["component"], PLANNED) & (stands["instalment"] > keeps_to))]
    parts = [raised.rows] if dues is None else [dues.assign(effective_date=pd.Timestamp(on)), raised.rows]
    extra = pd.concat([part for part in parts if len(part)] or [NOTHING.rows], ignore_index=True)
    plan = Dues(
        loan=np.full(len(stands) + len(extra), facts.ids[0], dtype=np.int64),
        instalment=np.concatenate([stands["instalment"], extra["instalment"].to_numpy(dtype=np.int32)]),
        component=np.concatenate(
            [stands["component"].astype(np.int8), extra["component"].to_numpy(dtype=np.int8)]
        ),
        late_date=np.concatenate(
            [
                stands["late_date"],
                pd.to_datetime(extra["late_date"]).to_numpy().astype("datetime64[D]"),
            ]
        ),
        amount=np.concatenate([stands["amount_minor"], extra["amount_minor"].to_numpy(dtype=np.int64)]),
    )
    day = np.datetime64(on, "D")
    if ends:
        plan = replace(plan, late_date=np.minimum(plan.late_date, day))
    effective = np.concatenate(
        [
            stands["effective_date"],
            pd.to_datetime(extra["effective_date"]).to_numpy().astype("datetime64[D]"),
        ]
    )
    reduced = _with(now.reduced, facts, settling)
    met = allocate(plan, now.receipts, now.orders, reduced=reduced, effective_on=effective)
    paid: dict[tuple[int, int], int] = {}
    advance = 0
    for part in (met.settled(day), reduced):
        for instalment, component, amount in zip(part.instalment, part.component, part.amount, strict=True):
            if component == Component.ADVANCE:
                advance += int(amount)
                continue
            key = (int(instalment), int(component))
            paid[key] = paid.get(key, 0) + int(amount)
    rows = []
    order = np.lexsort((plan.component, plan.instalment, plan.late_date))
    for at in order.tolist():
        component = int(plan.component[at])
        if component not in OWED or plan.late_date[at] > day:
            continue
        key = (int(plan.instalment[at]), component)
        took = min(paid.get(key, 0), int(plan.amount[at]))
        paid[key] = paid.get(key, 0) - took
        left = int(plan.amount[at]) - took
        if left:
            rows.append(
                {
                    "instalment": key[0],
                    "component": component,
                    "late_date": to_date(plan.late_date[at]),
                    "amount_minor": left,
                }
            )
    return Open(tuple(rows), advance)


def merged(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of one instalment and component put together (penal interest falls due on several dates)."""
    sums: dict[tuple[int, int], int] = {}
    for row in rows:
        key = (int(row["instalment"]), int(row["component"]))
        sums[key] = sums.get(key, 0) + int(row["amount_minor"])
    return [
        {"instalment": number, "component": component, "amount_minor": amount}
        for (number, component), amount in sums.items()
    ]


def oldest_first(rows: Sequence[Mapping[str, Any]], amount_minor: int) -> list[dict[str, Any]]:
    """As much of the open rows as an amount reaches, in their order."""
    taken, left = [], amount_minor
    for row in rows:
        piece = min(left, int(row["amount_minor"]))
        if piece:
            taken.append({**row, "amount_minor": piece})
        left -= piece
    return taken


def _with(reduced: Settled, facts: Facts, settling: Sequence[Mapping[str, Any]]) -> Settled:
    if not settling:
        return reduced
    return Settled(
        np.append(reduced.loan, np.full(len(settling), facts.ids[0], dtype=np.int64)),
        np.append(reduced.instalment, [row["instalment"] for row in settling]).astype(np.int32),
        np.append(reduced.component, [row["component"] for row in settling]).astype(np.int8),
        np.append(reduced.amount, [row["amount_minor"] for row in settling]).astype(np.int64),
    )
