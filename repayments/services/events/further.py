"""A further tranche into a running plan: shown first, then sent, a new version of the loan's plan."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from calc.events import Effect, add_tranche
from calc.money import to_minor
from calc.schedule import CannotSchedule
from daybook.selectors import open_business_date
from lending.models import Loan, Schedule, Tier, Tranche
from lending.services.contracts import mode_refusal
from lending.services.schedules import append_versions, lock_loans
from lending.services.tranches import record_sent
from partners.models import User
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.facts import Facts, read_facts
from repayments.services.events.outcome import Outcome, Say, single_plan
from repayments.services.events.steps import FactsMoved, Seen
from repayments.services.posting import reallocate


def running_loans(tranche: Tranche) -> list[Loan]:
    """Wholesale loans of the same agreement that a further tranche may join: their plans reach on."""
    today = open_business_date()
    return list(
        Loan.objects.filter(
            agreement_id=tranche.agreement_id, tier=Tier.WHOLESALE, schedules__maturity_date__gt=today
        )
        .exclude(schedules__cause=Schedule.Cause.WRITE_OFF)
        .distinct()
        .order_by("id")
    )


def see_further(*, tranche: Tranche, loan: Loan, on: date, effect: Effect) -> Seen:
    """What the tranche would make of the loan's plan. Raises ``CannotMakeEvent``; writes nothing."""
    if tranche.state != Tranche.State.APPROVED or tranche.approved_amount is None:
        raise CannotMakeEvent("", _("Only an approved tranche is sent."))
    if loan.agreement_id != tranche.agreement_id or loan.tier != Tier.WHOLESALE:
        raise CannotMakeEvent("loan", _("The tranche and the loan are of different agreements."))
    if refusal := mode_refusal(tranche.agreement.contract_mode, Schedule.Cause.TRANCHE, {}):
        raise CannotMakeEvent("loan", refusal)
    facts = read_facts([loan.pk])
    outcome = _work_out(facts, to_minor(tranche.approved_amount.amount), on, effect)
    return Seen(facts, outcome, outcome.digest(facts))


@transaction.atomic
def disburse_further(
    *, tranche: Tranche, loan: Loan, on: date, effect: Effect, bank_reference: str, actor: User, shown: str
) -> Loan:
    """Send the tranche and give the loan its new plan, in one booking.

    ``shown`` names what was seen; where the books have moved since, ``FactsMoved``. Raises
    ``CannotDisburseTranche`` and ``CannotAppendVersion``, too.
    """
    _agreement, held, booking = record_sent(
        tranche=tranche,
        value_date=on,
        bank_reference=bank_reference,
        actor=actor,
        business_date=open_business_date(),
        into_loan_id=loan.pk,
    )
    facts = read_facts([loan.pk])
    lock_loans(facts.ids)
    facts = read_facts([loan.pk])
    if held.approved_amount is None:
        raise CannotMakeEvent("", _("No amount was approved."))
    outcome = _work_out(facts, to_minor(held.approved_amount.amount), on, effect)
    if outcome.digest(facts) != shown:
        raise FactsMoved(_("The books have moved since this was shown; look at it again."))
    append_versions(versions=outcome.versions, dues=outcome.dues, booking=booking)
    reallocate(loan_ids=facts.ids, booking=booking)
    return loan


def _work_out(facts: Facts, amount: int, on: date, effect: Effect) -> Outcome:
    try:
        replans = add_tranche(facts.running, on, amount=amount, effect=effect)
        outcome, _replan = single_plan(facts, replans, cause=Schedule.Cause.TRANCHE, on=on)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    outcome.amount_minor = amount
    gaps = {"amount": amount, "on": on.isoformat()}
    outcome.says = [Say("tranche", gaps), Say(f"tranche.{effect.value}")]
    return outcome
