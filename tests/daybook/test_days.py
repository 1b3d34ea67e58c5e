"""Business days are opened, closed once, and never turn back."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from daybook.models import BusinessDay
from daybook.selectors import BooksNotOpen, business_calendar, known_by, open_business_date
from daybook.services import (
    Actor,
    CannotOpenBooks,
    CannotRollDay,
    book,
    declare_holidays,
    open_books,
    roll_day,
)

pytestmark = pytest.mark.django_db
SYSTEM = Actor(id=None, name="Test")
FIRST = date(2026, 6, 30)


def test_nothing_is_booked_before_the_books_open() -> None:
    with pytest.raises(BooksNotOpen, match="open_books"):
        book(purpose="test", actor=SYSTEM)


def test_books_open_once() -> None:
    open_books(first_date=FIRST)
    with pytest.raises(CannotOpenBooks):
        open_books(first_date=FIRST)


def test_closing_a_day_opens_the_next_and_fixes_what_was_known() -> None:
    open_books(first_date=FIRST)
    booking = book(purpose="test", actor=SYSTEM)

    closed = roll_day(closing=FIRST)

    assert closed.last_booking_id == booking.pk
    assert open_business_date() == date(2026, 7, 1)
    assert known_by(FIRST).is_final
    assert known_by(FIRST).last_booking_id == booking.pk


def test_later_bookings_are_not_known_on_a_closed_day() -> None:
    open_books(first_date=FIRST)
    book(purpose="test", actor=SYSTEM)
    roll_day(closing=FIRST)
    later = book(purpose="test", actor=SYSTEM)

    assert known_by(FIRST).last_booking_id < later.pk
    assert known_by(date(2026, 7, 1)).last_booking_id == later.pk
    assert not known_by(date(2026, 7, 1)).is_final


def test_a_date_before_the_books_knew_nothing() -> None:
    open_books(first_date=FIRST)
    book(purpose="test", actor=SYSTEM)
    assert known_by(date(2020, 1, 1)).last_booking_id == 0


def test_a_skipped_date_knows_what_the_closed_day_before_it_knew() -> None:
    open_books(first_date=FIRST)
    booking = book(purpose="test", actor=SYSTEM)
    roll_day(closing=FIRST, opening=date(2026, 7, 5))
    book(purpose="test", actor=SYSTEM)
    assert known_by(date(2026, 7, 3)).last_booking_id == booking.pk


def test_only_the_open_day_can_be_closed_and_time_runs_forward() -> None:
    open_books(first_date=FIRST)
    with pytest.raises(CannotRollDay, match="open business date is 30 Jun 2026"):
        roll_day(closing=date(2026, 7, 1))
    with pytest.raises(CannotRollDay, match="must be after"):
        roll_day(closing=FIRST, opening=FIRST)


def test_the_database_refuses_a_second_open_day_a_day_before_and_a_reopening() -> None:
    open_books(first_date=FIRST)
    roll_day(closing=FIRST)
    for attack in (
        lambda: BusinessDay.objects.create(date=date(2026, 8, 1)),
        lambda: BusinessDay.objects.create(date=date(2020, 1, 1)),
        lambda: BusinessDay.objects.filter(date=FIRST).update(
            state="open", last_booking_id=None, closed_at=None
        ),
        lambda: BusinessDay.objects.filter(date=FIRST).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()


def test_a_withdrawn_holiday_is_still_a_holiday_to_those_who_ask_what_was_known() -> None:
    open_books(first_date=FIRST)
    eid = date(2026, 7, 7)
    declared = declare_holidays(days=[(eid, "Eid", "ঈদ")], actor=SYSTEM)[0].booking_id
    declare_holidays(
        days=[(eid, "Eid", "ঈদ")], actor=SYSTEM, is_holiday=False, reason="the moon was not seen"
    )

    assert eid in business_calendar(last_booking_id=declared).holidays
    assert eid not in business_calendar().holidays
