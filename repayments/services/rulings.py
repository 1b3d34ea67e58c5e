"""Two people behind every floor, release, freeze, security and policy: one proposes, another decides.

What the maker filled in is kept as text; approving reads it again and puts the fact in the books, in one
transaction. Who may do which is decided at the edge; that they are two people, here and by the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from daybook.models import Booking
from daybook.services import book, record
from lending.models import Loan, Security
from lending.services.schedules import lock_loans
from partners.access import actor_of
from partners.models import User
from repayments.models import (
    ClassFloor,
    ClassFreeze,
    ClassificationPolicy,
    ProvisionPolicy,
    RulingProposal,
)
from repayments.services.judgements import CannotHoldClass, freeze_classes, hold_class, release_class

Kind = RulingProposal.Kind
Parameters = Mapping[str, Any]

FREEZE_TEXTS = ("reference", "tier", "applies_to")
POLICY_TEXTS = ("code", "reference", "tier", "applies_to", "confidence")
CLASS_NUMBERS = ("lag_months", "sma_months", "ss_months", "df_months", "bl_months")
CLASS_TERMS = ("term_years_min", "term_years_max")
PERCENTS = (
    "standard_percent",
    "sma_percent",
    "ss_percent",
    "df_percent",
    "bl_percent",
    "floor_percent",
)


class CannotProposeRuling(Exception):
    """The proposal could never be approved as it stands; the sentence says why."""


class CannotDecideRuling(Exception):
    """The proposal is not this person's to decide, or no longer open, or the books now refuse it."""


@transaction.atomic
def propose_ruling(
    *, kind: str, parameters: Parameters, reason: str, actor: User, loan: Loan | None = None
) -> RulingProposal:
    """Propose a judgement, a security or a policy. Raises ``CannotProposeRuling``.

    Values of ``parameters`` are text, whole numbers, lists of text or None (dates in ISO, amounts and
    percents as text), by the names of the fields of the fact that will be written.
    """
    if not reason.strip():
        raise CannotProposeRuling(_("Say why; the second person will read it."))
    _refuse_terms(kind, parameters, loan)
    _refuse_twin(kind, parameters, loan)
    institution_id = loan.institution_id if loan is not None else parameters.get("institution_id")
    proposal = RulingProposal.objects.create(
        kind=kind,
        loan=loan,
        institution_id=institution_id,
        parameters=dict(parameters),
        reason=reason.strip(),
        made_by=actor,
    )
    _record("ruling.propose", proposal, actor)
    return proposal


@transaction.atomic
def approve_ruling(*, proposal_id: int, actor: User, reason: str = "") -> RulingProposal:
    """Approve a proposal and put its fact in the books, both or neither. Raises ``CannotDecideRuling``."""
    proposal = _open(proposal_id, actor)
    booking = book(
        purpose=f"ruling.{proposal.kind}",
        actor=actor_of(actor),
        institution_id=proposal.institution_id,
        reason=proposal.reason,
    )
    try:
        with transaction.atomic():
            _WRITERS[proposal.kind](proposal, actor, booking)
    except IntegrityError as clash:
        raise CannotDecideRuling(
            _("The books refuse it: something booked meanwhile stands in its place. It can only be rejected.")
        ) from clash
    except CannotHoldClass as refusal:
        raise CannotDecideRuling(
            _("%(refusal)s The proposal can only be rejected.") % {"refusal": refusal}
        ) from refusal
    return _decided(proposal, RulingProposal.State.APPROVED, actor, reason, booking)


@transaction.atomic
def reject_ruling(*, proposal_id: int, actor: User, reason: str) -> RulingProposal:
    """Turn a proposal down; nothing is booked. Raises ``CannotDecideRuling``."""
    proposal = _open(proposal_id, actor)
    if not reason.strip():
        raise CannotDecideRuling(_("Say why the proposal is rejected; whoever made it will read it."))
    return _decided(proposal, RulingProposal.State.REJECTED, actor, reason, None)


