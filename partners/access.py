"""Who is asking, and what they may do: the one place that turns memberships into permission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase

from daybook.services import Actor
from partners.models import ApprovalAuthority, Membership, User

Role = Membership.Role


class Side(StrEnum):
    """Whose people: decides the database role a request runs under."""

    FOUNDATION = "foundation"
    PARTNER = "partner"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Context:
    """A signed-in person's side, institution (partners only) and roles on a date."""

    side: Side
    institution_id: int | None
    roles: frozenset[str]

    @property
    def is_foundation(self) -> bool:
        return self.side is Side.FOUNDATION

    @property
    def is_partner(self) -> bool:
        return self.side is Side.PARTNER

    def may(self, *roles: str) -> bool:
        """Whether one of the roles is held."""
        return not self.roles.isdisjoint(roles)


NOBODY = Context(Side.NOBODY, None, frozenset())


def context_of(user: User, *, on: date) -> Context:
    """The context of a user on a date. A person with no membership then is nobody.

    A person belongs to one side and one institution; memberships of two institutions give
    the context of the one that started latest.
    """
    held = list(
        Membership.objects.filter(user=user, from_date__lte=on)
        .filter(Q(to_date__isnull=True) | Q(to_date__gte=on))
        .order_by("-from_date", "-id")
        .values_list("institution_id", "role")
    )
    if not held:
        return NOBODY
    institution_id = held[0][0]
    roles = frozenset(role for institution, role in held if institution == institution_id)
    side = Side.FOUNDATION if institution_id is None else Side.PARTNER
    return Context(side, institution_id, roles)


def actor_of(user: User) -> Actor:
    """The user as bookings and the audit trail name them."""
    return Actor(id=user.pk, name=str(user))


def authority_of(roles: frozenset[str], *, on: date, currency: str = "BDT") -> Decimal:
    """The highest amount (taka) that someone with these roles may decide on a date; 0 without authority."""
    rows = (
        ApprovalAuthority.objects.filter(role__in=roles, effective_date__lte=on, amount_currency=currency)
        .order_by("role", "-effective_date", "-booking_id")
        .distinct("role")
    )
    return max((row.amount.amount for row in rows), default=Decimal(0))


def requires(*roles: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Open a view to holders of one of the roles. ``request.context`` is set by the middleware."""

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            check_roles(request, roles)
            return view(request, *args, **kwargs)

        guarded.required_roles = roles  # type: ignore[attr-defined]  # read by the test that walks every URL
        return guarded

    return wrap


def check_roles(request: HttpRequest, roles: tuple[str, ...]) -> None:
    """Raise ``PermissionDenied`` with a sentence that says which roles the page is for."""
    context: Context = getattr(request, "context", NOBODY)
    if not context.may(*roles):
        wanted = ", ".join(str(Role(role).label) for role in roles)
        raise PermissionDenied(f"This page is for: {wanted}.")


FOUNDATION = (Role.OFFICER, Role.APPROVER, Role.FINANCE_HEAD, Role.ADMINISTRATOR, Role.AUDITOR)
PARTNER = (Role.MAKER, Role.CHECKER, Role.VIEWER)
EVERYONE = FOUNDATION + PARTNER
