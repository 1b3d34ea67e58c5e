"""A booking for the whole programme, opened by a bank's officer who tries one number after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from daybook import services
from daybook.services import Actor
from lending.models import Due
from tests.reports.books import Book

WHY = "Flood at Bank B: its claim is doubtful"


def test_a_partner_reads_what_it_wrote_on_its_loans_but_not_why(
    book: Book, as_partner: Callable[..., Any], as_foundation: Callable[..., Any]
) -> None:
    world, loan = book.world, book.subloans[0]
    booking = services.book(purpose="dues.raise", actor=Actor(None, "Rahima of the foundation"), reason=WHY)
    due = loan.dues.order_by("pk")[0]
    Due.objects.create(
        loan=loan, institution_id=loan.institution_id, schedule=due.schedule, booking=booking, instalment=900,
        component=due.component, nominal_date=due.nominal_date, late_date=due.late_date,
        effective_date=due.effective_date, amount_minor=5,
    )  # fmt: skip
    address = reverse("reports:booking", args=[booking.pk])
    own = as_partner(world.bank, "viewer").get(address)
    assert own.status_code == 200
    assert "Rahima" not in own.text
    assert "Flood" not in own.text
    assert WHY in as_foundation("auditor").get(address).text
    assert as_partner(world.other_bank, "viewer").get(address).status_code == 404


def test_a_booking_of_others_alone_does_not_exist(book: Book, as_partner: Callable[..., Any]) -> None:
    booking = services.book(purpose="policy.load", actor=Actor(None, "Rahima"), reason=WHY)
    address = reverse("reports:booking", args=[booking.pk])
    assert as_partner(book.world.bank, "viewer").get(address).status_code == 404
