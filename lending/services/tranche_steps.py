"""What every step of a tranche does around its own rule: lock, check the state, note it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from lending.models import Agreement, Decision, Tranche
from lending.services.locks import lock_agreement
from lending.services.steps import note_step
from partners.models import User
from partners.services.refusals import Refused


def lock_tranche(tranche_id: int) -> tuple[Agreement, Tranche]:
    """Lock the agreement, then the tranche, until the transaction ends."""
    agreement = lock_agreement(Tranche.objects.values_list("agreement_id", flat=True).get(pk=tranche_id))
    held = (
        Tranche.objects.select_for_update(no_key=True, of=("self",))
        .select_related("facility__allotment")
        .get(pk=tranche_id)
    )
    return agreement, held


def require_state(refusal: type[Refused], tranche: Tranche, wanted: Tranche.State) -> None:
    """Raise ``refusal`` unless the tranche stands in the state wanted."""
    if tranche.state != wanted:
        raise refusal(wrong_state(tranche))


def require_in_force(refusal: type[Refused], agreement: Agreement) -> None:
    """Raise ``refusal`` unless the agreement is active."""
    if agreement.state != Agreement.State.ACTIVE:
        raise refusal(_("The agreement is not in force."))


def wrong_state(tranche: Tranche) -> str:
    """The sentence that says in which state the tranche stands."""
    return _("Tranche %(number)s is %(state)s.") % {
        "number": tranche.number,
        "state": tranche.get_state_display().lower(),
    }


def summary_of(tranche: Tranche) -> dict[str, Any]:
    """What the audit trail keeps of a tranche before and after a step."""
    return {
        "state": tranche.state,
        "requested": str(tranche.requested_amount.amount),
        "approved": str(tranche.approved_amount.amount) if tranche.approved_amount is not None else None,
        "value_date": tranche.value_date.isoformat() if tranche.value_date else None,
        "bank_reference": tranche.bank_reference,
        "first_due_date": tranche.first_due_date.isoformat() if tranche.first_due_date else None,
        "instalment_amounts_minor": list(tranche.instalment_amounts),
    }


def note_tranche(
    tranche: Tranche,
    step: str,
    actor: User,
    business_date: date,
    *,
    before: dict[str, Any] | None,
    amount: Any = None,
    reason: str = "",
    outcome: Decision.Outcome = Decision.Outcome.DONE,
) -> None:
    """Note a step in the tranche's history and in the audit trail."""
    note_step(
        tranche,
        step=step,
        outcome=outcome,
        actor=actor,
        business_date=business_date,
        before=before,
        after=summary_of(tranche),
        amount=amount,
        reason=reason,
        booking=tranche.booking,
    )
