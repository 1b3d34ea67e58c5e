"""The first administrator, whom nobody can appoint."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from daybook.services import Actor, record
from partners.access import Role
from partners.models import Membership, User
from partners.services.people import CannotAddPerson


@transaction.atomic
def appoint_first_administrator(*, username: str, full_name: str, password: str, on: date) -> User:
    """Add the first person of the foundation, as administrator; everyone after is added on the people page.

    Raises ``CannotAddPerson`` once there is an administrator, or when the password is too weak.
    """
    if Membership.objects.select_for_update().filter(role=Role.ADMINISTRATOR).exists():
        raise CannotAddPerson("There is an administrator already; people are added on the people page.")
    user = User(username=username, full_name=full_name)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CannotAddPerson(" ".join(error.messages)) from error
    user.set_password(password)
    user.save(force_insert=True)
    Membership.objects.create(user=user, role=Role.ADMINISTRATOR, from_date=on)
    record(
        actor=Actor(id=user.pk, name=str(user)),
        action="person.first_administrator",
        subject=user,
        after={"username": username, "full_name": full_name},
        reason="set-up",
    )
    return user
