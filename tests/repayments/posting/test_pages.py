"""The pages of receipts: who sees what, and one person's proposal becoming another's posting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from lending.models import Loan
from partners.models import User
from repayments.models import Receipt, ReceiptProposal, Upload, UploadRow
from repayments.services.posting import post_receipts
from tests.repayments.posting.books import Books, check_guards, make_books, receipts

pytestmark = pytest.mark.django_db
PLAN = [(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000), (date(2026, 6, 1), 10_000)]

SignIn = Callable[..., Client]


@pytest.fixture
def books() -> Books:
    return make_books()


@pytest.fixture
def loan(books: Books) -> Loan:
    return books.loan(PLAN)


def posted(books: Books, loan: Loan, amount: int = 12_000, reference: str = "RTGS-7") -> Receipt:
    result = post_receipts(
        receipts=receipts((loan, date(2025, 2, 10), amount, reference)), booking=books.booking()
    )
    return Receipt.objects.get(pk=int(result.receipt_ids[0]))


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


class TestList:
    def test_a_partner_sees_its_own_institution_only(
        self, books: Books, loan: Loan, as_partner: SignIn, as_foundation: SignIn
    ) -> None:
        other = make_books()
        posted(books, loan, reference="MINE-1")
        posted(other, other.loan(PLAN), reference="THEIRS-1")
        page = text(as_partner(books.institution).get(reverse("repayments:receipts")))
        assert "MINE-1" in page
        assert "THEIRS-1" not in page
        assert other.institution.name not in page
        everything = text(as_foundation("auditor").get(reverse("repayments:receipts")))
        assert "MINE-1" in everything
        assert "THEIRS-1" in everything

    @pytest.mark.parametrize(
        ("query", "is_there"),
        [
            ("tier=wholesale", True),
            ("tier=subloan", False),
            ("state=posted", True),
            ("state=reversed", False),
            ("from_date=2025-02-10&to_date=2025-02-10", True),
            ("from_date=2025-02-11", False),
            ("search=rtgs", True),
            ("search=nothing-like-it", False),
        ],
    )
    def test_filters(
        self, books: Books, loan: Loan, as_foundation: SignIn, query: str, is_there: bool
    ) -> None:
        posted(books, loan)
        page = text(as_foundation().get(f"{reverse('repayments:receipts')}?{query}"))
        assert ("RTGS-7" in page) is is_there

    def test_the_file_holds_what_the_page_shows(
        self, books: Books, loan: Loan, as_foundation: SignIn
    ) -> None:
        posted(books, loan)
        answer = as_foundation().get(f"{reverse('repayments:receipts')}?export=csv")
        assert answer["Content-Type"].startswith("text/csv")
        assert "RTGS-7" in answer.content.decode("utf-8-sig")
        assert "120.00" in answer.content.decode("utf-8-sig")


class TestReceiptPage:
    def test_shows_the_working(self, books: Books, loan: Loan, as_foundation: SignIn) -> None:
        page = text(as_foundation().get(reverse("repayments:receipt", args=[posted(books, loan, 25_000).pk])))
        assert "9 days late" in page
        assert "held 19 days as an advance" in page
        assert "50.00 has met no due and is held as an advance" in page

    def test_leads_down_to_the_cell_of_the_file(self, books: Books, as_partner: SignIn) -> None:
        loan = books.loan(PLAN, tier="subloan")
        upload = Upload.objects.create(
            institution=books.institution,
            kind=Upload.Kind.REPAYMENTS,
            state=Upload.State.POSTED,
            file_name="march.xlsx",
            content=b"-",
            size_bytes=1,
            content_sha256="0" * 64,
            columns={"account": ["B", "A/C No"], "amount": ["D", "Collected"]},
            made_by=books.maker,
        )
        row = UploadRow.objects.create(
            upload=upload,
            institution=books.institution,
            row_number=17,
            cells={"B": "0012-345", "D": "১,২০০.০০", "E": "thanks"},
            state=UploadRow.State.POSTED,
            loan=loan,
        )
        frame = receipts((loan, date(2025, 2, 10), 120_000, "V-1"), channel="upload")
        frame["upload_row_id"] = row.pk
        result = post_receipts(receipts=frame, booking=books.booking())
        page = text(
            as_partner(books.institution, "viewer").get(
                reverse("repayments:receipt", args=[int(result.receipt_ids[0])])
            )
        )
        for expected in ("march.xlsx", "D17", "১,২০০.০০", "Collected", "A/C No", "thanks"):
            assert expected in page
        assert "receipt-reverse" not in page
        assert "Reverse</a>" not in page

    def test_another_institutions_receipt_is_not_found(
        self, books: Books, loan: Loan, as_partner: SignIn
    ) -> None:
        receipt = posted(books, loan)
        other = make_books()
        client = as_partner(other.institution)
        assert client.get(reverse("repayments:receipt", args=[receipt.pk])).status_code == 404


class TestEnteringMoney:
    def test_the_loans_of_an_institution_with_dues_and_overdue(
        self, books: Books, loan: Loan, as_foundation: SignIn
    ) -> None:
        page = text(
            as_foundation().get(f"{reverse('repayments:receipt-new')}?institution={books.institution.pk}")
        )
        assert loan.number in page
        assert "300.00" in page
        assert "200.00" in page

    def test_preview_then_propose_then_another_person_approves(
        self, books: Books, loan: Loan, as_foundation: SignIn
    ) -> None:
        officer, approver = as_foundation("officer"), as_foundation("approver")
        address = reverse("repayments:receipt-propose", args=[loan.pk])
        told = {"amount": "1,20.00", "value_date": "2025-02-10", "external_reference": "RTGS-9"}
        unseen = officer.post(address, told | {"propose": ""})
        assert "What it would settle" in text(unseen)
        assert not ReceiptProposal.objects.exists()
        sent = officer.post(address, told | {"propose": "", "shown": unseen.context["form"]["shown"].value()})
        proposal = ReceiptProposal.objects.get()
        assert sent.headers["Location"] == reverse("repayments:proposal", args=[proposal.pk])
        assert not Receipt.objects.exists()

        page = reverse("repayments:proposal", args=[proposal.pk])
        assert "somebody else must decide" in text(officer.get(page))
        assert officer.post(page, {"approve": ""}).status_code == 403
        assert "Approve and post" in text(approver.get(page))
        approver.post(page, {"approve": ""})
        check_guards()
        assert Receipt.objects.get().amount_minor == 12_000
        assert "already approved this proposal" in text(
            as_foundation("finance_head").post(page, {"approve": ""})
        )

    def test_figures_changed_after_the_preview_are_shown_anew(
        self, books: Books, loan: Loan, as_foundation: SignIn
    ) -> None:
        officer = as_foundation()
        address = reverse("repayments:receipt-propose", args=[loan.pk])
        told = {"amount": "500", "value_date": "2025-02-10", "external_reference": "R", "propose": ""}
        assert "What it would settle" in text(officer.post(address, told | {"shown": "120.00 2025-02-10"}))
        assert not ReceiptProposal.objects.exists()

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("amount", "0", "more than nothing"),
            ("amount", "12.345", "decimal places"),
            ("amount", "twelve", "Write an amount in taka"),
            ("value_date", "2026-01-01", "after the business date"),
            ("value_date", "31/02/2025", "Write a date of the calendar as dd/mm/yyyy"),
            ("external_reference", "", "required"),
        ],
    )
    def test_bad_input_is_told_beside_its_field(
        self, loan: Loan, as_foundation: SignIn, field: str, value: str, sentence: str
    ) -> None:
        told = {"amount": "10", "value_date": "2025-02-10", "external_reference": "R", "preview": ""}
        page = as_foundation().post(
            reverse("repayments:receipt-propose", args=[loan.pk]), told | {field: value}
        )
        assert sentence in text(page)
        assert page.context["settlement"] is None


class TestReversing:
    def test_proposed_by_one_and_approved_by_another(
        self, books: Books, loan: Loan, as_foundation: SignIn
    ) -> None:
        receipt = posted(books, loan)
        officer = as_foundation()
        address = reverse("repayments:receipt-reverse", args=[receipt.pk])
        assert "What would be open again" in text(officer.get(address))
        assert "required" in text(officer.post(address, {"reason": ""}))
        officer.post(address, {"reason": "Bounced"})
        assert "already waits" in text(officer.post(address, {"reason": "Again"}))
        proposal = ReceiptProposal.objects.get()
        approver = as_foundation("approver")
        page = reverse("repayments:proposal", args=[proposal.pk])
        assert "Say why" in text(approver.post(page, {"reject": ""}))
        approver.post(page, {"approve": ""})
        check_guards()
        shown = text(as_foundation("auditor").get(reverse("repayments:receipt", args=[receipt.pk])))
        assert "Reversed on" in shown
        assert "Rows that no longer hold" in shown


@pytest.mark.parametrize(
    "name", ["repayments:receipt-new", "repayments:proposals", "repayments:receipt-propose"]
)
def test_partners_neither_propose_nor_see_proposals(
    books: Books, loan: Loan, as_partner: SignIn, name: str
) -> None:
    args = [loan.pk] if name.endswith("propose") else []
    for role in ("maker", "checker", "viewer"):
        assert as_partner(books.institution, role).get(reverse(name, args=args)).status_code == 403


def test_an_auditor_reads_and_changes_nothing(
    books: Books, loan: Loan, as_foundation: SignIn, make_user: Callable[..., User]
) -> None:
    receipt = posted(books, loan)
    auditor = as_foundation("auditor")
    assert auditor.get(reverse("repayments:proposals")).status_code == 200
    for address in (
        reverse("repayments:receipt-new"),
        reverse("repayments:receipt-propose", args=[loan.pk]),
        reverse("repayments:receipt-reverse", args=[receipt.pk]),
    ):
        assert auditor.get(address).status_code == 403
        assert auditor.post(address, {}).status_code == 403
