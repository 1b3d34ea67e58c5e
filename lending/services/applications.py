"""An application's way: drafted and submitted by the institution, appraised and decided by the foundation.

Each step is one transaction that locks the agreement first, then the application, so that two people
deciding at once queue, and the second one finds the question answered.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.formats import day, tk
from lending.models import Agreement, Allotment, Application, Cluster, Decision, Facility
from lending.services.application_lines import replace_lines
from lending.services.limits import allotment_room, refuse_over_exposure
from lending.services.locks import lock_agreement, lock_application
from lending.services.numbers import next_number
from lending.services.steps import (
    note_step,
    require_another,
    require_authority,
    require_reason,
    require_role,
    taka,
)
from partners.access import Role
from partners.models import User
from partners.services.refusals import Refused

__all__ = [
    "CannotAppraiseApplication",
    "CannotDecideApplication",
    "CannotDraftApplication",
    "CannotSubmitApplication",
    "CannotWithdrawApplication",
    "appraise_application",
    "change_application",
    "decide_application",
    "draft_application",
    "replace_lines",
    "submit_application",
    "withdraw_application",
]

State = Application.State


class CannotDraftApplication(Refused):
    """The allotment is not open to this institution, cluster or amount."""


class CannotSubmitApplication(Refused):
    """It is not a draft, or the maker would be the checker."""


class CannotAppraiseApplication(Refused):
    """It is not waiting for an appraisal."""


class CannotDecideApplication(Refused):
    """It is not waiting for a decision, or the actor may not take it."""


class CannotWithdrawApplication(Refused):
    """It is decided already, or belongs to another institution."""


@transaction.atomic
def draft_application(
    *,
    allotment: Allotment,
    cluster: Cluster,
    amount: Decimal | Money,
    purpose: str,
    actor: User,
    business_date: date,
) -> Application:
    """Start a request of the maker's own institution for one cluster under an allotment."""
    require_role(
        CannotDraftApplication,
        Role.MAKER,
        actor=actor,
        on=business_date,
        institution_id=allotment.institution_id,
    )
    wanted = taka(amount, str(allotment.amount.currency))
    _refuse_outside(allotment, cluster, wanted, business_date)
    application = Application.objects.create(
        number=next_number("application"),
        institution_id=allotment.institution_id,
        allotment=allotment,
        cluster=cluster,
        amount=wanted,
        purpose=purpose.strip(),
        applied_date=business_date,
        made_by=actor,
    )
    note_step(
        application,
        step="draft",
        actor=actor,
        business_date=business_date,
        before=None,
        after=_summary(application),
        amount=wanted,
    )
    return application


@transaction.atomic
def change_application(
    *,
    application: Application,
    amount: Decimal | Money,
    purpose: str,
    actor: User,
    business_date: date,
) -> Application:
    """Correct the amount and purpose of a draft, or of one returned for correction."""
    require_role(
        CannotDraftApplication,
        Role.MAKER,
        actor=actor,
        on=business_date,
        institution_id=application.institution_id,
    )
    held = lock_application(application.pk)
    if held.state not in (State.DRAFT, State.RETURNED):
        raise CannotDraftApplication(_wrong_state(held))
    wanted = taka(amount, str(held.amount.currency))
    _refuse_outside(held.allotment, held.cluster, wanted, business_date)
    before = _summary(held)
    held.amount, held.purpose, held.recommended_amount = wanted, purpose.strip(), None
    held.save(
        update_fields=[
            "amount",
            "amount_currency",
            "purpose",
            "recommended_amount",
            "recommended_amount_currency",
        ]
    )
    note_step(
        held,
        step="change",
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held),
        amount=wanted,
    )
    return held


