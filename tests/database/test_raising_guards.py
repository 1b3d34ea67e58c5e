"""One attack per guard of penal rates, charge policies and raised dues, as the role that would try."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError

from daybook.services import roll_day
from lending.models import Due, Loan, PenalRate
from repayments.models import ChargePolicy
from repayments.services.raising import raise_day
from tests.database.attacks import grant_partners, refused, run, touched_or_forbidden
from tests.repayments.close.books import ClosingBooks, closing_books
from tests.repayments.raising.test_closes import agree

pytestmark = pytest.mark.django_db

ActingAs = Callable[..., None]
LATE = date(2025, 12, 31)


@pytest.fixture
def books() -> ClosingBooks:
    made = closing_books()
    agree(made, "1.5", date(2020, 1, 1))
    return made


@pytest.fixture
def loan(books: ClosingBooks) -> Loan:
    """A loan with one day's penal interest raised."""
    loan = books.lend([(LATE, 24_000_00)], disbursed=date(2025, 6, 30), tier="wholesale")
    roll_day(closing=LATE)
    raise_day(business_date=date(2026, 1, 1))
    return loan


def test_a_penal_rate_is_decided_once_as_it_was_proposed(books: ClosingBooks) -> None:
    decided = PenalRate.objects.get()
    refused("penal_rate_is_kept", "UPDATE lending_penalrate SET annual_rate = 0 WHERE id = %s", decided.pk)
    refused("penal_rate_is_kept", "DELETE FROM lending_penalrate WHERE id = %s", decided.pk)
    proposed = PenalRate.objects.create(
        agreement=books.agreement,
        institution=books.institution,
        effective_date=date(2026, 2, 1),
        annual_rate=Decimal(1),
        reason="Board",
        proposed_by=books.maker,
        proposed_by_name="maker",
        proposed_date=LATE,
    )
    refused(
        "penal_rate_is_kept",
        "UPDATE lending_penalrate SET annual_rate = 0, state = 'rejected', decided_by_id = %s WHERE id = %s",
        books.checker.pk,
        proposed.pk,
    )
    refused(
        "penal_rate_maker_is_not_checker",
        "UPDATE lending_penalrate SET state = 'rejected', decided_by_id = proposed_by_id WHERE id = %s",
        proposed.pk,
    )
    refused(
        "penal_rate_approved_is_booked",
        "UPDATE lending_penalrate SET state = 'approved', decided_by_id = %s WHERE id = %s",
        books.checker.pk,
        proposed.pk,
    )


def test_a_partner_reads_its_own_penal_rate_and_writes_none(books: ClosingBooks, acting_as: ActingAs) -> None:
    pk = PenalRate.objects.get().pk
    grant_partners("lending_penalrate")
    acting_as("paikar_partner", institution_id=books.institution.pk)
    assert PenalRate.objects.filter(pk=pk).exists()
    with pytest.raises(DatabaseError, match="only the foundation"):
        run("UPDATE lending_penalrate SET state = 'rejected' WHERE id = %s", pk)


def test_a_partner_does_not_see_another_s_penal_rate(books: ClosingBooks, acting_as: ActingAs) -> None:
    acting_as("paikar_partner", institution_id=books.institution.pk + 1)
    assert not PenalRate.objects.exists()


def test_a_charge_policy_is_appended_only_and_has_two_people(books: ClosingBooks) -> None:
    pk = ChargePolicy.objects.filter(kind="penal_cap").earliest("id").pk
    assert touched_or_forbidden("UPDATE repayments_chargepolicy SET percent = 0 WHERE id = %s", pk) == 0
    assert touched_or_forbidden("DELETE FROM repayments_chargepolicy WHERE id = %s", pk) == 0
    columns = "reference, tier, applies_to, scope, from_date, confidence, kind, percent, booking_id"
    refused(
        "charge_policy_maker_is_not_checker",
        f"INSERT INTO repayments_chargepolicy (code, {columns}, proposed_by_id, approved_by_id)"
        f" SELECT 'X', {columns}, proposed_by_id, proposed_by_id FROM repayments_chargepolicy WHERE id = %s",
        pk,
    )


def test_what_stands_raised_is_not_raised_twice_even_by_another_booking(
    books: ClosingBooks, loan: Loan
) -> None:
    due = Due.objects.get(loan=loan, component=2)
    columns = (
        "loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date, effective_date"
    )
    again = f"INSERT INTO lending_due ({columns}, amount_minor, booking_id) SELECT {columns}, 1, %s"
    refused("due_raised_once", f"{again} FROM lending_due WHERE id = %s", books.booking().pk, due.pk)
    refused("due_once_in_version", f"{again} FROM lending_due WHERE id = %s", due.booking_id, due.pk)
