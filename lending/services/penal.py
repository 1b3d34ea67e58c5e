"""Change what late money costs under an agreement from a date: one person proposes, another decides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from daybook.formats import day, percent
from daybook.services import book, record
from lending.models import Agreement, PenalRate
from lending.services.locks import lock_agreement
from lending.services.steps import require_another, require_reason, require_role
from partners.access import Role, actor_of
from partners.models import User
from partners.services.refusals import Refused

MOST = Decimal(100)
"""A rate above this is a slip of the pen."""


class CannotProposePenalRate(Refused):
    """The agreement is not in force, a proposal waits already, or the rate or the date does not fit."""


class CannotDecidePenalRate(Refused):
    """The proposal is decided already, or the actor may not decide it."""


def penal_rate_on(agreement: Agreement, on: date) -> Decimal:
    """The rate an agreement has on a day, before any limit: its latest approved change, or its own."""
    change = (
        PenalRate.objects.filter(agreement=agreement, state=PenalRate.State.APPROVED, effective_date__lte=on)
        .order_by("-effective_date", "-id")
        .first()
    )
    return change.annual_rate if change else agreement.penal_rate


@transaction.atomic
def propose_penal_rate(
    *,
    agreement: Agreement,
    annual_rate: Decimal,
    effective_date: date,
    reason: str,
    actor: User,
    business_date: date,
) -> PenalRate:
    """Propose another penal rate from a date, percent a year. Raises ``CannotProposePenalRate``.

    A higher rate cannot begin before the open day: what is past was not announced. A lower one may; the
    next close then takes back what was raised beyond it.
    """
    require_role(CannotProposePenalRate, Role.OFFICER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    held = lock_agreement(agreement.pk)
    why = require_reason(CannotProposePenalRate, reason)
    if held.state != Agreement.State.ACTIVE:
        raise CannotProposePenalRate(_("The agreement is not in force."))
    if PenalRate.objects.filter(agreement=held, state=PenalRate.State.PROPOSED).exists():
        raise CannotProposePenalRate(
            _("A change of this agreement's penal rate waits for a second person; decide it first.")
        )
    if not 0 <= annual_rate <= MOST:
        raise CannotProposePenalRate(_("Give a rate between 0 and %(most)s.") % {"most": percent(MOST)})
    if effective_date < held.from_date:
        raise CannotProposePenalRate(
            _("The agreement begins on %(day)s; choose that day or a later one.")
            % {"day": day(held.from_date)}
        )
    _refuse_what_changes_the_past(CannotProposePenalRate, held, annual_rate, effective_date, business_date)
    proposed = PenalRate.objects.create(
        agreement=held,
        institution_id=held.institution_id,
        effective_date=effective_date,
        annual_rate=annual_rate,
        reason=why,
        proposed_by=actor,
        proposed_by_name=str(actor),
        proposed_date=business_date,
    )
    record(
        actor=actor_of(actor),
        action="penal_rate.propose",
        subject=proposed,
        institution_id=held.institution_id,
        before={"annual_rate": str(penal_rate_on(held, effective_date))},
        after=_summary(proposed, held),
        reason=why,
    )
    return proposed


@transaction.atomic
def decide_penal_rate(
    *, penal_rate: PenalRate, approve: bool, reason: str, actor: User, business_date: date
) -> PenalRate:
    """Approve or reject a proposed rate, by another person. Raises ``CannotDecidePenalRate``."""
    require_role(CannotDecidePenalRate, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    agreement = lock_agreement(penal_rate.agreement_id)
    held = PenalRate.objects.select_for_update(no_key=True).get(pk=penal_rate.pk)
    if held.state != PenalRate.State.PROPOSED:
        raise CannotDecidePenalRate(_("This proposal is decided already."))
    require_another(CannotDecidePenalRate, actor, (held.proposed_by_id, _("proposed the rate")))
    booking = None
    if approve:
        _refuse_what_changes_the_past(
            CannotDecidePenalRate, agreement, held.annual_rate, held.effective_date, business_date
        )
        booking = book(
            purpose="penal_rate.approve",
            actor=actor_of(actor),
            institution_id=held.institution_id,
            reason=held.reason,
        )
    else:
        require_reason(CannotDecidePenalRate, reason)
    held.state = PenalRate.State.APPROVED if approve else PenalRate.State.REJECTED
    held.decided_by, held.decided_by_name = actor, str(actor)
    held.decision_reason, held.booking = reason.strip(), booking
    held.save(update_fields=["state", "decided_by", "decided_by_name", "decision_reason", "booking"])
    record(
        actor=actor_of(actor),
        action="penal_rate.approve" if approve else "penal_rate.reject",
        subject=held,
        institution_id=held.institution_id,
        after=_summary(held, agreement),
        reason=held.decision_reason,
        booking=booking,
    )
    return held


def _refuse_what_changes_the_past(
    refusal: type[Refused], agreement: Agreement, rate: Decimal, effective: date, today: date
) -> None:
    before = penal_rate_on(agreement, effective)
    if rate == before:
        raise refusal(_("The penal rate is %(rate)s on that day already.") % {"rate": percent(rate)})
    if rate > before and effective < today:
        raise refusal(
            _("A higher rate cannot begin before the open day, %(day)s: nobody was told of it.")
            % {"day": day(today)}
        )


def _summary(rate: PenalRate, agreement: Agreement) -> dict[str, Any]:
    return {
        "agreement": agreement.number,
        "annual_rate": str(rate.annual_rate),
        "from": rate.effective_date.isoformat(),
        "state": rate.state,
    }
