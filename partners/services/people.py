"""People and the roles they hold. An administrator does it, and never for themselves."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from daybook.services import record
from partners.access import Role, actor_of, context_of
from partners.models import Institution, Membership, User
from partners.services.refusals import Refused


class CannotAddPerson(Refused):
    """The name is taken, the password too weak, or the actor no administrator."""


class CannotGiveRole(Refused):
    """The role does not fit the side, overlaps, or the actor may not give it."""


def _require_administrator(refusal: type[Refused], actor: User, on: date) -> None:
    if not context_of(actor, on=on).may(Role.ADMINISTRATOR):
        raise refusal(_("Only an administrator of the foundation does this."))


@transaction.atomic
def add_person(
    *,
    username: str,
    full_name: str,
    full_name_bn: str,
    language: str,
    password: str,
    actor: User,
    business_date: date,
    email: str = "",
) -> User:
    """Add a person who may sign in; without a role every page stays closed to them."""
    _require_administrator(CannotAddPerson, actor, business_date)
    if User.objects.filter(username__iexact=username).exists():
        raise CannotAddPerson(_("Somebody signs in as %(name)s already.") % {"name": username})
    user = User(
        username=username, full_name=full_name, full_name_bn=full_name_bn, language=language, email=email
    )
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CannotAddPerson(" ".join(error.messages)) from error
    user.set_password(password)
    user.save(force_insert=True)
    record(
        actor=actor_of(actor),
        action="person.add",
        subject=user,
        after={"username": username, "full_name": full_name},
    )
    return user


@transaction.atomic
def set_email(*, user: User, email: str, actor: User, business_date: date) -> None:
    """Write down where the system writes to a person; the trail notes that it changed, not to what."""
    _require_administrator(CannotAddPerson, actor, business_date)
    User.objects.filter(pk=user.pk).update(email=email)
    record(actor=actor_of(actor), action="person.set_email", subject=user, after={"has_email": bool(email)})


@transaction.atomic
def give_role(
    *,
    user: User,
    role: str,
    institution: Institution | None,
    from_date: date,
    to_date: date | None,
    stands_in_for: User | None,
    reason: str,
    actor: User,
    business_date: date,
) -> Membership:
    """Give a role between two dates, at the foundation (no institution) or at one institution."""
    _require_administrator(CannotGiveRole, actor, business_date)
    if user.pk == actor.pk:
        raise CannotGiveRole(_("Nobody gives a role to themselves; another administrator does it."))
    if (institution is None) != (role in Membership.FOUNDATION_ROLES):
        raise CannotGiveRole(
            _("A role of the foundation has no institution, and a role of an institution needs one.")
        )
    if to_date is not None and to_date < from_date:
        raise CannotGiveRole(_("The role would end before it begins."))
    held = list(user.memberships.exclude(to_date__lt=from_date))
    if any(row.institution_id != (institution.pk if institution else None) for row in held):
        raise CannotGiveRole(_("A person belongs to one side and one institution; end the other role first."))
    if any(row.role == role for row in held):
        raise CannotGiveRole(_("The person holds this role in that time already."))
    membership = Membership.objects.create(
        user=user,
        institution=institution,
        role=role,
        from_date=from_date,
        to_date=to_date,
        stands_in_for=stands_in_for,
    )
    record(
        actor=actor_of(actor),
        action="role.give",
        subject=user,
        institution_id=institution.pk if institution else None,
        after={
            "role": role,
            "institution": institution.code if institution else None,
            "from": from_date.isoformat(),
            "to": to_date.isoformat() if to_date else None,
            "stands_in_for": str(stands_in_for) if stands_in_for else None,
        },
        reason=reason,
    )
    return membership


@transaction.atomic
def end_role(
    *, membership: Membership, to_date: date, reason: str, actor: User, business_date: date
) -> Membership:
    """Let a role end on a date; what was done under it stays."""
    _require_administrator(CannotGiveRole, actor, business_date)
    held = Membership.objects.select_for_update().get(pk=membership.pk)
    if to_date < held.from_date:
        raise CannotGiveRole(_("The role would end before it begins."))
    before = held.to_date
    held.to_date = to_date
    held.save(update_fields=["to_date"])
    record(
        actor=actor_of(actor),
        action="role.end",
        subject=held.user,
        institution_id=held.institution_id,
        before={"role": held.role, "to": before.isoformat() if before else None},
        after={"role": held.role, "to": to_date.isoformat()},
        reason=reason,
    )
    return held
