"""What people do with an event: see it, propose it, take it back, turn it down, approve it.

Approving works the event out again on locked facts. Where they have moved since the proposal was shown,
it is refused: whoever proposed must look again (``renew``). Two people, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from djmoney.money import Money

from calc.money import from_minor
from daybook.formats import day, tk
from daybook.models import Booking
from daybook.selectors import open_business_date
from daybook.services import book, record
from lending.models import Loan, Tier
from lending.services.schedules import CannotAppendVersion, lock_loans
from partners.access import Context, Role, actor_of, authority_of, context_of
from partners.models import Membership, User
from partners.services.refusals import Refused
from repayments.models import LoanEvent
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.facts import Facts
from repayments.services.events.kinds import OF_PARTNERS, Asked, Kind, read_for, work_out
from repayments.services.events.outcome import Outcome
from repayments.services.events.writing import write_outcome
from repayments.services.posting import CannotPostReceipts

State = LoanEvent.State
PROPOSERS = (Role.OFFICER, Role.FINANCE_HEAD)
DECIDERS = (Role.APPROVER, Role.FINANCE_HEAD)


class CannotDecideEvent(Refused):
    """The event is not this person's to decide, no longer open, or the books now refuse it."""


class FactsMoved(CannotDecideEvent):
    """What the proposal was reckoned from has changed since; it must be looked at again."""


@dataclass(frozen=True)
class Seen:
    """An event worked out and nothing written: the facts, what it would do, and the name of both."""

    facts: Facts
    outcome: Outcome
    digest: str


def see(wanted: Asked, *, actor: User) -> Seen:
    """Work an event out. Raises ``CannotMakeEvent`` with the term to change; writes nothing."""
    _refuse_person(wanted, actor)
    if wanted.kind != Kind.SETTLEMENT or asked.text(wanted.parameters, "reference"):
        _refuse_date(wanted.effective_on)  # a quotation alone may begin later
    facts = read_for(wanted)
    outcome = work_out(facts, wanted)
    return Seen(facts, outcome, outcome.digest(facts))


@transaction.atomic
def propose(wanted: Asked, *, actor: User, reason: str) -> LoanEvent:
    """Propose an event as it was seen. Raises ``CannotMakeEvent``."""
    why = reason.strip()
    if not why:
        raise CannotMakeEvent("reason", _("Say why; the second person reads it and it stays in the books."))
    seen = see(wanted, actor=actor)
    _refuse_second_open(wanted)
    one_bank = seen.facts.loans["institution_id"].unique()
    event = LoanEvent(
        kind=wanted.kind,
        tier=str(seen.facts.loans["tier"].iloc[0]),
        institution_id=int(one_bank[0]) if len(one_bank) == 1 else None,
        loan_id=wanted.loan_id,
        effective_date=wanted.effective_on,
        valid_until=wanted.valid_until,
        parameters=dict(wanted.parameters),
        preview=seen.outcome.preview(),
        preview_digest=seen.digest,
        amount_minor=seen.outcome.amount_minor,
        reason=why,
        made_by=actor,
        made_by_name=str(actor),
    )
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError as error:
        if "loan_event_one_open_a_loan" not in str(error):
            raise
        raise CannotMakeEvent("", _open_already(event.loan)) from error
    _record("propose", event, actor, reason=why)
    return event


@transaction.atomic
def renew(*, event_id: int, actor: User, parameters: dict[str, Any] | None = None,
          effective_on: date | None = None) -> LoanEvent:  # fmt: skip
    """Work a proposal out anew on the facts as they are now, and keep that as what was seen.

    ``parameters`` add to what was chosen: a settlement's payment. Raises ``CannotMakeEvent``.
    """
    event = _locked(event_id)
    if not context_of(actor, on=open_business_date()).may(*PROPOSERS):
        raise CannotDecideEvent(_("The foundation takes new figures over; withdraw it and propose it anew."))
    event.parameters = {**event.parameters, **(parameters or {})}
    event.effective_date = effective_on or event.effective_date
    seen = see(as_asked(event), actor=actor)
    event.preview, event.preview_digest = seen.outcome.preview(), seen.digest
    event.amount_minor = seen.outcome.amount_minor
    event.save(update_fields=["parameters", "effective_date", "preview", "preview_digest", "amount_minor"])
    _record("renew", event, actor, reason=event.reason)
    return event


