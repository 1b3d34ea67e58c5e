"""Books of one loan made by the engine alone, in the shape the auditor's workbook takes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from calc.allocation import Grid, Order, Receipts, allocate
from calc.calendar import to_date
from calc.money import Component
from calc.schedule import Dues, Terms, build_schedule
from lending.contract_words import contract_words
from reports.builders.recalculation_rows import (
    AllocationRow,
    PlanRow,
    Recalculation,
    ReceiptRow,
    VersionRow,
)
from reports.builders.wording import component_labels

OWED = (1, 2, 3, 4)
WORDS = {1: "Receipt", 2: "Advance", 3: "Waiver"}


def planned(terms: Terms) -> list[PlanRow]:
    """The dues a version of these terms books."""
    rows = []
    for period in build_schedule(terms).instalments:
        for component, minor in ((3, period.interest_minor), (4, period.principal_minor)):
            if minor:
                rows.append(plan_row(period.instalment, component, period.due_on, minor, terms.disbursed_on))
    return sorted(rows, key=lambda row: (row.late_on, row.instalment, row.component))


def plan_row(instalment: int, component: int, on: date, minor: int, from_on: date) -> PlanRow:
    """A due of version 1 that nothing takes back."""
    return PlanRow(1, instalment, component, on, on, from_on, minor, 1, None, 0, False)


def settled(
    plan: Sequence[PlanRow], receipts: Sequence[tuple[date, int]], rule: Order | Grid, as_of: date
) -> list[AllocationRow]:
    """What the engine settles, as the books hold it by a date."""
    rows = allocate(
        Dues(
            np.ones(len(plan), dtype=np.int64),
            np.array([row.instalment for row in plan], dtype=np.int32),
            np.array([row.component for row in plan], dtype=np.int8),
            np.array([row.late_on for row in plan], dtype="datetime64[D]"),
            np.array([row.minor for row in plan], dtype=np.int64),
        ),
        Receipts(
            np.ones(len(receipts), dtype=np.int64),
            np.arange(1, len(receipts) + 1, dtype=np.int64),
            np.array([on for on, _minor in receipts], dtype="datetime64[D]"),
            np.array([minor for _on, minor in receipts], dtype=np.int64),
        ),
        rule,
        effective_on=np.array([row.from_on for row in plan], dtype="datetime64[D]"),
    )
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for at in range(len(rows)):
        key = (
            to_date(rows.value_date[at]),
            int(rows.receipt[at]),
            int(rows.source[at]),
            int(rows.instalment[at]),
            int(rows.component[at]),
        )
        if key[0] <= as_of:
            sums[key] += int(rows.amount[at])
    return [
        AllocationRow(on, receipt, source, WORDS[source], instalment, component, minor, "1")
        for (on, receipt, source, instalment, component), minor in sums.items()
    ]


def recalculation(
    terms: Terms,
    receipts: Sequence[tuple[date, int]],
    rule: Order | Grid,
    as_of: date,
    *,
    penal: Sequence[PlanRow] = (),
    mode: str = "interest",
) -> Recalculation:
    """The whole of it: plan, receipts, settlement, and the figures we would report."""
    plan = sorted([*planned(terms), *penal], key=lambda row: (row.late_on, row.instalment, row.component))
    pieces = settled(plan, receipts, rule, as_of)
    built = build_schedule(terms)
    return Recalculation(
        number="WL-1",
        said=contract_words(mode),
        as_of=as_of,
        parameters=[],
        rule=rule,
        labels={kind: str(label) for kind, label in component_labels(mode).items()},
        plan=plan,
        receipts=[
            ReceiptRow(at, on, minor, f"R-{at}", 1, True)
            for at, (on, minor) in enumerate(receipts, start=1)
            if on <= as_of
        ],
        allocations=pieces,
        versions=[
            VersionRow(
                number=1,
                cause="Disbursement",
                from_on=terms.disbursed_on,
                principal_minor=terms.principal_minor,
                capitalised_minor=built.capitalised_minor,
                added_minor=0,
                transferred_minor=0,
                booking=1,
                terms=terms,
                plan=built,
            )
        ],
        is_daily=False,
        periods=[],
        rates=[(terms.disbursed_on, Decimal(terms.annual_rate))],
        penal=[],
        day_count=terms.day_count,
        rounding=terms.interest_rounding,
        raised_to=None,
        reported=reported(plan, pieces, as_of),
        checksum="",
    )


def reported(plan: Sequence[PlanRow], pieces: Sequence[AllocationRow], as_of: date) -> dict[str, int]:
    """Figures as of a date, summed in the plainest way there is."""
    left: dict[tuple[date, int, int], int] = defaultdict(int)
    for row in plan:
        left[row.late_on, row.instalment, row.component] += row.minor
    for piece in pieces:
        minor = piece.minor if piece.component in OWED else 0
        for key in sorted(key for key in left if key[1:] == (piece.instalment, piece.component)):
            taken = min(minor, left[key])
            left[key] -= taken
            minor -= taken
    overdue = {key: minor for key, minor in left.items() if key[0] < as_of and minor}
    return {
        "outstanding": sum(minor for key, minor in left.items() if key[2] == Component.PRINCIPAL),
        "overdue": sum(overdue.values()),
        "advance": sum(piece.minor for piece in pieces if piece.component == Component.ADVANCE),
        "days": (as_of - min(overdue)[0]).days if overdue else 0,
    }
