"""Hashes of passwords, asked for by every role that a page or a command runs as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2.errors
import pytest
from django.db import DatabaseError, connection, transaction

from partners.models import Institution, User
from tests.conftest import PASSWORD, ActingClient, set_role

PAGES = ("paikar_foundation", "paikar_partner")
ActingAs = Callable[..., None]


@pytest.fixture
def people(make_user: Callable[..., User], institution: Institution) -> list[User]:
    """A maker and a checker of one institution, both with a password."""
    made = [make_user("maker", institution=institution), make_user("checker", institution=institution)]
    for user in made:
        user.set_password(PASSWORD)
        user.save()
    return made


def forbidden(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege)
    return False


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT password FROM partners_user",
        "SELECT * FROM partners_user",
        "SELECT to_jsonb(u) FROM partners_user u",
        "SELECT count(*) FROM partners_user WHERE password LIKE 'argon2%'",
        "SELECT id FROM partners_user ORDER BY password",
        "UPDATE partners_user SET password = 'known'",
        "UPDATE partners_user SET full_name = password",
        "COPY partners_user (password) TO STDOUT",
    ],
)
def test_no_page_reads_or_changes_a_hash(
    people: list[User], acting_as: ActingAs, institution: Institution, role: str, statement: str
) -> None:
    acting_as(role, institution_id=institution.pk)
    assert forbidden(statement)


@pytest.mark.parametrize("role", PAGES)
def test_the_function_gives_a_page_nothing(
    people: list[User], acting_as: ActingAs, institution: Institution, role: str
) -> None:
    acting_as(role, institution_id=institution.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, partners_password(id) FROM partners_user")
        assert set(cursor.fetchall()) >= {(user.pk, "") for user in people}
        cursor.execute("SELECT set_config('search_path', 'pg_temp, public', true)")
        cursor.execute("SELECT DISTINCT partners_password(id) FROM partners_user")
        assert cursor.fetchall() == [("",)]


def test_who_signs_people_in_reads_the_hash(people: list[User], acting_as: ActingAs) -> None:
    acting_as("paikar_web")
    assert User.objects.get(pk=people[0].pk).check_password(PASSWORD)


@pytest.mark.parametrize("role", PAGES)
def test_pages_still_join_people_to_their_deeds(
    people: list[User], acting_as: ActingAs, institution: Institution, role: str
) -> None:
    acting_as(role, institution_id=institution.pk)
    found = User.objects.filter(pk__in=[user.pk for user in people]).order_by("pk")
    assert [(user.full_name, user.password) for user in found] == [(user.full_name, "") for user in people]


def test_a_person_read_without_the_hash_is_never_saved_without_it(people: list[User]) -> None:
    set_role("paikar_foundation")
    half_read = User.objects.get(pk=people[0].pk)
    set_role("paikar_worker")  # which may write the column
    with pytest.raises(DatabaseError, match="never emptied"), transaction.atomic():
        half_read.save()
    assert User.objects.get(pk=people[0].pk).check_password(PASSWORD)


def test_signing_in_and_changing_the_password_go_on(people: list[User], client: ActingClient) -> None:
    answer: Any = client.post("/sign-in/", {"username": people[0].username, "password": PASSWORD})
    assert answer["Location"] == "/"
    new = "another-long-passphrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/password/", form)["Location"] == "/"
    assert client.get("/lending/programmes/").status_code == 200  # the session outlives the change
    assert User.objects.get(pk=people[0].pk).check_password(new)
