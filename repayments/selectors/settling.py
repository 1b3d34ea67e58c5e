"""What settling a set of loans afresh needs: their plan, receipts, orders, and what the books say now.

Few queries, whatever the number of loans.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.db import connection

from calc.allocation import Allocations, Grid, Order, Orders, Receipts, Settled, Source, allocate
from calc.calendar import DateColumn
from calc.money import IntColumn
from calc.schedule import Dues
from daybook.columns import read_columns
from repayments.frames import DUES, Scope, Table, read_allocations, read_receipts

WITHOUT_MONEY = (Source.WAIVER, Source.WRITE_OFF, Source.TRANSFER)


@dataclass(frozen=True)
class SettlingFacts:
    """The live facts of loans. `written` holds the live rows of settlement by receipts and advances,
    `written_ids` their ids; `reduced` what was waived, written off or transferred."""

    dues: Dues
    effective_on: DateColumn
    receipts: Receipts
    orders: Orders
    written: Allocations
    written_ids: IntColumn
    reduced: Settled

    def afresh(self, receipts: Receipts | None = None) -> Allocations:
        """What receipts (the live ones unless others are given) settle, each loan in its own order."""
        return allocate(
            self.dues,
            self.receipts if receipts is None else receipts,
            self.orders,
            reduced=self.reduced,
            effective_on=self.effective_on,
        )

    @cached_property
    def rules(self) -> dict[int, Order | Grid]:
        """The order of each loan that does not follow the oldest first."""
        pairs = zip(self.orders.loan.tolist(), self.orders.rule.tolist(), strict=True)
        return {loan: self.orders.rules[rule] for loan, rule in pairs}


def settling_facts(loan_ids: IntColumn) -> SettlingFacts:
    """Read what `SettlingFacts` holds, all that is booked."""
    scope = Scope.of_loans(loan_ids)
    plan = _plan(loan_ids)
    got = read_receipts(scope)
    rows = read_allocations(scope)
    by_money = np.isin(rows["source"], [Source.RECEIPT, Source.ADVANCE])
    written, other = rows[by_money], rows[~by_money]
    return SettlingFacts(
        dues=Dues(
            plan["loan"],
            plan["instalment"],
            plan["component"].astype(np.int8),
            plan["late_date"],
            plan["amount"],
        ),
        effective_on=plan["effective_date"],
        receipts=Receipts(got["loan_id"], got["id"], got["value_date"], got["amount_minor"]),
        orders=orders_of(loan_ids),
        written=Allocations(
            receipt=written["receipt_id"],
            loan=written["loan_id"],
            instalment=written["instalment"],
            component=written["component"].astype(np.int8),
            value_date=written["value_date"],
            amount=written["amount_minor"],
            source=written["source"].astype(np.int8),
        ),
        written_ids=written["id"],
        reduced=Settled(
            other["loan_id"], other["instalment"], other["component"].astype(np.int8), other["amount_minor"]
        ),
    )


def orders_of(loan_ids: IntColumn) -> Orders:
    """The order in which money settles each loan: a wholesale loan's is its agreement's, others the default.

    How a bank settles its sub-loans is the bank's own affair; ours is a check figure beside it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, a.allocation_order, a.allocation_grid
              FROM lending_loan l JOIN lending_agreement a ON a.id = l.agreement_id
             WHERE l.id = ANY (%s::bigint[]) AND l.tier = 'wholesale' AND a.allocation_order <> %s
             ORDER BY l.id
            """,
            [loan_ids.tolist(), Order.OLDEST_FIRST.value],
        )
        found = cursor.fetchall()
    rules: dict[Order | Grid, int] = {}
    rule = [rules.setdefault(_rule(order, grid), len(rules)) for _loan, order, grid in found]
    return Orders(
        tuple(rules),
        np.array([loan for loan, _order, _grid in found], dtype=np.int64),
        np.array(rule, dtype=np.int64),
    )


def _rule(order: str, grid: list[str]) -> Order | Grid:
    return Grid.parse(grid) if order == Order.GRID else Order(order)


def _plan(loan_ids: IntColumn) -> Table:
    """Every due of the loans, mirrors included, with the date from which it stands in the plan."""
    return read_columns(
        "SELECT d.loan_id, d.instalment, d.component, d.late_date, d.amount_minor, d.effective_date"
        "  FROM lending_due d WHERE d.loan_id = ANY (%s::bigint[])",
        [loan_ids.tolist()],
        np.dtype([*DUES.descr, ("effective_date", "M8[D]")]),
    )
