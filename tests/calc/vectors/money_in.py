"""Money received: which component it settles first, and what it does beyond what has fallen due."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import numpy as np

from calc.allocation import Grid, Timing, allocate
from calc.events import Effect, prepay, settle
from calc.money import OWED, Component, from_minor
from calc.schedule import Method, Terms
from tests.calc.vectors.lives import Life, on
from tests.calc.vectors.reading import Case, day, expected_rows, loan_terms, minor, plan
from tests.calc.vectors.registry import check
from tests.calc.walker import Due, Receipt, due_columns, receipt_columns, since_column

_COMPONENTS = {
    "PENALTY": Component.PENAL,
    "FEE": Component.CHARGE,
    "INTEREST": Component.INTEREST,
    "PRINCIPAL": Component.PRINCIPAL,
}
_COLUMNS = {
    Component.CHARGE: "fees",
    Component.PENAL: "penalty",
    Component.INTEREST: "interest",
    Component.PRINCIPAL: "principal",
}


def grid_of(strategy: str) -> Grid:
    """A grid from a name such as DUE_PENALTY_..._IN_ADVANCE_PENALTY_...: past due goes like due."""
    due, _, advance = strategy.removesuffix("_STRATEGY").removeprefix("DUE_").partition("_IN_ADVANCE_")
    in_order = [[_COMPONENTS[word] for word in part.split("_")] for part in (due, advance)]
    cells = ((Timing.PAST_DUE, in_order[0]), (Timing.DUE, in_order[0]), (Timing.IN_ADVANCE, in_order[1]))
    return Grid(tuple((timing, kind) for timing, kinds in cells for kind in kinds))


def _dues(terms: Terms, charges: list[Case]) -> list[Due]:
    """The plan, and charges from the day they were added: of the instalment due with them, else apart."""
    rows = plan(terms)
    amounts = [
        (row, kind, amount)
        for row in rows
        for kind, amount in (
            (Component.INTEREST, row.interest_minor),
            (Component.PRINCIPAL, row.principal_minor),
        )
        if amount
    ]
    found = [
        Due(row.instalment, int(kind), row.due_on, amount, terms.disbursed_on)
        for row, kind, amount in amounts
    ]
    days = [row.due_on for row in rows]
    for number, charge in enumerate(charges, start=len(rows) + 1):
        late = day(charge["charge_due_date"])
        kind = Component.PENAL if charge["is_penalty"] else Component.CHARGE
        instalment = days.index(late) + 1 if late in days else number
        found.append(Due(instalment, int(kind), late, minor(charge["amount"]), on(charge)))
    return found


@check("order")
def _by_timing_and_component(one: Case) -> None:
    """Each receipt's split by component, by a grid; when one is taken back the others are allocated anew."""
    inputs = one["inputs"]
    grid = grid_of(inputs["allocation_strategy"])
    for checkpoint in one["expected"]["checkpoints"]:
        known = inputs["events"][: checkpoint["after_event"]]
        undone = {event["date"] for event in known if event["type"] == "reverse"}
        received = [
            Receipt(number, on(event), minor(event["amount"]))
            for number, event in enumerate(known, start=1)
            if event["type"] == "repayment" and event["date"] not in undone
        ]
        dues = {1: _dues(loan_terms(one), [event for event in known if event["type"] == "charge"])}
        rows = allocate(
            due_columns(dues), receipt_columns({1: received}), grid, effective_on=since_column(dues)
        )
        split = {
            receipt.value.isoformat(): {
                _COLUMNS[kind]: from_minor(
                    int(rows.amount[(rows.receipt == receipt.number) & (rows.component == kind)].sum())
                )
                for kind in OWED
            }
            for receipt in received
        }
        published = {
            row["date"]: {name: Decimal(row[name]) for name in _COLUMNS.values()}
            for row in checkpoint.get("transactions", ())
            if row["type"] == "Repayment" and row["date"] not in undone
        }
        assert not published or published == split


_BEYOND = {
    "LAST": Effect.TERM,
    "EQUAL_SPLIT": Effect.INSTALMENT,
    "REAMORTI": Effect.INSTALMENT,
    "NEXT": None,
}


@dataclass
class _Desk:
    """A plan and what was received for it; money beyond what is due prepays."""

    life: Life
    effect: Effect | None
    receipts: list[Receipt] = field(default_factory=list)
    prepaid: int = 0

    def dues(self) -> list[Due]:
        rows = [*self.life.stood, *self.life.periods]
        return [
            Due(number, int(Component.PRINCIPAL), row.nominal_on, row.principal_minor)
            for number, row in enumerate(rows, start=1)
            if row.principal_minor
        ]

    def receive(self, on_day: date, amount: int) -> None:
        due = sum(row.amount for row in self.dues() if row.late <= on_day)
        beyond = sum(receipt.amount for receipt in self.receipts) + amount - due
        if beyond > 0 and beyond == sum(row.amount for row in self.dues() if row.late > on_day):
            kept = [row for row in (*self.life.stood, *self.life.periods) if row.nominal_on < on_day]
            self.life.stood = [*kept, *settle(self.life.running, on_day).one().periods]
            self.life.periods = []
        elif beyond > 0:
            self.life.happen(prepay, on_day, amount=beyond, effect=self.effect)
        self.prepaid += max(beyond, 0)
        self.receipts.append(Receipt(len(self.receipts) + 1, on_day, amount))

    def standing(self) -> tuple[dict[date, int], int]:
        """What is left of each due date, and how much was settled after it had fallen due."""
        dues = self.dues()
        rows = allocate(due_columns({1: dues}), receipt_columns({1: self.receipts}))
        left = dict.fromkeys((due.late for due in dues), 0)
        late = 0
        for due in dues:
            mine = rows.take(rows.instalment == due.instalment)
            left[due.late] += due.amount - int(mine.amount.sum())
            late += int(mine.amount[mine.value_date > np.datetime64(due.late)].sum())
        return left, late


@check("alloc")
def _beyond_what_is_due(one: Case) -> None:
    """What is due is settled first; money beyond it prepays the last, all, or the next instalments.

    A down payment is received with the disbursement and lowers what the plan repays.
    """
    inputs = one["inputs"]
    lent = minor(inputs["events"][0]["amount"])
    down = lent * int(inputs.get("down_payment_pct_at_disbursement", 0)) // 100
    terms = loan_terms(one, principal_minor=lent - down, method=Method.EQUAL_INSTALMENT)
    level = plan(terms)[0].total_minor
    rule = next(rule for rule in _BEYOND if inputs["future_installment_rule"].startswith(rule))
    desk = _Desk(Life.of(replace(terms, agreed_instalment_minor=level)), _BEYOND[rule])
    happened = 1
    for checkpoint in one["expected"]["checkpoints"]:
        for event in inputs["events"][happened : checkpoint["after_event"]]:
            desk.receive(on(event), minor(event["amount"]))
        happened = checkpoint["after_event"]
        left, late = desk.standing()
        rows = [row for row in expected_rows(checkpoint) if day(row["due_date"]) > terms.disbursed_on]
        assert [left.get(day(row["due_date"]), 0) for row in rows] == [
            minor(row["outstanding"]) for row in rows
        ]
        totals = checkpoint["totals"]
        assert minor(totals["paid_late"]) == late
        assert minor(totals["paid_in_advance"]) == desk.prepaid
        assert minor(totals["paid"]) == down + sum(receipt.amount for receipt in desk.receipts)
