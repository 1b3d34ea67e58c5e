"""What a bank may take for paying a sub-loan early, by size of enterprise, beside what it reports."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from lending.contract_words import contract_words
from lending.models import Loan, LoanProfile
from repayments.builders.events import shown_preview
from repayments.models import LoanEvent, Receipt
from repayments.services.events.steps import propose, see
from repayments.services.policies import load_policies
from repayments.services.posting import post_receipts
from tests.lending.world import World, make_world
from tests.repayments.events.books import wanted
from tests.repayments.events.test_supplied import E, supplied
from tests.repayments.posting.books import receipts

pytestmark = pytest.mark.django_db


def sub(size: str, **terms: Any) -> tuple[World, Loan]:
    """90,000.00 not due yet on 12 February 2025, in the second period; 31,200.00 overdue."""
    world = make_world(**terms)
    people = world.people
    load_policies(booking=world.booking(), proposed_by=people["officer"], approved_by=people["approver"])
    loan = supplied(world)
    if size:
        LoanProfile.objects.create(
            loan=loan, institution=world.bank, effective_date=loan.disbursed_date, size_tier=size,
            gender="female", booking=world.booking(),
        )  # fmt: skip
    return world, loan


def said(event: Any) -> dict[str, dict[str, Any]]:
    kept = event.outcome.preview()
    return {row["say"]: row for row in (*kept["says"], *kept["cautions"])}


@pytest.mark.parametrize("size", ["cottage", "micro", "small"])
def test_a_small_enterprise_pays_nothing_for_it(size: str) -> None:
    world, loan = sub(size)
    seen = see(wanted("settlement", loan, E, valid_until=E), actor=world.people["maker"])
    assert "EARLY-CMS-2021" in said(seen)["bank_fee.none"]["policy"]
    assert "bank_fee.over" not in said(seen)
    assert seen.outcome.amount_minor == 31_200_00 + 90_000_00 + 360_00  # and no fee


def test_a_medium_one_at_most_half_a_percent_of_what_was_not_due() -> None:
    """0.5 % of 90,000.00 is 450.00; of 18,000.00 prepaid 90.00."""
    world, loan = sub("medium")
    seen = see(wanted("settlement", loan, E, valid_until=E), actor=world.people["maker"])
    assert said(seen)["bank_fee.upto"]["amount"] == 450_00
    part = wanted("prepayment", loan, E, amount_minor=18_000_00, effect="term", reference="x")
    assert said(see(part, actor=world.people["maker"]))["bank_fee.upto"]["amount"] == 90_00


def test_money_and_charges_beyond_it_are_a_question_to_the_bank() -> None:
    """450.00 may be a fee; 450.01 may not, nor 400.00 more than is owed beside 60.00 reported as charges."""
    world, loan = sub("medium")
    owed = 31_200_00 + 90_000_00 + 360_00
    maker = world.people["maker"]

    def asked(received: int) -> dict[str, dict[str, Any]]:
        paid = wanted("settlement", loan, E, valid_until=E, reference="END", received_minor=received)
        return said(see(paid, actor=maker))

    assert "bank_fee.over" not in asked(owed + 450_00)
    assert asked(owed + 450_01)["bank_fee.over"] == {
        "say": "bank_fee.over", "on": E.isoformat(), "charged": 450_01, "amount": 450_00,
    }  # fmt: skip
    reported = receipts((loan, E, 1_000_00, "PART")).assign(reported_charge_minor=60_00)
    post_receipts(receipts=reported, booking=world.booking())
    assert Receipt.objects.get(loan=loan).reported_charge_minor == 60_00
    assert asked(owed - 1_000_00 + 400_00)["bank_fee.over"]["charged"] == 460_00


def test_a_murabaha_bears_none_whatever_the_size() -> None:
    world, loan = sub("medium", contract_mode="murabaha", grace_kind="none", grace_months=0)
    seen = see(wanted("settlement", loan, E, valid_until=E), actor=world.people["maker"])
    assert "bank_fee.none" in said(seen)


def test_without_a_limit_in_the_books_nothing_is_claimed() -> None:
    world = make_world()
    loan = supplied(world)
    seen = see(wanted("settlement", loan, E, valid_until=E), actor=world.people["maker"])
    assert {"bank_fee.unknown"} == {code for code in said(seen) if code.startswith("bank_fee")}


@pytest.mark.parametrize("lang", ["en", "bn"])
def test_it_stands_on_the_page_and_on_the_paper(sign_in: Any, lang: str) -> None:
    world, loan = sub("medium")
    event: LoanEvent = propose(
        wanted("settlement", loan, E, valid_until=date(2025, 2, 20)),
        actor=world.people["maker"],
        reason="Asked",
    )
    fees = shown_preview(event.preview, contract_words("interest")).fees
    assert len(fees) == 1
    assert "450.00" in fees[0]
    officer = sign_in(world.people["officer"])
    assert "450.00" in officer.get(reverse("repayments:event", args=[event.pk])).content.decode()
    paper = officer.get(reverse("reports:settlement-quotation", args=[event.pk]) + f"?lang={lang}")
    assert paper.content.startswith(b"%PDF")
