"""A loan that nobody paid for more than a year: rescheduled within limits, or written off after notice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from calc.classification import LoanClass
from daybook.selectors import latest_booking_id
from lending.models import Loan, Schedule
from lending.services.schedules import LoanIsWrittenOff, append_versions
from repayments.frames import Scope
from repayments.models import Allocation, ClassFloor, ReschedulePolicy, WriteOffPolicy
from repayments.selectors import measure_loans
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.kinds import read_for, work_out
from repayments.services.events.steps import see
from repayments.services.policies import load_policies
from tests.lending.world import World
from tests.repayments.events.books import go_to, live_plan, made, pay, wanted

E = date(2026, 11, 10)
TERMS: dict[str, Any] = {
    "method": "equal_principal",
    "frequency": "quarterly",
    "instalments": 8,
    "annual_rate": "3",
}


@pytest.fixture
def bad(world: World) -> Loan:
    """One crore of January 2025, nothing paid by November 2026: bad or loss, provided in full."""
    made_loan = world.loan()
    officer, approver = world.people["officer"], world.people["approver"]
    for _run in range(2):  # the second finds nothing to add
        load_policies(booking=world.booking(), proposed_by=officer, approved_by=approver)
    go_to(E)
    return made_loan


def standing(loan: Loan) -> Any:
    return measure_loans(Scope.of_loans([loan.pk]), as_of=E, last_booking_id=latest_booking_id()).rows[0]


def limit(world: World, **changes: Any) -> ReschedulePolicy:
    told: dict[str, Any] = {
        "code": "T-RS", "reference": "Board", "tier": "wholesale", "applies_to": "any", "event": "reschedule",
        "from_date": date(2020, 1, 1), "confidence": "K", "times": 1, "special_times": 2,
        "tenor_months": [36, 24], "down_payment_percent": [Decimal(2), Decimal(4)],
        "proposed_by": world.people["officer"], "approved_by": world.people["approver"],
        "booking": world.booking(),
    }  # fmt: skip
    return ReschedulePolicy.objects.create(**told | changes)


class TestRescheduling:
    def test_what_is_overdue_moves_and_the_class_is_held(self, world: World, bad: Loan) -> None:
        before = standing(bad)
        assert before["loan_class"] == LoanClass.BL
        limit(world)
        owed = bad.principal_minor
        event = made(
            world,
            wanted("reschedule", bad, E, **TERMS, moves_overdue=True, down_payment_minor=owed // 50,
                   reference="DP 1"),
        )  # fmt: skip
        version = Schedule.objects.get(loan=bad, version=2)
        assert (version.cause, version.instalment_count) == ("reschedule", 9)
        assert version.transferred_minor == before["overdue_principal_minor"]
        moved = Allocation.objects.filter(loan=bad, source=5).aggregate(t=Sum("amount_minor"))["t"]
        assert moved == before["overdue_principal_minor"] + before["overdue_interest_minor"]
        assert ClassFloor.objects.get(loan=bad).at_least == LoanClass.BL
        now = standing(bad)
        assert now["days_past_due"] == 0
        assert now["loan_class"] == LoanClass.BL
        assert now["rescheduled_count"] == 1
        assert now["outstanding_minor"] == owed - owed // 50
        receipt = event.lines.get().receipt
        assert receipt is not None
        assert receipt.external_reference == "DP 1"

    def test_the_limits_are_rows_with_dates(self, world: World, bad: Loan) -> None:
        officer = world.people["officer"]
        limit(world)
        with pytest.raises(CannotMakeEvent, match="down payment of 2") as refusal:
            see(wanted("reschedule", bad, E, **TERMS), actor=officer)
        assert refusal.value.term == "down_payment_minor"
        told = {"down_payment_minor": 50_000_000, "reference": "DP"}
        with pytest.raises(CannotMakeEvent, match="36 months") as refusal:
            see(wanted("reschedule", bad, E, **TERMS | {"instalments": 13}, **told), actor=officer)
        assert refusal.value.term == "instalments"
        made(world, wanted("reschedule", bad, E, **TERMS, **told))
        told = {"down_payment_minor": 60_000_000, "reference": "DP 2"}
        with pytest.raises(CannotMakeEvent, match="special case") as refusal:
            see(wanted("reschedule", bad, E, **TERMS | {"instalments": 7}, **told), actor=officer)
        assert refusal.value.term == "is_special"
        seen = see(
            wanted("reschedule", bad, E, **TERMS | {"instalments": 7}, **told, is_special=True), actor=officer
        )
        assert {row["say"] for row in seen.outcome.preview()["cautions"]} == {"special_case"}

    def test_is_no_restructuring(self, world: World, bad: Loan) -> None:
        with pytest.raises(CannotMakeEvent, match="is a rescheduling"):
            see(wanted("restructure", bad, E, **TERMS), actor=world.people["officer"])


class TestWriteOff:
    def test_in_whole_and_what_comes_later_is_a_recovery(self, world: World, bad: Loan) -> None:
        before = standing(bad)
        event = made(world, wanted("write_off", bad, E, extent="whole"))
        total = event.amount_minor
        assert total >= before["outstanding_minor"]
        now = standing(bad)
        assert (now["outstanding_minor"], now["days_past_due"], now["provision_minor"]) == (0, 0, 0)
        assert now["written_off_minor"] == total
        pay(world, bad, E, 30_000_000, "LATE MONEY")
        rows = Allocation.objects.filter(loan=bad, receipt__external_reference="LATE MONEY")
        assert [(row.instalment, row.component, row.amount_minor) for row in rows] == [(0, 7, 30_000_000)]
        assert standing(bad)["written_off_minor"] == total - 30_000_000
        with pytest.raises(CannotMakeEvent):
            see(
                wanted("prepayment", bad, E, amount_minor=1_000_000, effect="term", reference="x"),
                actor=world.people["officer"],
            )

    def test_no_plan_follows_a_write_off(self, world: World, bad: Loan) -> None:
        asked = wanted("reschedule", bad, E, **TERMS)
        outcome = work_out(read_for(asked), asked)
        made(world, wanted("write_off", bad, E, extent="whole"))
        with pytest.raises(LoanIsWrittenOff):
            append_versions(versions=outcome.versions, dues=outcome.dues, booking=world.booking())

    def test_a_part_takes_accrued_interest_first(self, world: World, bad: Loan) -> None:
        WriteOffPolicy.objects.create(
            code="T-WO", reference="Board", tier="wholesale", applies_to="any", from_date=date(2020, 1, 1),
            confidence="K", is_partial_allowed=True, provision_percent=100,
            proposed_by=world.people["officer"], approved_by=world.people["approver"],
            booking=world.booking(),
        )  # fmt: skip
        interest = standing(bad)["overdue_interest_minor"]
        plan = live_plan(bad)
        made(world, wanted("write_off", bad, E, extent="part", amount_minor=int(interest) + 1_000_000))
        rows = Allocation.objects.filter(loan=bad, source=4)
        assert sum(row.amount_minor for row in rows if row.component == 3) == interest
        assert sum(row.amount_minor for row in rows if row.component == 4) == 1_000_000
        assert [row for row in live_plan(bad) if row[1] != 7] == plan
        assert standing(bad)["written_off_minor"] == interest + 1_000_000

    def test_is_refused_without_class_or_provision_or_for_a_part_the_policy_bars(
        self, world: World, bad: Loan
    ) -> None:
        officer = world.people["officer"]
        WriteOffPolicy.objects.create(
            code="T-WO", reference="Board", tier="wholesale", applies_to="any", from_date=date(2020, 1, 1),
            confidence="K", months_in_bad=24, provision_percent=100, proposed_by=officer,
            approved_by=world.people["approver"], booking=world.booking(),
        )  # fmt: skip
        with pytest.raises(CannotMakeEvent, match="does not allow a part"):
            see(wanted("write_off", bad, E, extent="part", amount_minor=100), actor=officer)
        with pytest.raises(CannotMakeEvent, match="24 months in the class"):
            see(wanted("write_off", bad, E, extent="whole"), actor=officer)
        with pytest.raises(CannotMakeEvent, match="bad or loss"):
            see(wanted("write_off", bad, date(2025, 3, 1), extent="whole"), actor=officer)
        with pytest.raises(CannotMakeEvent, match="Notice goes out") as refusal:
            see(wanted("write_off", bad, E, extent="whole", notice_date="2026-11-11"), actor=officer)
        assert refusal.value.term == "notice_date"
