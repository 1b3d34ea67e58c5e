"""The steps on a facility's page that give up what is not drawn: one person asks, another decides."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from daybook.formats import tk
from daybook.selectors import open_business_date
from lending.forms.agreements import NoteForm, ReasonForm
from lending.forms.applications import CancelPartForm
from lending.models import Facility, FacilityCancellation
from lending.services.cancellations import approve_cancellation, propose_cancellation, reject_cancellation
from lending.services.limits import facility_room
from partners.access import Context, Role
from partners.models import User
from partners.views.offers import Offer


def cancellation_offers(facility: Facility, reader: Context, user: User) -> list[Offer]:
    """What this person of the foundation may do about the undisbursed part."""

    def act(service: Any, **told: Any) -> None:
        service(actor=user, business_date=open_business_date(), **told)

    waiting = facility.cancellations.filter(state=FacilityCancellation.State.PROPOSED).first()
    if waiting is None:
        left = facility_room(facility)
        if left.amount <= 0 or not reader.may(Role.OFFICER, Role.FINANCE_HEAD):
            return []
        return [
            Offer(
                name="cancel",
                label=_("Cancel an undisbursed part"),
                done=_("Proposed: a second person decides."),
                hint=_("%(left)s is neither drawn nor asked for.") % {"left": tk(left)},
                form_class=CancelPartForm,
                icon="x",
                is_danger=True,
                is_folded=True,
                run=lambda told: act(propose_cancellation, facility=facility, **told),
            )
        ]
    if waiting.made_by_id == user.pk or not reader.may(Role.APPROVER, Role.FINANCE_HEAD):
        return []
    hint = _("%(amount)s, proposed by %(name)s: %(reason)s") % {
        "amount": tk(waiting.amount),
        "name": waiting.made_by_name,
        "reason": waiting.reason,
    }
    return [
        Offer(
            name="approve",
            label=_("Approve the cancellation"),
            done=_("Cancelled: the allotment has it back."),
            hint=hint,
            form_class=NoteForm,
            run=lambda told: act(approve_cancellation, cancellation=waiting, **told),
        ),
        Offer(
            name="reject",
            label=_("Reject the cancellation"),
            done=_("Rejected: it can still be drawn."),
            form_class=ReasonForm,
            icon="x",
            is_danger=True,
            is_folded=True,
            run=lambda told: act(reject_cancellation, cancellation=waiting, **told),
        ),
    ]
