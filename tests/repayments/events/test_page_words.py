"""What pages of events tell, and to whom: Bangla names, a lapsed quotation, links a reader may follow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from lending.models import Loan
from partners.models import Institution, User
from repayments.models import LoanEvent
from repayments.services.events.steps import approve, pay_quotation, propose
from tests.lending.world import World
from tests.repayments.events.books import go_to, wanted
from tests.repayments.events.test_partners import lend_on
from tests.repayments.posting.books import check_guards

TODAY = date(2026, 2, 10)
SignIn = Callable[[User], Any]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def quotation(world: World, loan: Loan) -> LoanEvent:
    """What ends the loan until 20 February 2026."""
    asked = wanted("settlement", loan, TODAY, valid_until=date(2026, 2, 20))
    return propose(asked, actor=world.people["officer"], reason="The bank asks")


def test_a_quotation_past_its_last_day_says_what_can_still_be_noted(
    world: World, quotation: LoanEvent, sign_in: SignIn
) -> None:
    page = reverse("repayments:event", args=[quotation.pk])
    officer = sign_in(world.people["officer"])
    go_to(date(2026, 2, 20))
    assert "that day is over" not in text(officer.get(page))
    go_to(date(2026, 2, 21))
    told = text(officer.get(page))
    assert "held until 20 Feb 2026, and that day is over" in told
    assert "Note the payment" in told, "money of a day it held may come to light later"
    assert "that day is over" in text(sign_in(world.people["auditor"]).get(page))


def test_an_institution_goes_by_its_bangla_name(
    world: World, loan: Loan, quotation: LoanEvent, sign_in: SignIn
) -> None:
    Institution.objects.filter(pk=world.bank.pk).update(name_bn="ব্যাংক ক")
    officer = sign_in(world.people["officer"])
    pages = [
        reverse("repayments:event", args=[quotation.pk]),
        reverse("repayments:event-new", args=["prepayment", loan.pk]),
        reverse("repayments:event-new-scope", args=["moratorium"]),
        reverse("repayments:events"),
    ]
    for page in pages:
        assert "Bank A" in text(officer.get(page)), page
    officer.cookies["django_language"] = "bn"
    for page in pages:
        told = text(officer.get(page))
        assert "ব্যাংক ক" in told, page
        assert "Bank A" not in told, page


def test_every_reader_is_led_to_the_booking_and_another_bank_finds_none(
    world: World, loan: Loan, sign_in: SignIn
) -> None:
    own = lend_on(world, world.bank, "S-1", date(2026, 3, 1), date(2026, 4, 1))
    asked = wanted("settlement", own, TODAY, valid_until=TODAY)
    event = propose(asked, actor=world.people["maker"], reason="Closed")
    officer = world.people["officer"]
    pay_quotation(
        event_id=event.pk, value_date=TODAY, received_minor=200_000, reference="CLOSED", actor=officer
    )
    event = approve(event_id=event.pk, actor=world.people["finance_head"])
    check_guards()  # the booking takes its number
    booking = reverse("reports:booking", args=[event.booking_id])
    for role in ("auditor", "maker"):
        client = sign_in(world.people[role])
        for page in (reverse("repayments:events"), reverse("repayments:event", args=[event.pk])):
            assert f'href="{booking}"' in text(client.get(page)), (role, page)
        assert client.get(booking).status_code == 200
    assert sign_in(world.people["other_maker"]).get(booking).status_code == 404


def test_a_form_shows_where_the_loan_stands_and_leads_to_the_first_fault(
    world: World, loan: Loan, sign_in: SignIn
) -> None:
    officer = sign_in(world.people["officer"])
    page = reverse("repayments:event-new", args=["restructure", loan.pk])
    shown = officer.get(page)
    assert shown.context["form"]["annual_rate"].value() == "2"
    standing = shown.context["standing"]
    assert (standing["overdue"], standing["days_past_due"], standing["advance"]) == (0, 0, 0)
    assert standing["outstanding"] == 750_000_000
    told = {"effective_date": "10/02/2026", "annual_rate": "2", "method": "equal_principal",
            "frequency": "quarterly", "instalments": "0", "reason": ""}  # fmt: skip
    form = officer.post(page, told | {"preview": "1"}).context["form"]
    assert list(form.errors) == ["instalments", "reason"]
    focused = [name for name, field in form.fields.items() if field.widget.attrs.get("autofocus")]
    assert focused == ["instalments"]


def test_a_bank_is_not_offered_what_touches_many_loans(world: World, loan: Loan, sign_in: SignIn) -> None:
    own = lend_on(world, world.bank, "S-1", date(2026, 3, 1), date(2026, 4, 1))
    page = reverse("repayments:event-new", args=["rate_change", own.pk])
    assert "scope" not in sign_in(world.people["maker"]).get(page).context["form"].fields
    assert "scope" in sign_in(world.people["officer"]).get(page).context["form"].fields
