"""Draft an agreement and approve it by a second person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from djmoney.money import Money

from calc.schedule import CannotSchedule
from calc.schedule import Schedule as Plan
from daybook.selectors import business_calendar
from daybook.services import book
from lending.models import Agreement, Decision, Programme
from lending.selectors.programmes import terms_on
from lending.services.locks import lock_agreement
from lending.services.numbers import next_number
from lending.services.steps import note_step, require_another, require_authority, require_role, taka
from lending.services.terms import check_agreement, field_of
from lending.term_words import say_refusal
from partners.access import Role, actor_of
from partners.models import Institution, User
from partners.services.refusals import Refused


class CannotDraftAgreement(Refused):
    """The terms contradict each other or the programme; ``field`` is the one to change."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class CannotApproveAgreement(Refused):
    """The agreement is not a draft, or the actor may not approve it."""


@transaction.atomic
def draft_agreement(
    *,
    institution: Institution,
    programme: Programme,
    limit: Decimal | Money,
    signed_date: date,
    from_date: date,
    to_date: date,
    annual_rate: Decimal,
    instalment_count: int,
    actor: User,
    business_date: date,
    number: str = "",
    **terms: Any,
) -> Agreement:
    """Draft an agreement; ``terms`` are its other columns (method, frequency, day_count, grace_kind, …).

    The terms are tried on the whole limit, so that a contradiction shows now.
    Raises ``CannotDraftAgreement``.
    """
    require_role(CannotDraftAgreement, Role.OFFICER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    agreement = Agreement(
        number=number or next_number("agreement"),
        institution=institution,
        programme=programme,
        limit=taka(limit),
        signed_date=signed_date,
        from_date=from_date,
        to_date=to_date,
        annual_rate=annual_rate,
        instalment_count=instalment_count,
        made_by=actor,
        **terms,
    )
    refuse_bad_terms(agreement)
    agreement.save(force_insert=True)
    note_step(
        agreement,
        step="draft",
        actor=actor,
        business_date=business_date,
        before=None,
        after=_summary(agreement),
        amount=agreement.limit,
    )
    return agreement


def refuse_bad_terms(agreement: Agreement) -> Plan:
    """The plan of the whole limit. Raises ``CannotDraftAgreement`` where the terms contradict each other."""
    offered = terms_on(agreement.programme, agreement.from_date) if agreement.programme_id else None
    try:
        return check_agreement(agreement, offered, business_calendar())
    except CannotSchedule as refusal:
        raise CannotDraftAgreement(
            say_refusal(refusal, agreement.contract_mode), field=field_of(refusal)
        ) from refusal


@transaction.atomic
def approve_agreement(
    *, agreement: Agreement, actor: User, business_date: date, reason: str = ""
) -> Agreement:
    """Make a draft count. The approver is another person, and the limit within the approver's authority."""
    context = require_role(
        CannotApproveAgreement, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date
    )
    held = lock_agreement(agreement.pk)
    if held.state != Agreement.State.DRAFT:
        raise CannotApproveAgreement(
            _("Agreement %(number)s is %(state)s, not a draft.")
            % {"number": held.number, "state": held.get_state_display()}
        )
    require_another(CannotApproveAgreement, actor, (held.made_by_id, _("drafted the agreement")))
    require_authority(CannotApproveAgreement, context, amount=held.limit, on=business_date)
    booking = book(
        purpose="agreement.approve", actor=actor_of(actor), institution_id=held.institution_id, reason=reason
    )
    before = _summary(held)
    held.state, held.approved_by, held.booking = Agreement.State.ACTIVE, actor, booking
    held.save(update_fields=["state", "approved_by", "booking"])
    note_step(
        held,
        step="approve",
        outcome=Decision.Outcome.APPROVED,
        actor=actor,
        business_date=business_date,
        before=before,
        after=_summary(held),
        amount=held.limit,
        reason=reason,
        booking=booking,
    )
    return held


def _summary(agreement: Agreement) -> dict[str, Any]:
    return {
        "state": agreement.state,
        "limit": str(agreement.limit.amount),
        "annual_rate": str(agreement.annual_rate),
        "from": agreement.from_date.isoformat(),
        "to": agreement.to_date.isoformat(),
        "approved_by": agreement.approved_by_id,
    }
