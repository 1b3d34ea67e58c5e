"""Every address of the site, from the resolver, as everybody: who may open it, and whose things they see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from daybook.models import Booking
from lending.models import Application, Facility, Tranche
from partners.access import EVERYONE, FOUNDATION, PARTNER
from partners.models import User
from repayments.models import (
    ClassificationReturn,
    DayRun,
    Receipt,
    ReceiptProposal,
    RulingProposal,
    Upload,
    UploadRow,
)
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import propose
from reports.models import ReportPart, ReportRun
from tests.conftest import ActingClient, set_role
from tests.reports.books import BANGLA_NAME, FIRST_CLOSE, Book, make_book

OPEN_TO_ANYONE = {"login", "logout", "password_change", "set_language"}
"""Addresses that work on sessions and passwords; they read nothing of the books."""
WITHOUT_ROLES = OPEN_TO_ANYONE | {"home"}
EVERYBODYS = {"lending:programme", "repayments:upload-template"}
"""Addresses with an argument that names nothing of an institution."""
SLOW = {
    "reports:loan-statement",
    "reports:loan-recalculation",
    "reports:institution-statement",
    "reports:return-paper",
    "repayments:upload-result",
}
OPEN = date(2025, 11, 1)
"""The business date on which the book stands open."""
OTHERS = ("other_maker", "other_checker", "other_viewer")
WRITES = {"daybook_auditentry", "django_session"}
"""Looking is noted in the trail, and a session is a session."""


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inside = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from walk(pattern.url_patterns, inside)
        else:
            yield f"{prefix}{pattern.name}", pattern


ADDRESSES = dict(walk(get_resolver().url_patterns))


def roles_of(name: str) -> tuple[str, ...]:
    view = ADDRESSES[name].callback
    return tuple(str(role) for role in getattr(getattr(view, "view_class", view), "required_roles", ()))


class Site:
    """A book of one bank, people of two, and where each address finds something of the first."""

    def __init__(self, book: Book) -> None:
        self.book, self.world = book, book.world
        people, bank = self.world.people, self.world.bank
        self.world.application()
        self.upload = Upload.objects.create(
            institution=bank, kind="repayments", state="preview", work="done", file_name="secret-march.csv",
            content=b"account,date", size_bytes=12, content_sha256="0", made_by=people["maker"],
            columns={"account": ["A", "Account"]},
        )  # fmt: skip
        UploadRow.objects.create(
            upload=self.upload, institution=bank, row_number=2, cells={"A": "1"}, state="ready"
        )
        run = ReportRun.objects.create(
            name="loan_statement", title="Statement", institution=bank, as_of=FIRST_CLOSE,
            known_by=FIRST_CLOSE, last_booking_id=1, made_by=people["maker"], work="done",
            file_name="secret.pdf", content_type="application/pdf", content=b"%PDF", checksum="0" * 64,
        )  # fmt: skip
        ReportPart.objects.create(
            run=run, institution_id=bank.pk, position=1, file_name="part.pdf", content=b"%PDF", checksum="0"
        )
        proposal = ReceiptProposal.objects.create(
            kind="post", institution=bank, loan=book.wholesale, amount=5, value_date=FIRST_CLOSE,
            external_reference="RTGS-9", made_by=people["officer"],
        )  # fmt: skip
        event = propose(
            Asked("settlement", book.subloans[1].pk, OPEN, {}, OPEN), actor=people["officer"], reason="secret"
        )
        drafted = ClassificationReturn.objects.create(
            tier="subloan", as_of=FIRST_CLOSE, known_by=FIRST_CLOSE, last_booking_id=1, reason="secret",
            made_by=people["officer"], work="done",
        )  # fmt: skip
        ruling = RulingProposal.objects.create(
            kind="floor", loan=book.subloans[2], institution=bank, reason="secret", made_by=people["officer"],
            parameters={"at_least": 2, "from_date": FIRST_CLOSE.isoformat(), "kind": "qualitative"},
        )  # fmt: skip
        receipt = Receipt.objects.filter(institution=bank, mirror=None, mirror_of=None)[0]
        close = DayRun.objects.order_by("pk")[0]
        application = Application.objects.filter(facility__isnull=False)[0]
        self.pks: dict[str, list[Any]] = {
            "partners:institution": [bank.pk],
            "partners:person": [people["maker"].pk],
            "lending:programme": [self.world.programme.pk],
            "lending:agreement": [self.world.agreement.pk],
            "lending:agreement-penal-rates": [self.world.agreement.pk],
            "lending:application": [application.pk],
            "lending:application-lines": [application.pk],
            "lending:facility": [Facility.objects.get().pk],
            "lending:facility-plan": [Facility.objects.get().pk],
            "lending:tranche": [Tranche.objects.get().pk],
            "lending:tranche-plan": [Tranche.objects.get().pk],
            "repayments:upload-row": [self.upload.pk, 2],
            "repayments:upload-template": ["repayments"],
            "repayments:receipt": [receipt.pk],
            "repayments:receipt-reverse": [receipt.pk],
            "repayments:receipt-propose": [book.wholesale.pk],
            "repayments:loan-raised": [book.wholesale.pk],
            "repayments:proposal": [proposal.pk],
            "repayments:event": [event.pk],
            "repayments:event-new": ["prepayment", book.subloans[0].pk],
            "repayments:event-new-scope": ["moratorium"],
            "repayments:loan-events": [book.subloans[0].pk],
            "repayments:tranche-into-loan": [Tranche.objects.get().pk],
            "repayments:ruling": [ruling.pk],
            "repayments:ruling-new": ["freeze"],
            "reports:return-paper": [drafted.pk, "pdf"],
            "reports:settlement-quotation": [event.pk],
            "reports:booking": [Booking.objects.filter(institution_id=bank.pk)[0].pk],
            "reports:institution": [bank.pk],
            "reports:institution-statement": [bank.pk],
            "reports:run-part": [run.pk, 1],
        }
        self.families = {
            "repayments:upload": self.upload.pk,
            "repayments:close": close.pk,
            "repayments:return": drafted.pk,
            "reports:loan": book.subloans[0].pk,
            "reports:run": run.pk,
        }
        self.secrets = [bank.name, BANGLA_NAME, book.wholesale.number, book.subloans[0].number,
                        application.number, "secret", "RTGS-0001", "Borrower 0"]  # fmt: skip
        self.clients = {name: self.enter(user) for name, user in people.items()}

    def enter(self, user: User) -> ActingClient:
        client = ActingClient()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def address(self, name: str) -> str:
        """The address of something that belongs to the bank. A new address must be added above."""
        if not ADDRESSES[name].pattern.converters:
            return reverse(name)
        if name in self.pks:
            return reverse(name, args=self.pks[name])
        family = next(known for known in self.families if name == known or name.startswith(f"{known}-"))
        return reverse(name, args=[self.families[family]])


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    """Made once; every test's own changes are undone."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            set_role("paikar_worker")
            yield Site(make_book())
            transaction.set_rollback(True)
        connection.close()


@pytest.fixture(autouse=True)
def undone(site: Site, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
        set_role("paikar_worker")


def body(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode("latin-1")
    return str(response.content.decode("utf-8", "replace"))


def ask(client: ActingClient, address: str) -> Any:
    """GET; POST where only that is answered."""
    response = client.get(address)
    return client.post(address) if response.status_code == 405 else response


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
