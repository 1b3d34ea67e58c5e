"""Books to close: institutions of a kind, policies, loans with a plan by instalment, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from daybook.models import Booking
from daybook.selectors import open_business_date
from daybook.services import Actor, book
from lending.models import Due, Loan, LoanProfile, Schedule
from partners.models import InstitutionStatus
from repayments.services.policies import load_policies
from repayments.services.posting import post_receipts
from tests.repayments.posting.books import BOOKS_OPEN, Books, make_books, receipts

INTEREST, PRINCIPAL = 3, 4

Instalment = tuple[date, int] | tuple[date, int, int]


@dataclass(frozen=True)
class ClosingBooks(Books):
    """An institution whose loans have effective dates, interest and a borrower's profile."""

    def lend(
        self,
        plan: Sequence[Instalment],
        *,
        disbursed: date,
        tier: str = "subloan",
        size: str = "small",
        effective: date | None = None,
    ) -> Loan:
        """A loan with the plan (late date, principal[, interest]) in minor units, in force from its start."""
        booking = self.booking()
        principal = sum(row[1] for row in plan)
        loan = Loan.objects.create(
            number=f"C-{Loan.objects.count() + 1:06d}",
            tier=tier,
            origin="import",
            institution=self.institution,
            agreement=self.agreement,
            programme=self.agreement.programme,
            principal_minor=principal,
            disbursed_date=disbursed,
            booking=booking,
        )
        schedule = Schedule.objects.create(
            loan=loan,
            institution=self.institution,
            version=1,
            cause="supplied",
            effective_date=effective or disbursed,
            terms={},
            principal_minor=principal,
            first_due_date=plan[0][0],
            maturity_date=plan[-1][0],
            instalment_count=len(plan),
            booking=booking,
        )
        Due.objects.bulk_create(
            Due(
                loan=loan,
                institution_id=self.institution.pk,
                schedule=schedule,
                instalment=number,
                component=component,
                nominal_date=row[0],
                late_date=row[0],
                effective_date=effective or disbursed,
                amount_minor=amount,
                booking=booking,
            )
            for number, row in enumerate(plan, start=1)
            for component, amount in zip((PRINCIPAL, INTEREST), row[1:], strict=False)
            if amount
        )
        if tier == "subloan":
            LoanProfile.objects.create(
                loan=loan,
                institution=self.institution,
                effective_date=disbursed,
                size_tier=size,
                gender="female",
                booking=booking,
            )
        return loan

    def receive(self, loan: Loan, day: date, amount: int) -> Booking:
        """Money received on a loan, posted as the screens and files do."""
        booking = self.booking()
        reference = f"R{booking.pk}"
        post_receipts(receipts=receipts((loan, day, amount, reference)), booking=booking)
        return booking


def closing_books(*, kind: str = "bank", policies: bool = True) -> ClosingBooks:
    """An institution of a kind in open books that hold the reference policies."""
    made = make_books()
    books = ClosingBooks(made.institution, made.agreement, made.maker, made.checker)
    booking = book(purpose="test", actor=Actor(None, "Test"))
    InstitutionStatus.objects.create(
        institution=books.institution,
        effective_date=date(2010, 1, 1),
        kind=kind,
        ownership="private",
        booking=booking,
    )
    if policies:
        load_policies(booking=booking, proposed_by=books.maker, approved_by=books.checker)
    return books


__all__ = ["BOOKS_OPEN", "ClosingBooks", "closing_books", "open_business_date"]
