"""When the clock closes a business date, and when that has become late."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone


def due_moment(business_date: date) -> datetime:
    """From when the clock may close a date: CLOSE_AFTER_HOUR of the next day, by the clock in Dhaka."""
    hour = time(settings.CLOSE_AFTER_HOUR)
    return timezone.make_aware(datetime.combine(business_date + timedelta(days=1), hour))


def earlier_clock(now: datetime) -> datetime:
    """The earlier of a machine's clock and the database's. A date closed too early stays closed, so one
    machine whose clock runs ahead must not be believed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return min(now, told)


def late_moment(business_date: date) -> datetime:
    """From when a date that is still open, or whose close still runs, is late."""
    return due_moment(business_date) + timedelta(hours=settings.CLOSE_LATE_AFTER_HOURS)


def is_late(open_date: date | None, *, now: datetime) -> bool:
    """Whether the clock should have closed the open date hours ago. Never where people close by hand."""
    return open_date is not None and settings.CLOSE_DAYS_BY_CLOCK and now > late_moment(open_date)
