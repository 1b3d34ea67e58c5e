"""Each kind of event through its service: what it makes of the plan and of the money."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import Sum

from lending.models import Loan, Schedule
from repayments.models import Allocation, LoanEvent, Receipt
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import see
from tests.lending.world import World
from tests.repayments.events.books import live_plan, made, wanted

E = date(2026, 2, 10)


def outstanding(loan: Loan) -> int:
    """Principal of the plan in force less what was settled of it."""
    due = loan.dues.filter(component=4).aggregate(total=Sum("amount_minor"))["total"] or 0
    paid = (
        Allocation.objects.filter(loan=loan, component=4).aggregate(total=Sum("amount_minor"))["total"] or 0
    )
    return int(due - paid)


class TestPrepayment:
    @pytest.mark.parametrize("effect", ["term", "instalment"])
    def test_the_money_meets_the_principal_brought_forward(
        self, world: World, loan: Loan, effect: str
    ) -> None:
        before = outstanding(loan)
        old = live_plan(loan)
        event = made(
            world,
            wanted("prepayment", loan, E, amount_minor=200_000_000, effect=effect, reference="RTGS 7"),
        )
        assert event.state == LoanEvent.State.APPROVED
        line = event.lines.get()
        assert line.receipt is not None
        assert line.receipt.amount_minor == 200_000_000
        assert outstanding(loan) == before - 200_000_000
        schedule = line.schedule
        assert schedule is not None
        assert (schedule.version, schedule.cause) == (2, "prepayment")
        kept = [row for row in old if row[2] < E]
        assert [row for row in live_plan(loan) if row[2] < E] == kept
        rows = [row for row in live_plan(loan) if row[2] > E]
        if effect == "instalment":
            assert max(row[2] for row in rows) == max(row[2] for row in old)
        else:
            assert max(row[2] for row in rows) < max(row[2] for row in old)

    def test_needs_a_reference_and_not_more_than_is_left(self, world: World, loan: Loan) -> None:
        officer = world.people["officer"]
        with pytest.raises(CannotMakeEvent, match="bank's reference"):
            see(wanted("prepayment", loan, E, amount_minor=100_000, effect="term"), actor=officer)
        with pytest.raises(CannotMakeEvent) as refusal:
            see(
                wanted("prepayment", loan, E, amount_minor=10**12, effect="term", reference="x"),
                actor=officer,
            )
        assert refusal.value.term == "amount"


def test_settlement_ends_the_loan_on_the_day(world: World, loan: Loan) -> None:
    event = made(world, wanted("settlement", loan, E, valid_until=E, reference="RTGS 8"))
    assert outstanding(loan) == 0
    assert [row for row in live_plan(loan) if row[2] > E] == []
    receipt = Receipt.objects.get(external_reference="RTGS 8")
    figure = event.preview["figures"][0]
    assert receipt.amount_minor == figure["total"] == figure["principal"] + figure["interest"]
    assert Schedule.objects.get(loan=loan, version=2).cause == "settlement"
