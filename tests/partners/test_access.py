"""Memberships decide side, institution and roles; authority follows dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from daybook.services import Actor, book, open_books
from partners.access import NOBODY, Role, Side, authority_of, context_of
from partners.models import ApprovalAuthority, Institution, Membership, User

pytestmark = pytest.mark.django_db
TODAY = date(2026, 7, 1)


@pytest.fixture
def person() -> User:
    return User.objects.create(username="rahima", full_name="Rahima Khatun")


@pytest.fixture
def bank() -> Institution:
    return Institution.objects.create(code="TEST", name="Test Bank")


def test_without_a_membership_a_person_is_nobody(person: User) -> None:
    assert context_of(person, on=TODAY) == NOBODY


def test_a_foundation_role_sees_all_institutions(person: User) -> None:
    Membership.objects.create(user=person, role=Role.OFFICER, from_date=TODAY)
    context = context_of(person, on=TODAY)
    assert context.side is Side.FOUNDATION
    assert context.institution_id is None
    assert context.may(Role.OFFICER)


def test_a_partner_belongs_to_its_institution(person: User, bank: Institution) -> None:
    Membership.objects.create(user=person, institution=bank, role=Role.MAKER, from_date=TODAY)
    context = context_of(person, on=TODAY)
    assert context.side is Side.PARTNER
    assert context.institution_id == bank.pk
    assert not context.may(Role.OFFICER, Role.CHECKER)


@pytest.mark.parametrize(("day", "held"), [(1, False), (2, True), (9, True), (10, False)])
def test_a_stand_in_holds_the_role_between_its_dates_only(person: User, day: int, held: bool) -> None:
    Membership.objects.create(
        user=person, role=Role.APPROVER, from_date=date(2026, 7, 2), to_date=date(2026, 7, 9)
    )
    assert context_of(person, on=date(2026, 7, day)).may(Role.APPROVER) is held


def test_authority_is_the_latest_dated_row_of_the_best_role() -> None:
    open_books(first_date=TODAY)
    booking = book(purpose="test", actor=Actor(None, "Test"))
    for role, day, amount in (
        (Role.APPROVER, 1, 5_00_00_000),
        (Role.APPROVER, 15, 2_00_00_000),
        (Role.FINANCE_HEAD, 1, 50_00_00_000),
    ):
        ApprovalAuthority.objects.create(
            role=role,
            effective_date=date(2026, 7, day),
            amount=Decimal(amount),
            reason="Board",
            booking=booking,
        )
    approver = frozenset({str(Role.APPROVER)})
    assert authority_of(approver, on=date(2026, 7, 14)) == Decimal(5_00_00_000)
    assert authority_of(approver, on=date(2026, 7, 15)) == Decimal(2_00_00_000)
    assert authority_of(approver | {str(Role.FINANCE_HEAD)}, on=TODAY) == Decimal(50_00_00_000)
    assert authority_of(frozenset({str(Role.OFFICER)}), on=TODAY) == 0
