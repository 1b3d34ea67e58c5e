"""Attacks on loan events, plan versions and the limits around them, as the real roles."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction

from lending.models import Due, FacilityCancellation, Loan, Schedule
from repayments.models import LoanEvent, ReschedulePolicy, WriteOffPolicy
from tests.conftest import set_role
from tests.database.attacks import grant_partners
from tests.lending.world import World, make_world
from tests.repayments.posting.books import check_guards
from tests.reports.books import Book, make_book

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    return world.loan()


@pytest.fixture
def book(db: None) -> Book:
    return make_book()


def as_partner(institution_id: int) -> None:
    set_role("paikar_partner")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('paikar.institution', %s, true)", [str(institution_id)])


def event(loan: Loan, maker: int, **changes: Any) -> LoanEvent:
    told: dict[str, Any] = {
        "kind": "waiver", "tier": loan.tier, "loan": loan, "institution_id": loan.institution_id,
        "effective_date": date(2025, 1, 1), "reason": "x", "made_by_id": maker,
    }  # fmt: skip
    return LoanEvent.objects.create(**told | changes)


def refuses(name: str, attack: Any) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        attack()
    cause: Any = refusal.value.__cause__
    assert cause.diag.constraint_name == name


class TestPartner:
    def test_proposes_on_its_own_sub_loan_and_withdraws_it(self, book: Book) -> None:
        maker, mine = book.world.people["maker"].pk, book.subloans[0]
        as_partner(book.world.bank.pk)
        made = event(mine, maker)
        assert LoanEvent.objects.filter(pk=made.pk).update(state="withdrawn") == 1

    def test_proposes_nothing_else(self, book: Book) -> None:
        world, mine = book.world, book.subloans[0]
        maker, officer = world.people["maker"].pk, world.people["officer"].pk
        booking = world.booking()
        as_partner(world.bank.pk)
        for attack in (
            lambda: event(mine, officer),
            lambda: event(book.wholesale, maker),
            lambda: event(book.wholesale, maker, tier="subloan"),
            lambda: event(mine, maker, state="approved", decided_by_id=officer, booking=booking),
            lambda: event(mine, maker, state="withdrawn"),
        ):
            refuses("partner_proposes_events", attack)

    def test_changes_nothing_of_a_proposal(self, book: Book) -> None:
        world, mine = book.world, book.subloans[0]
        of_foundation = event(book.subloans[1], world.people["officer"].pk)
        own = event(mine, world.people["maker"].pk)
        as_partner(world.bank.pk)
        rows = LoanEvent.objects.filter(pk=own.pk)
        for change in ({"parameters": {"amount_minor": 1}}, {"state": "approved"}, {"amount_minor": 0}):
            refuses("partner_proposes_events", lambda change=change: rows.update(**change))
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            rows.delete()
        grant_partners("repayments_loanevent")
        as_partner(world.bank.pk)
        refuses("partner_writes_little", rows.delete)
        theirs = LoanEvent.objects.filter(pk=of_foundation.pk)
        refuses("partner_proposes_events", lambda: theirs.update(state="withdrawn"))


@pytest.mark.parametrize("role", ["paikar_foundation", "paikar_worker"])
def test_nobody_changes_a_decided_event(book: Book, role: str) -> None:
    made = event(book.subloans[0], book.world.people["maker"].pk)
    LoanEvent.objects.filter(pk=made.pk).update(state="withdrawn")
    set_role(role)
    rows = LoanEvent.objects.filter(pk=made.pk)
    refuses("loan_event_is_kept", lambda: rows.update(state="proposed"))
    refuses("loan_event_is_kept", lambda: rows.update(reason="other"))
    refuses("loan_event_is_kept", rows.delete)


class TestVersions:
    def version(self, world: World, loan: Loan, **changes: Any) -> Schedule:
        told: dict[str, Any] = {
            "loan": loan, "institution_id": loan.institution_id, "version": 2, "cause": "prepayment",
            "effective_date": date(2025, 1, 1), "terms": {}, "principal_minor": 0, "instalment_count": 1,
            "first_due_date": date(2025, 5, 1), "maturity_date": date(2025, 5, 1),
            "booking": world.booking(),
        }  # fmt: skip
        return Schedule.objects.create(**told | changes)

    def due(self, schedule: Schedule, amount: int, **changes: Any) -> Due:
        told: dict[str, Any] = {
            "loan_id": schedule.loan_id, "institution_id": schedule.institution_id, "schedule": schedule,
            "instalment": 99, "component": 4, "nominal_date": date(2025, 5, 1),
            "late_date": date(2025, 5, 1), "effective_date": schedule.effective_date,
            "amount_minor": amount, "booking_id": schedule.booking_id,
        }  # fmt: skip
        return Due.objects.create(**told | changes)

    def test_that_do_not_add_up_are_refused(self, world: World, loan: Loan) -> None:
        def too_much() -> None:
            self.due(self.version(world, loan), 100)
            check_guards()

        def takes_nothing_back() -> None:
            self.due(self.version(world, loan, principal_minor=100), 100)
            check_guards()

        def forgets_what_it_took(principal: int = 0) -> None:
            schedule = self.version(world, loan, principal_minor=principal)
            old = loan.dues.filter(component=4, schedule__version=1).first()
            assert old is not None
            self.due(schedule, -old.amount_minor, instalment=old.instalment, nominal_date=old.nominal_date,
                     late_date=old.late_date, mirror_of=old)  # fmt: skip
            check_guards()

        for attack in (too_much, takes_nothing_back, forgets_what_it_took):
            refuses("plan_adds_up", attack)

    def test_take_back_whole_dues_not_before_they_counted(self, world: World, loan: Loan) -> None:
        old = loan.dues.filter(component=4).first()
        assert old is not None
        exact = {"instalment": old.instalment, "nominal_date": old.nominal_date, "late_date": old.late_date}

        def part() -> None:
            self.due(self.version(world, loan), 1 - old.amount_minor, mirror_of=old, **exact)

        def early() -> None:
            schedule = self.version(world, loan)
            self.due(schedule, -old.amount_minor, mirror_of=old, effective_date=date(2024, 12, 31), **exact)

        def elsewhere() -> None:
            changed = exact | {"late_date": date(2025, 6, 1)}
            self.due(self.version(world, loan), -old.amount_minor, mirror_of=old, **changed)

        for attack in (part, early, elsewhere):
            refuses("mirror_is_exact", attack)


@pytest.mark.parametrize("role", ["paikar_foundation", "paikar_worker", "paikar_owner"])
class TestTwoPeople:
    def test_nobody_cancels_a_part_alone(self, world: World, role: str) -> None:
        facility = world.facility()
        made = {
            "facility": facility, "institution": world.bank, "amount": 1, "reason": "x",
            "proposed_date": date(2025, 1, 1), "made_by": world.people["officer"], "made_by_name": "o",
            "state": "rejected", "decided_by": world.people["officer"], "decided_by_name": "o",
        }  # fmt: skip
        set_role(role)
        refuses(
            "facility_cancellation_maker_is_not_checker", lambda: FacilityCancellation.objects.create(**made)
        )

    @pytest.mark.parametrize(
        ("policy", "told"),
        [
            (ReschedulePolicy, {"event": "reschedule", "times": 3, "special_times": 4, "tenor_months": [1],
                                "down_payment_percent": [1]}),
            (WriteOffPolicy, {"provision_percent": 100}),
        ],
    )  # fmt: skip
    def test_nobody_sets_a_limit_alone(self, world: World, role: str, policy: Any, told: Any) -> None:
        officer, booking = world.people["officer"], world.booking()
        set_role(role)
        name = {ReschedulePolicy: "reschedule_policy", WriteOffPolicy: "write_off_policy"}[policy]
        refuses(
            f"{name}_maker_is_not_checker",
            lambda: policy.objects.create(
                code="MINE", reference="x", tier="subloan", applies_to="any", from_date=date(2025, 1, 1),
                confidence="K", proposed_by=officer, approved_by=officer, booking=booking, **told,
            ),
        )  # fmt: skip
