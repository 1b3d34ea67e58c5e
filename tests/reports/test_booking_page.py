"""A booking's own page, and the number by which reports name the books they were made from."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.translation import override

from daybook import acts
from daybook.formats import taka_minor
from daybook.models import AuditEntry, Booking
from daybook.selectors import booking_number_up_to
from daybook.services import Actor, record
from lending.models import Due
from partners.models import Institution
from repayments.models import Receipt
from tests.reports.books import Book, make_book


@pytest.fixture
def books(db: None) -> Book:
    book = make_book()
    with connection.cursor() as cursor:  # numbers are given at commit
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return book


def test_the_number_is_the_highest_of_the_books_up_to_there_for_every_role(
    books: Book, as_partner: Any, as_foundation: Any
) -> None:
    last = Booking.objects.order_by("-pk").first()
    assert last is not None
    assert (
        booking_number_up_to(last.pk)
        == Booking.objects.order_by("-number").values_list("number", flat=True)[0]
    )
    assert booking_number_up_to(0) == 0
    receipt = Receipt.objects.order_by("pk").first()
    assert receipt is not None
    shown = f"#{booking_number_up_to(last.pk)}"
    assert last.pk != booking_number_up_to(last.pk), "the test could not tell an id from a number"
    for reader in (as_foundation(), as_partner(receipt.institution, "viewer")):
        assert shown in reader.get(reverse("reports:portfolio")).text


def test_a_booking_says_who_when_why_and_what_it_wrote(books: Book, as_foundation: Any) -> None:
    receipt = Receipt.objects.select_related("booking", "loan").order_by("pk").first()
    assert receipt is not None
    page = as_foundation("auditor").get(reverse("reports:booking", args=[receipt.booking_id])).text
    assert receipt.booking.actor_name in page
    assert receipt.loan.number in page
    assert reverse("repayments:receipt", args=[receipt.pk]) in page


def test_a_booking_lists_the_dues_it_wrote(books: Book, as_foundation: Any) -> None:
    due = Due.objects.select_related("loan", "booking").filter(loan__tier="wholesale").earliest("pk")
    page = as_foundation("auditor").get(reverse("reports:booking", args=[due.booking_id]))
    listed = [one for one, _component in page.context["dues"]]
    assert set(listed) == set(Due.objects.filter(booking=due.booking))
    assert "Dues written or taken back" in page.text
    assert taka_minor(due.amount_minor) in page.text


def test_a_partner_sees_its_own_bookings_only(books: Book, as_partner: Any, institution: Any) -> None:
    own = Booking.objects.exclude(institution_id=None).order_by("pk").first()
    assert own is not None
    address = reverse("reports:booking", args=[own.pk])
    assert (
        as_partner(Institution.objects.get(pk=own.institution_id or 0), "viewer").get(address).status_code
        == 200
    )
    assert as_partner(institution, "viewer").get(address).status_code == 404


class TestActs:
    @pytest.mark.parametrize(
        ("kept", "english", "bangla"),
        [
            ("tranche.approve", "Tranche: approved", "কিস্তি-ছাড়: অনুমোদন"),
            ("application.decide.approved", "Application: decided, approved", "আবেদন: সিদ্ধান্ত, অনুমোদন"),
            ("tranche.approve.approved", "Tranche: approved", "কিস্তি-ছাড়: অনুমোদন"),
            ("proposal.allotment", "Proposal: Allotment", "প্রস্তাব: বরাদ্দ"),
            ("something.quite_new", "something: quite new", "something: quite new"),
            ("plain", "plain", "plain"),
        ],
    )
    def test_in_both_languages(self, kept: str, english: str, bangla: str) -> None:
        assert acts.act_words(kept) == english
        with override("bn"):
            assert acts.act_words(kept) == bangla

    def test_the_trail_is_filtered_by_kind_and_by_action(self, db: None, as_foundation: Any) -> None:
        for action in ("tranche.approve", "application.decide.approved", "tranche.clear", "limits.set"):
            record(actor=Actor(None, "Somebody"), action=action)
        auditor = as_foundation("auditor")
        page = reverse("daybook:trail")

        def shown(**asked: str) -> set[str]:
            rows = auditor.get(page, asked).context["table"].rows
            return {row.record.action for row in rows if row.record.actor_name == "Somebody"}

        assert shown(noun="tranche") == {"tranche.approve", "tranche.clear"}
        assert shown(verb="approve") == {"tranche.approve", "application.decide.approved"}
        assert shown(noun="tranche", verb="clear") == {"tranche.clear"}
        assert "Tranche: cleared" in auditor.get(page).text
        assert AuditEntry.objects.filter(actor_name="Somebody").count() == 4
