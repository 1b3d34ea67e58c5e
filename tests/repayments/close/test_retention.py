"""Old months lose their daily snapshots, never their month end; what is dropped is computed again."""

from __future__ import annotations

from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from pandas.testing import assert_frame_equal

from daybook.selectors import known_by
from repayments.models import ArrearsSnapshot, DayRun
from repayments.selectors import standings
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from repayments.services.retention import CannotDropSnapshots, retain_snapshots
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

DAY, MONTH_END = date(2025, 12, 31), date(2026, 1, 4)


@pytest.fixture
def runs() -> dict[date, DayRun]:
    """Closes of 31 December, 1 and 4 January; then the books stand idle until May."""
    books: ClosingBooks = closing_books()
    for number in range(3):
        loan = books.lend(
            [(date(2025, 11, 30), 90_00), (date(2026, 3, 31), 10_00)], disbursed=date(2025, 6, 1)
        )
        books.receive(loan, date(2025, 12, 5), 20_00 + number)
    made = [close_day(), close_day(), close_day(opening=date(2026, 5, 3))]
    return {run.business_date: run for run in made}


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_months_past_the_retention_keep_their_last_close_alone(runs: dict[date, DayRun]) -> None:
    assert list(runs) == [DAY, date(2026, 1, 1), MONTH_END]
    before = {day: standings(as_of=day, knowledge=known_by(day)) for day in runs}
    assert {frame.attrs["source"] for frame in before.values()} == {"snapshot"}

    dropped = retain_snapshots(months=3)

    assert [(part.month, part.month_end) for part in dropped] == [
        (date(2025, 12, 1), DAY),
        (date(2026, 1, 1), MONTH_END),
    ]
    assert ArrearsSnapshot.objects.count() == 0
    assert _count("repayments_monthendsnapshot") == 6
    after = {day: standings(as_of=day, knowledge=known_by(day)) for day in runs}
    assert [after[day].attrs["source"] for day in runs] == ["snapshot", "recomputed", "snapshot"]
    for day, run in runs.items():
        assert_frame_equal(after[day], before[day])
        found = verify_close(day)
        assert (found.checksum, found.holds) == (run.checksum, True)
    assert [verify_close(day).has_snapshots for day in runs] == [True, False, True]
    assert retain_snapshots(months=3) == []


def test_recent_months_stay(runs: dict[date, DayRun]) -> None:
    assert [part.month for part in retain_snapshots(months=4)] == [date(2025, 12, 1)]
    told = StringIO()
    call_command("retain_snapshots", "--months", "6", stdout=told)
    assert told.getvalue() == "Nothing is older than 6 months.\n"
    assert ArrearsSnapshot.objects.count() == 6
    with pytest.raises(CannotDropSnapshots, match="At least the last 3 months are kept"):
        retain_snapshots(months=2)


def test_the_database_itself_keeps_the_last_three_months(runs: dict[date, DayRun]) -> None:
    close_day()
    with (
        pytest.raises(IntegrityError, match="the last three months are kept"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT repayments_drop_snapshots(%s)", [date(2026, 5, 3)])


def test_month_ends_have_the_columns_of_snapshots_in_their_order() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attrelid::regclass::text, array_agg((attname, atttypid)::text ORDER BY attnum)"
            "  FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN"
            " ('repayments_arrearssnapshot'::regclass, 'repayments_monthendsnapshot'::regclass) GROUP BY 1"
        )
        columns = dict(cursor.fetchall())
    assert columns["repayments_monthendsnapshot"] == columns["repayments_arrearssnapshot"]
