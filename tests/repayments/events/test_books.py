"""What events do to the books: chains of them against brute force, races, what stays readable."""

from __future__ import annotations

import random
import threading
from datetime import date, timedelta

import pytest
from django.db import connection

from calc.schedule import CannotSchedule
from daybook.selectors import latest_booking_id
from lending.models import Due, Loan
from repayments.frames import Scope, read_dues, read_settled
from repayments.models import Allocation, LoanEvent, Receipt
from repayments.selectors import measure_loans
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import (
    CannotDecideEvent,
    FactsMoved,
    approve,
    propose,
    renew,
)
from repayments.services.posting import reverse_receipts
from tests.conftest import ClonedDatabase
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, live_plan, made, pay, pay_all_due, wanted
from tests.repayments.posting.books import check_guards

E = date(2026, 2, 10)
Answer = tuple[dict[tuple[int, int, date], int], dict[tuple[int, int], int]]


def answer(loan: Loan, as_of: date, booking: int) -> Answer:
    """The plan and what was settled, as the frames read them."""
    scope = Scope.of_loans([loan.pk])
    dues = read_dues(scope, as_of=as_of, last_booking_id=booking)
    plan: dict[tuple[int, int, date], int] = {}
    for number, component, late, amount in zip(
        dues.instalment, dues.component, dues.late_date, dues.amount, strict=True
    ):
        key = (int(number), int(component), late.item())
        plan[key] = plan.get(key, 0) + int(amount)
    rows = read_settled(scope, as_of=as_of, last_booking_id=booking)
    settled: dict[tuple[int, int], int] = {}
    for number, component, amount in zip(rows.instalment, rows.component, rows.amount, strict=True):
        place = (int(number), int(component))
        settled[place] = settled.get(place, 0) + int(amount)
    return {k: v for k, v in plan.items() if v}, {k: v for k, v in settled.items() if v}


def by_hand(loan: Loan, as_of: date, booking: int) -> Answer:
    """The same by brute force: every row ever written, one after the other."""
    plan: dict[tuple[int, int, date], int] = {}
    for due in Due.objects.filter(loan=loan):
        if due.effective_date <= as_of and due.booking_id <= booking:
            key = (due.instalment, due.component, due.late_date)
            plan[key] = plan.get(key, 0) + due.amount_minor
    settled: dict[tuple[int, int], int] = {}
    for row in Allocation.objects.filter(loan=loan):
        if row.value_date <= as_of and row.booking_id <= booking:
            place = (row.instalment, row.component)
            settled[place] = settled.get(place, 0) + row.amount_minor
    return {k: v for k, v in plan.items() if v}, {k: v for k, v in settled.items() if v}


