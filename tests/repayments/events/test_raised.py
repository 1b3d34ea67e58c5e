"""Events on loans whose interest the close raises: what it would have raised falls due with the event."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from daybook.selectors import latest_booking_id, open_business_date
from daybook.services import roll_day
from lending.models import Due, Loan
from repayments.builders.raised import raised_on
from repayments.frames import Scope
from repayments.models import ControlTotal, DayRun
from repayments.selectors import measure_loans
from repayments.services.close import close_day
from repayments.services.events.steps import approve, pay_quotation, propose
from repayments.services.policies import load_policies
from repayments.services.raising import raise_day
from tests.lending.world import CRORE, World, make_world
from tests.repayments.events.books import made, pay, wanted
from tests.repayments.posting.books import check_guards

INTEREST, PENAL = 3, 2
TERMS: dict[str, Any] = {
    "annual_rate": Decimal(6),
    "penal_rate": Decimal("1.5"),
    "instalment_count": 4,
    "grace_months": 0,
    "grace_kind": "none",
    "method": "equal_principal",
    "frequency": "quarterly",
    "day_count": "ACT/360",
}


def opened(**more: Any) -> World:
    world = make_world(**TERMS | more)
    load_policies(
        booking=world.booking(), proposed_by=world.people["officer"], approved_by=world.people["approver"]
    )
    return world


def go_to(day: date) -> None:
    """Raise and roll to a day, leaving out those between: as if the books had been shut."""
    while open_business_date() < day:
        today = open_business_date()
        raise_day(business_date=today)
        roll_day(closing=today, opening=day)


def standing(loan: Loan, on: date) -> Any:
    return measure_loans(Scope.of_loans([loan.pk]), as_of=on, last_booking_id=latest_booking_id()).rows[0]


def live(loan: Loan, component: int) -> int:
    rows = Due.objects.filter(loan=loan, component=component, mirror_of=None, mirror=None)
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def closes_in_balance(on: date) -> None:
    """The close of the day finds nothing to raise, and its control totals agree."""
    before = Due.objects.count()
    run = close_day(closing=on)
    assert run.state == DayRun.State.CLOSED, run.error
    assert Due.objects.count() == before
    assert ControlTotal.objects.filter(run=run, tier="wholesale").exists()
    check_guards()


@pytest.mark.django_db
class TestDailyProduct:
    def lent(self) -> tuple[World, Loan]:
        """75,00,000.00 outstanding from 1 April 2025; the books open on 15 May."""
        world = opened(interest_basis="daily_product")
        loan = world.loan(amount=CRORE)
        go_to(date(2025, 4, 1))
        pay(world, loan, date(2025, 4, 1), 26_50_000_00, "FIRST")
        go_to(date(2025, 5, 15))
        return world, loan

    def test_a_settlement_holds_the_interest_since_the_last_due_date(self) -> None:
        """44 days on 75,00,000.00 at 6 % over 360 are 55,000.00; each day more is 1,250.00."""
        world, loan = self.lent()
        on, last = date(2025, 5, 15), date(2025, 5, 18)
        event = propose(
            wanted("settlement", loan, on, valid_until=last),
            actor=world.people["officer"], reason="The bank asks",
        )  # fmt: skip
        figures = event.preview["figures"]
        assert [row["interest"] for row in figures] == [55_000_00 + day * 1_250_00 for day in range(4)]
        assert {row["principal"] for row in figures} == {75_00_000_00}
        closes_in_balance(on)  # Thursday; the books open again on Sunday the 18th
        pay_quotation(
            event_id=event.pk, value_date=date(2025, 5, 17), received_minor=figures[2]["total"],
            reference="ALL OF IT", actor=world.people["officer"],
        )  # fmt: skip
        approve(event_id=event.pk, actor=world.people["finance_head"])
        now = standing(loan, date(2025, 5, 17))
        assert (now["outstanding_minor"], now["interest_due_minor"], now["advance_minor"]) == (0, 0, 0)
        assert live(loan, INTEREST) == 1_50_000_00 + 57_500_00
        closes_in_balance(date(2025, 5, 18))
        assert standing(loan, open_business_date())["outstanding_minor"] == 0

    def test_a_prepayment_pays_the_interest_of_its_day(self) -> None:
        world, loan = self.lent()
        on = date(2025, 5, 15)
        event = made(
            world, wanted("prepayment", loan, on, amount_minor=25_00_000_00, effect="term", reference="P")
        )
        receipt = event.lines.get().receipt
        assert receipt is not None
        assert receipt.amount_minor == 25_00_000_00 + 55_000_00
        assert standing(loan, on)["outstanding_minor"] == 50_00_000_00
        closes_in_balance(on)
        go_to(date(2025, 7, 1))
        go_to(date(2025, 7, 2))
        last = Due.objects.filter(loan=loan, component=INTEREST, mirror_of=None).latest("late_date")
        assert (last.late_date, last.amount_minor) == (date(2025, 7, 1), 39_166_67)  # 47 days

    @pytest.mark.parametrize("kind", ["rate_change", "prepayment"])
    def test_an_event_is_not_known_before_it_was_booked(self, kind: str) -> None:
        """Neither its rate nor its periods: what was known by an older booking stays as it was."""
        world, loan = self.lent()
        on = date(2025, 5, 15)
        told: dict[str, Any] = {"annual_rate": "5", "effect": "instalment"}
        if kind == "prepayment":
            told = {"amount_minor": 25_00_000_00, "effect": "term", "interest": "due", "reference": "P"}
        before: dict[str, Any] = {
            "loan_id": loan.pk,
            "agreement_id": loan.agreement_id,
            "as_of": date(2025, 12, 31),
            "last_booking_id": latest_booking_id(),
        }
        then = raised_on(**before)
        assert len(then.interest) == 4
        made(world, wanted(kind, loan, on, **told))
        assert raised_on(**before) == then
        assert raised_on(**before | {"last_booking_id": latest_booking_id()}) != then


@pytest.mark.django_db
class TestOverdue:
    def lent(self) -> tuple[World, Loan]:
        """Nothing paid of 26,50,000.00 due on 1 April 2025; the books open on 10 April."""
        world = opened()
        loan = world.loan(amount=CRORE)
        go_to(date(2025, 4, 1))
        go_to(date(2025, 4, 10))
        return world, loan

    @pytest.mark.parametrize("days", [0, 1, 3])
    def test_the_figure_of_each_day_still_holds_when_it_has_come(self, days: int) -> None:
        """26,50,000.00 at 1.5 % over 360 is 110.42 a day, 9 days 993.75."""
        world, loan = self.lent()
        first = date(2025, 4, 10)
        event = propose(
            wanted("settlement", loan, first, valid_until=first + timedelta(days=3)),
            actor=world.people["officer"], reason="The bank asks",
        )  # fmt: skip
        figures = event.preview["figures"]
        assert [row["penal"] for row in figures] == [993_75, 1_104_17, 1_214_58, 1_325_00]
        on = first + timedelta(days=days)
        while open_business_date() < on:
            run = close_day(opening=open_business_date() + timedelta(days=1))
            assert run.state == DayRun.State.CLOSED, run.error
        pay_quotation(
            event_id=event.pk, value_date=on, received_minor=figures[days]["total"], reference="ALL",
            actor=world.people["officer"],
        )  # fmt: skip
        approve(event_id=event.pk, actor=world.people["finance_head"])
        now = standing(loan, on)
        assert (now["outstanding_minor"], now["overdue_interest_minor"], now["advance_minor"]) == (0, 0, 0)
        assert live(loan, PENAL) == figures[days]["penal"]
        closes_in_balance(on)

    def test_a_payment_approved_after_another_close_owes_nothing_for_the_nights_between(self) -> None:
        world, loan = self.lent()
        on = date(2025, 4, 10)
        event = propose(
            wanted("settlement", loan, on, valid_until=on, reference="ALL"),
            actor=world.people["officer"], reason="Paid",
        )  # fmt: skip
        close_day(opening=date(2025, 4, 11))
        close_day(opening=date(2025, 4, 12))
        approve(event_id=event.pk, actor=world.people["finance_head"])
        assert live(loan, PENAL) == 993_75
        closes_in_balance(date(2025, 4, 12))
