"""The fee for paying early: charged of a wholesale loan, checked of a sub-loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from daybook.selectors import latest_booking_id
from repayments.models import ChargePolicy, Receipt
from repayments.selectors.fees import NoChargePolicy, early_fee
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.facts import Facts
from repayments.services.events.outcome import Outcome, Say


@dataclass(frozen=True)
class Fee:
    """The fee for settling early, percent of the principal paid early, and what is said of it."""

    percent: Decimal = Decimal(0)
    says: tuple[Say, ...] = ()


def fee_for(facts: Facts, on: date, *, settled_minor: int = 0) -> Fee:
    """The fee the agreement and the limit in force allow; of a sub-loan only what the bank reports is booked.

    Without a limit in force a fee that was agreed is neither charged nor forgiven by silence: the event
    waits until the limit is in the books. Raises ``CannotMakeEvent``.
    """
    if not facts.is_wholesale or not facts.agreement.early_fee_percent:
        return Fee()
    try:
        found = early_fee(
            loan=facts.loan, settled_minor=settled_minor, on=on, last_booking_id=latest_booking_id()
        )
    except NoChargePolicy as error:
        raise CannotMakeEvent("effective_date", str(error)) from error
    policy = ChargePolicy.objects.get(pk=found.policy_id)
    gaps = {"rate": str(found.percent), "policy": str(policy)}
    return Fee(found.percent, (Say("fee.within", gaps) if found.percent else Say("fee.none", gaps),))


def check_banks_fee(facts: Facts, outcome: Outcome, *, early_minor: int, needed_minor: int) -> None:
    """Say what fee the bank may take of a sub-loan's borrower, by size, beside the charges it reports.

    None is booked for it. Money above what is needed may be a fee, too; what goes beyond the limit is a
    question to the bank. ``early_minor`` is the principal paid before it was due.
    """
    if facts.is_wholesale:
        return
    on = outcome.effective_on
    try:
        found = early_fee(
            loan=facts.loan, settled_minor=early_minor, on=on, last_booking_id=latest_booking_id()
        )
    except NoChargePolicy:
        outcome.cautions.append(Say("bank_fee.unknown", {"on": on.isoformat()}))
        return
    policy = str(ChargePolicy.objects.get(pk=found.policy_id))
    gaps = {"rate": str(found.percent), "amount": found.amount_minor, "policy": policy}
    outcome.says.append(Say("bank_fee.upto" if found.percent else "bank_fee.none", gaps))
    charged = reported_charges(facts, on)
    if outcome.receipt is not None:
        charged += int(outcome.receipt["amount_minor"]) - needed_minor
    if charged > found.amount_minor:
        outcome.cautions.append(
            Say("bank_fee.over", {"on": on.isoformat(), "charged": charged, "amount": found.amount_minor})
        )


def reported_charges(facts: Facts, since: date) -> int:
    """Charges the bank states in receipts of the one loan from a day on, in minor units."""
    receipts = Receipt.objects.filter(loan_id=int(facts.ids[0]), value_date__gte=since, mirror_of=None)
    stated = receipts.filter(mirror=None).aggregate(total=Sum("reported_charge_minor"))["total"]
    return int(stated or 0)
