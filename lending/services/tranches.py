"""A drawdown: requested by the institution; cleared, approved and disbursed by people of the foundation.

The disbursement opens the wholesale loan with its plan, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
from django.db import transaction
from django.utils.translation import gettext as _
from djmoney.money import Money

from calc.money import to_minor
from calc.schedule import write_terms
from daybook.formats import day, tk
from daybook.models import Booking
from daybook.selectors import business_calendar
from daybook.services import book
from lending.models import Agreement, Decision, Facility, Loan, Schedule, Tier, Tranche, TrancheLine
from lending.services.accruals import accrual_periods, without_interest
from lending.services.limits import facility_room, refuse_over_exposure
from lending.services.loans import open_loans, plan_rows
from lending.services.locks import lock_agreement
from lending.services.numbers import next_number
from lending.services.standing import add_to_standings
from lending.services.steps import (
    require_another,
    require_authority,
    require_reason,
    require_role,
    taka,
)
from lending.services.tranche_plans import plan_tranche, refuse_no_plan
from lending.services.tranche_steps import (
    lock_tranche,
    note_tranche,
    require_in_force,
    require_state,
    summary_of,
    wrong_state,
)
from partners.access import Role, actor_of
from partners.models import User
from partners.services.refusals import Refused

State = Tranche.State


class CannotRequestTranche(Refused):
    """The facility has no room, has expired, or belongs to another institution."""


class CannotClearTranche(Refused):
    """The tranche is not waiting for clearance, or the actor asked for it."""


class CannotApproveTranche(Refused):
    """The tranche is not cleared, or the actor may not approve it."""


class CannotDisburseTranche(Refused):
    """The tranche is not approved, or the actor or the date does not fit."""


class CannotCancelTranche(Refused):
    """The tranche is disbursed already."""


@transaction.atomic
def request_tranche(
    *,
    facility: Facility,
    amount: Decimal | Money,
    actor: User,
    business_date: date,
    first_due_date: date | None = None,
    instalment_amounts: Sequence[int] = (),
) -> Tranche:
    """Ask for money under a facility; for a long or short first period with its first due date.

    ``instalment_amounts``: principal of each instalment in minor units, where the agreement's plan is
    irregular; the approver may still change both. Raises ``CannotPlanTranche`` where they make no plan.
    """
    require_role(
        CannotRequestTranche,
        Role.MAKER,
        Role.CHECKER,
        actor=actor,
        on=business_date,
        institution_id=facility.institution_id,
    )
    agreement = lock_agreement(facility.allotment.agreement_id)
    if agreement.state != Agreement.State.ACTIVE:
        raise CannotRequestTranche(_("The agreement is not in force."))
    if business_date > facility.expires_date:
        raise CannotRequestTranche(_("The facility ended on %(day)s.") % {"day": day(facility.expires_date)})
    wanted = taka(amount, str(facility.amount.currency))
    left = facility_room(facility)
    if wanted.amount <= 0 or wanted > left:
        raise CannotRequestTranche(_("%(left)s of the facility can still be drawn.") % {"left": tk(left)})
    if first_due_date or instalment_amounts:
        refuse_no_plan(agreement, wanted, business_date, first_due_date, instalment_amounts)
    tranche = Tranche.objects.create(
        first_due_date=first_due_date,
        instalment_amounts=list(instalment_amounts),
        number=next_number("tranche"),
        facility=facility,
        agreement=agreement,
        institution_id=facility.institution_id,
        requested_amount=wanted,
        requested_date=business_date,
        requested_by=actor,
    )
    note_tranche(tranche, "request", actor, business_date, before=None, amount=wanted)
    return tranche


@transaction.atomic
def clear_tranche(*, tranche: Tranche, actor: User, business_date: date, reason: str = "") -> Tranche:
    """Confirm that the papers are in order. An officer of the foundation does it."""
    require_role(CannotClearTranche, Role.OFFICER, actor=actor, on=business_date)
    _agreement, held = lock_tranche(tranche.pk)
    require_state(CannotClearTranche, held, State.REQUESTED)
    require_another(CannotClearTranche, actor, (held.requested_by_id, _("requested the tranche")))
    before = summary_of(held)
    held.state, held.cleared_by = State.CLEARED, actor
    held.save(update_fields=["state", "cleared_by"])
    note_tranche(
        held, "clear", actor, business_date, before=before, amount=held.requested_amount, reason=reason
    )
    return held


@transaction.atomic
def approve_tranche(
    *,
    tranche: Tranche,
    actor: User,
    business_date: date,
    amount: Decimal | Money | None = None,
    reason: str = "",
    first_due_date: date | None = None,
    instalment_amounts: Sequence[int] = (),
) -> Tranche:
    """Approve all or part of what was asked for, by a third person within authority and exposure limit.

    A first due date and amounts given here replace those asked for. Raises ``CannotPlanTranche`` where
    the terms make no plan for the amount.
    """
    context = require_role(
        CannotApproveTranche, Role.APPROVER, Role.FINANCE_HEAD, actor=actor, on=business_date
    )
    agreement, held = lock_tranche(tranche.pk)
    require_state(CannotApproveTranche, held, State.CLEARED)
    require_in_force(CannotApproveTranche, agreement)
    require_another(
        CannotApproveTranche,
        actor,
        (held.requested_by_id, _("requested the tranche")),
        (held.cleared_by_id, _("cleared the tranche")),
    )
    approved = (
        taka(amount, str(held.requested_amount.currency)) if amount is not None else held.requested_amount
    )
    if approved.amount <= 0 or approved > held.requested_amount:
        raise CannotApproveTranche(
            _("Approve more than nothing and at most the %(amount)s asked for.")
            % {"amount": tk(held.requested_amount)}
        )
    require_authority(CannotApproveTranche, context, amount=approved, on=business_date)
    refuse_over_exposure(CannotApproveTranche, agreement, approved, business_date)
    before = summary_of(held)
    held.first_due_date = first_due_date or held.first_due_date
    held.instalment_amounts = list(instalment_amounts) or held.instalment_amounts
    refuse_no_plan(agreement, approved, business_date, held.first_due_date, held.instalment_amounts)
    held.state, held.approved_by, held.approved_amount = State.APPROVED, actor, approved
    held.save(
        update_fields=[
            "state",
            "approved_by",
            "approved_amount",
            "approved_amount_currency",
            "first_due_date",
            "instalment_amounts",
        ]
    )
    allotment = held.facility.allotment
    TrancheLine.objects.create(
        tranche=held,
        institution_id=held.institution_id,
        allotment=allotment,
        fund_source_id=allotment.fund_source_id,
        amount=approved,
    )
    note_tranche(
        held,
        "approve",
        actor,
        business_date,
        before=before,
        amount=approved,
        reason=reason,
        outcome=Decision.Outcome.APPROVED,
    )
    return held


@transaction.atomic
def record_sent(
    *,
    tranche: Tranche,
    value_date: date,
    bank_reference: str,
    actor: User,
    business_date: date,
    into_loan_id: int | None = None,
) -> tuple[Agreement, Tranche, Booking]:
    """Record that a tranche's money was sent; the caller opens its loan, or adds it to a running one.

    Return the agreement and the tranche, locked, and the booking. Raises ``CannotDisburseTranche``.
    """
    require_role(CannotDisburseTranche, Role.OFFICER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    agreement, held = lock_tranche(tranche.pk)
    require_state(CannotDisburseTranche, held, State.APPROVED)
    require_in_force(CannotDisburseTranche, agreement)
    require_another(
        CannotDisburseTranche,
        actor,
        (held.requested_by_id, _("requested the tranche")),
        (held.cleared_by_id, _("cleared the tranche")),
        (held.approved_by_id, _("approved the tranche")),
    )
    if not held.requested_date <= value_date <= business_date:
        raise CannotDisburseTranche(
            _("The money must count as sent between %(first)s (the request) and %(last)s (the open day).")
            % {"first": day(held.requested_date), "last": day(business_date)}
        )
    last = min(agreement.to_date, held.facility.expires_date)
    if value_date > last:
        raise CannotDisburseTranche(_("Money may be drawn until %(day)s only.") % {"day": day(last)})
    reference = bank_reference.strip()
    if not reference:
        raise CannotDisburseTranche(_("Give the bank's reference of the transfer."))
    approved = _approved(held)
    # Again: other tranches may have been sent since this one was approved.
    refuse_over_exposure(CannotDisburseTranche, agreement, approved, business_date)
    booking = book(
        purpose="tranche.disburse",
        actor=actor_of(actor),
        institution_id=held.institution_id,
        reason=reference,
    )
    before = summary_of(held)
    held.state, held.value_date, held.bank_reference = State.DISBURSED, value_date, reference
    held.disbursed_by, held.booking, held.into_loan_id = actor, booking, into_loan_id
    held.save(update_fields=["state", "value_date", "bank_reference", "disbursed_by", "booking", "into_loan"])
    _add_drawn(held, to_minor(approved.amount), str(approved.currency), business_date)
    note_tranche(held, "disburse", actor, business_date, before=before, amount=approved, reason=reference)
    return agreement, held, booking


def _approved(tranche: Tranche) -> Money:
    if tranche.approved_amount is None:
        raise CannotDisburseTranche(_("No amount was approved."))
    approved: Money = tranche.approved_amount
    return approved


@transaction.atomic
def disburse_tranche(
    *, tranche: Tranche, value_date: date, bank_reference: str, actor: User, business_date: date
) -> Loan:
    """Record that the money was sent and open the wholesale loan with its plan; return the loan.

    The plan follows the agreement's terms, the tranche's first due date and amounts, and the business
    calendar known at this booking. Raises ``CannotPlanTranche`` where they contradict each other.
    """
    agreement, held, booking = record_sent(
        tranche=tranche,
        value_date=value_date,
        bank_reference=bank_reference,
        actor=actor,
        business_date=business_date,
    )
    approved = _approved(held)
    minor = to_minor(approved.amount)
    terms, plan = plan_tranche(
        agreement,
        amount=approved,
        value_date=value_date,
        first_due_date=held.first_due_date,
        amounts=held.instalment_amounts,
        calendar=business_calendar(last_booking_id=booking.pk),
    )
    rows, accruals = plan_rows(plan.columns, np.array([held.number])), {}
    if agreement.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT:
        rows, accruals = without_interest(rows), {"accruals": accrual_periods(plan, terms)}
    loans = pd.DataFrame(
        [
            {
                "key": held.number,
                "tier": Tier.WHOLESALE.value,
                "origin": Loan.Origin.TRANCHE.value,
                "institution_id": held.institution_id,
                "agreement_id": agreement.pk,
                "programme_id": agreement.programme_id,
                "tranche_id": held.pk,
                "currency": str(approved.currency),
                "principal_minor": minor,
                "annual_rate": agreement.annual_rate,
                "disbursed_date": value_date,
                "purpose": held.facility.number,
                "cause": Schedule.Cause.DISBURSEMENT.value,
                "terms": write_terms(terms) | accruals,
                "capitalised_minor": plan.capitalised_minor,
            }
        ]
    )
    (loan_id,) = open_loans(loans=loans, plan=rows, booking=booking)
    return Loan.objects.get(pk=loan_id)


def _add_drawn(tranche: Tranche, minor: int, currency: str, on: date) -> None:
    """The institution, the agreement and the tranche stand higher by what was sent."""
    scopes = [(None, None), (tranche.agreement_id, None), (tranche.agreement_id, tranche.pk)]
    add_to_standings(
        rows=pd.DataFrame(
            {
                "institution_id": [tranche.institution_id] * 3,
                "agreement_id": pd.array([agreement for agreement, _tranche in scopes], dtype="Int64"),
                "tranche_id": pd.array([scope for _agreement, scope in scopes], dtype="Int64"),
                "currency": [currency] * 3,
                "drawn_minor": [minor] * 3,
                "exposure_minor": [minor] * 3,
            }
        ),
        as_of=on,
    )


@transaction.atomic
def cancel_tranche(*, tranche: Tranche, reason: str, actor: User, business_date: date) -> Tranche:
    """Give up a tranche before it is disbursed; its room in the facility is free again.

    The institution may cancel its own; the foundation any.
    """
    context = require_role(
        CannotCancelTranche,
        Role.MAKER,
        Role.CHECKER,
        Role.OFFICER,
        Role.APPROVER,
        Role.FINANCE_HEAD,
        actor=actor,
        on=business_date,
    )
    if context.is_partner and context.institution_id != tranche.institution_id:
        raise CannotCancelTranche(_("This belongs to another institution."))
    _agreement, held = lock_tranche(tranche.pk)
    if held.state in (State.DISBURSED, State.CANCELLED):
        raise CannotCancelTranche(wrong_state(held))
    why = require_reason(CannotCancelTranche, reason)
    before = summary_of(held)
    held.state = State.CANCELLED
    held.save(update_fields=["state"])
    note_tranche(
        held, "cancel", actor, business_date, before=before, reason=why, outcome=Decision.Outcome.CANCELLED
    )
    return held
