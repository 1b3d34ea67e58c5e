"""What is left undone on the last date, so that each visitor finds work of their own; and one reversal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from djmoney.money import Money

from calc.money import from_minor
from lending.models import Agreement, Application, Cluster
from lending.services.applications import draft_application, submit_application
from repayments.models import Receipt, ReceiptProposal
from repayments.services.receipts import approve_proposal, propose_receipt, propose_reversal
from reports.demonstration.files import MARGIN_MINOR
from reports.management.demonstration.office import LAKH, allot
from reports.management.demonstration.stage import Stage
from reports.management.demonstration.treasury import Treasury

ASKED = 40 * LAKH
CLUSTER = "CL052"


def reverse_one(stage: Stage, day: date) -> None:
    """On the last month end, take back a payment that was the borrower's margin: two people do it."""
    if day != stage.book.cast.last_month_end or ReceiptProposal.objects.filter(kind="reverse").exists():
        return
    receipt = (
        Receipt.objects.filter(amount_minor=MARGIN_MINOR, mirror_of=None, tier="subloan")
        .order_by("pk")
        .first()
    )
    if receipt is not None:
        proposal = propose_reversal(
            receipt_id=receipt.pk,
            reason="The bank says this was the borrower's margin, refunded; not a repayment.",
            actor=stage.people["officer"],
        )
        approve_proposal(proposal_id=proposal.pk, actor=stage.people["finance"])


def leave_work(stage: Stage, treasury: Treasury, day: date) -> None:
    """On the last date, leave an application to appraise and a receipt to approve."""
    if day == stage.book.cast.business_date:
        _leave_application(stage, day)
        _leave_proposal(stage, treasury, day)


def _leave_application(stage: Stage, day: date) -> None:
    agreement = (
        Agreement.objects.filter(
            institution__in=stage.institutions.values(), programme__code="RF-2", to_date__gte=day
        )
        .order_by("pk")
        .first()
    )
    if agreement is None or Application.objects.filter(applied_date=day).exists():
        return
    cluster = Cluster.objects.get(code=CLUSTER)
    player = next(code for code, row in stage.institutions.items() if row.pk == agreement.institution_id)
    allotment = allot(stage, agreement, cluster, ASKED, day)
    application = draft_application(
        allotment=allotment,
        cluster=cluster,
        amount=ASKED,
        purpose=f"Looms and yarn for entrepreneurs of {cluster}",
        actor=stage.people.of(player, "maker"),
        business_date=day,
    )
    submit_application(application=application, actor=stage.people.of(player, "checker"), business_date=day)


def _leave_proposal(stage: Stage, treasury: Treasury, day: date) -> None:
    """Half of an overdue instalment has come in: the finance head may approve the receipt."""
    if ReceiptProposal.objects.filter(state=ReceiptProposal.State.PROPOSED).exists():
        return
    overdue = treasury.overdue(day)
    if overdue is not None:
        half = from_minor(overdue.amount_minor // 2)
        propose_receipt(
            loan_id=overdue.loan_id,
            amount=Money(half.quantize(Decimal("0.01")), "BDT"),
            value_date=day,
            external_reference=f"{overdue.reference}/part",
            actor=stage.people["officer"],
            reason="Half of the overdue instalment, as the bank's credit advice says.",
        )
