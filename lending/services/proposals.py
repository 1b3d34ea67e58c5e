"""Ending an agreement, allotting part of its limit, new terms of a programme: proposed, then decided.

What was proposed is kept as text with the proposal; it is checked when it is made and again when a second
person decides, for the books may have moved in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.formats import day, tk
from daybook.models import Booking
from daybook.services import book, record
from lending.models import (
    Agreement,
    Allotment,
    Cluster,
    Decision,
    FundSource,
    Programme,
    ProgrammeTerms,
    Proposal,
    Tranche,
)
from lending.services.locks import lock_agreement
from lending.services.steps import note_step, require_another, require_reason, require_role, taka
from partners.access import Role, actor_of
from partners.models import User
from partners.services.refusals import Refused

MAKERS = (Role.OFFICER, Role.APPROVER, Role.FINANCE_HEAD)
CHECKERS = (Role.APPROVER, Role.FINANCE_HEAD)
MONEYS = ("min_amount", "max_amount", "max_machinery_amount", "collateral_free_to")
PERCENTS = (
    "fund_rate",
    "borrower_rate_cap",
    "women_share",
    "manufacturing_share",
    "trading_share_max",
    "up_to_10_lakh_share",
)
COUNTS = ("tenor_months", "grace_months")
MUST = ("fund_rate", "borrower_rate_cap", "min_amount", "max_amount", "tenor_months")


class CannotAllot(Refused):
    """The allotment does not fit the agreement."""


class CannotEndAgreement(Refused):
    """The agreement is not in force, or a tranche under it is on its way."""


class CannotSetTerms(Refused):
    """The programme's new terms contradict each other or its dates; ``field`` is the one to change."""

    def __init__(self, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class CannotDecideProposal(Refused):
    """The proposal is decided already, or the actor may not decide it."""


@transaction.atomic
def propose_allotment(
    *,
    agreement: Agreement,
    fund_source: FundSource,
    amount: Decimal | Money,
    actor: User,
    business_date: date,
    cluster: Cluster | None = None,
    from_date: date | None = None,
    to_date: date | None = None,
) -> Proposal:
    """Propose to set part of the limit aside for a fund source, a cluster (none: any) and a period."""
    require_role(CannotAllot, *MAKERS, actor=actor, on=business_date)
    held = lock_agreement(agreement.pk)
    first, last = from_date or held.from_date, to_date or held.to_date
    wanted = taka(amount, str(held.limit.currency))
    _refuse_allotment(held, wanted, first, last)
    values = {
        "fund_source": fund_source.code,
        "cluster": cluster.code if cluster else None,
        "amount": str(wanted.amount),
        "from_date": first.isoformat(),
        "to_date": last.isoformat(),
    }
    return _propose(Proposal.Kind.ALLOTMENT, CannotAllot, actor, business_date, values, agreement=held)


def _refuse_allotment(agreement: Agreement, wanted: Money, first: date, last: date) -> None:
    if agreement.state == Agreement.State.ENDED:
        raise CannotAllot(_("Agreement %(number)s has ended.") % {"number": agreement.number})
    used = cast(Decimal, agreement.allotments.aggregate(total=Sum("amount"))["total"] or Decimal(0))
    left = Money(agreement.limit.amount - used, agreement.limit.currency)
    if wanted.amount <= 0 or wanted > left:
        raise CannotAllot(_("%(left)s of the limit is not yet allotted.") % {"left": tk(left)})
    if not agreement.from_date <= first <= last <= agreement.to_date:
        raise CannotAllot(_("The period must lie within the agreement's."))


@transaction.atomic
def propose_end(*, agreement: Agreement, reason: str, actor: User, business_date: date) -> Proposal:
    """Propose that no more money is drawn under an agreement. What was lent stays owed as agreed."""
    require_role(CannotEndAgreement, *MAKERS, actor=actor, on=business_date)
    held = lock_agreement(agreement.pk)
    _refuse_end(held)
    why = require_reason(CannotEndAgreement, reason)
    return _propose(
        Proposal.Kind.END, CannotEndAgreement, actor, business_date, {}, agreement=held, reason=why
    )


def _refuse_end(agreement: Agreement) -> None:
    if agreement.state != Agreement.State.ACTIVE:
        raise CannotEndAgreement(_("The agreement is not in force."))
    waiting = agreement.tranches.exclude(state__in=[Tranche.State.DISBURSED, Tranche.State.CANCELLED]).first()
    if waiting is not None:
        raise CannotEndAgreement(
            _("Tranche %(number)s is on its way: send or cancel it first.") % {"number": waiting.number}
        )


@transaction.atomic
def propose_terms(
    *,
    programme: Programme,
    effective_date: date,
    reason: str,
    actor: User,
    business_date: date,
    confidence: str = "H",
    excluded_sectors: list[str] | None = None,
    **figures: Any,
) -> Proposal:
    """Propose what a programme demands from a date on.

    ``figures``: the columns of ``ProgrammeTerms``, rates and shares in percent, amounts in taka. Loans keep
    the terms they were born under. Raises ``CannotSetTerms``.
    """
    require_role(CannotSetTerms, Role.OFFICER, Role.FINANCE_HEAD, actor=actor, on=business_date)
    why = require_reason(CannotSetTerms, reason)
    values: dict[str, Any] = {
        name: str(figures[name]) for name in (*MONEYS, *PERCENTS, *COUNTS) if figures.get(name) is not None
    }
    values |= {
        "effective_date": effective_date.isoformat(),
        "excluded_sectors": excluded_sectors or [],
        "confidence": confidence,
    }
    held = Programme.objects.select_for_update(no_key=True).get(pk=programme.pk)
    _refuse_terms(held, values)
    return _propose(
        Proposal.Kind.TERMS, CannotSetTerms, actor, business_date, values, programme=held, reason=why
    )


def _refuse_terms(programme: Programme, values: Mapping[str, Any]) -> None:
    for name in MUST:
        if values.get(name) is None:
            raise CannotSetTerms(_("This must be given."), field=name)
    on = date.fromisoformat(values["effective_date"])
    figure = {name: Decimal(values.get(name) or 0) for name in (*MONEYS, *PERCENTS, *COUNTS)}
    tests = (
        (on < programme.from_date, "effective_date", _("The programme began later.")),
        (
            programme.to_date is not None and on > programme.to_date,
            "effective_date",
            _("The programme had ended by then."),
        ),
        (
            programme.terms.filter(effective_date=on).exists(),
            "effective_date",
            _("There are terms from that day already; choose another."),
        ),
        (
            figure["borrower_rate_cap"] < figure["fund_rate"],
            "borrower_rate_cap",
            _("Borrowers cannot pay less than the institution pays the foundation."),
        ),
        (figure["min_amount"] <= 0, "min_amount", _("The smallest sub-loan must be above nothing.")),
        (
            figure["max_amount"] < figure["min_amount"],
            "max_amount",
            _("The largest sub-loan is smaller than the smallest."),
        ),
        (
            figure["grace_months"] >= figure["tenor_months"],
            "grace_months",
            _("The grace must be shorter than the tenor."),
        ),
        *((not 0 <= figure[name] <= 100, name, _("A share lies between 0 and 100 %.")) for name in PERCENTS),
    )
    for contradicts, field, sentence in tests:
        if contradicts:
            raise CannotSetTerms(sentence, field=field)


def _propose(
    kind: Proposal.Kind,
    refusal: type[Refused],
    actor: User,
    business_date: date,
    values: dict[str, Any],
    *,
    agreement: Agreement | None = None,
    programme: Programme | None = None,
    reason: str = "",
) -> Proposal:
    """Keep the proposal. Its agreement or programme is locked, so a form sent twice is one proposal."""
    twins = Proposal.objects.filter(
        kind=kind, agreement=agreement, programme=programme, values=values, state=Proposal.State.PROPOSED
    )
    if twins.exists():
        raise refusal(_("The same proposal waits for a second person already."))
    proposal = Proposal.objects.create(
        kind=kind,
        agreement=agreement,
        programme=programme,
        values=values,
        reason=reason,
        made_by=actor,
        made_date=business_date,
    )
    record(
        actor=actor_of(actor),
        action=f"proposal.{kind.value}",
        subject=proposal,
        institution_id=agreement.institution_id if agreement else None,
        after=values,
        reason=reason,
    )
    return proposal


@transaction.atomic
def decide_proposal(
    *, proposal: Proposal, approves: bool, actor: User, business_date: date, reason: str = ""
) -> Proposal:
    """Approve or reject what another person proposed; what is approved counts at once, in one booking.

    Raises ``CannotDecideProposal``, or the refusal of the kind where it no longer fits.
    """
    require_role(CannotDecideProposal, *CHECKERS, actor=actor, on=business_date)
    if proposal.agreement_id is not None:
        lock_agreement(proposal.agreement_id)
    held = Proposal.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=proposal.pk)
    if held.state != Proposal.State.PROPOSED:
        raise CannotDecideProposal(_("Somebody has decided this already."))
    require_another(CannotDecideProposal, actor, (held.made_by_id, _("proposed it")))
    held.decided_by, held.decided_date, held.decision_reason = actor, business_date, reason
    if not approves:
        held.decision_reason = require_reason(CannotDecideProposal, reason)
        held.state = Proposal.State.REJECTED
    else:
        held.booking = book(
            purpose=f"proposal.{held.kind}",
            actor=actor_of(actor),
            institution_id=held.agreement.institution_id if held.agreement else None,
            reason=reason or held.reason,
        )
        held.state = Proposal.State.APPROVED
        _APPLY[Proposal.Kind(held.kind)](held, held.booking)
    held.save(update_fields=["state", "decided_by", "decided_date", "decision_reason", "booking"])
    record(
        actor=actor_of(actor),
        action=f"proposal.{held.kind}.{held.state}",
        subject=held,
        institution_id=held.agreement.institution_id if held.agreement else None,
        before={"state": Proposal.State.PROPOSED.value},
        after={"state": held.state, **held.values},
        reason=reason,
        booking=held.booking,
    )
    return held