def _refuse_outside(allotment: Allotment, cluster: Cluster, wanted: Any, on: date) -> None:
    if allotment.agreement.state != Agreement.State.ACTIVE:
        raise CannotDraftApplication(_("The agreement is not in force."))
    if not allotment.from_date <= on <= allotment.to_date:
        raise CannotDraftApplication(
            _("The allotment is open from %(first)s to %(last)s.")
            % {"first": day(allotment.from_date), "last": day(allotment.to_date)}
        )
    if allotment.cluster_id is not None and allotment.cluster_id != cluster.pk:
        raise CannotDraftApplication(
            _("The allotment is for %(cluster)s only.") % {"cluster": allotment.cluster}
        )
    left = allotment_room(allotment)
    if wanted.amount <= 0 or wanted > left:
        raise CannotDraftApplication(_("%(left)s of the allotment is still free.") % {"left": tk(left)})


@transaction.atomic
def submit_application(*, application: Application, actor: User, business_date: date) -> Application:
    """Send a draft to the foundation. A checker of the institution other than the maker does it."""
    require_role(
        CannotSubmitApplication,
        Role.CHECKER,
        actor=actor,
        on=business_date,
        institution_id=application.institution_id,
    )
    held = lock_application(application.pk)
    if held.state not in (State.DRAFT, State.RETURNED):
        raise CannotSubmitApplication(_wrong_state(held))
    require_another(CannotSubmitApplication, actor, (held.made_by_id, _("drafted the application")))
    if held.decisions.filter(step__in=("change", "list"), by=actor).exists():
        raise CannotSubmitApplication(
            _("%(name)s %(deed)s; this step needs another person.")
            % {"name": actor, "deed": _("changed the application")}
        )
    listed = held.lines.aggregate(total=Sum("amount"))["total"] or Decimal(0)
    if listed > held.amount.amount:
        raise CannotSubmitApplication(
            _("The borrowers listed ask for %(listed)s, more than the application's %(amount)s.")
            % {"listed": tk(Money(listed, held.amount.currency)), "amount": tk(held.amount)}
        )
    before = _summary(held)
    held.state, held.submitted_by, held.appraised_by = State.SUBMITTED, actor, None
    held.save(update_fields=["state", "submitted_by", "appraised_by"])
    note_step(
        held,
        step="submit",
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held),
        amount=held.amount,
    )
    return held


@transaction.atomic
def appraise_application(
    *,
    application: Application,
    recommended_amount: Decimal | Money,
    reason: str,
    actor: User,
    business_date: date,
) -> Application:
    """Record the officer's appraisal: how much to sanction, and why."""
    require_role(CannotAppraiseApplication, Role.OFFICER, actor=actor, on=business_date)
    held = lock_application(application.pk)
    if held.state != State.SUBMITTED:
        raise CannotAppraiseApplication(_wrong_state(held))
    recommended = taka(recommended_amount, str(held.amount.currency))
    if recommended.amount <= 0 or recommended > held.amount:
        raise CannotAppraiseApplication(
            _("Recommend more than nothing and at most the %(amount)s asked for.")
            % {"amount": tk(held.amount)}
        )
    why = require_reason(CannotAppraiseApplication, reason)
    before = _summary(held)
    held.state, held.appraised_by, held.recommended_amount = State.APPRAISED, actor, recommended
    held.save(update_fields=["state", "appraised_by", "recommended_amount", "recommended_amount_currency"])
    note_step(
        held,
        step="appraise",
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held),
        amount=recommended,
        reason=why,
    )
    return held


