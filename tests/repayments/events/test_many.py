"""A moratorium over hundreds of loans: as many queries as over a few."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from lending.models import Due, Loan, Schedule
from repayments.services.events.steps import approve, propose
from tests.lending.world import World
from tests.repayments.events.books import go_to, wanted
from tests.repayments.posting.books import check_guards

E = date(2026, 2, 10)
UNTIL = date(2026, 8, 31)


def copies(world: World, first: Loan, count: int) -> None:
    """As many sub-loans on the plan of the loan given."""
    booking = world.booking()
    plan = Schedule.objects.get(loan=first)
    dues = list(Due.objects.filter(schedule=plan))
    start = Loan.objects.count()
    loans = Loan.objects.bulk_create(
        Loan(
            number=f"M-{start + at:05d}", tier="subloan", origin="import", institution=world.bank,
            agreement=world.agreement, programme=world.programme, principal_minor=first.principal_minor,
            disbursed_date=first.disbursed_date, booking=booking,
        )
        for at in range(count)
    )  # fmt: skip
    plans = Schedule.objects.bulk_create(
        Schedule(
            loan=loan, institution=world.bank, version=1, cause="disbursement",
            effective_date=plan.effective_date, terms=plan.terms, principal_minor=plan.principal_minor,
            first_due_date=plan.first_due_date, maturity_date=plan.maturity_date,
            instalment_count=plan.instalment_count, booking=booking,
        )
        for loan in loans
    )  # fmt: skip
    Due.objects.bulk_create(
        Due(
            loan_id=schedule.loan_id, institution_id=world.bank.pk, schedule=schedule,
            instalment=due.instalment, component=due.component, nominal_date=due.nominal_date,
            late_date=due.late_date, effective_date=due.effective_date, amount_minor=due.amount_minor,
            booking=booking,
        )
        for schedule in plans
        for due in dues
    )  # fmt: skip


def queries_of_a_moratorium(world: World, *, loans: int) -> tuple[int, int]:
    """How many queries proposing and approving take; the event must reach so many loans."""
    asked = wanted(
        "moratorium", None, E, until=UNTIL.isoformat(), grace_kind="interest_deferred", dates="shifted",
        programme=world.programme.pk, tier="subloan",
    )  # fmt: skip
    with CaptureQueriesContext(connection) as proposing:
        event = propose(asked, actor=world.people["officer"], reason="Flood")
    with CaptureQueriesContext(connection) as approving:
        approve(event_id=event.pk, actor=world.people["finance_head"])
    assert event.lines.count() == loans
    return len(proposing), len(approving)


def test_the_number_of_queries_does_not_depend_on_the_number_of_loans(world: World) -> None:
    first = world.loan(amount=Decimal(100_000))
    go_to(E)
    copies(world, first, 3)
    few = queries_of_a_moratorium(world, loans=3)
    copies(world, first, 297)
    many = queries_of_a_moratorium(world, loans=300)
    assert many == few
    held = Due.objects.filter(loan__tier="subloan", component=4, mirror_of=None, mirror=None)
    assert not held.filter(late_date__gte=E, late_date__lt=UNTIL).exists()
    assert held.aggregate(total=Sum("amount_minor"))["total"] == 300 * first.principal_minor
    check_guards()
