"""The first administrator is appointed once."""

from __future__ import annotations

from datetime import date

import pytest

from partners.access import Role, context_of
from partners.services.first import appoint_first_administrator
from partners.services.people import CannotAddPerson

pytestmark = pytest.mark.django_db
TODAY = date(2026, 7, 1)


def test_the_first_administrator_may_administer() -> None:
    user = appoint_first_administrator(
        username="rahima", full_name="Rahima Khatun", password="four-kings-of-comilla", on=TODAY
    )
    assert context_of(user, on=TODAY).may(Role.ADMINISTRATOR)
    assert user.check_password("four-kings-of-comilla")


def test_nobody_becomes_administrator_this_way_a_second_time() -> None:
    appoint_first_administrator(username="a", full_name="A", password="four-kings-of-comilla", on=TODAY)
    with pytest.raises(CannotAddPerson, match="people page"):
        appoint_first_administrator(username="b", full_name="B", password="four-kings-of-comilla", on=TODAY)


def test_a_weak_password_is_refused() -> None:
    with pytest.raises(CannotAddPerson):
        appoint_first_administrator(username="a", full_name="A", password="12345", on=TODAY)
