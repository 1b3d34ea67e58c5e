"""More money into a running plan, and parts of a facility that will not be drawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from daybook.selectors import latest_booking_id
from lending.models import Facility, FacilityCancellation, Loan, Schedule, Standing
from lending.services.cancellations import (
    CannotCancelPart,
    approve_cancellation,
    propose_cancellation,
    reject_cancellation,
)
from lending.services.limits import allotment_room, facility_room
from lending.services.tranches import approve_tranche, clear_tranche, request_tranche
from partners.models import User
from repayments.frames import Scope
from repayments.selectors import measure_loans
from tests.lending.world import CRORE, World
from tests.repayments.events.books import live_plan
from tests.repayments.posting.books import check_guards

E = date(2026, 2, 10)
SignIn = Callable[[User], Any]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def facility(world: World, loan: Loan) -> Facility:
    """Half a crore more, sanctioned in January 2025 like the first."""
    return world.facility(amount=CRORE / 2)


def act(world: World, role: str) -> dict[str, Any]:
    return {"actor": world.people[role], "business_date": E}


def too_much(world: World, facility: Facility) -> None:
    """One poisha more given up than there is, written past the service."""
    FacilityCancellation.objects.create(
        facility=facility, institution=world.bank, amount=Decimal("0.01"), reason="x", proposed_date=E,
        made_by=world.people["officer"], made_by_name="o", state="approved",
        decided_by=world.people["approver"], decided_by_name="a", booking=world.booking(),
    )  # fmt: skip
    check_guards()


class TestFurtherTranche:
    def test_is_seen_then_sent_and_the_loan_goes_on_with_one_plan(
        self, world: World, loan: Loan, facility: Facility, sign_in: SignIn
    ) -> None:
        asked = request_tranche(facility=facility, amount=CRORE / 2, **act(world, "maker"))
        clear_tranche(tranche=asked, **act(world, "officer"))
        approve_tranche(tranche=asked, **act(world, "approver"))
        head = sign_in(world.people["finance_head"])
        assert "into a running loan instead" in text(head.get(reverse("lending:tranche", args=[asked.pk])))
        page = reverse("repayments:tranche-into-loan", args=[asked.pk])
        told = {"loan": loan.pk, "value_date": "10/02/2026", "effect": "instalment", "bank_reference": "T 2"}
        seen = head.post(page, told | {"send": "1"})
        assert "The old plan beside the new one" in text(seen)
        assert not Schedule.objects.filter(loan=loan, version=2).exists()
        old = live_plan(loan)
        sent = head.post(page, told | {"send": "1", "shown": seen.context["form"]["shown"].value()})
        assert sent.status_code == 302
        check_guards()
        schedule = Schedule.objects.get(loan=loan, version=2)
        assert (schedule.cause, schedule.added_minor) == ("tranche", 500_000_000)
        assert [row for row in live_plan(loan) if row[2] < E] == [row for row in old if row[2] < E]
        principal = sum(row[3] for row in live_plan(loan) if row[1] == 4)
        assert principal == loan.principal_minor + 500_000_000
        asked.refresh_from_db()
        assert (asked.state, asked.into_loan_id) == ("disbursed", loan.pk)
        assert Loan.objects.filter(agreement=loan.agreement, tier="wholesale").count() == 1
        rows = measure_loans(Scope.of_loans([loan.pk]), as_of=E, last_booking_id=latest_booking_id()).rows
        assert rows["disbursed_minor"][0] == loan.principal_minor + 500_000_000
        standing = Standing.objects.get(institution=world.bank, agreement=None, tranche=None)
        assert standing.exposure_minor == rows["outstanding_minor"][0]


class TestCancellation:
    def test_two_people_and_the_room_is_gone_and_the_allotment_has_it_back(
        self, world: World, facility: Facility
    ) -> None:
        before = allotment_room(facility.allotment).amount
        asked = propose_cancellation(
            facility=facility, amount=Decimal(2_000_000), reason="Not needed", **act(world, "finance_head")
        )
        with pytest.raises(CannotCancelPart, match="another person"):
            approve_cancellation(cancellation=asked, **act(world, "finance_head"))
        approve_cancellation(cancellation=asked, **act(world, "approver"))
        check_guards()
        assert facility_room(facility).amount == Decimal(3_000_000)
        assert allotment_room(facility.allotment).amount == before + 2_000_000
        with pytest.raises(CannotCancelPart, match="decided already"):
            reject_cancellation(cancellation=asked, reason="No", **act(world, "approver"))

    def test_no_more_than_is_left(self, world: World, facility: Facility) -> None:
        request_tranche(facility=facility, amount=Decimal(4_000_000), **act(world, "maker"))
        with pytest.raises(CannotCancelPart, match="cancel at most that"):
            propose_cancellation(
                facility=facility, amount=Decimal(1_000_001), reason="x", **act(world, "officer")
            )

    def test_the_database_counts_it_whoever_writes(self, world: World, facility: Facility) -> None:
        asked = propose_cancellation(
            facility=facility, amount=Decimal(5_000_000), reason="All of it", **act(world, "officer")
        )
        approve_cancellation(cancellation=asked, **act(world, "approver"))
        check_guards()
        with pytest.raises(DatabaseError, match="over their limit"), transaction.atomic():
            too_much(world, facility)
        for change in ("amount = 1", "state = 'proposed'"):
            with pytest.raises(DatabaseError, match="is kept"), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"UPDATE lending_facilitycancellation SET {change}")

    def test_on_the_page_of_the_facility(self, world: World, facility: Facility, sign_in: SignIn) -> None:
        page = reverse("lending:facility", args=[facility.pk])
        officer, approver = sign_in(world.people["officer"]), sign_in(world.people["approver"])
        told = {"step": "cancel", "cancel-amount": "10,00,000", "cancel-reason": "Not needed"}
        officer.post(page, told)
        assert "Not needed" in text(officer.get(page))
        assert "Approve the cancellation" not in text(officer.get(page))
        approver.post(page, {"step": "approve", "approve-reason": ""})
        assert facility.cancellations.get().state == "approved"
        assert facility_room(facility).amount == Decimal(4_000_000)