@transaction.atomic
def pay_quotation(
    *, event_id: int, value_date: date, received_minor: int, reference: str, actor: User
) -> LoanEvent:
    """Note the payment that a settlement quotation waited for. Raises ``CannotMakeEvent``.

    The figure of that day must still be the one quoted.
    """
    event = _locked(event_id)
    if event.kind != Kind.SETTLEMENT:
        raise CannotMakeEvent("", _("Only a settlement waits for a payment."))
    quoted = {row["on"]: int(row["total"]) for row in event.preview["figures"]}
    if value_date.isoformat() not in quoted:
        raise CannotMakeEvent(
            "value_date",
            _("The quotation holds to %(last)s only; withdraw it and quote anew.")
            % {"last": day(event.valid_until or event.effective_date)},
        )
    _refuse_date(value_date)
    if not reference.strip():
        raise CannotMakeEvent("reference", _("Give the bank's reference of the payment."))
    paid = renew(
        event_id=event_id,
        actor=actor,
        parameters={"reference": reference.strip(), "received_minor": received_minor},
        effective_on=value_date,
    )
    if paid.amount_minor != quoted[value_date.isoformat()]:
        raise CannotMakeEvent(
            "value_date",
            _("%(quoted)s was quoted for that day, %(now)s settles the loan now: withdraw it and quote anew.")
            % {
                "quoted": tk(Money(from_minor(quoted[value_date.isoformat()]), "BDT")),
                "now": tk(Money(from_minor(paid.amount_minor), "BDT")),
            },
        )
    return paid


@transaction.atomic
def withdraw(*, event_id: int, actor: User) -> LoanEvent:
    """Take a proposal back; who made it, or another of the same house. Raises ``CannotDecideEvent``."""
    event = _locked(event_id)
    context = context_of(actor, on=open_business_date())
    if not context.may(*PROPOSERS, Role.MAKER):
        raise CannotDecideEvent(_("Your role does not propose events."))
    if context.is_partner and not _of_house(event, context):
        raise CannotDecideEvent(_("The foundation proposed this; only it can withdraw it."))
    LoanEvent.objects.filter(pk=event.pk).update(state=State.WITHDRAWN)
    event.state = State.WITHDRAWN
    _record("withdraw", event, actor, reason=event.reason)
    return event


@transaction.atomic
def reject(*, event_id: int, actor: User, reason: str) -> LoanEvent:
    """Turn a proposal down; nothing changes. Raises ``CannotDecideEvent``."""
    event = _locked(event_id)
    _decider(event, actor)
    if not reason.strip():
        raise CannotDecideEvent(_("Say why the proposal is rejected; whoever made it will read it."))
    return _decided(event, State.REJECTED, actor, reason, None)


@transaction.atomic
def approve(*, event_id: int, actor: User, reason: str = "") -> LoanEvent:
    """Approve an event and book it, all or nothing. Raises ``CannotDecideEvent`` or ``FactsMoved``."""
    event = _locked(event_id)
    context = _decider(event, actor)
    _refuse_beyond_authority(event, context)
    if event.kind == Kind.SETTLEMENT and not asked.text(event.parameters, "reference"):
        raise CannotDecideEvent(_("The quotation waits for the payment; enter it first."))
    booking = book(
        purpose=f"loan_event.{event.kind}",
        actor=actor_of(actor),
        institution_id=event.institution_id,
        reason=event.reason,
    )
    try:
        facts = read_for(as_asked(event))
        lock_loans(facts.ids)
        facts = read_for(as_asked(event))
        outcome = work_out(facts, as_asked(event))
        if outcome.digest(facts) != event.preview_digest:
            raise FactsMoved(
                _("The books have moved since this was proposed. Look at the new figures; whoever proposes "
                  "must take them over before it can be approved.")
            )  # fmt: skip
        write_outcome(event, facts, outcome, booking=booking, decided_by=actor)
    except (CannotMakeEvent, CannotAppendVersion, CannotPostReceipts) as refusal:
        raise CannotDecideEvent(
            _("%(refusal)s The proposal can only be rejected, or withdrawn.") % {"refusal": refusal}
        ) from refusal
    return _decided(event, State.APPROVED, actor, reason, booking)


def as_asked(event: LoanEvent) -> Asked:
    """What a proposal asks for."""
    return Asked(event.kind, event.loan_id, event.effective_date, event.parameters, event.valid_until)


