"""A wholesale loan in the middle of its life, and people to change its plan."""

from __future__ import annotations

from datetime import date
from typing import Any

from daybook.selectors import open_business_date
from daybook.services import roll_day
from lending.models import Loan
from repayments.models import LoanEvent
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import approve, propose
from repayments.services.posting import post_receipts
from tests.lending.world import World
from tests.repayments.posting.books import check_guards, receipts


def go_to(day: date) -> None:
    """Let the books stand open on a day."""
    if open_business_date() < day:
        roll_day(closing=open_business_date(), opening=day)


def pay(world: World, loan: Loan, on: date, minor: int, reference: str) -> None:
    """A receipt of a value date."""
    post_receipts(receipts=receipts((loan, on, minor, reference)), booking=world.booking())


def pay_all_due(world: World, loan: Loan, upto: date) -> None:
    """Every due up to a date paid on its day."""
    by_day: dict[date, int] = {}
    for due in loan.dues.filter(late_date__lte=upto, mirror_of=None, mirror=None, component__in=[1, 2, 3, 4]):
        by_day[due.late_date] = by_day.get(due.late_date, 0) + due.amount_minor
    for number, (on, minor) in enumerate(sorted(by_day.items())):
        pay(world, loan, on, minor, f"PAID-{loan.pk}-{number}-{on}")


def wanted(kind: str, loan: Loan | None, on: date, **parameters: Any) -> Asked:
    """An event as a form would ask for it."""
    until = parameters.pop("valid_until", None)
    return Asked(kind, loan.pk if loan else None, on, parameters, until)


def made(world: World, asked: Asked, *, reason: str = "Agreed with the bank") -> LoanEvent:
    """Proposed by the officer, approved by the finance head, checked by the database's guards."""
    event = propose(asked, actor=world.people["officer"], reason=reason)
    done = approve(event_id=event.pk, actor=world.people["finance_head"])
    check_guards()
    return done


def live_plan(loan: Loan) -> list[tuple[int, int, date, int]]:
    """The plan in force: instalment, component, late date, amount."""
    rows = loan.dues.filter(mirror_of=None, mirror=None).order_by("late_date", "instalment", "component")
    return [(due.instalment, due.component, due.late_date, due.amount_minor) for due in rows]