def some_event(loan: Loan, on: date, dice: random.Random) -> Asked:
    kind = dice.choice(["prepayment", "rate_change", "moratorium", "restructure"])
    if kind == "prepayment":
        return wanted(
            kind, loan, on, amount_minor=dice.randrange(1, 40) * 2_500_000,
            effect=dice.choice(["term", "instalment"]), interest=dice.choice(["carried", "due"]),
            reference=f"E-{on}-{dice.random()}",
        )  # fmt: skip
    if kind == "rate_change":
        return wanted(kind, loan, on, annual_rate=dice.choice(["1", "3", "4.5"]), effect="instalment")
    if kind == "moratorium":
        return wanted(
            kind, None, on, until=(on + timedelta(days=200)).isoformat(), tier="wholesale",
            grace_kind=dice.choice(["interest_paid", "interest_deferred", "interest_added"]),
            dates=dice.choice(["shifted", "kept"]), agreement=loan.agreement_id,
        )  # fmt: skip
    return wanted(
        kind, loan, on, method="equal_principal", frequency="quarterly", instalments=dice.randrange(3, 12),
        annual_rate="3", moves_overdue=dice.random() < 0.7, capitalise=dice.random() < 0.5,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_as_of_any_date_known_by_any_booking_is_exact_across_a_chain(
    world: World, loan: Loan, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    fixed: dict[tuple[date, int], Answer] = {}
    done = 0
    for step in range(7):
        today = E + timedelta(days=45 * step)
        go_to(today)
        for _attempt in range(4):
            if done == step + 1:
                break
            try:
                made(world, some_event(loan, today - timedelta(days=dice.randrange(0, 20)), dice))
                done = step + 1
            except (CannotMakeEvent, CannotDecideEvent, CannotSchedule):
                continue
        if dice.random() < 0.6:
            pay(world, loan, today - timedelta(days=dice.randrange(0, 60)), dice.randrange(1, 9) * 700_000,
                f"R-{step}")  # fmt: skip
        if dice.random() < 0.3:
            receipt = Receipt.objects.filter(loan=loan, mirror_of=None, mirror=None).order_by("-id").first()
            if receipt is not None:
                reverse_receipts(receipt_ids=[receipt.pk], booking=world.booking(), reason="Bounced")
        check_guards()
        known = latest_booking_id()
        for day in (date(2025, 12, 31), today - timedelta(days=30), today, today + timedelta(days=400)):
            fixed[day, known] = answer(loan, day, known)
    assert done >= 4, "the dice allowed too few events"
    assert loan.schedules.count() >= 4
    for (day, known), before in fixed.items():
        assert answer(loan, day, known) == before == by_hand(loan, day, known), (seed, day, known)
    plan = answer(loan, date(2099, 1, 1), latest_booking_id())[0]
    lent = loan.principal_minor + sum(row.capitalised_minor for row in loan.schedules.all())
    moved = sum(row.transferred_minor for row in loan.schedules.all())
    assert sum(amount for key, amount in plan.items() if key[1] == 4) == lent + moved


def test_the_old_plan_stays_readable(world: World, loan: Loan) -> None:
    old = {row[:3]: row[3] for row in live_plan(loan)}
    before = latest_booking_id()
    made(world, wanted("prepayment", loan, E, amount_minor=300_000_000, effect="instalment", reference="R 9"))
    future = date(2099, 1, 1)
    assert answer(loan, future, before)[0] == old
    assert answer(loan, E - timedelta(days=1), latest_booking_id())[0] == old
    assert answer(loan, E, latest_booking_id())[0] != old


def test_the_same_event_twice_and_after_a_decision(world: World, loan: Loan) -> None:
    asked = wanted("prepayment", loan, E, amount_minor=200_000_000, effect="term", reference="R 1")
    event = propose(asked, actor=world.people["officer"], reason="Early")
    with pytest.raises(CannotMakeEvent, match="already waits"):
        propose(asked, actor=world.people["officer"], reason="Early")
    approve(event_id=event.pk, actor=world.people["finance_head"])
    with pytest.raises(CannotDecideEvent, match="already approved"):
        approve(event_id=event.pk, actor=world.people["approver"])
    again = propose(asked, actor=world.people["officer"], reason="Early")
    with pytest.raises(CannotDecideEvent, match="already stands on loan"):
        approve(event_id=again.pk, actor=world.people["finance_head"])


def test_maker_and_authority(world: World, loan: Loan) -> None:
    asked = wanted("settlement", loan, E, valid_until=E, reference="R 1")
    event = propose(asked, actor=world.people["finance_head"], reason="Asked")
    with pytest.raises(CannotDecideEvent, match="somebody else"):
        approve(event_id=event.pk, actor=world.people["finance_head"])
    with pytest.raises(CannotDecideEvent, match="Approvers and the finance head"):
        approve(event_id=event.pk, actor=world.people["officer"])
    LoanEvent.objects.filter(pk=event.pk).update(amount_minor=60_000_000_00)
    with pytest.raises(CannotDecideEvent, match="your authority reaches"):
        approve(event_id=event.pk, actor=world.people["approver"])


def test_a_receipt_between_preview_and_approval(world: World, loan: Loan) -> None:
    asked = wanted("prepayment", loan, E, amount_minor=200_000_000, effect="term", reference="R 1")
    event = propose(asked, actor=world.people["officer"], reason="Early")
    pay(world, loan, E, 1_000_000, "BETWEEN")
    with pytest.raises(FactsMoved):
        approve(event_id=event.pk, actor=world.people["finance_head"])
    assert not loan.schedules.filter(version=2).exists()
    renew(event_id=event.pk, actor=world.people["officer"])
    assert approve(event_id=event.pk, actor=world.people["finance_head"]).state == "approved"


def test_two_approve_at_once_and_one_wins(own_database: ClonedDatabase) -> None:
    world = make_world()
    loan = world.loan()
    go_to(E)
    pay_all_due(world, loan, E)
    asked = wanted("prepayment", loan, E, amount_minor=200_000_000, effect="term", reference="R 1")
    event = propose(asked, actor=world.people["officer"], reason="Early")
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def decide(role: str) -> None:
        try:
            start.wait()
            approve(event_id=event.pk, actor=world.people[role])
            outcomes.append("booked")
        except CannotDecideEvent as refusal:
            outcomes.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=(role,)) for role in ("approver", "finance_head")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(text == "booked" for text in outcomes) == [False, True]
    assert any("already approved" in text for text in outcomes)
    assert loan.schedules.count() == 2
    assert Receipt.objects.filter(external_reference="R 1").count() == 1


def test_refund_then_a_late_reversal_of_the_money(world: World, loan: Loan) -> None:
    pay(world, loan, date(2026, 2, 9), 7_000_000, "OVER-1")
    made(world, wanted("refund", loan, E, amount_minor=7_000_000, reference="BFT 3"))
    money = Receipt.objects.get(external_reference="OVER-1")
    reverse_receipts(receipt_ids=[money.pk], booking=world.booking(), reason="Bounced")
    check_guards()
    plan, settled = answer(loan, E, latest_booking_id())
    assert plan[0, 6, E] == 7_000_000
    assert settled.get((0, 6), 0) == 0  # the refund stands and nothing meets it
    rows = measure_loans(Scope.of_loans([loan.pk]), as_of=E, last_booking_id=latest_booking_id()).rows
    assert rows["days_past_due"][0] == 0