def class_policy_of(parameters: Parameters) -> ClassificationPolicy:
    """The unsaved policy of class that a proposal's parameters describe."""
    numbers = {name: _number(parameters.get(name)) for name in CLASS_NUMBERS + CLASS_TERMS}
    return ClassificationPolicy(
        **_policy_fields(parameters),
        test=parameters["test"],
        **(numbers | {"lag_months": numbers["lag_months"] or 0}),
    )


def provision_policy_of(parameters: Parameters) -> ProvisionPolicy:
    """The unsaved policy of provision that a proposal's parameters describe."""
    return ProvisionPolicy(
        **_policy_fields(parameters),
        **{name: Decimal(parameters.get(name) or "0") for name in PERCENTS},
    )


def _policy_fields(parameters: Parameters) -> dict[str, Any]:
    return {
        **{name: parameters[name] for name in POLICY_TEXTS},
        "scope": list(parameters.get("scope") or []),
        "from_date": date.fromisoformat(parameters["from_date"]),
        "to_date": _day(parameters.get("to_date")),
    }


def _refuse_terms(kind: str, parameters: Parameters, loan: Loan | None) -> None:
    """What could never be approved is refused while the maker can still mend it."""
    first, last = _day(parameters.get("from_date")), _day(parameters.get("to_date"))
    if first is not None and last is not None and last < first:
        raise CannotProposeRuling(_("The last day comes before the first."))
    if kind in (Kind.FLOOR, Kind.SECURITY) and loan is None:
        raise CannotProposeRuling(_("Name the loan."))
    if parameters.get("is_withdrawn") and not parameters.get("replaces_id"):
        raise CannotProposeRuling(_("Only what replaces another can withdraw it."))
    if kind == Kind.CLASS_POLICY:
        bounds = [
            months for name in CLASS_NUMBERS[1:] if (months := _number(parameters.get(name))) is not None
        ]
        if bounds != sorted(set(bounds)):
            raise CannotProposeRuling(_("The months must rise from class to class."))
        if _number(parameters.get("lag_months")) and parameters["test"] != ClassificationPolicy.Test.TIME:
            raise CannotProposeRuling(_("A lag goes with the test by time only."))
    if kind in (Kind.CLASS_POLICY, Kind.PROVISION_POLICY):
        model = ClassificationPolicy if kind == Kind.CLASS_POLICY else ProvisionPolicy
        if model.objects.filter(code=parameters["code"]).exists():
            raise CannotProposeRuling(
                _("There is a policy %(code)s; give the new one a code of its own.")
                % {"code": parameters["code"]}
            )


def _refuse_twin(kind: str, parameters: Parameters, loan: Loan | None) -> None:
    """A form sent twice is one proposal: approved both, one security would count twice."""
    if loan is not None:
        lock_loans(np.array([loan.pk], dtype=np.int64))
    twins = RulingProposal.objects.filter(
        kind=kind, loan=loan, parameters=dict(parameters), state=RulingProposal.State.PROPOSED
    )
    if twins.exists():
        raise CannotProposeRuling(_("The same proposal waits for a second person already."))


def _write_floor(proposal: RulingProposal, approver: User, booking: Booking) -> None:
    hold_class(
        loan_ids=[_loan_id(proposal)],
        at_least=int(proposal.parameters["at_least"]),
        from_date=date.fromisoformat(proposal.parameters["from_date"]),
        kind=ClassFloor.Kind.JUDGEMENT,
        reason=proposal.reason,
        booking=booking,
        made_by=proposal.made_by,
        approved_by=approver,
    )


def _write_release(proposal: RulingProposal, approver: User, booking: Booking) -> None:
    release_class(
        floor_ids=[int(proposal.parameters["floor_id"])],
        from_date=date.fromisoformat(proposal.parameters["from_date"]),
        reason=proposal.reason,
        booking=booking,
        made_by=proposal.made_by,
        approved_by=approver,
    )


