"""What every step of a decision has in common: who may take it, the row it leaves, the entry in the trail."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.formats import day, tk
from daybook.models import Booking
from daybook.services import record
from lending.models import Agreement, Application, Decision, Tranche
from partners.access import Context, actor_of, authority_of, context_of
from partners.models import Membership, User
from partners.services.refusals import Refused


def require_role(
    refusal: type[Refused], *roles: str, actor: User, on: date, institution_id: int | None = None
) -> Context:
    """The actor's context; refused unless one of the roles is held that day (and at that institution)."""
    context = context_of(actor, on=on)
    if not context.may(*roles):
        wanted = ", ".join(str(Membership.Role(role).label) for role in roles)
        raise refusal(
            _("%(name)s holds none of these roles on %(day)s: %(roles)s.")
            % {"name": actor, "day": day(on), "roles": wanted}
        )
    if institution_id is not None and context.institution_id != institution_id:
        raise refusal(_("This belongs to another institution."))
    return context


def require_authority(refusal: type[Refused], context: Context, *, amount: Money, on: date) -> Decimal:
    """What the roles held may decide on that day (taka); refused below the amount."""
    authority = authority_of(context.roles, on=on, currency=str(amount.currency))
    if amount.amount > authority:
        raise refusal(
            _("The amount is %(amount)s; your authority reaches %(authority)s. Ask someone with more.")
            % {"amount": tk(amount), "authority": tk(Money(authority, amount.currency))}
        )
    return authority


def require_another(refusal: type[Refused], actor: User, *earlier: tuple[int | None, str]) -> None:
    """Maker is never checker: refused when the actor took an earlier step (user id, what was done)."""
    for user_id, deed in earlier:
        if user_id == actor.pk:
            raise refusal(
                _("%(name)s %(deed)s; this step needs another person.") % {"name": actor, "deed": deed}
            )


def require_reason(refusal: type[Refused], reason: str) -> str:
    """The reason without its margins; refused when empty."""
    cleaned = reason.strip()
    if not cleaned:
        raise refusal(_("Say why: the reason is kept with the decision."))
    return cleaned


def taka(amount: Decimal | Money, currency: str = "BDT") -> Any:
    """An amount as Money. (Any: the type checker takes a MoneyField for a DecimalField.)"""
    return amount if isinstance(amount, Money) else Money(amount, currency)


def note_step(
    subject: Agreement | Application | Tranche,
    *,
    step: str,
    outcome: Decision.Outcome = Decision.Outcome.DONE,
    actor: User,
    business_date: date,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    amount: Any = None,
    reason: str = "",
    booking: Booking | None = None,
) -> Decision:
    """Leave the decision and the audit entry of one step; called in the step's own transaction."""
    noun = subject._meta.model_name or ""
    decision = Decision.objects.create(
        institution_id=subject.institution_id,
        step=step,
        outcome=outcome,
        amount=amount,
        reason=reason,
        by=actor,
        by_name=str(actor),
        business_date=business_date,
        **{noun: subject},
    )
    record(
        actor=actor_of(actor),
        action=f"{noun}.{step}" if outcome is Decision.Outcome.DONE else f"{noun}.{step}.{outcome.value}",
        subject=subject,
        institution_id=subject.institution_id,
        before=before,
        after=after,
        reason=reason,
        booking=booking,
    )
    return decision
