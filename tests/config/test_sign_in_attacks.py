"""Attacks on signing in, on sessions and on what a request leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone

from partners.forms.people import EmailForm, PersonForm
from partners.models import Institution, Membership, User
from tests.conftest import PASSWORD, ActingClient, set_role

MakeUser = Callable[..., User]


@pytest.fixture
def officer(make_user: MakeUser) -> User:
    """An officer with a password."""
    user = make_user("officer")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: ActingClient, user: User, *, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in/", {"username": user.username, "password": password}, **more)


def test_a_session_planted_before_signing_in_is_not_the_one_after(
    client: ActingClient, officer: User
) -> None:
    client.get("/sign-in/")
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["sessionid"] = str(planted.session_key)
    sign_in(client, officer)
    assert client.cookies["sessionid"].value != planted.session_key
    assert not Session.objects.filter(session_key=planted.session_key).exists()
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_session_ends_after_a_working_day_and_with_signing_out(client: ActingClient, officer: User) -> None:
    sign_in(client, officer)
    key = client.cookies["sessionid"].value
    left = Session.objects.get(session_key=key).expire_date - timezone.now()
    assert timedelta(hours=7) < left <= timedelta(hours=8)
    client.post("/sign-out/")
    assert not Session.objects.filter(session_key=key).exists()
    client.cookies["sessionid"] = key
    assert client.get("/lending/programmes/").status_code == 302


def test_a_changed_password_ends_the_other_sessions(officer: User) -> None:
    here, elsewhere = ActingClient(), ActingClient()
    for client in (here, elsewhere):
        sign_in(client, officer)
    new = "another-long-passphrase"
    here.post("/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert here.get("/lending/programmes/").status_code == 200
    assert elsewhere.get("/lending/programmes/").status_code == 302


def test_who_is_put_out_or_loses_the_last_role_is_out_at_the_next_click(
    client: ActingClient, officer: User
) -> None:
    sign_in(client, officer)
    Membership.objects.filter(user=officer).update(to_date="2020-01-01")
    assert client.get("/lending/programmes/").status_code == 403
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert client.get("/lending/programmes/").status_code == 302
    assert sign_in(ActingClient(), officer).status_code == 200, "and does not come in again"


@pytest.mark.parametrize(
    "address",
    ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"],
)
def test_signing_in_never_leads_elsewhere(client: ActingClient, officer: User, address: str) -> None:
    answer = client.post("/sign-in/", {"username": officer.username, "password": PASSWORD, "next": address})
    assert answer["Location"] == "/"


@override_settings(AXES_ENABLED=True)
def test_guessing_is_shut_out_and_the_right_word_does_not_help(client: ActingClient, officer: User) -> None:
    for _ in range(5):
        answer = sign_in(client, officer, password="guess")
    assert answer.status_code == 429
    assert sign_in(client, officer).status_code == 429
    elsewhere = sign_in(ActingClient(), officer, REMOTE_ADDR="203.0.113.9")
    assert elsewhere.status_code == 302, "a stranger's guesses shut nobody else out"


def test_a_field_of_ten_megabytes_is_refused_unread(client: ActingClient, officer: User) -> None:
    assert client.post("/sign-in/", {"username": "a" * 10_000_000, "password": "x"}).status_code == 400
    client.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    many = {f"field{number}": "x" for number in range(6_000)}
    assert client.post("/lending/agreements/new/", many).status_code == 400


def test_no_page_tells_which_names_exist(client: ActingClient, officer: User) -> None:
    wrong = sign_in(client, officer, password="guess").text
    nobody = client.post("/sign-in/", {"username": "nobody-here", "password": "guess"}).text
    assert "alert-danger" in wrong

    def plain(page: str, name: str) -> list[str]:
        return [
            line for line in page.replace(name, "").splitlines() if "csrf" not in line and "nonce" not in line
        ]

    assert plain(wrong, officer.username) == plain(nobody, "nobody-here")


@pytest.mark.parametrize("outcome", [200, 404, 403, 400])
def test_a_request_leaves_no_role_and_no_institution_behind(
    make_user: MakeUser, institution: Institution, outcome: int
) -> None:
    """The next request on the same connection begins as nobody's."""
    client = Client()
    client.force_login(
        make_user("maker", institution=institution), "django.contrib.auth.backends.ModelBackend"
    )
    address = {
        200: "/lending/programmes/", 404: "/reports/loans/999999999/", 403: "/daybook/trail/",
        400: "/lending/programmes/?q=%00",
    }[outcome]  # fmt: skip
    set_role("paikar_web")
    assert client.get(address).status_code == outcome
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, coalesce(current_setting('paikar.institution', true), '')")
        role, institution_id = cursor.fetchone()
    assert role != "paikar_partner"
    assert institution_id == ""


@pytest.mark.parametrize("address", ["a@example.com\nBcc: b@example.com", "a@example.com\r\n", "a@b@c", "x"])
def test_no_letter_goes_where_a_line_break_sends_it(address: str) -> None:
    form = EmailForm({"email": address})
    valid = form.is_valid()
    assert not valid or "\n" not in form.cleaned_data["email"]
    assert not valid or "\r" not in form.cleaned_data["email"]


def test_a_name_to_sign_in_with_is_plain() -> None:
    field = PersonForm.base_fields["username"]
    for name in ("../admin", "a b", "<script>", "অফিসার", "a\nb"):
        with pytest.raises(ValidationError):
            field.clean(name)