def _allot(proposal: Proposal, _booking: Booking) -> None:
    agreement = lock_agreement(proposal.agreement_id or 0)
    values = proposal.values
    first, last = date.fromisoformat(values["from_date"]), date.fromisoformat(values["to_date"])
    amount: Any = Money(Decimal(values["amount"]), agreement.limit.currency)
    _refuse_allotment(agreement, amount, first, last)
    Allotment.objects.create(
        agreement=agreement,
        institution_id=agreement.institution_id,
        fund_source=FundSource.objects.get(code=values["fund_source"]),
        cluster=Cluster.objects.get(code=values["cluster"]) if values["cluster"] else None,
        amount=amount,
        from_date=first,
        to_date=last,
        made_by=proposal.made_by,
        approved_by=proposal.decided_by,
    )


def _end(proposal: Proposal, booking: Booking) -> None:
    agreement = lock_agreement(proposal.agreement_id or 0)
    _refuse_end(agreement)
    agreement.state, agreement.ended_date = Agreement.State.ENDED, proposal.decided_date
    agreement.save(update_fields=["state", "ended_date"])
    note_step(
        agreement,
        step="end",
        outcome=Decision.Outcome.APPROVED,
        actor=cast(User, proposal.decided_by),
        business_date=cast(date, proposal.decided_date),
        before={"state": Agreement.State.ACTIVE.value},
        after={"state": agreement.state, "ended_date": day(agreement.ended_date)},
        reason=proposal.reason,
        booking=booking,
    )


def _set_terms(proposal: Proposal, booking: Booking) -> None:
    programme = cast(Programme, proposal.programme)
    values = proposal.values
    _refuse_terms(programme, values)
    ProgrammeTerms.objects.create(
        programme=programme,
        effective_date=date.fromisoformat(values["effective_date"]),
        excluded_sectors=values["excluded_sectors"],
        confidence=values["confidence"],
        booking=booking,
        **{name: Decimal(values[name]) for name in (*MONEYS, *PERCENTS) if name in values},
        **{name: int(values[name]) for name in COUNTS if name in values},
    )


_APPLY = {
    Proposal.Kind.ALLOTMENT: _allot,
    Proposal.Kind.END: _end,
    Proposal.Kind.TERMS: _set_terms,
}
