"""Every address of the site from the resolver, a book of one bank, and people of two to try them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from daybook.models import Booking
from lending.models import Application, Facility, Tranche
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
from tests.conftest import ActingClient
from tests.reports.books import BANGLA_NAME, FIRST_CLOSE, Book

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
COLUMNS = {
    "account": ["A", "Account"],
    "value_date": ["B", "Date"],
    "amount": ["C", "Amount"],
    "reference": ["D", "Reference"],
}
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
            columns=COLUMNS,
        )  # fmt: skip
        UploadRow.objects.create(
            upload=self.upload,
            institution=bank,
            row_number=2,
            cells={"A": "1", "B": "2", "C": "3", "D": "4"},
            state="ready",
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
            made_by=people["officer"], work="done", checksum="0" * 64,
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


def body(response: Any) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode("latin-1")
    return str(response.content.decode("utf-8", "replace"))


def ask(client: ActingClient, address: str) -> Any:
    """GET; POST where only that is answered."""
    response = client.get(address)
    return client.post(address) if response.status_code == 405 else response