def may_propose(context: Context, kind: str, tier: str) -> bool:
    """Whether a person with these roles may propose an event of a kind on a loan of a tier."""
    if context.is_partner:
        return context.may(Role.MAKER) and tier == Tier.SUBLOAN and kind in OF_PARTNERS
    return context.may(*PROPOSERS)


def _refuse_person(wanted: Asked, actor: User) -> None:
    context = context_of(actor, on=open_business_date())
    tier = str(wanted.parameters.get("tier") or Tier.SUBLOAN)
    if wanted.loan_id is not None:
        loan = Loan.objects.get(pk=wanted.loan_id)
        tier = loan.tier
        if context.is_partner and loan.institution_id != context.institution_id:
            raise CannotMakeEvent("", _("This belongs to another institution."))
    elif context.is_partner:
        raise CannotMakeEvent("", _("The foundation proposes what touches many loans."))
    if not may_propose(context, wanted.kind, tier):
        raise CannotMakeEvent("", _("Your role does not propose this."))


def _refuse_date(on: date) -> None:
    today = open_business_date()
    if on > today:
        raise CannotMakeEvent(
            "effective_date",
            _("The date %(date)s is after the business date %(today)s.")
            % {"date": day(on), "today": day(today)},
        )


def _refuse_second_open(wanted: Asked) -> None:
    if wanted.loan_id is None:
        return
    waiting = LoanEvent.objects.filter(loan_id=wanted.loan_id, state=State.PROPOSED).first()
    if waiting is not None:
        raise CannotMakeEvent("", _open_already(waiting.loan))


def _open_already(loan: Loan | None) -> str:
    return _("An event on %(loan)s already waits for a second person; decide or withdraw it first.") % {
        "loan": loan.number if loan else ""
    }


def _locked(event_id: int) -> LoanEvent:
    """The event, locked; a second person who decides at the same moment waits here, then is refused."""
    event = LoanEvent.objects.select_for_update(of=("self",)).get(pk=event_id)
    if event.state != State.PROPOSED:
        sentence = {
            State.APPROVED: _("%(person)s already approved this event."),
            State.REJECTED: _("%(person)s already rejected this event."),
            State.WITHDRAWN: _("This event was withdrawn."),
        }[State(event.state)]
        raise CannotDecideEvent(sentence % {"person": event.decided_by_name})
    return event


def _of_house(event: LoanEvent, context: Context) -> bool:
    """Whether a person of the same institution proposed it."""
    held = Membership.objects.filter(user_id=event.made_by_id)
    return held.filter(institution_id=context.institution_id or 0).exists()


def _decider(event: LoanEvent, actor: User) -> Context:
    context = context_of(actor, on=open_business_date())
    if not context.may(*DECIDERS):
        raise CannotDecideEvent(_("Approvers and the finance head decide events."))
    if event.made_by_id == actor.pk:
        raise CannotDecideEvent(_("You proposed this event; somebody else must decide it."))
    return context


def _refuse_beyond_authority(event: LoanEvent, context: Context) -> None:
    currency = event.loan.currency if event.loan else "BDT"
    authority = authority_of(context.roles, on=open_business_date(), currency=currency)
    moved = from_minor(event.amount_minor)
    if moved > authority:
        raise CannotDecideEvent(
            _("The amount is %(amount)s; your authority reaches %(authority)s. Ask someone with more.")
            % {"amount": tk(Money(moved, currency)), "authority": tk(Money(authority, currency))}
        )


def _decided(event: LoanEvent, state: str, actor: User, reason: str, booking: Booking | None) -> LoanEvent:
    LoanEvent.objects.filter(pk=event.pk).update(
        state=state,
        decided_by=actor,
        decided_by_name=str(actor),
        decided_at=Now(),
        decision_reason=reason.strip(),
        booking=booking,
    )
    event.refresh_from_db()
    _record("approve" if booking else "reject", event, actor, reason=reason.strip(), booking=booking)
    return event


def _record(verb: str, event: LoanEvent, actor: User, *, reason: str, booking: Booking | None = None) -> None:
    record(
        actor=actor_of(actor),
        action=f"loan_event.{verb}",
        subject=event,
        institution_id=event.institution_id,
        after={
            "kind": event.kind,
            "state": event.state,
            "loan": event.loan.number if event.loan else None,
            "effective_date": event.effective_date.isoformat(),
            "parameters": event.parameters,
            "amount_minor": event.amount_minor,
            "digest": event.preview_digest,
        },
        reason=reason or event.reason,
        booking=booking,
    )
