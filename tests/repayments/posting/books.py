"""A small set of books to post in: one institution, its agreement, loans with principal dues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from django.db import connection

from daybook.models import Booking, BusinessDay
from daybook.services import Actor, book, open_books
from lending.models import Agreement, Due, FundSource, Loan, Programme, Schedule
from partners.models import Institution, User
from repayments.services.posting import RECEIPT_COLUMNS

PRINCIPAL = 4
CHARGE = 1
BOOKS_OPEN = date(2025, 12, 31)


@dataclass(frozen=True)
class Books:
    """What the tests post in."""

    institution: Institution
    agreement: Agreement
    maker: User
    checker: User

    def booking(self, purpose: str = "test") -> Booking:
        return book(
            purpose=purpose,
            actor=Actor(self.maker.pk, str(self.maker)),
            institution_id=self.institution.pk,
        )

    def loan(
        self, dues: Sequence[tuple[date, int]], *, tier: str = "wholesale", disbursed: date | None = None
    ) -> Loan:
        """A loan whose principal (minor units) falls due on the given dates."""
        booking = self.booking()
        principal = sum(amount for _, amount in dues)
        loan = Loan.objects.create(
            number=f"T-{Loan.objects.count() + 1:06d}",
            tier=tier,
            origin="import",
            institution=self.institution,
            agreement=self.agreement,
            programme=self.agreement.programme,
            principal_minor=principal,
            disbursed_date=disbursed or dues[0][0],
            booking=booking,
        )
        schedule = Schedule.objects.create(
            loan=loan,
            institution=self.institution,
            version=1,
            cause="supplied",
            effective_date=loan.disbursed_date,
            terms={},
            principal_minor=principal,
            first_due_date=dues[0][0],
            maturity_date=dues[-1][0],
            instalment_count=len(dues),
            booking=booking,
        )
        for number, (day, amount) in enumerate(dues, start=1):
            self.due(loan, schedule, number, PRINCIPAL, day, amount, booking)
        return loan

    def charge(self, loan: Loan, *, day: date, amount: int, instalment: int) -> Booking:
        """Raise a charge: a due of its own, as an event on the loan would."""
        booking = self.booking()
        schedule = Schedule.objects.get(loan=loan)
        self.due(loan, schedule, instalment, CHARGE, day, amount, booking)
        return booking

    def due(
        self,
        loan: Loan,
        schedule: Schedule,
        instalment: int,
        component: int,
        day: date,
        amount: int,
        booking: Booking,
    ) -> None:
        Due.objects.create(
            loan=loan,
            institution_id=self.institution.pk,
            schedule=schedule,
            instalment=instalment,
            component=component,
            nominal_date=day,
            late_date=day,
            effective_date=min(day, schedule.effective_date) if component == PRINCIPAL else day,
            amount_minor=amount,
            booking=booking,
        )


def make_books(**terms: Any) -> Books:
    """Open the books on BOOKS_OPEN (unless they are open) with a new institution in them.

    `terms` are fields of its agreement, whose terms cannot change once it is approved.
    """
    if not BusinessDay.objects.exists():
        open_books(first_date=BOOKS_OPEN)
    number = Institution.objects.count() + 1
    maker, checker = (
        User.objects.create(username=f"{role}{number}", full_name=f"{role} {number}")
        for role in ("maker", "checker")
    )
    institution = Institution.objects.create(code=f"B{number}", name=f"Bank {number}")
    fund, _ = FundSource.objects.get_or_create(code="OWN", name="Own funds")
    programme, _ = Programme.objects.get_or_create(
        code="TEST", defaults={"name": "Test", "fund_source": fund, "from_date": date(2020, 1, 1)}
    )
    booking = book(purpose="test", actor=Actor(maker.pk, str(maker)), institution_id=institution.pk)
    agreement = Agreement.objects.create(
        number=f"AG-{number}",
        institution=institution,
        programme=programme,
        state=Agreement.State.ACTIVE,
        signed_date=date(2020, 1, 1),
        from_date=date(2020, 1, 1),
        to_date=date(2030, 12, 31),
        limit=100_000_000,
        annual_rate=4,
        instalment_count=3,
        made_by=maker,
        approved_by=checker,
        booking=booking,
        **terms,
    )
    return Books(institution, agreement, maker, checker)


def receipts(*rows: tuple[Loan, date, int, str], channel: str = "screen") -> pd.DataFrame:
    """Receipts to post, from (loan, value date, minor units, reference)."""
    made: list[dict[str, Any]] = [
        dict.fromkeys(RECEIPT_COLUMNS)
        | {
            "loan_id": loan.pk,
            "institution_id": loan.institution_id,
            "tier": loan.tier,
            "channel": channel,
            "value_date": value_date,
            "amount_minor": amount,
            "external_reference": reference,
        }
        for loan, value_date, amount, reference in rows
    ]
    return pd.DataFrame(made, columns=list(RECEIPT_COLUMNS))


def check_guards() -> None:
    """Let the database check now what it would check at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
