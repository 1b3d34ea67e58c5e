"""A small real book, made through the services: one wholesale loan, twelve sub-loans, two closed days.

1 Jan 2025: one crore drawn at 2 %, quarterly, six months' grace with interest paid; twelve sub-loans of five
lakh each lent on at 6 %. 30 Jun 2025 is closed with receipts of the first eight sub-loans and of the
wholesale loan's first interest; afterwards, on 31 Oct 2025, a receipt of value in June arrives late, one is
reversed, and the day is closed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from daybook.models import Booking
from daybook.services import Actor, book
from lending.models import Loan
from lending.services.subloans import open_subloans
from partners.models import ExposureLimit, InstitutionStatus
from repayments.models import Receipt
from repayments.services.close import close_day
from repayments.services.policies import load_policies
from repayments.services.posting import post_receipts, reverse_receipts
from tests.lending.world import CRORE, TODAY, World, make_world, subloan_rows
from tests.repayments.posting.books import receipts

FIRST_CLOSE = date(2025, 6, 30)
SECOND_CLOSE = date(2025, 10, 31)
BORROWERS = 12
LAKH_MINOR = 10_000_000
BANGLA_NAME = "ক্ষুদ্র উদ্যোক্তা ব্যাংক"


@dataclass
class Book:
    """The programme, and its loans by tier."""

    world: World
    wholesale: Loan
    subloans: list[Loan]


def make_book(**terms: Any) -> Book:
    """Everything up to the second close; the books stand open on 1 November 2025.

    ``terms`` are terms of the agreement that differ from the usual ones.
    """
    world = make_world(**terms)
    booking = world.booking("test.book")
    load_policies(booking=booking, proposed_by=world.people["officer"], approved_by=world.people["approver"])
    for institution, name in ((world.bank, BANGLA_NAME), (world.other_bank, "")):
        institution.name_bn = name
        institution.save()
        InstitutionStatus.objects.create(
            institution=institution,
            effective_date=date(2010, 1, 1),
            kind="bank",
            ownership="private",
            booking=booking,
        )
    ExposureLimit.objects.create(
        institution=world.bank, effective_date=TODAY, amount=5 * CRORE, reason="Board 142", booking=booking
    )
    wholesale = world.loan(amount=CRORE)
    rows = subloan_rows(BORROWERS, amount_minor=[5 * LAKH_MINOR] * BORROWERS)
    ids = open_subloans(rows=rows, institution_id=world.bank.pk, booking=world.booking("subloan.open"))
    made = Book(world, wholesale, list(Loan.objects.filter(pk__in=ids.tolist()).order_by("pk")))
    close_day(closing=TODAY, opening=FIRST_CLOSE)
    _collect_first_half(made)
    close_day(closing=FIRST_CLOSE, opening=SECOND_CLOSE)
    _arrive_late(made)
    close_day(closing=SECOND_CLOSE, opening=date(2025, 11, 1))
    return made


def _collect_first_half(made: Book) -> None:
    """Eight borrowers pay what falls due to the end of June; the bank pays its first interest."""
    rows = []
    for loan in made.subloans[:8]:
        fallen = loan.dues.filter(late_date__lte=FIRST_CLOSE).order_by("late_date", "instalment", "component")
        by_date: dict[date, int] = {}
        for due in fallen:
            by_date[due.late_date] = by_date.get(due.late_date, 0) + due.amount_minor
        rows += [(loan, on, minor, f"BFT-{loan.pk}-{on:%m}") for on, minor in by_date.items()]
    first = made.wholesale.dues.order_by("late_date", "component").first()
    assert first is not None
    rows.append((made.wholesale, first.late_date, first.amount_minor, "RTGS-0001"))
    post_receipts(receipts=receipts(*rows), booking=_booked("receipt.post"))


def _arrive_late(made: Book) -> None:
    """In October: a receipt of value in June for the ninth borrower, and one of the first's taken back."""
    late = made.subloans[8]
    post_receipts(
        receipts=receipts((late, date(2025, 6, 15), 2 * LAKH_MINOR, "BFT-LATE")),
        booking=_booked("receipt.post"),
    )
    wrong = Receipt.objects.filter(loan=made.subloans[0]).order_by("value_date").last()
    assert wrong is not None
    reverse_receipts(
        receipt_ids=np.array([wrong.pk]), booking=_booked("receipt.reverse"), reason="Bounced instrument"
    )


def _booked(purpose: str) -> Booking:
    return book(purpose=purpose, actor=Actor(None, "Test"))


def taka(minor: int) -> Decimal:
    """Minor units as taka."""
    return Decimal(minor).scaleb(-2)
