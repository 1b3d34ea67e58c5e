"""Give up the undisbursed part of a facility: one person of the foundation asks, another decides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.formats import tk
from daybook.models import Booking
from daybook.services import book, record
from lending.models import Facility, FacilityCancellation
from lending.services.limits import facility_room
from lending.services.locks import lock_agreement
from lending.services.steps import require_another, require_authority, require_reason, require_role, taka
from partners.access import Role, actor_of
from partners.models import User
from partners.services.refusals import Refused

State = FacilityCancellation.State


class CannotCancelPart(Refused):
    """The facility has no such part left, or the cancellation is not this person's to propose or decide."""


@transaction.atomic
def propose_cancellation(
    *, facility: Facility, amount: Decimal | Money, reason: str, actor: User, business_date: date
) -> FacilityCancellation:
    """Ask that an undisbursed part be given up. Raises ``CannotCancelPart``."""
    require_role(CannotCancelPart, Role.OFFICER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    lock_agreement(facility.allotment.agreement_id)
    why = require_reason(CannotCancelPart, reason)
    wanted = _refuse_too_much(facility, amount)
    if facility.cancellations.filter(state=State.PROPOSED).exists():
        raise CannotCancelPart(_("A cancellation of this facility already waits for a second person."))
    made = FacilityCancellation.objects.create(
        facility=facility,
        institution_id=facility.institution_id,
        amount=wanted,
        reason=why,
        proposed_date=business_date,
        made_by=actor,
        made_by_name=str(actor),
    )
    _record("propose", made, actor, reason=why)
    return made


@transaction.atomic
def approve_cancellation(
    *, cancellation: FacilityCancellation, actor: User, business_date: date, reason: str = ""
) -> FacilityCancellation:
    """Give the part up: it cannot be drawn any more, and the allotment has it back."""
    context = require_role(CannotCancelPart, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    held = _locked(cancellation, actor)
    require_authority(CannotCancelPart, context, amount=held.amount, on=business_date)
    _refuse_too_much(held.facility, held.amount)
    booking = book(
        purpose="facility.cancel_part",
        actor=actor_of(actor),
        institution_id=held.institution_id,
        reason=held.reason,
    )
    return _decided(held, State.APPROVED, actor, reason, booking)


@transaction.atomic
def reject_cancellation(
    *, cancellation: FacilityCancellation, reason: str, actor: User, business_date: date
) -> FacilityCancellation:
    """Turn it down; the part can still be drawn."""
    require_role(CannotCancelPart, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    held = _locked(cancellation, actor)
    return _decided(held, State.REJECTED, actor, require_reason(CannotCancelPart, reason), None)


def _locked(cancellation: FacilityCancellation, actor: User) -> FacilityCancellation:
    lock_agreement(cancellation.facility.allotment.agreement_id)
    held = (
        FacilityCancellation.objects.select_for_update(no_key=True, of=("self",))
        .select_related("facility__allotment")
        .get(pk=cancellation.pk)
    )
    if held.state != State.PROPOSED:
        raise CannotCancelPart(_("This cancellation was decided already."))
    require_another(CannotCancelPart, actor, (held.made_by_id, _("proposed the cancellation")))
    return held


def _refuse_too_much(facility: Facility, amount: Decimal | Money) -> Any:
    wanted = taka(amount, str(facility.amount.currency))
    left = facility_room(facility)
    if wanted.amount <= 0 or wanted > left:
        raise CannotCancelPart(
            _("%(left)s of the facility is not drawn or asked for; cancel at most that.") % {"left": tk(left)}
        )
    return wanted


def _decided(
    held: FacilityCancellation, state: str, actor: User, reason: str, booking: Booking | None
) -> FacilityCancellation:
    held.state, held.decided_by, held.decided_by_name = state, actor, str(actor)
    held.decision_reason, held.booking = reason.strip(), booking
    held.save(update_fields=["state", "decided_by", "decided_by_name", "decision_reason", "booking"])
    _record("approve" if booking else "reject", held, actor, reason=reason.strip(), booking=booking)
    return held


def _record(
    verb: str, held: FacilityCancellation, actor: User, *, reason: str, booking: Booking | None = None
) -> None:
    after: dict[str, Any] = {
        "facility": held.facility.number,
        "amount": str(held.amount.amount),
        "state": held.state,
    }
    record(
        actor=actor_of(actor),
        action=f"facility_cancellation.{verb}",
        subject=held,
        institution_id=held.institution_id,
        after=after,
        reason=reason or held.reason,
        booking=booking,
    )
