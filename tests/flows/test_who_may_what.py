"""Every address of the site as everybody: who may open it, and whose things they see."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from partners.access import EVERYONE, FOUNDATION, PARTNER
from tests.conftest import ActingClient
from tests.flows.site import (
    ADDRESSES,
    EVERYBODYS,
    OPEN_TO_ANYONE,
    OTHERS,
    SLOW,
    WITHOUT_ROLES,
    WRITES,
    Site,
    ask,
    body,
    roles_of,
)

pytestmark = pytest.mark.usefixtures("undone")


def test_every_address_says_whose_it_is() -> None:
    assert len(ADDRESSES) > 60
    without = {name for name in ADDRESSES if not roles_of(name)}
    assert without == WITHOUT_ROLES
    for name in OPEN_TO_ANYONE:
        assert getattr(ADDRESSES[name].callback, "for_anyone", False), name
    known = {str(role) for role in EVERYONE}
    assert all(set(roles_of(name)) <= known for name in ADDRESSES)


def test_nobody_gets_anywhere_without_signing_in(site: Site) -> None:
    stranger = ActingClient()
    for name in set(ADDRESSES) - OPEN_TO_ANYONE | {"password_change"}:
        for send in (stranger.get, stranger.post):
            response = send(site.address(name))
            assert response.status_code == 302, name
            assert response["Location"].startswith("/sign-in/"), name


def test_a_person_whose_roles_have_ended_gets_nowhere(site: Site) -> None:
    client = site.clients["finance_head"]
    site.world.people["finance_head"].memberships.update(to_date="2020-01-01")
    for name in set(ADDRESSES) - OPEN_TO_ANYONE:
        assert client.get(site.address(name)).status_code == 403, name


@pytest.mark.parametrize("role", [str(role) for role in EVERYONE])
def test_a_page_opens_for_its_roles_and_for_no_other(site: Site, role: str) -> None:
    client = site.clients[role]
    for name in set(ADDRESSES) - WITHOUT_ROLES:
        address = site.address(name)
        if role not in roles_of(name):
            assert client.get(address).status_code in (403, 405), name
            assert client.post(address).status_code in (403, 405), name
        elif name not in SLOW or role == "viewer":
            assert client.get(address).status_code in (200, 302, 405), name


@pytest.mark.parametrize("role", OTHERS)
def test_another_institutions_things_do_not_exist(site: Site, role: str) -> None:
    client = site.clients[role]
    tried = 0
    for name in set(ADDRESSES) - WITHOUT_ROLES:
        has_owner = bool(ADDRESSES[name].pattern.converters) and name not in EVERYBODYS
        is_open = role.removeprefix("other_") in roles_of(name)
        response = ask(client, site.address(name))
        if has_owner and is_open:
            tried += 1
            assert response.status_code == 404, name
            assert client.post(site.address(name)).status_code in (404, 405), name
        said = body(response)
        for secret in site.secrets:
            assert secret not in said, (name, secret)
    assert tried >= 15


def test_a_partner_hears_nothing_of_others_by_asking_lists_for_them(site: Site) -> None:
    """Filters, searches and sorting of lists work on one's own rows."""
    client = site.clients["other_checker"]
    bank = site.world.bank
    questions: dict[str, Any] = {
        "institution": bank.pk,
        "search": bank.name[:4],
        "q": "Borrower",
        "sort": "-institution",
        "loan": site.book.wholesale.pk,
        "as_of": "2025-06-30",
        "known_by": "2025-10-31",
    }
    listed = [
        name for name in ADDRESSES if not ADDRESSES[name].pattern.converters and "maker" in roles_of(name)
    ]
    assert len(listed) >= 12
    for name in listed:
        for export in ({}, {"export": "csv"}, {"export": "xlsx"}):
            response = client.get(reverse(name), questions | export)
            assert response.status_code in (200, 302, 403, 404), (name, export)
            said = body(response).replace(f'value="{bank.name[:4]}"', "")
            for secret in site.secrets:
                assert secret not in said, (name, secret)


GARBAGE = ("\x00", "1" * 40, "../..;--'<script>alert(1)</script>", "ক" * 3000)


def test_garbage_in_an_address_is_answered_and_never_crashes(site: Site) -> None:
    names = (
        "q search page per_page sort as_of known_by institution state from_date to_date export tier programme"
        " cluster language loan step group"
    ).split()
    for name in set(ADDRESSES) - OPEN_TO_ANYONE - SLOW:
        role = next(iter(roles_of(name)), "officer")
        client = site.clients[role]
        for text in GARBAGE[:1] if ADDRESSES[name].pattern.converters else GARBAGE:
            response = client.get(site.address(name), dict.fromkeys(names, text))
            assert response.status_code < 500, (name, text)
            if not response.streaming:
                assert b"<script>alert(1)" not in response.content, name


def test_ids_beyond_every_number_are_not_found(site: Site) -> None:
    for name, pattern in ADDRESSES.items():
        converters = pattern.pattern.converters
        if converters and name != "repayments:upload-template":
            client = site.clients[roles_of(name)[0]]
            for number in (0, 10**9, 2**63, 10**30):
                address = reverse(name, kwargs=dict.fromkeys(converters, number))
                assert client.get(address).status_code in (404, 405), address
                assert client.post(address).status_code in (302, 403, 404, 405), address


def counts() -> dict[str, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            "   AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')"
        )
        tables = sorted({name for (name,) in cursor.fetchall()} - WRITES)
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{t}', count(*), coalesce(sum(hashtext(x::text)::bigint), 0) FROM {t} x"
                for t in tables
            )
        )
        return {name: (rows, content) for name, rows, content in cursor.fetchall()}


@pytest.mark.parametrize("role", ["finance_head", "officer", "maker", "checker"])
def test_looking_changes_nothing(site: Site, role: str) -> None:
    before = counts()
    client = site.clients[role]
    for name in set(ADDRESSES) - WITHOUT_ROLES - SLOW:
        if role in roles_of(name):
            client.get(site.address(name))
    after = counts()
    assert {table for table in before if before[table] != after[table]} == set()


def test_every_change_needs_the_token_of_its_page(site: Site) -> None:
    client = ActingClient(enforce_csrf_checks=True)
    for role in ("officer", "finance_head", "maker", "administrator"):
        client.force_login(site.world.people[role], backend="django.contrib.auth.backends.ModelBackend")
        for name in ADDRESSES:
            assert client.post(site.address(name)).status_code == 403, name


def test_no_page_is_for_both_sides_when_it_changes_the_foundations_books(site: Site) -> None:
    """What moves the foundation's money, its people and its day is for foundation roles alone."""
    ours = {"receipt-new", "receipt-propose", "receipt-reverse", "proposal", "close-start", "close-sign",
            "holiday_declare", "person", "person-new", "authorities", "agreement-new", "institution-new",
            "policies", "bookings", "trail"}  # fmt: skip
    found = {name for name in ADDRESSES if name.rpartition(":")[2] in ours}
    assert len(found) == len(ours)
    for name in found:
        assert set(roles_of(name)) <= {str(role) for role in FOUNDATION}, name
    assert set(roles_of("repayments:upload-confirm")) == {"checker"} < {str(role) for role in PARTNER}
