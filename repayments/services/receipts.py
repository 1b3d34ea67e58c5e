"""Two people behind every wholesale receipt, and behind the reversal of any receipt of either tier.

One proposes, another approves (then it is posted, in the same transaction) or rejects. Who may
do which is decided at the edge; that they are two people is decided here and by the database.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from djmoney.money import Money

from calc.money import from_minor, to_minor
from daybook.formats import day
from daybook.models import Booking
from daybook.selectors import open_business_date
from daybook.services import book, record
from lending.models import Loan, Tier
from lending.services.schedules import lock_loans
from partners.access import actor_of
from partners.models import User
from repayments.models import Receipt, ReceiptProposal
from repayments.services.posting import (
    CannotPostReceipts,
    CannotReverseReceipts,
    post_receipts,
    reverse_receipts,
)


class CannotProposeReceipt(Exception):
    """The receipt could never be posted as it stands; the sentence says why and what to change."""


class CannotProposeReversal(Exception):
    """The receipt cannot be reversed, or somebody proposed it already."""


class CannotDecideProposal(Exception):
    """The proposal is not this person's to decide, or no longer open, or the books now refuse it."""


@transaction.atomic
def propose_receipt(
    *, loan_id: int, amount: Money, value_date: date, external_reference: str, actor: User, reason: str = ""
) -> ReceiptProposal:
    """Propose a receipt on a wholesale loan. Raises ``CannotProposeReceipt``.

    A value date before disbursement and money beyond what is owed are for the second person to
    judge; a date after the open business date, or a reference that stands already, is refused.
    """
    lock_loans(np.array([loan_id], dtype=np.int64))  # a form sent twice waits here and finds the first
    loan = Loan.objects.get(pk=loan_id)
    reference = external_reference.strip()
    _refuse_receipt(loan, amount, value_date, reference)
    proposal = ReceiptProposal.objects.create(
        kind=ReceiptProposal.Kind.POST,
        institution_id=loan.institution_id,
        loan=loan,
        amount=amount.amount,
        amount_currency=str(amount.currency),
        value_date=value_date,
        external_reference=reference,
        reason=reason.strip(),
        made_by=actor,
    )
    _record("receipt.propose", proposal, actor)
    return proposal


@transaction.atomic
def propose_reversal(*, receipt_id: int, reason: str, actor: User) -> ReceiptProposal:
    """Propose to take a receipt of either tier back. Raises ``CannotProposeReversal``."""
    receipt = Receipt.objects.select_related("loan").get(pk=receipt_id)
    lock_loans(np.array([receipt.loan_id], dtype=np.int64))
    if not reason.strip():
        raise CannotProposeReversal(
            _("Say why the receipt is to be reversed; the second person will read it.")
        )
    if receipt.mirror_of_id is not None:
        raise CannotProposeReversal(_("This is itself a reversal. To bring the money back, post it again."))
    if Receipt.objects.filter(mirror_of=receipt).exists():
        raise CannotProposeReversal(
            _("Receipt %(reference)s was already reversed.") % {"reference": receipt.external_reference}
        )
    if _open_proposals().filter(kind=ReceiptProposal.Kind.REVERSE, receipt=receipt).exists():
        raise CannotProposeReversal(
            _("The reversal of receipt %(reference)s already waits for a second person.")
            % {"reference": receipt.external_reference}
        )
    proposal = ReceiptProposal.objects.create(
        kind=ReceiptProposal.Kind.REVERSE,
        institution_id=receipt.institution_id,
        loan=receipt.loan,
        receipt=receipt,
        amount=from_minor(receipt.amount_minor),
        amount_currency=receipt.loan.currency,
        value_date=receipt.value_date,
        external_reference=receipt.external_reference,
        reason=reason.strip(),
        made_by=actor,
    )
    _record("receipt.propose_reversal", proposal, actor)
    return proposal


@transaction.atomic
def approve_proposal(*, proposal_id: int, actor: User, reason: str = "") -> ReceiptProposal:
    """Approve a proposal and post it, both or neither. Raises ``CannotDecideProposal``."""
    proposal = _locked(proposal_id, actor)
    is_reversal = proposal.kind == ReceiptProposal.Kind.REVERSE
    booking = book(
        purpose="receipt.reverse" if is_reversal else "receipt.post",
        actor=actor_of(actor),
        institution_id=proposal.institution_id,
        reason=proposal.reason,
    )
    try:
        if is_reversal:
            reverse_receipts(receipt_ids=[_receipt_of(proposal)], booking=booking, reason=proposal.reason)
        else:
            result = post_receipts(receipts=_as_row(proposal), booking=booking)
            proposal.receipt_id = int(result.receipt_ids[0])
    except (CannotPostReceipts, CannotReverseReceipts) as refusal:
        raise CannotDecideProposal(
            _("%(refusal)s The proposal can only be rejected.") % {"refusal": refusal}
        ) from refusal
    return _decided(proposal, ReceiptProposal.State.APPROVED, actor, reason, booking)


