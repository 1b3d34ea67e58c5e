"""Events beside a close, a posting, or themselves, on connections that commit for real."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Sum

from daybook.selectors import open_business_date
from daybook.services import roll_day
from lending.models import Due, Loan
from repayments.models import Allocation, DayRun, LoanEvent
from repayments.services.close import close_day
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import CannotDecideEvent, FactsMoved, approve, propose
from repayments.services.raising import raise_day
from tests.conftest import ClonedDatabase
from tests.lending.world import CRORE, World
from tests.repayments.events.books import pay, wanted
from tests.repayments.events.test_raised import go_to, opened
from tests.repayments.posting.books import check_guards

E = date(2025, 4, 10)


def lent() -> tuple[World, Loan]:
    """Nothing paid of what fell due on 1 April 2025; the books stand open on the 10th."""
    with transaction.atomic():
        world = opened()
        loan = world.loan(amount=CRORE)
        go_to(date(2025, 4, 1))
        go_to(E)
    return world, loan


def wait_until_somebody_waits(database: ClonedDatabase) -> None:
    """Return when another connection is seen waiting for a lock."""
    watcher = database.connect("admin")
    watcher.autocommit = True
    try:
        with watcher.cursor() as cursor:
            for _look in range(400):
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.05)
        raise AssertionError("nobody came to wait for the lock")
    finally:
        watcher.close()


def beside(deed: Callable[[], object]) -> tuple[threading.Thread, list[str]]:
    """A thread that does the deed on a connection of its own, and what came of it."""
    outcome: list[str] = []

    def run() -> None:
        try:
            deed()
            outcome.append("done")
        except (CannotDecideEvent, CannotMakeEvent) as refusal:
            outcome.append(f"{type(refusal).__name__}: {refusal}")
        except Exception as error:  # noqa: BLE001  (a thread's failure must reach the test)
            outcome.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    return threading.Thread(target=run), outcome


def raised(loan: Loan, component: int) -> int:
    rows = Due.objects.filter(loan=loan, component=component, mirror_of=None, mirror=None)
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def test_an_approval_waits_for_a_close_and_is_booked_on_the_next_day(own_database: ClonedDatabase) -> None:
    """What it asks for is of its own day, so the night between changes nothing of it."""
    world, loan = lent()
    event = propose(
        wanted("settlement", loan, E, valid_until=E, reference="ALL"),
        actor=world.people["officer"], reason="Paid",
    )  # fmt: skip
    other, outcome = beside(lambda: approve(event_id=event.pk, actor=world.people["finance_head"]))
    with transaction.atomic():
        raise_day(business_date=E)
        other.start()
        wait_until_somebody_waits(own_database)
        roll_day(closing=E, opening=E + timedelta(days=1))
    other.join(timeout=60)
    assert outcome == ["done"]
    event.refresh_from_db()
    assert event.booking is not None
    assert event.booking.business_date == E + timedelta(days=1)
    assert raised(loan, 2) == 993_75  # nine nights at 110.4167, once
    with transaction.atomic():
        check_guards()
    run = close_day(closing=E + timedelta(days=1))
    assert run.state == DayRun.State.CLOSED, run.error
    assert raised(loan, 2) == 993_75


def test_a_proposal_and_an_approval_beside_a_running_close(own_database: ClonedDatabase) -> None:
    """Proposing takes no day: it is seen at once, and holds when the close is through."""
    world, loan = lent()
    made: list[LoanEvent] = []
    other, outcome = beside(
        lambda: made.append(
            propose(
                wanted("prepayment", loan, E, amount_minor=10_00_000_00, effect="term", reference="P"),
                actor=world.people["officer"], reason="Early",
            )
        )
    )  # fmt: skip
    with transaction.atomic():
        raise_day(business_date=E)
        other.start()
        other.join(timeout=60)
        roll_day(closing=E, opening=E + timedelta(days=1))
    assert outcome == ["done"]
    done = approve(event_id=made[0].pk, actor=world.people["finance_head"])
    assert done.state == LoanEvent.State.APPROVED
    with transaction.atomic():
        check_guards()


def test_an_event_and_a_posting_at_once_never_take_the_same_debt(own_database: ClonedDatabase) -> None:
    world, loan = lent()
    event = propose(
        wanted("settlement", loan, E, valid_until=E, reference="ALL"),
        actor=world.people["officer"], reason="Paid",
    )  # fmt: skip
    other, outcome = beside(lambda: approve(event_id=event.pk, actor=world.people["finance_head"]))
    with transaction.atomic():
        pay(world, loan, E, 26_50_000_00, "UPLOADED")
        other.start()
        wait_until_somebody_waits(own_database)
    other.join(timeout=60)
    assert len(outcome) == 1
    assert outcome[0].startswith(FactsMoved.__name__)
    assert not loan.schedules.filter(version=2).exists()
    with transaction.atomic():
        check_guards()


def test_the_same_event_sent_twice_at_once_waits_once(own_database: ClonedDatabase) -> None:
    world, loan = lent()
    asked = wanted("prepayment", loan, E, amount_minor=10_00_000_00, effect="term", reference="P")

    def send() -> LoanEvent:
        return propose(asked, actor=world.people["officer"], reason="Early")

    other, outcome = beside(send)
    with transaction.atomic():
        send()
        other.start()
        wait_until_somebody_waits(own_database)
    other.join(timeout=60)
    assert len(outcome) == 1
    assert outcome[0].startswith(CannotMakeEvent.__name__)
    assert LoanEvent.objects.count() == 1


def test_the_same_moratorium_proposed_twice_is_booked_once(own_database: ClonedDatabase) -> None:
    world, loan = lent()
    asked = wanted(
        "moratorium", None, E, until="2025-08-31", grace_kind="interest_deferred", dates="shifted",
        tier="wholesale", agreement=loan.agreement_id,
    )  # fmt: skip
    first, second = (
        propose(asked, actor=world.people["officer"], reason=reason) for reason in ("Flood", "Flood")
    )
    other, outcome = beside(lambda: approve(event_id=second.pk, actor=world.people["finance_head"]))
    with transaction.atomic():
        approve(event_id=first.pk, actor=world.people["finance_head"])
        other.start()
        wait_until_somebody_waits(own_database)
    other.join(timeout=60)
    assert len(outcome) == 1
    assert outcome[0].startswith((FactsMoved.__name__, CannotDecideEvent.__name__))
    assert loan.schedules.count() == 2
    assert open_business_date() == E
    assert not Allocation.objects.filter(loan=loan, source=3).exists()
