"""A loan's plan beside what settled it: one row an instalment, with who paid it and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.money import Component
from lending.builders.workings import Working
from reports.builders.account import OWED, Account, unpaid
from reports.selectors.frames import Frame

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)


class InstalmentState(StrEnum):
    """Where an instalment stands on the date; the values are badge names."""

    PAID = "paid"
    PARTIAL = "partial"
    OVERDUE = "overdue"
    DUE = "due"
    FUTURE = "open"


STATE_LABELS: dict[str, Promise] = {
    InstalmentState.PAID: _("Paid"),
    InstalmentState.PARTIAL: _("Paid in part"),
    InstalmentState.OVERDUE: _("Overdue"),
    InstalmentState.DUE: _("Due today"),
    InstalmentState.FUTURE: _("Not yet due"),
}


@dataclass(frozen=True, slots=True)
class Settlement:
    """One piece of money that met one component of an instalment. Minor units."""

    component: int
    receipt_id: int
    reference: str
    source: int
    value_date: date
    amount_minor: int
    booking: int
    booking_id: int


@dataclass(frozen=True, slots=True)
class Instalment:
    """One instalment. Amounts by component in the order of `OWED`, minor units."""

    number: int
    nominal_date: date
    late_date: date
    due: Mapping[int, int]
    settled: Mapping[int, int]
    state: InstalmentState
    days_late: int
    settled_on: date | None
    settlements: tuple[Settlement, ...]
    working: Working | None
    version: int

    @property
    def state_label(self) -> Promise:
        """The state in words."""
        return STATE_LABELS[self.state]

    @property
    def due_minor(self) -> int:
        """All components falling due."""
        return sum(self.due.values())

    @property
    def settled_minor(self) -> int:
        """All components settled."""
        return sum(self.settled.values())

    @property
    def left_minor(self) -> int:
        """What is not settled."""
        return self.due_minor - self.settled_minor

    @property
    def interest_minor(self) -> int:
        """Interest falling due."""
        return self.due.get(INTEREST, 0)

    @property
    def principal_minor(self) -> int:
        """Principal falling due."""
        return self.due.get(PRINCIPAL, 0)

    @property
    def other_minor(self) -> int:
        """Charges and penal interest falling due."""
        return self.due_minor - self.interest_minor - self.principal_minor


def build_schedule_rows(account: Account, workings: Mapping[int, Working]) -> list[Instalment]:
    """The instalments of one loan in order of their late date.

    Penal interest falls due day by day; it stands with the instalment it is for. What belongs to no
    instalment (a refund, a claim written off) is not here.
    """
    if account.plan.empty:
        return []
    left = unpaid(account)
    left = left[left["instalment"] > 0].copy()
    left["settled_minor"] = left["amount_minor"] - left["unpaid_minor"]
    pieces = _settlements(account)
    own = account.plan[account.plan["instalment"] > 0]
    planned = own[own["component"].isin([INTEREST, PRINCIPAL])]
    own = own[~own["instalment"].isin(planned["instalment"].unique())]
    rows = []
    dated = pd.concat([planned, own]).groupby("instalment")
    meta = dated.agg(nominal=("nominal_date", "min"), late=("late_date", "min"), version=("version", "max"))
    for number, part in left.groupby("instalment"):
        due = _by_component(part, "amount_minor")
        settled = _by_component(part, "settled_minor")
        mine = tuple(pieces.get(int(number), ()))
        is_paid = sum(due.values()) == sum(settled.values())
        settled_on = max((piece.value_date for piece in mine), default=None) if is_paid else None
        late_date = meta.loc[number, "late"]
        rows.append(
            Instalment(
                number=int(number),
                nominal_date=meta.loc[number, "nominal"],
                late_date=late_date,
                due=due,
                settled=settled,
                state=_state(account.as_of, late_date, sum(due.values()), sum(settled.values())),
                days_late=max(((settled_on or account.as_of) - late_date).days, 0),
                settled_on=settled_on,
                settlements=mine,
                working=workings.get(int(number)),
                version=int(meta.loc[number, "version"]),
            )
        )
    return sorted(rows, key=lambda row: (row.late_date, row.number))


def _by_component(part: Frame, column: str) -> dict[int, int]:
    sums = part.groupby("component")[column].sum()
    return {kind: int(sums[kind]) for kind in OWED if kind in sums.index}


def _settlements(account: Account) -> dict[int, list[Settlement]]:
    references = account.receipts.set_index("id")["external_reference"].to_dict()
    found: dict[int, list[Settlement]] = {}
    for row in account.allocations.itertuples():
        if row.instalment:
            found.setdefault(int(row.instalment), []).append(
                Settlement(
                    component=int(row.component),
                    receipt_id=int(row.receipt_id),
                    reference=str(references.get(row.receipt_id, "")),
                    source=int(row.source),
                    value_date=row.value_date,
                    amount_minor=int(row.amount_minor),
                    booking=int(row.booking_number),
                    booking_id=int(row.booking_id),
                )
            )
    return found


def _state(as_of: date, late_date: date, due: int, settled: int) -> InstalmentState:
    if settled >= due:
        return InstalmentState.PAID
    if late_date < as_of:
        return InstalmentState.OVERDUE
    if late_date == as_of:
        return InstalmentState.DUE
    return InstalmentState.PARTIAL if settled else InstalmentState.FUTURE


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """The foot of the schedule table, minor units."""

    principal_minor: int
    interest_minor: int
    other_minor: int
    due_minor: int
    settled_minor: int
    left_minor: int


def total_plan(rows: Sequence[Instalment]) -> PlanTotals:
    """Sums over all instalments, once."""
    return PlanTotals(
        principal_minor=sum(row.principal_minor for row in rows),
        interest_minor=sum(row.interest_minor for row in rows),
        other_minor=sum(row.other_minor for row in rows),
        due_minor=sum(row.due_minor for row in rows),
        settled_minor=sum(row.settled_minor for row in rows),
        left_minor=sum(row.left_minor for row in rows),
    )