@transaction.atomic
def reject_proposal(*, proposal_id: int, actor: User, reason: str) -> ReceiptProposal:
    """Turn a proposal down; nothing is posted. Raises ``CannotDecideProposal``."""
    proposal = _locked(proposal_id, actor)
    if not reason.strip():
        raise CannotDecideProposal(_("Say why the proposal is rejected; whoever made it will read it."))
    return _decided(proposal, ReceiptProposal.State.REJECTED, actor, reason, None)


def _refuse_receipt(loan: Loan, amount: Money, value_date: date, reference: str) -> None:
    if loan.tier != Tier.WHOLESALE:
        raise CannotProposeReceipt(
            _("%(loan)s is a sub-loan: its repayments come with the institution's file.")
            % {"loan": loan.number}
        )
    if str(amount.currency) != loan.currency:
        raise CannotProposeReceipt(
            _("%(loan)s is kept in %(currency)s.") % {"loan": loan.number, "currency": loan.currency}
        )
    if amount.amount <= 0:
        raise CannotProposeReceipt(_("The amount must be more than nothing."))
    today = open_business_date()
    if value_date > today:
        raise CannotProposeReceipt(
            _("The value date %(value_date)s is after the business date %(today)s.")
            % {"value_date": day(value_date), "today": day(today)}
        )
    if not reference:
        raise CannotProposeReceipt(_("Give the bank's reference of the payment."))
    live = Receipt.objects.filter(loan=loan, external_reference=reference, mirror_of=None, mirror=None)
    if live.exists():
        raise CannotProposeReceipt(
            _("Reference %(reference)s already stands on %(loan)s. Is this the same payment?")
            % {"reference": reference, "loan": loan.number}
        )
    waiting = _open_proposals().filter(
        kind=ReceiptProposal.Kind.POST, loan=loan, external_reference=reference
    )
    if waiting.exists():
        raise CannotProposeReceipt(
            _("A receipt with reference %(reference)s on %(loan)s already waits for a second person.")
            % {"reference": reference, "loan": loan.number}
        )


def _open_proposals() -> Any:
    return ReceiptProposal.objects.filter(state=ReceiptProposal.State.PROPOSED)


def _locked(proposal_id: int, actor: User) -> ReceiptProposal:
    """The proposal, locked; a second person who decides at the same moment waits here, then is refused."""
    proposal = (
        ReceiptProposal.objects.select_for_update(of=("self",))
        .select_related("loan", "institution", "made_by")
        .get(pk=proposal_id)
    )
    if proposal.state != ReceiptProposal.State.PROPOSED:
        sentence = (
            _("%(person)s already approved this proposal.")
            if proposal.state == ReceiptProposal.State.APPROVED
            else _("%(person)s already rejected this proposal.")
        )
        raise CannotDecideProposal(sentence % {"person": proposal.decided_by})
    if proposal.made_by_id == actor.pk:
        raise CannotDecideProposal(_("You made this proposal; somebody else must decide it."))
    return proposal


def _receipt_of(proposal: ReceiptProposal) -> int:
    if proposal.receipt_id is None:
        raise ValueError(f"reversal {proposal.pk} names no receipt")  # the database forbids it
    return proposal.receipt_id


def _as_row(proposal: ReceiptProposal) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "loan_id": proposal.loan_id,
                "institution_id": proposal.institution_id,
                "tier": proposal.loan.tier,
                "channel": Receipt.Channel.SCREEN.value,
                "value_date": proposal.value_date,
                "amount_minor": to_minor(proposal.amount.amount),
                "external_reference": proposal.external_reference,
                "reported_principal_minor": None,
                "reported_interest_minor": None,
                "reported_charge_minor": None,
                "upload_row_id": None,
            }
        ]
    )


def _decided(
    proposal: ReceiptProposal, state: str, actor: User, reason: str, booking: Booking | None
) -> ReceiptProposal:
    """Keep the decision with the proposal and in the audit trail."""
    ReceiptProposal.objects.filter(pk=proposal.pk).update(
        state=state,
        receipt_id=proposal.receipt_id,
        decided_by=actor,
        decided_at=Now(),
        decision_reason=reason.strip(),
        booking=booking,
    )
    proposal.refresh_from_db()
    verb = "approve" if booking else "reject"
    _record(f"receipt.{verb}", proposal, actor, reason=reason.strip(), booking=booking)
    return proposal


def _record(
    action: str, proposal: ReceiptProposal, actor: User, *, reason: str = "", booking: Booking | None = None
) -> None:
    record(
        actor=actor_of(actor),
        action=action,
        subject=proposal,
        institution_id=proposal.institution_id,
        after={
            "kind": proposal.kind,
            "state": proposal.state,
            "loan": proposal.loan.number,
            "receipt": proposal.receipt_id,
            "amount": str(proposal.amount.amount),
            "currency": str(proposal.amount.currency),
            "value_date": proposal.value_date.isoformat(),
            "reference": proposal.external_reference,
        },
        reason=reason or proposal.reason,
        booking=booking,
    )