@transaction.atomic
def decide_application(
    *,
    application: Application,
    outcome: Literal["approved", "rejected", "returned"],
    reason: str,
    actor: User,
    business_date: date,
    amount: Decimal | Money | None = None,
    expires_date: date | None = None,
) -> Application:
    """Approve (which sanctions a facility, by default of the recommended amount), reject or return.

    Another person than the maker and the appraiser, within that person's authority, and within the
    institution's exposure limit. Raises ``CannotDecideApplication``.
    """
    context = require_role(
        CannotDecideApplication, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date
    )
    agreement = lock_agreement(application.allotment.agreement_id)
    held = lock_application(application.pk)
    if held.state != State.APPRAISED:
        raise CannotDecideApplication(_wrong_state(held))
    require_another(
        CannotDecideApplication,
        actor,
        (held.made_by_id, _("drafted the application")),
        (held.appraised_by_id, _("appraised the application")),
    )
    before = _summary(held)
    held.decided_by = actor
    if outcome == "approved":
        sanctioned = (
            taka(amount, str(held.amount.currency)) if amount is not None else held.recommended_amount
        )
        sanctioned = sanctioned or held.amount
        if sanctioned.amount <= 0 or sanctioned > held.amount:
            raise CannotDecideApplication(
                _("Sanction more than nothing and at most the %(amount)s asked for.")
                % {"amount": tk(held.amount)}
            )
        require_authority(CannotDecideApplication, context, amount=sanctioned, on=business_date)
        facility = _sanction(held, agreement, sanctioned, expires_date, business_date)
        held.state, why, step_amount = State.APPROVED, reason.strip(), sanctioned
        after: dict[str, Any] = {"facility": facility.number, "sanctioned": str(sanctioned.amount)}
    else:
        why, step_amount, after = require_reason(CannotDecideApplication, reason), None, {}
        held.state = State(outcome)
        if outcome == "returned":
            held.submitted_by = held.decided_by = None
    held.save(update_fields=["state", "decided_by", "submitted_by"])
    note_step(
        held,
        step="decide",
        outcome=Decision.Outcome(outcome),
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held) | after,
        amount=step_amount,
        reason=why,
    )
    return held


def _sanction(
    application: Application, agreement: Agreement, amount: Any, expires: date | None, on: date
) -> Facility:
    allotment = application.allotment
    if agreement.state != Agreement.State.ACTIVE:
        raise CannotDecideApplication(_("The agreement is not in force."))
    left = allotment_room(allotment)
    if amount > left:
        raise CannotDecideApplication(_("%(left)s of the allotment is still free.") % {"left": tk(left)})
    last = expires or allotment.to_date
    if not on <= last <= agreement.to_date:
        raise CannotDecideApplication(
            _("The facility must end between today and %(last)s, the agreement's last day for drawing.")
            % {"last": day(agreement.to_date)}
        )
    refuse_over_exposure(CannotDecideApplication, agreement, amount, on)
    return Facility.objects.create(
        number=next_number("facility"),
        application=application,
        institution_id=application.institution_id,
        allotment=allotment,
        amount=amount,
        sanctioned_date=on,
        expires_date=last,
    )


@transaction.atomic
def withdraw_application(
    *, application: Application, reason: str, actor: User, business_date: date
) -> Application:
    """Take back a request that is not decided yet."""
    require_role(
        CannotWithdrawApplication,
        Role.MAKER,
        Role.CHECKER,
        actor=actor,
        on=business_date,
        institution_id=application.institution_id,
    )
    held = lock_application(application.pk)
    if held.state not in (State.DRAFT, State.SUBMITTED, State.APPRAISED, State.RETURNED):
        raise CannotWithdrawApplication(_wrong_state(held))
    why = require_reason(CannotWithdrawApplication, reason)
    before = _summary(held)
    held.state = State.WITHDRAWN
    held.save(update_fields=["state"])
    note_step(
        held,
        step="withdraw",
        outcome=Decision.Outcome.CANCELLED,
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held),
        reason=why,
    )
    return held


def _wrong_state(application: Application) -> str:
    return _("Application %(number)s is %(state)s.") % {
        "number": application.number,
        "state": application.get_state_display().lower(),
    }


def _summary(application: Application) -> dict[str, Any]:
    recommended = application.recommended_amount
    return {
        "state": application.state,
        "amount": str(application.amount.amount),
        "recommended": str(recommended.amount) if recommended is not None else None,
        "purpose": application.purpose,
    }
