"""Each kind of event through its service: what it makes of the plan and of the money."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db.models import Sum
from django.urls import reverse

from lending.models import Loan, Schedule
from partners.models import User
from repayments.models import Allocation, LoanEvent, Receipt
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import approve, pay_quotation, propose, see
from repayments.services.posting import reverse_receipts
from tests.lending.world import World
from tests.repayments.events.books import live_plan, made, pay, wanted
from tests.repayments.posting.books import check_guards

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


class TestSecondPlans:
    def test_an_unclassified_loan_is_restructured(self, world: World, loan: Loan) -> None:
        before = outstanding(loan)
        told = {"method": "equal_principal", "frequency": "quarterly", "instalments": 12, "annual_rate": "3"}
        event = made(world, wanted("restructure", loan, E, **told))
        schedule = Schedule.objects.get(loan=loan, version=2)
        assert schedule.cause == "restructure"
        assert schedule.instalment_count == 12
        assert outstanding(loan) == before
        assert {row["say"] for row in event.preview["cautions"]} == {"no_policy"}

    def test_rescheduling_needs_a_classified_loan(self, world: World, loan: Loan) -> None:
        told = {"method": "equal_principal", "frequency": "quarterly", "instalments": 12, "annual_rate": "3"}
        with pytest.raises(CannotMakeEvent, match="not classified"):
            see(wanted("reschedule", loan, E, **told), actor=world.people["officer"])

    def test_a_rate_change_on_every_loan_of_the_agreement(self, world: World, loan: Loan) -> None:
        event = made(
            world,
            wanted(
                "rate_change", None, E, annual_rate="3", effect="instalment",
                agreement=loan.agreement_id, tier="wholesale",
            ),
        )  # fmt: skip
        assert event.loan is None
        assert event.lines.get().loan_id == loan.pk
        old = event.preview["totals"]["old"]["interest"]
        assert event.preview["totals"]["new"]["interest"] > old
        assert Schedule.objects.get(loan=loan, version=2).terms["annual_rate"] == "3"

    def test_a_moratorium_over_a_programme(self, world: World, loan: Loan) -> None:
        event = made(
            world,
            wanted(
                "moratorium", None, E, until="2026-08-31", grace_kind="interest_deferred", dates="shifted",
                programme=world.programme.pk, tier="wholesale",
            ),
        )  # fmt: skip
        assert event.lines.count() == 1
        rows = [row for row in live_plan(loan) if E <= row[2] <= date(2026, 8, 31) and row[1] == 4]
        assert rows == []
        assert event.institution_id == world.bank.pk


class TestWithoutMoney:
    def test_an_advance_is_given_back(self, world: World, loan: Loan) -> None:
        pay(world, loan, date(2026, 2, 9), 7_000_000, "OVER-1")
        made(world, wanted("refund", loan, E, amount_minor=6_000_000, reference="BFT 3"))
        left = Allocation.objects.filter(loan=loan, component=8).aggregate(t=Sum("amount_minor"))["t"]
        held_now = Allocation.objects.filter(loan=loan, component=8, value_date__lte=E).aggregate(
            t=Sum("amount_minor")
        )["t"]
        assert held_now == 1_000_000
        assert left == 0  # the next due takes it

    def test_overdue_interest_is_waived(self, world: World, loan: Loan) -> None:
        receipt = Receipt.objects.filter(loan=loan).order_by("value_date").last()
        assert receipt is not None
        reverse_receipts(receipt_ids=[receipt.pk], booking=world.booking(), reason="Bounced")
        due = loan.dues.filter(late_date=receipt.value_date, component=3).get()
        made(world, wanted("waiver", loan, E, component="interest", amount_minor=due.amount_minor))
        row = Allocation.objects.get(loan=loan, source=3)
        assert (row.component, row.amount_minor, row.receipt_id) == (3, due.amount_minor, None)
        with pytest.raises(CannotMakeEvent, match="no more can be waived"):
            see(
                wanted("waiver", loan, E, component="interest", amount_minor=1),
                actor=world.people["officer"],
            )


class TestSubLoans:
    def test_a_supplied_plan_is_settled(self, world: World, loan: Loan) -> None:
        booking = world.booking()
        sub = Loan.objects.create(
            number="S-1", tier="subloan", origin="import", institution=world.bank, agreement=world.agreement,
            programme=world.programme, principal_minor=200_000, disbursed_date=date(2026, 1, 1),
            booking=booking,
        )  # fmt: skip
        schedule = Schedule.objects.create(
            loan=sub, institution=world.bank, version=1, cause="supplied", effective_date=date(2026, 1, 1),
            terms={}, principal_minor=200_000, first_due_date=date(2026, 3, 1),
            maturity_date=date(2026, 4, 1), instalment_count=2, booking=booking,
        )  # fmt: skip
        for number, day in ((1, date(2026, 3, 1)), (2, date(2026, 4, 1))):
            sub.dues.create(
                institution_id=world.bank.pk, schedule=schedule, instalment=number, component=4,
                nominal_date=day, late_date=day, effective_date=date(2026, 1, 1), amount_minor=100_000,
                booking=booking,
            )  # fmt: skip
        event = propose(
            wanted("settlement", sub, E, valid_until=E), actor=world.people["maker"], reason="Closed"
        )
        assert (event.tier, event.amount_minor) == ("subloan", 200_000)
        pay_quotation(
            event_id=event.pk, value_date=E, received_minor=200_000, reference="CLOSED",
            actor=world.people["officer"],
        )  # fmt: skip
        approve(event_id=event.pk, actor=world.people["finance_head"])
        check_guards()
        assert outstanding(sub) == 0

    def test_another_banks_maker_and_wholesale_are_refused(self, world: World, loan: Loan) -> None:
        asked = wanted("settlement", loan, E, valid_until=E)
        for role in ("maker", "other_maker", "checker", "approver", "auditor"):
            with pytest.raises(CannotMakeEvent):
                see(asked, actor=world.people[role])


def test_two_refunds_on_one_day_are_told_apart_by_their_day(world: World, loan: Loan) -> None:
    pay(world, loan, date(2026, 2, 9), 7_000_000, "OVER-1")
    made(world, wanted("refund", loan, E, amount_minor=1_000_000, reference="BFT 3"))
    with pytest.raises(CannotMakeEvent, match="choose another day") as refusal:
        see(wanted("refund", loan, E, amount_minor=1_000_000, reference="B"), actor=world.people["officer"])
    assert refusal.value.term == "effective_date"


@pytest.mark.parametrize("lang", ["en", "bn"])
def test_the_quotation_is_a_paper(
    world: World, loan: Loan, lang: str, sign_in: Callable[[User], Any]
) -> None:
    event = propose(
        wanted("settlement", loan, E, valid_until=date(2026, 2, 20)),
        actor=world.people["officer"], reason="Asked",
    )  # fmt: skip
    address = reverse("reports:settlement-quotation", args=[event.pk])
    answer = sign_in(world.people["auditor"]).get(f"{address}?lang={lang}")
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert sign_in(world.people["other_maker"]).get(address).status_code == 404
