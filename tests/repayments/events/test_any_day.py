"""Events of every kind, in any order, on any day, under any contract: refused by name, or all stays true."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from daybook.selectors import latest_booking_id, open_business_date
from lending.models import Due, Loan
from repayments.models import DayRun, Receipt
from repayments.selectors.verifying import verify_closes
from repayments.services.close import close_day
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import CannotDecideEvent, approve, propose
from repayments.services.posting import reverse_receipts
from repayments.services.raising import raise_day
from tests.lending.world import CRORE, World
from tests.repayments.events.books import pay, wanted
from tests.repayments.events.test_books import Answer, answer, by_hand
from tests.repayments.events.test_raised import go_to, opened, standing
from tests.repayments.posting.books import check_guards

pytestmark = pytest.mark.django_db

LENT = date(2025, 1, 1)
CONTRACTS: dict[str, dict[str, Any]] = {
    "planned": {},
    "by the day": {"interest_basis": "daily_product"},
    "by the day, to the day paid": {"interest_basis": "daily_product", "interest_to": "adjusted"},
    "rent by the day": {"interest_basis": "daily_product", "contract_mode": "ijara"},
    "sale": {"contract_mode": "murabaha", "method": "flat"},
    "free": {"annual_rate": Decimal(0)},
    "equal instalments": {"method": "equal_instalment", "frequency": "monthly", "instalment_count": 18},
    "penal first": {"allocation_order": "principal_first"},
}


def some_event(loan: Loan, on: date, dice: random.Random) -> Asked:
    """Any kind, with choices that need not make sense."""
    amount = dice.choice([1, 1_00, 2_50_000_00, 12_34_567_89, 25_00_000_00, 10**11])
    scope = {"tier": "wholesale", "agreement": loan.agreement_id}
    grace = dice.choice(
        ["interest_paid", "interest_deferred", "interest_added", "interest_capitalised", "interest_waived"]
    )
    plan = {
        "method": dice.choice(["equal_principal", "equal_instalment", "bullet", "flat"]),
        "frequency": dice.choice(["monthly", "quarterly"]), "instalments": dice.randrange(1, 9),
        "annual_rate": dice.choice(["0", "3", "6"]), "moves_overdue": dice.random() < 0.7,
        "capitalise": dice.random() < 0.5, "down_payment_minor": dice.choice([0, 0, 5_00_000_00]),
        "reference": f"N{dice.random()}",
    }  # fmt: skip
    return dice.choice([
        wanted("prepayment", loan, on, amount_minor=amount, effect=dice.choice(["term", "instalment"]),
               interest=dice.choice(["carried", "due"]), reference=f"P{dice.random()}"),
        wanted("prepayment", loan, on, amount_minor=amount, effect=dice.choice(["term", "instalment"]),
               interest=dice.choice(["carried", "due"]), reference=f"Q{dice.random()}"),
        wanted("restructure", loan, on, **plan),
        wanted("reschedule", loan, on, **plan),
        wanted("moratorium", None, on, until=(on + timedelta(days=dice.randrange(0, 200))).isoformat(),
               grace_kind=grace, dates=dice.choice(["shifted", "kept"]), **scope),
        wanted("rate_change", loan, on, annual_rate=dice.choice(["2", "4.5"]),
               effect=dice.choice(["term", "instalment"])),
        wanted("waiver", loan, on, component=dice.choice(["penal", "interest", "charge"]),
               amount_minor=dice.choice([1, 100_00, 10**7])),
        wanted("write_off", loan, on, extent=dice.choice(["whole", "part"]), amount_minor=amount),
        wanted("refund", loan, on, amount_minor=dice.choice([1, 50_000_00]), reference=f"R{dice.random()}"),
        wanted("settlement", loan, on, valid_until=on, reference=f"S{dice.random()}"),
    ])  # fmt: skip


def tried(world: World, asked: Asked) -> bool:
    """Whether it was booked; a refusal that is not one by name fails the test."""
    try:
        event = propose(asked, actor=world.people["officer"], reason="Any")
    except CannotMakeEvent:
        return False
    try:
        approve(event_id=event.pk, actor=world.people["finance_head"])
    except CannotDecideEvent as refusal:
        pytest.fail(f"shown and proposed, then refused: {asked} {refusal}")
    check_guards()
    return True


def is_at_rest(loan: Loan) -> None:
    """Raising a second time finds nothing: what stands is what should."""
    today = open_business_date()
    raise_day(business_date=today)
    rows = Due.objects.filter(loan=loan).count()
    raise_day(business_date=today)
    assert Due.objects.filter(loan=loan).count() == rows


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", CONTRACTS)
def test_whatever_happens_the_books_stay_true(name: str, seed: int) -> None:
    world = opened(**CONTRACTS[name])
    loan = world.loan(amount=CRORE)
    dice = random.Random(f"{name} {seed}")  # noqa: S311
    fixed: dict[tuple[date, int], Answer] = {}
    booked = ended = 0
    for step in range(6):
        today = LENT + timedelta(days=70 * (step + 1) + dice.randrange(0, 20))
        go_to(today)
        if dice.random() < 0.6:
            due = Due.objects.filter(loan=loan, late_date__lte=today, mirror_of=None, mirror=None)
            owed = sum(row.amount_minor for row in due) // dice.choice([2, 3, 6])
            if owed:
                pay(world, loan, today - timedelta(days=dice.randrange(0, 40)), owed, f"{name}-{step}")
        for _attempt in range(8):
            on = today - timedelta(days=dice.choice([0, 0, 0, 3, 11, 60, 500, -1, -30]))
            asked = some_event(loan, on, dice)
            if tried(world, asked):
                booked += 1
                if asked.kind == "settlement":
                    ended = booked
                    now = standing(loan, max(asked.effective_on, today))
                    assert now["outstanding_minor"] == 0
                break
        if dice.random() < 0.25:
            receipt = Receipt.objects.filter(loan=loan, mirror_of=None, mirror=None).order_by("-id").first()
            if receipt is not None and not ended:
                reverse_receipts(receipt_ids=[receipt.pk], booking=world.booking(), reason="Bounced")
                check_guards()
        is_at_rest(loan)
        run = close_day()
        assert run.state == DayRun.State.CLOSED, run.error
        check_guards()
        known = latest_booking_id()
        for day in (today - timedelta(days=45), today, today + timedelta(days=300)):
            fixed[day, known] = answer(loan, day, known)
    assert booked >= 1, "the dice allowed no event"
    for (day, known), before in fixed.items():
        assert answer(loan, day, known) == before == by_hand(loan, day, known), (day, known)
    for verified in verify_closes():
        assert verified.holds, (verified.business_date, verified.differences)
