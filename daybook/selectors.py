"""Read the days of the books, the calendar, and the trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import BigIntegerField, Count, Func, Max, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from calc.calendar import BusinessCalendar
from daybook.models import AuditEntry, AuditSeal, Booking, BusinessDay, Holiday


class BooksNotOpen(Exception):
    """No business day has been opened yet: run ``manage.py open_books``."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the books knew: every booking up to ``last_booking_id``.

    ``is_final`` is true for a closed date, whose answer never changes; an open date answers
    with what is booked so far.
    """

    business_date: date
    last_booking_id: int
    is_final: bool


def open_business_date() -> date:
    """The open date of the books. Raises ``BooksNotOpen``."""
    found = BusinessDay.objects.filter(state=BusinessDay.State.OPEN).values_list("date", flat=True).first()
    if found is None:
        raise BooksNotOpen("The books have no open business day. Open them with: manage.py open_books DATE")
    return found


def known_by(business_date: date) -> Knowledge:
    """What was known at the end of a business date: one number to compare bookings with.

    A date before the first day of the books knew nothing (0); a date after the open one knows what
    is known now.
    """
    latest_closed = (
        BusinessDay.objects.filter(state=BusinessDay.State.CLOSED, date__lte=business_date)
        .order_by("-date")
        .values_list("date", "last_booking_id")
        .first()
    )
    still_open = BusinessDay.objects.filter(state=BusinessDay.State.OPEN, date__lte=business_date).exists()
    if still_open:
        return Knowledge(business_date, latest_booking_id(), is_final=False)
    if latest_closed is None:
        return Knowledge(business_date, 0, is_final=True)
    return Knowledge(business_date, latest_closed[1] or 0, is_final=True)


def latest_booking_id() -> int:
    """The highest booking id committed so far; 0 when there is none.

    Not through row-level security: a partner's view of the books has the same ceiling as everyone's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT daybook_latest_booking()")
        return int(cursor.fetchone()[0])


def booking_number_up_to(last_booking_id: int) -> int:
    """The number people quote for the books up to a booking id; 0 before the first.

    Ids split bookings by business date, numbers follow the order in which they were completed; reports are
    made by the id and say the number. Not through row-level security, like the ceiling itself.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT daybook_booking_number_up_to(%s)", [last_booking_id])
        return int(cursor.fetchone()[0])


class NumberUpTo(Func):
    """The same, for a column of ids in a list."""

    function = "daybook_booking_number_up_to"
    output_field = BigIntegerField()


def business_calendar(*, last_booking_id: int | None = None) -> BusinessCalendar:
    """Friday and Saturday off, and the holidays declared and not withdrawn, as then known."""
    declared = Holiday.objects.all()
    if last_booking_id is not None:
        declared = declared.filter(booking_id__lte=last_booking_id)
    verdict: dict[date, bool] = dict(
        declared.order_by("date", "booking_id").values_list("date", "is_holiday")
    )
    return BusinessCalendar(holidays=frozenset(day for day, is_holiday in verdict.items() if is_holiday))


def trail_of(subject_type: str, subject_id: object) -> QuerySet[AuditEntry]:
    """What was done to one thing, newest first."""
    return AuditEntry.objects.filter(subject_type=subject_type, subject_id=str(subject_id)).order_by("-id")


def bookings_between(first: date, last: date) -> QuerySet[Booking]:
    """Bookings of the business dates from first to last, in order."""
    return Booking.objects.filter(business_date__range=(first, last)).order_by("id")


def first_business_date() -> date | None:
    """The first date the books ever had."""
    return BusinessDay.objects.order_by("date").values_list("date", flat=True).first()


def latest_closed_date() -> date | None:
    """The most recent closed date."""
    return BusinessDay.objects.filter(state=BusinessDay.State.CLOSED).aggregate(latest=Max("date"))["latest"]


def business_days() -> QuerySet[BusinessDay]:
    """Every date of the books, with how many bookings it holds that the reader may see."""
    made = Booking.objects.filter(business_date=OuterRef("date")).order_by()
    counted = made.values("business_date").annotate(count=Count("pk")).values("count")
    return BusinessDay.objects.annotate(booking_count=Coalesce(Subquery(counted), 0))


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The audit chain as it stands, without proving it."""

    seal_count: int
    entry_count: int
    unsealed_count: int
    head: str


def chain_head() -> ChainHead:
    """How long the audit chain is, what it ends in, and how many entries wait for the next seal."""
    latest = AuditSeal.objects.order_by("-number").first()
    sealed = AuditSeal.objects.aggregate(entries=Sum("entry_count", default=0))["entries"]
    return ChainHead(
        seal_count=latest.number if latest else 0,
        entry_count=sealed,
        unsealed_count=AuditEntry.objects.filter(link__isnull=True).count(),
        head=latest.digest if latest else "0" * 64,
    )
