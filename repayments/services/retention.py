"""How long every day's snapshots stay: so many months daily, month ends for ever.

A month is dropped whole, by dropping its partition, which costs nothing however many loans it holds;
its last close is copied among the month ends first (``repayments_drop_snapshots``, in the database). A
day that was dropped can still be asked for: it is recomputed from the facts, which are never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from calc.calendar import add_months
from daybook.selectors import open_business_date
from daybook.services import CLOSE_OF_DAY, record
from repayments.models import DayRun

LEAST_MONTHS = 3


class CannotDropSnapshots(Exception):
    """So few months may not be kept."""


@dataclass(frozen=True, slots=True)
class DroppedMonth:
    """A month whose daily snapshots are gone; ``month_end`` is the close of it that is kept for ever."""

    month: date
    month_end: date | None


def retain_snapshots(*, months: int) -> list[DroppedMonth]:
    """Keep the snapshots of so many whole months before the open date's, and drop older ones.

    Each month in a transaction of its own. Harmless to repeat. Raises ``CannotDropSnapshots``.
    """
    if months < LEAST_MONTHS:
        raise CannotDropSnapshots(
            f"At least the last {LEAST_MONTHS} months are kept; {months} were asked for."
        )
    oldest_kept = add_months(open_business_date().replace(day=1), -months)
    return [_dropped(month) for month in _months_held() if month < oldest_kept]


@transaction.atomic
def _dropped(month: date) -> DroppedMonth:
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_drop_snapshots(%s)", [month])
        month_end = cursor.fetchone()[0]
    last = DayRun.objects.filter(business_date=month_end).first()
    if last is not None:
        record(
            actor=CLOSE_OF_DAY,
            action="day.drop_snapshots",
            subject=last,
            after={"month": f"{month:%Y-%m}", "kept": month_end.isoformat()},
            reason="Daily snapshots older than the retention; the month end is kept.",
        )
    return DroppedMonth(month, month_end)


def _months_held() -> list[date]:
    """The months that have a partition of their own, oldest first; read from their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT to_date(right(c.relname, 7), 'YYYY_MM')
              FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'repayments_arrearssnapshot'::regclass ORDER BY 1
            """
        )
        return [month for (month,) in cursor.fetchall()]
