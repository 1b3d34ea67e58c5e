"""The frame every page stands in: sign-in, roles per request, one transaction, errors that help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from config import urls as real_urls
from partners.models import District, Institution, User
from tests.conftest import PASSWORD, ActingClient

pytestmark = pytest.mark.django_db


def whoami(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('paikar.institution', true)")
        role, institution = cursor.fetchone()
    return HttpResponse(f"{role} {institution}")


def write_then(outcome: str) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        District.objects.create(code="99", name="Nowhere", name_bn="x", division="x")
        if outcome == "not found":
            raise Http404
        if outcome == "crash":
            raise RuntimeError("the view fails after it wrote")
        if outcome == "bad template":
            return TemplateResponse(request, "no_such_template.html")
        return HttpResponse("fine", status=500 if outcome == "error answer" else 200)

    return view


urlpatterns = [
    *real_urls.urlpatterns,
    path("whoami", whoami),
    *(
        path(f"write/{name}", write_then(name))
        for name in ("fine", "not found", "crash", "bad template", "error answer")
    ),
]
handler403 = real_urls.handler403
handler404 = real_urls.handler404
handler500 = real_urls.handler500
with_these_pages = pytest.mark.urls(__name__)


@pytest.fixture
def bank() -> Institution:
    return Institution.objects.create(code="TST", name="Test Bank", bank_code="999")


@with_these_pages
def test_a_view_runs_as_the_foundation_or_as_one_institutions_partner(
    as_foundation: Any, as_partner: Any, bank: Institution
) -> None:
    assert as_foundation().get("/whoami").content == b"paikar_foundation "
    assert as_partner(bank).get("/whoami").content == f"paikar_partner {bank.pk}".encode()


@with_these_pages
def test_a_person_without_a_role_today_is_told_so(sign_in: Any, make_user: Any) -> None:
    answer = sign_in(make_user()).get("/whoami")
    assert answer.status_code == 403
    assert "Ask your administrator" in answer.text


@with_these_pages
@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        ("fine", True),
        ("not found", False),
        ("crash", False),
        ("bad template", False),
        ("error answer", False),
    ],
)
def test_only_a_request_that_went_well_leaves_something_behind(
    as_foundation: Any, outcome: str, kept: bool
) -> None:
    client: ActingClient = as_foundation("administrator")
    client.raise_request_exception = False
    client.get(f"/write/{outcome}")
    assert District.objects.filter(code="99").exists() is kept


@pytest.mark.parametrize("address", ["/", "/password/", "/daybook/holidays/"])
def test_every_page_but_sign_in_asks_for_a_name(client: ActingClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_signing_in_and_out(client: ActingClient, make_user: Callable[..., User]) -> None:
    user = make_user("officer")
    user.set_password(PASSWORD)
    user.save()
    wrong = client.post("/sign-in/", {"username": user.username, "password": "wrong"})
    assert wrong.status_code == 200
    assert "is-invalid" not in wrong.text
    assert "alert-danger" in wrong.text
    right = client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    assert right["Location"] == "/"
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert "_auth_user_id" not in client.session


def test_a_changed_password_works_at_once(as_foundation: Any) -> None:
    client = as_foundation()
    client.user.set_password(PASSWORD)
    client.user.save()
    client.login(username=client.user.username, password=PASSWORD)
    new = "another-long-passphrase"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/password/", form)["Location"] == "/"
    client.user.refresh_from_db()
    assert client.user.check_password(new)
    assert client.user.password.startswith("argon2")


def test_the_language_is_kept_and_never_leads_elsewhere(as_foundation: Any) -> None:
    client = as_foundation()
    answer = client.post("/language/", {"language": "bn", "next": "//evil.example/"})
    assert answer["Location"] == "/"
    client.user.refresh_from_db()
    assert client.user.language == "bn"
    assert 'lang="bn"' in client.get("/password/").text


def test_pages_carry_a_content_security_policy_without_inline_exceptions(client: ActingClient) -> None:
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


def test_an_unknown_address_says_what_to_do(as_foundation: Any) -> None:
    answer = as_foundation().get("/no/such/page/")
    assert answer.status_code == 404
    assert "Use the menu" in answer.text


def test_health_needs_no_name(client: ActingClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
