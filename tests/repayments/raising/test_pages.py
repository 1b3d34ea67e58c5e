"""The part of a loan's page about lateness, the check on banks, and the limits on the page of policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.urls import reverse

from daybook.selectors import open_business_date
from daybook.services import roll_day
from lending.models import Loan
from partners.models import Institution
from repayments.services.posting import post_receipts
from repayments.services.raising import raise_day
from tests.conftest import ActingClient
from tests.repayments.close.books import ClosingBooks, closing_books
from tests.repayments.posting.books import receipts
from tests.repayments.raising.test_closes import agree

pytestmark = pytest.mark.django_db
SignIn = Callable[..., ActingClient]
LATE = date(2025, 12, 31)


@pytest.fixture
def books() -> ClosingBooks:
    made = closing_books()
    agree(made, "1.5", date(2020, 1, 1))
    return made


@pytest.fixture
def ours(books: ClosingBooks) -> Loan:
    """24,000.00 of the wholesale tier, ten nights late."""
    loan = books.lend([(LATE, 24_000_00)], disbursed=date(2025, 6, 30), tier="wholesale")
    while (today := open_business_date()) <= date(2026, 1, 10):
        raise_day(business_date=today)
        roll_day(closing=today)
    return loan


@pytest.fixture
def theirs(books: ClosingBooks, ours: Loan) -> Loan:
    """A sub-loan as late, whose bank reports charges of 15.00 with a payment of one taka."""
    loan = books.lend([(LATE, 24_000_00)], disbursed=date(2025, 6, 30), tier="subloan")
    booking = books.booking()
    rows = receipts((loan, date(2026, 1, 11), 1_00, "R1"))
    rows["reported_charge_minor"] = 15_00
    post_receipts(receipts=rows, booking=booking)
    return loan


def test_a_wholesale_loan_shows_its_nights(ours: Loan, as_foundation: SignIn) -> None:
    page = as_foundation("officer").get(reverse("repayments:loan-raised", args=[ours.pk]))
    text = page.content.decode()
    assert page.status_code == 200
    assert "24,000.00 × 1.50" in text
    assert "10 days" in text
    assert "10.00" in text
    early = as_foundation("officer").get(
        reverse("repayments:loan-raised", args=[ours.pk]), {"as_of": "2026-01-02"}
    )
    assert "10 days" not in early.content.decode()


def test_a_sub_loan_shows_the_check_and_raises_nothing(theirs: Loan, as_foundation: SignIn) -> None:
    text = as_foundation("auditor").get(reverse("repayments:loan-raised", args=[theirs.pk])).content.decode()
    assert "11.00" in text, "11 days of 1.00"
    assert "more than the limit" in text
    assert not theirs.dues.filter(component=2).exists()


def test_the_list_names_banks_that_took_more_than_they_may(
    books: ClosingBooks, theirs: Loan, as_foundation: SignIn, as_partner: SignIn
) -> None:
    officer = as_foundation("officer")
    address = reverse("repayments:penal-check")
    assert "Choose an institution" in officer.get(address).content.decode()
    asked: dict[str, str | int] = {"institution": books.institution.pk, "show": "over"}
    text = officer.get(address, asked).content.decode()
    assert theirs.number in text
    assert "4.00" in text
    assert theirs.number not in officer.get(address, asked | {"show": "none"}).content.decode()
    file = officer.get(address, asked | {"export": "csv"})
    assert theirs.number in file.content.decode("utf-8-sig")
    assert theirs.number in as_partner(books.institution, "viewer").get(address).content.decode()
    stranger = Institution.objects.create(code="XX", name="Another bank")
    told = as_partner(stranger, "viewer").get(address, asked).content.decode()
    assert theirs.number not in told


def test_another_bank_does_not_see_the_loan(theirs: Loan, as_partner: SignIn) -> None:
    stranger = Institution.objects.create(code="XX", name="Another bank")
    page = as_partner(stranger, "viewer").get(reverse("repayments:loan-raised", args=[theirs.pk]))
    assert page.status_code == 404


def test_the_limits_stand_on_the_page_of_policies(books: ClosingBooks, as_foundation: SignIn) -> None:
    text = as_foundation("officer").get(reverse("repayments:policies")).content.decode()
    assert "PENAL-WS" in text
    assert "EARLY-CMS-2021" in text
