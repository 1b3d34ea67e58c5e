"""The foundation's own receipts: institutions repay their tranches, two people post each receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from djmoney.money import Money

from calc.money import Component, from_minor
from repayments.models import ReceiptProposal
from repayments.services.receipts import approve_proposal, propose_receipt
from reports.demonstration.cast import off_weekend
from reports.management.demonstration.stage import Stage

DAYS_LATE = {"MTB": 11, "LANKABANGLA": 40}
"""Institutions that pay late; the others pay on the day. The second is overdue at the end."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What an institution owes on one date for one tranche, as the foundation's demand note states it."""

    loan_id: int
    institution_code: str
    reference: str
    amount_minor: int
    value_date: date


class Treasury:
    """Proposes and approves the receipts that have come in by a business date."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def post(self, day: date) -> int:
        """Post every receipt due by the date and not posted yet; return how many."""
        demands = self._demands(day)
        for demand in demands:
            self._post(demand)
        return len(demands)

    def _post(self, demand: Demand) -> None:
        people = self.stage.people
        waiting = ReceiptProposal.objects.filter(
            loan_id=demand.loan_id,
            external_reference=demand.reference,
            state=ReceiptProposal.State.PROPOSED,
        ).first()
        proposal = waiting or propose_receipt(
            loan_id=demand.loan_id,
            amount=Money(from_minor(demand.amount_minor), "BDT"),
            value_date=demand.value_date,
            external_reference=demand.reference,
            actor=people["officer"],
            reason="As the bank's credit advice says.",
        )
        approve_proposal(proposal_id=proposal.pk, actor=people["finance"])

    def overdue(self, day: date) -> Demand | None:
        """The oldest instalment that fell due by the date and is neither paid nor announced."""
        open_ = [demand for demand in self._unposted(day) if demand.value_date > day]
        return open_[0] if open_ else None

    def _demands(self, day: date) -> list[Demand]:
        """Instalments that the institutions have paid by a date and nobody has posted."""
        return [demand for demand in self._unposted(day) if demand.value_date <= day]

    def _unposted(self, day: date) -> list[Demand]:
        """Instalments of tranches fallen due without a receipt, with their penal interest, oldest first."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT l.id, i.code, l.number, d.instalment,
                       max(d.late_date) FILTER (WHERE d.component = ANY (%(planned)s)), sum(d.amount_minor)
                  FROM lending_due d JOIN lending_loan l ON l.id = d.loan_id
                  JOIN partners_institution i ON i.id = l.institution_id
                 WHERE l.tier = 'wholesale' AND d.late_date <= %(day)s
                 GROUP BY l.id, i.code, l.number, d.instalment ORDER BY 5, l.id
                """,
                {"day": day, "planned": [int(Component.INTEREST), int(Component.PRINCIPAL)]},
            )
            found = cursor.fetchall()
            cursor.execute(
                "SELECT external_reference FROM repayments_receipt"
                " WHERE tier = 'wholesale' AND mirror_of_id IS NULL"
            )
            posted = {reference for (reference,) in cursor.fetchall()}
        demands = [
            Demand(
                loan_id=loan_id,
                institution_code=code,
                reference=f"{number}/{instalment}",
                amount_minor=int(amount),
                value_date=off_weekend(late_date + timedelta(days=DAYS_LATE.get(code, 0))),
            )
            for loan_id, code, number, instalment, late_date, amount in found
        ]
        return [demand for demand in demands if demand.reference not in posted]
