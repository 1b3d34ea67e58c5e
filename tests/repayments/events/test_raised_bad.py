"""What the closes raise is raised for the day of a write-off, too, or of a new plan: its own, or one past."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db.models import Sum

from daybook.selectors import open_business_date
from lending.models import Due, Loan, Schedule
from repayments.models import Allocation, DayRun, WriteOffPolicy
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import approve, propose, see
from tests.lending.world import CRORE, World
from tests.repayments.events.books import made, pay, wanted
from tests.repayments.events.test_raised import closes_in_balance, go_to, live, opened, standing

pytestmark = pytest.mark.django_db

PENAL, INTEREST, PRINCIPAL = 2, 3, 4
WRITTEN_OFF, MOVED = 4, 5
E = date(2026, 11, 10)
LATE = (
    date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1),
    date(2026, 7, 1), date(2026, 10, 1),
)  # fmt: skip
SHARE = 12_50_000_00
OF_PERIODS = (1_50_000_00, 1_51_666_67, 1_53_333_33, 1_53_333_33, 1_50_000_00, 1_51_666_67, 1_53_333_33)
"""1,00,00,000.00 at 6 % over 360 for 90, 91, 92, 92, 90, 91 and 92 days: 1,666.67 a day less a rounding."""
SINCE = 66_666_67
"""40 days from 1 October to 10 November 2026."""


def penal(overdue: int, late: date, on: date = E) -> int:
    """Overdue x 1.5 % x days / 360, rounded half up to the poisha."""
    exact = Decimal(overdue) * Decimal("0.015") * (on - late).days / 360
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


PENALS = [penal(SHARE + interest, late) for interest, late in zip(OF_PERIODS, LATE, strict=True)]


def bad(**more: Any) -> tuple[World, Loan]:
    """One crore in eight quarters to January 2027, nothing of it ever paid; open on 10 November 2026."""
    world = opened(instalment_count=8, **more)
    loan = world.loan(amount=CRORE)
    for on in (*LATE, E):
        go_to(on)
    return world, loan


def settled(loan: Loan, source: int) -> dict[int, int]:
    rows = Allocation.objects.filter(loan=loan, source=source).values("component")
    return {row["component"]: row["total"] for row in rows.annotate(total=Sum("amount_minor"))}


def test_the_figures_by_hand() -> None:
    """14,00,000.00 at 1.5 % over 360 for 588 days: 34,300.00. 14,03,333.33 for 40 days: 2,338.89."""
    assert (PENALS[0], PENALS[-1]) == (34_300_00, 2_338_89)
    assert sum(OF_PERIODS) == 10_63_333_33


class TestWriteOff:
    @pytest.mark.parametrize("basis", ["daily_product", "scheduled"])
    def test_in_whole_it_is_the_debt_of_its_day_to_the_poisha(self, basis: str) -> None:
        """Penal interest to 10 November and the interest of 40 days go off the books with the rest."""
        world, loan = bad(interest_basis=basis)
        assert live(loan, PENAL) < sum(PENALS)  # of 9 November; the 10th is not closed yet
        made(world, wanted("write_off", loan, E, extent="whole"))
        gone = settled(loan, WRITTEN_OFF)
        assert gone[PRINCIPAL] == 1_00_00_000_00
        if basis == "daily_product":
            assert gone[INTEREST] == sum(OF_PERIODS) + SINCE
            assert gone[PENAL] == sum(PENALS)
        assert gone[INTEREST] == live(loan, INTEREST)
        assert gone[PENAL] == live(loan, PENAL)
        now = standing(loan, E)
        assert (now["outstanding_minor"], now["overdue_interest_minor"]) == (0, 0)
        assert now["written_off_minor"] == sum(gone.values())
        closes_in_balance(E)
        before = Due.objects.count()
        go_to(date(2027, 1, 3))
        go_to(date(2027, 1, 4))
        assert Due.objects.count() == before  # nothing runs on
        verified = verify_close(E)
        assert verified.holds, verified.differences

    def test_back_dated_it_takes_back_what_was_raised_since(self) -> None:
        """Decided on the 10th, it counts from the 3rd: the penal interest of seven nights was never owed."""
        world, loan = bad(interest_basis="daily_product")
        on = date(2026, 11, 3)
        made(world, wanted("write_off", loan, on, extent="whole"))
        to_then = [penal(SHARE + i, late, on) for i, late in zip(OF_PERIODS, LATE, strict=True)]
        gone = settled(loan, WRITTEN_OFF)
        assert gone == {
            PRINCIPAL: 1_00_00_000_00,
            INTEREST: sum(OF_PERIODS) + 55_000_00,  # 33 days
            PENAL: sum(to_then),
        }
        assert live(loan, PENAL) == sum(to_then)
        closes_in_balance(E)

    def test_a_part_takes_penal_interest_and_interest_of_the_day_before_principal(self) -> None:
        """All that is overdue, the interest of 40 days and 1,00,000.00 of principal not due yet."""
        world, loan = bad(interest_basis="daily_product")
        WriteOffPolicy.objects.create(
            code="T-WO", reference="Board", tier="wholesale", applies_to="any", from_date=date(2026, 11, 1),
            confidence="K", is_partial_allowed=True, provision_percent=100,
            proposed_by=world.people["officer"], approved_by=world.people["approver"],
            booking=world.booking(),
        )  # fmt: skip
        overdue = 7 * SHARE + sum(OF_PERIODS) + sum(PENALS)
        with pytest.raises(CannotMakeEvent, match="goes before principal") as refusal:
            see(
                wanted("write_off", loan, E, extent="part", amount_minor=overdue + SINCE),
                actor=world.people["officer"],
            )
        assert refusal.value.term == "amount_minor"
        part = overdue + SINCE + 1_00_000_00
        made(world, wanted("write_off", loan, E, extent="part", amount_minor=part))
        assert settled(loan, WRITTEN_OFF) == {
            PENAL: sum(PENALS),
            INTEREST: sum(OF_PERIODS) + SINCE,
            PRINCIPAL: 7 * SHARE + 1_00_000_00,
        }
        now = standing(loan, E)
        assert now["outstanding_minor"] == SHARE - 1_00_000_00
        assert (now["overdue_principal_minor"], now["overdue_interest_minor"]) == (0, 0)
        closes_in_balance(E)

    def test_a_part_of_what_is_overdue_begins_with_the_penal_interest_of_the_day(self) -> None:
        world, loan = bad(interest_basis="daily_product")
        WriteOffPolicy.objects.create(
            code="T-WO", reference="Board", tier="wholesale", applies_to="any", from_date=date(2026, 11, 1),
            confidence="K", is_partial_allowed=True, provision_percent=100,
            proposed_by=world.people["officer"], approved_by=world.people["approver"],
            booking=world.booking(),
        )  # fmt: skip
        part = sum(PENALS) + sum(OF_PERIODS) + 5_00
        made(world, wanted("write_off", loan, E, extent="part", amount_minor=part))
        assert settled(loan, WRITTEN_OFF) == {PENAL: sum(PENALS), INTEREST: sum(OF_PERIODS), PRINCIPAL: 5_00}
        assert not Schedule.objects.filter(loan=loan, version=2).exists()
        closes_in_balance(E)

    def test_a_close_between_proposal_and_approval_changes_nothing(self) -> None:
        world, loan = bad(interest_basis="daily_product")
        event = propose(
            wanted("write_off", loan, E, extent="whole"), actor=world.people["officer"], reason="No hope"
        )
        run = close_day(opening=date(2026, 11, 11))
        assert run.state == DayRun.State.CLOSED, run.error
        approve(event_id=event.pk, actor=world.people["finance_head"])
        assert settled(loan, WRITTEN_OFF)[PENAL] == live(loan, PENAL) == sum(PENALS)
        closes_in_balance(date(2026, 11, 11))
        verified = verify_close(E)
        assert verified.holds, verified.differences


NEW = {
    "method": "equal_principal", "frequency": "quarterly", "instalments": 8, "annual_rate": "6",
    "moves_overdue": True,
}  # fmt: skip


class TestRescheduling:
    def test_what_becomes_principal_is_the_debt_of_the_day(self) -> None:
        """All interest and penal interest to 10 November joins the principal; a period begins there."""
        world, loan = bad(interest_basis="daily_product")
        made(world, wanted("reschedule", loan, E, **NEW, capitalise=True))
        owed = 1_00_00_000_00 + sum(OF_PERIODS) + SINCE + sum(PENALS)
        version = Schedule.objects.get(loan=loan, version=2)
        assert (version.principal_minor, version.transferred_minor) == (SHARE, 7 * SHARE)
        assert version.capitalised_minor == owed - 1_00_00_000_00
        assert standing(loan, E)["outstanding_minor"] == owed
        assert settled(loan, MOVED) == {
            PENAL: sum(PENALS), INTEREST: sum(OF_PERIODS) + SINCE, PRINCIPAL: 7 * SHARE
        }  # fmt: skip
        closes_in_balance(E)
        go_to(date(2027, 2, 10))
        go_to(date(2027, 2, 11))
        first = Due.objects.filter(loan=loan, component=INTEREST, mirror_of=None, mirror=None).latest(
            "late_date"
        )
        exact = Decimal(owed) * Decimal("0.06") * 92 / 360
        assert (first.late_date, first.amount_minor) == (
            date(2027, 2, 10), int(exact.quantize(Decimal(1), ROUND_HALF_UP)),
        )  # fmt: skip

    def test_without_it_interest_is_paid_and_the_accrued_falls_due_with_the_first(self) -> None:
        """Interest and penal interest overdue must come in; the 40 days since October go on counting."""
        world, loan = bad(interest_basis="daily_product")
        with pytest.raises(CannotMakeEvent, match="must come in") as refusal:
            see(wanted("reschedule", loan, E, **NEW), actor=world.people["officer"])
        assert refusal.value.term == "reference"
        event = made(world, wanted("reschedule", loan, E, **NEW, reference="INT"))
        receipt = event.lines.get().receipt
        assert receipt is not None
        assert receipt.amount_minor == sum(OF_PERIODS) + sum(PENALS)
        now = standing(loan, E)
        assert (now["outstanding_minor"], now["days_past_due"]) == (1_00_00_000_00, 0)
        closes_in_balance(E)
        go_to(date(2027, 2, 10))
        go_to(date(2027, 2, 11))
        first = Due.objects.filter(loan=loan, component=INTEREST, mirror_of=None, mirror=None).latest(
            "late_date"
        )
        assert (first.late_date, first.amount_minor) == (date(2027, 2, 10), 2_20_000_00)  # 132 days

    def test_planned_interest_takes_the_penal_interest_of_the_day_along(self) -> None:
        world, loan = bad()
        until_yesterday = live(loan, PENAL)
        made(world, wanted("reschedule", loan, E, **NEW))
        moved = settled(loan, MOVED)
        assert moved[PENAL] == live(loan, PENAL) > until_yesterday
        plan = Due.objects.filter(loan=loan, mirror_of=None, schedule__version=2, component=INTEREST)
        first = plan.earliest("late_date")
        # 8,333.333 of 40 days on the 12,50,000.00 not due yet, 1,53,333.333 of 92 days on all: rounded once
        assert first.amount_minor == 1_61_666_67 + moved[INTEREST] + moved[PENAL]
        closes_in_balance(E)

    @pytest.mark.parametrize("grace", ["interest_capitalised", "interest_added", "interest_waived"])
    def test_by_daily_product_grace_cannot_add_interest_nor_drop_it(self, grace: str) -> None:
        world, loan = bad(interest_basis="daily_product")
        with pytest.raises(CannotMakeEvent) as refusal:
            see(
                wanted("reschedule", loan, E, **NEW, grace_months=3, grace_kind=grace, capitalise=True),
                actor=world.people["officer"],
            )
        assert refusal.value.term == "grace_kind"
        with pytest.raises(CannotMakeEvent, match="each day") as refusal:
            see(
                wanted("moratorium", None, E, until="2027-01-31", grace_kind=grace, tier="wholesale"),
                actor=world.people["officer"],
            )
        assert refusal.value.term == "grace_kind"


class TestBackDatedBehindACloseThatRaised:
    """75,00,000.00 from 1 April 2025 (1,250.00 a day), the second instalment late; open on 5 July."""

    def lent(self) -> tuple[World, Loan]:
        world = opened(interest_basis="daily_product")
        loan = world.loan(amount=CRORE)
        go_to(date(2025, 4, 1))
        pay(world, loan, date(2025, 4, 1), 26_50_000_00, "FIRST")
        for on in (date(2025, 7, 1), date(2025, 7, 2)):
            go_to(on)
        for _night in range(3):
            run = close_day()
            assert run.state == DayRun.State.CLOSED, run.error
        assert live(loan, INTEREST) == 1_50_000_00 + 1_13_750_00
        assert live(loan, PENAL) > 0
        return world, loan

    def holds(self) -> None:
        """Every day that was closed is still what it was said to be."""
        for run in DayRun.objects.order_by("business_date"):
            verified = verify_close(run.business_date)
            assert verified.holds, (run.business_date, verified.differences)

    def test_a_settlement(self) -> None:
        """On 20 June 80 days had accrued: 1,00,000.00. What July raised was never owed."""
        world, loan = self.lent()
        on, today = date(2025, 6, 20), open_business_date()
        event = made(world, wanted("settlement", loan, on, valid_until=on, reference="PAID IN JUNE"))
        assert event.amount_minor == 75_00_000_00 + 1_00_000_00
        assert live(loan, INTEREST) == 1_50_000_00 + 1_00_000_00
        assert live(loan, PENAL) == 0
        for day in (on, date(2025, 7, 1), today):
            now = standing(loan, day)
            assert (now["outstanding_minor"], now["interest_due_minor"], now["advance_minor"]) == (0, 0, 0)
        closes_in_balance(today)
        self.holds()

    @pytest.mark.parametrize(("effect", "share"), [("term", 25_00_000_00), ("instalment", 16_66_666_67)])
    def test_a_prepayment(self, effect: str, share: int) -> None:
        """25,00,000.00 on 20 June; 11 days to July bear 833.33 a day: the next close raises 9,166.67.

        What falls due on 1 July is that and a half, or a third, of 50,00,000.00; it is late since.
        """
        world, loan = self.lent()
        on, today = date(2025, 6, 20), open_business_date()
        event = made(
            world,
            wanted("prepayment", loan, on, amount_minor=25_00_000_00, effect=effect, reference="JUNE"),
        )
        receipt = event.lines.get().receipt
        assert receipt is not None
        assert receipt.amount_minor == 25_00_000_00 + 1_00_000_00
        run = close_day(closing=today)
        assert run.state == DayRun.State.CLOSED, run.error
        rows = Due.objects.filter(loan=loan, component=INTEREST, mirror_of=None, mirror=None)
        assert list(rows.order_by("late_date").values_list("late_date", "amount_minor")) == [
            (date(2025, 4, 1), 1_50_000_00),
            (on, 1_00_000_00),
            (date(2025, 7, 1), 9_166_67),
        ]
        assert live(loan, PENAL) == penal(share + 9_166_67, date(2025, 7, 1), today)
        self.holds()

    def test_a_rescheduling(self) -> None:
        world, loan = self.lent()
        on, today = date(2025, 6, 20), open_business_date()
        told = NEW | {"instalments": 4}
        made(world, wanted("restructure", loan, on, **told, capitalise=True))
        assert standing(loan, on)["outstanding_minor"] == 76_00_000_00
        run = close_day(closing=today)
        assert run.state == DayRun.State.CLOSED, run.error
        assert live(loan, INTEREST) == 1_50_000_00 + 1_00_000_00
        assert live(loan, PENAL) == 0
        closes_in_balance(open_business_date())
        self.holds()

    def test_a_moratorium_that_lets_interest_wait(self) -> None:
        """Nothing falls due from 20 June to 30 September: the first instalment is asked for in January."""
        world, loan = self.lent()
        today = open_business_date()
        made(
            world,
            wanted("moratorium", None, date(2025, 6, 20), until="2025-09-30", tier="wholesale",
                   grace_kind="interest_deferred", dates="shifted"),
        )  # fmt: skip
        run = close_day(closing=today)
        assert run.state == DayRun.State.CLOSED, run.error
        assert live(loan, INTEREST) == 1_50_000_00
        assert live(loan, PENAL) == 0
        closes_in_balance(open_business_date())
        self.holds()
