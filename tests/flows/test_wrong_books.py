"""Attempts to make the books wrong through the pages and services people really use."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.test import Client
from django.urls import reverse

from daybook.exports import FORMULA_STARTS
from lending.models import Agreement, Application, Facility, Loan, Tranche
from lending.services.application_lines import replace_lines
from lending.services.applications import CannotSubmitApplication, change_application, submit_application
from lending.services.tranches import (
    CannotApproveTranche,
    CannotDisburseTranche,
    approve_tranche,
    disburse_tranche,
)
from partners.models import ExposureLimit, Membership, User
from repayments.models import Receipt, ReceiptProposal
from repayments.services.receipts import (
    CannotDecideProposal,
    CannotProposeReversal,
    approve_proposal,
    propose_receipt,
    propose_reversal,
)
from repayments.services.uploads import CannotConfirmUpload, confirm_upload, correct_row
from tests.lending.world import CRORE, SINCE, TODAY, World, make_world, subloan_rows
from tests.repayments.uploads.books import make_bank
from tests.repayments.uploads.files import csv_file

SignIn = Callable[[User], Client]


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def post(client: Client, address: str, step: str, **told: Any) -> Any:
    return client.post(address, {"step": step, **{f"{step}-{name}": value for name, value in told.items()}})


def send(world: World, tranche: Tranche, *, on: date = TODAY, value_date: date = TODAY) -> Loan:
    return disburse_tranche(
        tranche=tranche, value_date=value_date, bank_reference="RTGS", actor=world.people["finance_head"],
        business_date=on,
    )  # fmt: skip


# Maker is never checker, also when one person holds both roles


def test_who_changed_a_colleagues_draft_does_not_submit_it(world: World) -> None:
    both = world.people["checker"]
    Membership.objects.create(user=both, institution=world.bank, role="maker", from_date=SINCE)
    first, second = world.application(), world.application()
    change_application(application=first, amount=2 * CRORE, purpose="More", actor=both, business_date=TODAY)
    replace_lines(application=second, rows=subloan_rows(2), actor=both)
    for application in (first, second):
        with pytest.raises(CannotSubmitApplication, match="changed the application"):
            submit_application(application=application, actor=both, business_date=TODAY)


def test_who_once_changed_a_row_does_not_confirm_the_file(make_user: Callable[..., User]) -> None:
    bank = make_bank(make_user)
    bank.subloan("0012345")
    upload = bank.read(csv_file(("0012345", "05/02/2025", "Tk 10,000.00", "R1", "Karim")))
    both, colleague = bank.checker, make_user("maker", institution=bank.institution)
    Membership.objects.create(user=both, institution=bank.institution, role="maker", from_date=SINCE)
    correct_row(upload=upload, row_number=2, corrections={"C": "20000"}, changed_by=both)
    correct_row(upload=upload, row_number=2, corrections={"E": "Karim Uddin"}, changed_by=colleague)
    assert upload.rows.get().changed_by_id == colleague.pk
    with pytest.raises(CannotConfirmUpload, match="changed rows"):
        confirm_upload(upload=upload, confirmed_by=both, accepts_warnings=True)


@pytest.mark.parametrize("step", ["appraise", "approve", "submit"])
def test_a_page_offers_nothing_to_who_may_not(world: World, sign_in: SignIn, step: str) -> None:
    application = world.application(upto="appraise")
    address = reverse("lending:application", args=[application.pk])
    for role in ("maker", "checker", "viewer", "officer", "auditor", "administrator"):
        post(sign_in(world.people[role]), address, step, amount="1", recommended_amount="1", reason="x")
    application.refresh_from_db()
    assert application.state == "appraised"
    assert not Facility.objects.exists()


def test_one_person_with_every_role_still_needs_another(world: World, sign_in: SignIn) -> None:
    officer = world.people["officer"]
    for role in ("approver", "finance_head"):
        Membership.objects.create(user=officer, role=role, from_date=SINCE)
    client = sign_in(officer)
    application = world.application(upto="appraise")
    address = reverse("lending:application", args=[application.pk])
    response = post(client, address, "approve", amount="1000", expires_date="2026-12-31", reason="x")
    assert "needs another person" in response.content.decode()
    assert not Facility.objects.exists()
    tranche = world.tranche(world.facility(), amount=CRORE, upto="clear")
    response = post(
        client, reverse("lending:tranche", args=[tranche.pk]), "approve", amount="1000", reason="x"
    )
    assert "needs another person" in response.content.decode()
    tranche.refresh_from_db()
    assert tranche.state == "cleared"


# Limits that were kept when approved must still be kept when money is sent


def test_two_approved_tranches_do_not_pass_the_exposure_limit_together(world: World) -> None:
    ExposureLimit.objects.create(
        institution=world.bank, effective_date=SINCE, amount=CRORE * 3 / 2, reason="Board",
        booking=world.booking(),
    )  # fmt: skip
    first, second = (world.tranche(world.facility(), amount=CRORE, upto="approve") for _ in range(2))
    send(world, first)
    with pytest.raises(CannotDisburseTranche, match="limit"):
        send(world, second)
    assert Loan.objects.count() == 1


def test_money_is_not_sent_under_an_agreement_or_facility_that_ended_meanwhile(world: World) -> None:
    cleared = world.tranche(world.facility(), amount=CRORE, upto="clear")
    approved = world.tranche(world.facility(), amount=CRORE, upto="approve")
    Facility.objects.filter(pk=approved.facility_id).update(expires_date=TODAY)
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(CannotDisburseTranche, match="until"):
        send(world, approved, on=tomorrow, value_date=tomorrow)
    Agreement.objects.update(state="ended", ended_date=TODAY)
    with pytest.raises(CannotDisburseTranche, match="not in force"):
        send(world, approved)
    with pytest.raises(CannotApproveTranche, match="not in force"):
        approve_tranche(tranche=cleared, actor=world.people["approver"], business_date=TODAY)
    assert not Loan.objects.exists()


# Forms


@pytest.mark.parametrize(
    "amount",
    [
        "1e18",
        "9" * 30,
        "NaN",
        "sNaN",
        "Infinity",
        "-5",
        "-0.01",
        "0",
        "0.00",
        "1.005",
        "0x10",
        "=1+1",
        "\x00",
        "",
        "১.২৩৪",
    ],
)
def test_no_strange_amount_becomes_a_tranche(world: World, sign_in: SignIn, amount: str) -> None:
    address = reverse("lending:facility", args=[world.facility().pk])
    response = post(sign_in(world.people["maker"]), address, "request", amount=amount)
    assert response.status_code == (400 if "\x00" in amount else 200)  # a zero byte is refused unread
    assert not Tranche.objects.exists()


def test_bangla_digits_are_the_same_money(world: World, sign_in: SignIn) -> None:
    address = reverse("lending:facility", args=[world.facility().pk])
    post(sign_in(world.people["maker"]), address, "request", amount="১২,৫০,০০০.৫০")
    assert Tranche.objects.get().requested_amount.amount == Decimal("1250000.50")


def test_a_form_sent_twice_acts_once(world: World, sign_in: SignIn) -> None:
    facility = world.facility()
    client = sign_in(world.people["maker"])
    for _ in range(2):
        post(client, reverse("lending:facility", args=[facility.pk]), "request", amount="10000000")
    tranche = Tranche.objects.get()
    address = reverse("lending:tranche", args=[tranche.pk])
    for role, step, told in (
        ("officer", "clear", {}),
        ("approver", "approve", {"amount": "10000000"}),
        ("finance_head", "disburse", {"value_date": "2025-01-01", "bank_reference": "RTGS 1"}),
    ):
        for _ in range(2):
            post(sign_in(world.people[role]), address, step, **told)
    tranche.refresh_from_db()
    assert tranche.state == "disbursed"
    assert Loan.objects.count() == 1
    assert tranche.decisions.count() == 4


def test_a_disbursed_tranche_is_not_cancelled_by_a_late_click(world: World, sign_in: SignIn) -> None:
    tranche = world.tranche(world.facility(), amount=CRORE, upto="approve")
    client = sign_in(world.people["maker"])
    send(world, tranche)
    post(client, reverse("lending:tranche", args=[tranche.pk]), "cancel", reason="late")
    tranche.refresh_from_db()
    assert tranche.state == "disbursed"


# Receipts


def test_a_receipt_is_approved_once_reversed_once_and_never_reversed_back(
    world: World, sign_in: SignIn
) -> None:
    loan = world.loan()
    people = world.people
    proposal = propose_receipt(
        loan_id=loan.pk, amount=world.agreement.limit / 100, value_date=TODAY, external_reference="R1",
        actor=people["officer"],
    )  # fmt: skip
    address = reverse("repayments:proposal", args=[proposal.pk])
    for role in ("approver", "finance_head", "approver"):
        sign_in(people[role]).post(address, {"approve": "", "reason": ""})
    receipt = Receipt.objects.get()
    undo = propose_reversal(receipt_id=receipt.pk, reason="Bounced", actor=people["officer"])
    with pytest.raises(CannotDecideProposal, match="somebody else"):
        approve_proposal(proposal_id=undo.pk, actor=people["officer"])
    approve_proposal(proposal_id=undo.pk, actor=people["approver"])
    mirror = Receipt.objects.get(mirror_of=receipt)
    for pk in (receipt.pk, mirror.pk):
        with pytest.raises(CannotProposeReversal):
            propose_reversal(receipt_id=pk, reason="Again", actor=people["officer"])
    assert sum(Receipt.objects.values_list("amount_minor", flat=True)) == 0


@pytest.mark.parametrize(
    ("amount", "day"),
    [("1.005", "2025-01-01"), ("1e18", "2025-01-01"), ("-1", "2025-01-01"), ("0", "2025-01-01"),
     ("100", "2025-01-02"), ("100", "9999-12-31"), ("100", "0001-01-01"), ("NaN", "2025-01-01")],
)  # fmt: skip
def test_no_strange_receipt_is_proposed(world: World, sign_in: SignIn, amount: str, day: str) -> None:
    loan = world.loan()
    address = reverse("repayments:receipt-propose", args=[loan.pk])
    told = {"amount": amount, "value_date": day, "external_reference": "R1", "propose": ""}
    for shown in ("", f"{amount} {day}"):
        assert sign_in(world.people["officer"]).post(address, told | {"shown": shown}).status_code == 200
    assert not ReceiptProposal.objects.exists()


# What people type comes out as text, wherever it goes

HOSTILE = "=HYPERLINK(\"http://x\")<script>alert('x')</script>"


def test_names_are_text_on_pages_and_in_files(world: World, sign_in: SignIn) -> None:
    rows = subloan_rows(
        3, person_name=[HOSTILE, "@SUM(A1)", "\t+1"], enterprise_name=["<img src=x onerror=y>"] * 3
    )
    application = world.application()
    Application.objects.filter(pk=application.pk).update(purpose=HOSTILE)
    replace_lines(application=application, rows=rows, actor=world.people["maker"])
    client = sign_in(world.people["officer"])
    page = reverse("lending:application-lines", args=[application.pk])
    for address in (page, reverse("lending:application", args=[application.pk])):
        said = client.get(address).content.decode()
        assert "<script>alert" not in said
        assert "<img src=x" not in said
        assert "&lt;script&gt;" in said
    lines = client.get(page, {"export": "csv"}).content.decode("utf-8-sig").splitlines()
    cells = [cell for line in lines for cell in line.replace('""', "").split(",")]
    assert any("HYPERLINK" in cell for cell in cells)
    assert not [cell for cell in cells if cell.strip('"').startswith(FORMULA_STARTS)]
    book = openpyxl.load_workbook(io.BytesIO(client.get(page, {"export": "xlsx"}).content))
    written = [cell for sheet in book for row in sheet for cell in row if cell.value is not None]
    assert any("HYPERLINK" in str(cell.value) for cell in written)
    assert {cell.data_type for cell in written} <= {"s", "n", "d"}
