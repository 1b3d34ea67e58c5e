"""One attack per guard of the close, with raw SQL as the worker, who closes the days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from repayments.models import ArrearsSnapshot, DayRun, StandingBase
from repayments.services.close import close_day
from tests.database.attacks import grant_partners
from tests.repayments.close.books import BOOKS_OPEN, closing_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> DayRun:
    """A closed day with two loans in its snapshots."""
    books = closing_books()
    for _ in range(2):
        books.lend([(date(2025, 9, 30), 100_00)], disbursed=date(2025, 6, 30))
    return close_day()


def _refused(statement: str, guard: str) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert guard in str(refusal.value)


def _copied(changed: str, *, days_later: int) -> str:
    """SQL that writes a snapshot again for a later day, with one column changed: ``column = expression``."""
    column, _equals, expression = changed.partition(" = ")
    fields = [field.column for field in ArrearsSnapshot._meta.concrete_fields]
    replaced = {"business_date": f"business_date + {days_later}", column: expression}
    values = ", ".join(replaced.get(name, name) for name in fields)
    return (
        f"INSERT INTO repayments_arrearssnapshot ({', '.join(fields)}) SELECT {values}"
        f" FROM repayments_arrearssnapshot WHERE business_date = '{BOOKS_OPEN}'"
        " AND loan_id = (SELECT max(loan_id) FROM repayments_arrearssnapshot)"
    )


@pytest.mark.parametrize(
    ("changed", "guard"),
    [
        ("loan_id = 999999999", "no such loan"),
        ("institution_id = 999999999", "no such loan"),
        ("outstanding_minor = -1", "snapshot_amounts_not_negative"),
        ("provision_minor = -1", "snapshot_amounts_not_negative"),
        ("days_past_due = 0", "snapshot_lateness_agrees"),
    ],
)
def test_a_false_snapshot_is_refused(run: DayRun, changed: str, guard: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_snapshot_partition(%s)", [date(2026, 1, 1)])
        cursor.execute(_copied("state = 'computed'", days_later=1))
        assert cursor.rowcount == 1, "the unchanged copy goes in, so it is the change that is refused"
    _refused(_copied(changed, days_later=2), guard)


def test_a_snapshot_is_written_once_and_never_changed(run: DayRun) -> None:
    assert run.business_date == BOOKS_OPEN
    _refused(_copied("state = 'computed'", days_later=0), "duplicate key")
    _refused("UPDATE repayments_arrearssnapshot SET outstanding_minor = 0", "permission denied")
    _refused("DELETE FROM repayments_arrearssnapshot", "permission denied")


def test_nobody_writes_a_partition_past_the_guards(run: DayRun) -> None:
    _refused(
        "INSERT INTO repayments_arrearssnapshot_2025_12 SELECT * FROM repayments_arrearssnapshot",
        "permission denied",
    )


def test_totals_that_do_not_balance_are_refused(run: DayRun) -> None:
    _refused("UPDATE repayments_controltotal SET settled_minor = settled_minor + 1", "control_total_balances")


def test_a_run_is_not_closed_with_loans_unaccounted_for(run: DayRun) -> None:
    _refused(
        "UPDATE repayments_dayrun SET computed_count = computed_count - 1", "day_run_every_loan_accounted"
    )


def test_two_closes_do_not_run_at_once(run: DayRun) -> None:
    close_day()
    with pytest.raises(IntegrityError, match="day_run_only_one_running"), transaction.atomic():
        DayRun.objects.update(state=DayRun.State.RUNNING)


def test_exceptions_are_signed_in_full_and_only_where_there_are_some(run: DayRun) -> None:
    statement = "UPDATE repayments_dayrun SET signed_by_id = (SELECT min(id) FROM partners_user)"
    _refused(statement, "day_run_signed_in_full")
    _refused(f"{statement}, signed_at = now(), signed_reason = 'Seen'", "day_run_signed_in_full")


def test_a_month_end_is_a_copy_that_only_dropping_its_month_makes(run: DayRun) -> None:
    _refused(
        "INSERT INTO repayments_monthendsnapshot SELECT * FROM repayments_arrearssnapshot", "is a copy of its"
    )
    _refused("UPDATE repayments_monthendsnapshot SET outstanding_minor = 0", "permission denied")
    _refused("DELETE FROM repayments_monthendsnapshot", "permission denied")
    _refused("DROP TABLE repayments_arrearssnapshot_2025_12", "must be owner")
    _refused("SELECT repayments_drop_snapshots('2025-12-01')", "the last three months are kept")


def test_only_the_worker_drops_months_and_a_partner_writes_no_base(
    run: DayRun, acting_as: Callable[..., None]
) -> None:
    institution = StandingBase.objects.values_list("institution_id", flat=True).first()
    acting_as("paikar_foundation")
    _refused("SELECT repayments_drop_snapshots('2025-12-01')", "permission denied")
    grant_partners("repayments_standingbase")
    acting_as("paikar_partner", institution_id=institution)
    assert StandingBase.objects.exists()
    _refused("UPDATE repayments_standingbase SET subloan_outstanding_minor = 0", "only the foundation")
    acting_as("paikar_partner", institution_id=(institution or 0) + 1)
    assert not StandingBase.objects.exists()