def _write_freeze(proposal: RulingProposal, approver: User, booking: Booking) -> None:
    told = proposal.parameters
    freeze_classes(
        freeze=ClassFreeze(
            **{name: told.get(name) or "" for name in FREEZE_TEXTS},
            institution_id=_number(told.get("institution_id")),
            programme_id=_number(told.get("programme_id")),
            district_id=told.get("district_id") or None,
            sizes=list(told.get("sizes") or []),
            from_date=date.fromisoformat(told["from_date"]),
            to_date=date.fromisoformat(told["to_date"]),
            replaces_id=_number(told.get("replaces_id")),
            is_withdrawn=bool(told.get("is_withdrawn")),
            reason=proposal.reason,
        ),
        booking=booking,
        made_by=proposal.made_by,
        approved_by=approver,
    )


def _write_security(proposal: RulingProposal, approver: User, booking: Booking) -> None:
    told, loan = proposal.parameters, Loan.objects.get(pk=_loan_id(proposal))
    Security.objects.create(
        loan=loan,
        institution_id=loan.institution_id,
        category=told["category"],
        kind=told["kind"],
        value=Decimal(told["value"]),
        value_currency=loan.currency,
        eligible_percent=Decimal(told["eligible_percent"]),
        valued_date=date.fromisoformat(told["valued_date"]),
        from_date=date.fromisoformat(told["from_date"]),
        to_date=_day(told.get("to_date")),
        replaces_id=_number(told.get("replaces_id")),
        is_withdrawn=bool(told.get("is_withdrawn")),
        made_by=proposal.made_by,
        approved_by=approver,
        booking=booking,
    )


def _write_policy(proposal: RulingProposal, approver: User, booking: Booking) -> None:
    make: Callable[[Parameters], ClassificationPolicy | ProvisionPolicy] = (
        class_policy_of if proposal.kind == Kind.CLASS_POLICY else provision_policy_of
    )
    policy = make(proposal.parameters)
    policy.proposed_by, policy.approved_by, policy.booking = proposal.made_by, approver, booking
    policy.save(force_insert=True)


_WRITERS: dict[str, Callable[[RulingProposal, User, Booking], None]] = {
    Kind.FLOOR: _write_floor,
    Kind.RELEASE: _write_release,
    Kind.FREEZE: _write_freeze,
    Kind.SECURITY: _write_security,
    Kind.CLASS_POLICY: _write_policy,
    Kind.PROVISION_POLICY: _write_policy,
}


def _loan_id(proposal: RulingProposal) -> int:
    if proposal.loan_id is None:
        raise ValueError(f"proposal {proposal.pk} names no loan")  # refused when it was proposed
    return proposal.loan_id


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if value else None


def _number(value: Any) -> int | None:
    return None if value in (None, "") else int(value)


def _open(proposal_id: int, actor: User) -> RulingProposal:
    """The proposal, locked; a second person who decides at the same moment waits here, then is refused."""
    proposal = (
        RulingProposal.objects.select_for_update(of=("self",)).select_related("made_by").get(pk=proposal_id)
    )
    if proposal.state != RulingProposal.State.PROPOSED:
        raise CannotDecideRuling(
            _("This proposal is decided already: %(state)s.") % {"state": proposal.get_state_display()}
        )
    if proposal.made_by_id == actor.pk:
        raise CannotDecideRuling(_("You made this proposal; somebody else must decide it."))
    return proposal


def _decided(
    proposal: RulingProposal, state: str, actor: User, reason: str, booking: Booking | None
) -> RulingProposal:
    RulingProposal.objects.filter(pk=proposal.pk).update(
        state=state, decided_by=actor, decided_at=Now(), decision_reason=reason.strip(), booking=booking
    )
    proposal.refresh_from_db()
    _record(f"ruling.{'approve' if booking else 'reject'}", proposal, actor, reason=reason.strip())
    return proposal


def _record(action: str, proposal: RulingProposal, actor: User, *, reason: str = "") -> None:
    record(
        actor=actor_of(actor),
        action=action,
        subject=proposal,
        institution_id=proposal.institution_id,
        after={
            "kind": proposal.kind,
            "state": proposal.state,
            "loan": proposal.loan.number if proposal.loan else None,
            **proposal.parameters,
        },
        reason=reason or proposal.reason,
        booking=proposal.booking,
    )
