"""Events in the browser's words: preview, propose, decide; who may see and do what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from lending.models import Loan
from partners.models import User
from repayments.models import LoanEvent
from repayments.services.events.steps import propose
from tests.lending.world import World
from tests.repayments.events.books import pay, wanted
from tests.repayments.posting.books import check_guards

E = "10/02/2026"
SignIn = Callable[[User], Any]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def prepay_page(loan: Loan) -> str:
    return reverse("repayments:event-new", args=["prepayment", loan.pk])


TOLD = {
    "effective_date": E,
    "amount": "20,00,000.00",
    "effect": "term",
    "interest": "carried",
    "reference": "RTGS 77",
    "reason": "The bank pays ahead",
}


def test_preview_then_propose_then_another_person_approves(world: World, loan: Loan, sign_in: SignIn) -> None:
    officer = sign_in(world.people["officer"])
    shown = officer.post(prepay_page(loan), TOLD | {"propose": "1"})
    assert "The old plan beside the new one" in text(shown)
    assert "Propose" in text(shown)
    assert not LoanEvent.objects.exists()
    digest = shown.context["form"]["shown"].value()
    sent = officer.post(prepay_page(loan), TOLD | {"propose": "1", "shown": digest})
    event = LoanEvent.objects.get()
    page = reverse("repayments:event", args=[event.pk])
    assert sent.headers["Location"] == page
    assert "somebody else must decide it" in text(officer.get(page))
    assert officer.post(page, {"approve": "1"}).status_code == 403

    approver = sign_in(world.people["finance_head"])
    assert "Approve and book" in text(approver.get(page))
    approver.post(page, {"approve": "1"})
    check_guards()
    event.refresh_from_db()
    assert event.state == "approved"
    done = text(approver.get(page))
    assert "What it made" in done
    assert "RTGS 77" in done
    assert "Part-prepayment" in text(approver.get(reverse("repayments:loan-events", args=[loan.pk])))
    assert "Part-prepayment" in text(approver.get(reverse("repayments:events")))
    assert "already approved" in text(approver.post(page, {"approve": "1"}))


@pytest.mark.parametrize(
    ("kind", "told", "field", "sentence"),
    [
        ("prepayment", {"amount": "0"}, "amount", "more than nothing"),
        ("prepayment", {"effective_date": "11/02/2026"}, "effective_date", "after the business date"),
        ("prepayment", {"reference": ""}, "reference", "bank&#x27;s reference"),
        ("prepayment", {"amount": "9,99,99,999"}, "amount", ""),
        ("prepayment", {"effective_date": "01/01/2024"}, "effective_date", ""),
        ("refund", {"amount": "10"}, "amount", "no more can be given back"),
        ("waiver", {"amount": "10", "component": "penal"}, "amount", "no more can be waived"),
        ("write_off", {"extent": "whole"}, "extent", "bad or loss"),
        ("rate_change", {"annual_rate": "7", "effect": "instalment", "scope": "loan"}, "annual_rate", "caps"),
        ("rate_change", {"annual_rate": "2", "effect": "instalment", "scope": "loan"}, "annual_rate", ""),
        ("settlement", {"valid_until": "01/01/2026"}, "valid_until", "cannot end before"),
    ],
)
def test_bad_input_is_told_beside_its_field(
    world: World, loan: Loan, sign_in: SignIn, kind: str, told: dict[str, str], field: str, sentence: str
) -> None:
    officer = sign_in(world.people["officer"])
    page = officer.post(reverse("repayments:event-new", args=[kind, loan.pk]), TOLD | told | {"preview": "1"})
    errors = page.context["form"].errors
    assert list(errors) == [field]
    assert sentence in text(page)


def test_every_form_opens_for_the_officer_and_no_other_role(
    world: World, loan: Loan, sign_in: SignIn
) -> None:
    pages = [reverse("repayments:event-new-scope", args=["moratorium"])] + [
        reverse("repayments:event-new", args=[kind, loan.pk])
        for kind in LoanEvent.Kind.values
        if kind != "moratorium"
    ]
    officer = sign_in(world.people["officer"])
    assert {officer.get(page).status_code for page in pages} == {200}
    for role in ("approver", "auditor", "maker", "viewer", "other_maker"):
        client = sign_in(world.people[role])
        assert {client.get(page).status_code for page in pages} <= {403, 404}, role


def test_a_receipt_between_preview_and_approval_is_noticed(world: World, loan: Loan, sign_in: SignIn) -> None:
    asked = wanted(
        "prepayment", loan, date(2026, 2, 10), amount_minor=200_000_000, effect="term", reference="R 1"
    )
    event = propose(asked, actor=world.people["officer"], reason="Early")
    pay(world, loan, date(2026, 2, 9), 5_000_000, "LATE-1")
    page = reverse("repayments:event", args=[event.pk])
    head = sign_in(world.people["finance_head"])
    assert "The books have moved" in text(head.get(page))
    assert "The books have moved since this was proposed." in text(head.post(page, {"approve": "1"}))
    event.refresh_from_db()
    assert event.state == "proposed"
    officer = sign_in(world.people["officer"])
    assert "Take over the figures of now" in text(officer.get(page))
    officer.post(page, {"renew": "1"})
    head.post(page, {"approve": "1"})
    event.refresh_from_db()
    assert event.state == "approved"
    receipt = event.lines.get().receipt
    assert receipt is not None
    assert receipt.amount_minor == 195_000_000


def test_reject_and_withdraw(world: World, loan: Loan, sign_in: SignIn) -> None:
    officer, head = sign_in(world.people["officer"]), sign_in(world.people["finance_head"])
    asked = wanted(
        "prepayment", loan, date(2026, 2, 10), amount_minor=200_000_000, effect="term", reference="R 1"
    )
    event = propose(asked, actor=world.people["officer"], reason="Early")
    page = reverse("repayments:event", args=[event.pk])
    assert "Say why the proposal is rejected" in text(head.post(page, {"reject": "1"}))
    head.post(page, {"reject": "1", "reason": "Not agreed"})
    event.refresh_from_db()
    assert (event.state, event.decision_reason) == ("rejected", "Not agreed")
    event = propose(asked, actor=world.people["officer"], reason="Early")
    officer.post(reverse("repayments:event", args=[event.pk]), {"withdraw": "1"})
    event.refresh_from_db()
    assert event.state == "withdrawn"
    assert not loan.schedules.filter(version=2).exists()


def test_a_settlement_is_quoted_then_paid_then_approved(world: World, loan: Loan, sign_in: SignIn) -> None:
    officer, head = sign_in(world.people["officer"]), sign_in(world.people["finance_head"])
    address = reverse("repayments:event-new", args=["settlement", loan.pk])
    told = {"effective_date": E, "valid_until": "20/02/2026", "reason": "The bank asks"}
    seen = officer.post(address, told | {"preview": "1"})
    assert len(seen.context["preview"].days) == 11
    officer.post(address, told | {"propose": "1", "shown": seen.context["form"]["shown"].value()})
    event = LoanEvent.objects.get()
    page = reverse("repayments:event", args=[event.pk])
    assert "waits for the payment" in text(head.post(page, {"approve": "1"}))
    figure = event.preview["figures"][0]["total"]
    short = officer.post(page, {"pay": "1", "value_date": E, "received": "5", "reference": "RTGS 9"})
    assert "is needed on that day" in text(short)
    paid = {"pay": "1", "value_date": E, "received": f"{figure / 100:.2f}", "reference": "RTGS 9"}
    officer.post(page, paid)
    head.post(page, {"approve": "1"})
    check_guards()
    event.refresh_from_db()
    assert event.state == "approved"


def test_the_list_is_exported(world: World, loan: Loan, sign_in: SignIn) -> None:
    asked = wanted(
        "prepayment", loan, date(2026, 2, 10), amount_minor=200_000_000, effect="term", reference="R 1"
    )
    propose(asked, actor=world.people["officer"], reason="Early")
    answer = sign_in(world.people["auditor"]).get(
        f"{reverse('repayments:events')}?kind=prepayment&export=csv"
    )
    assert "Part-prepayment" in answer.content.decode("utf-8-sig")
    assert "20,00,000.00" in answer.content.decode("utf-8-sig") or "2000000.00" in answer.content.decode()
