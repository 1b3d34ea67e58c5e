"""Bookings are split by business date whatever the order of commits, and numbered in commit order."""

from __future__ import annotations

import random
import threading
import time
from datetime import date
from typing import Any

import psycopg2
import pytest
from django.db import DatabaseError, connection, transaction

from daybook.models import Booking
from daybook.services import Actor, book, open_books, roll_day

FIRST = date(2026, 6, 30)
INSERT = (
    "INSERT INTO daybook_booking (business_date, actor_name, purpose, reason)"
    " VALUES (%s, 'x', 'test', '') RETURNING id"
)


@pytest.mark.django_db
def test_a_booking_for_another_day_is_refused() -> None:
    open_books(first_date=FIRST)
    with (
        pytest.raises(DatabaseError, match="the open business date is 2026-06-30"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(INSERT, ["2026-06-29"])


@pytest.mark.django_db
def test_a_booking_cannot_be_changed_or_removed() -> None:
    open_books(first_date=FIRST)
    book(purpose="test", actor=Actor(None, "Test"))
    for attack in (lambda: Booking.objects.update(reason="other"), lambda: Booking.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()


def _open_books(connected: Any) -> None:
    with connected, connected.cursor() as cursor:
        cursor.execute("INSERT INTO daybook_businessday (date, state) VALUES (%s, 'open')", [FIRST])


def test_numbers_follow_commits_and_not_the_order_of_arrival(cloned_database: Any) -> None:
    early, late = cloned_database.connect("worker"), cloned_database.connect("worker")
    _open_books(early)
    with early.cursor() as cursor:
        cursor.execute(INSERT, [FIRST])
        early_id = cursor.fetchone()[0]
    with late.cursor() as cursor:
        cursor.execute(INSERT, [FIRST])
        late_id = cursor.fetchone()[0]
    late.commit()
    early.commit()

    with early.cursor() as cursor:
        cursor.execute("SELECT id, number FROM daybook_booking")
        numbers = dict(cursor.fetchall())
    assert early_id < late_id
    assert numbers == {late_id: 1, early_id: 2}
    early.close(), late.close()


def test_a_close_waits_for_postings_under_way_and_counts_them(cloned_database: Any) -> None:
    posting, closing = cloned_database.connect("worker"), cloned_database.connect("worker")
    _open_books(posting)
    with posting.cursor() as cursor:
        cursor.execute(INSERT, [FIRST])
        booking = cursor.fetchone()[0]

    with closing.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("SELECT daybook_lock_day(true)")
    closing.rollback()
    posting.commit()
    with closing.cursor() as cursor:
        cursor.execute("SELECT daybook_lock_day(true), daybook_latest_booking()")
        assert cursor.fetchone()[1] == booking
    closing.close(), posting.close()


def test_what_a_closed_day_knew_never_changes_under_a_race(cloned_database: Any) -> None:
    """Eight posters commit at random while the day is rolled again and again; every answer holds."""
    setup = cloned_database.connect("worker")
    _open_books(setup)
    stop = threading.Event()
    failures: list[Exception] = []

    def post(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  (only spreads the commits)
        connected = cloned_database.connect("worker")
        try:
            while not stop.is_set():
                with connected, connected.cursor() as cursor:
                    cursor.execute("SELECT daybook_lock_day(false)")
                    cursor.execute("SELECT date FROM daybook_businessday WHERE state = 'open'")
                    cursor.execute(INSERT, [cursor.fetchone()[0]])
                    time.sleep(chance.random() / 100)
        except Exception as error:  # noqa: BLE001  reported by the test, which a thread cannot fail by itself
            failures.append(error)
        finally:
            connected.close()

    posters = [threading.Thread(target=post, args=(seed,)) for seed in range(8)]
    for poster in posters:
        poster.start()
    answers: dict[date, tuple[int, int]] = {}
    with setup.cursor() as cursor:
        for day in range(1, 11):
            cursor.execute("SELECT daybook_lock_day(true)")
            cursor.execute(
                "UPDATE daybook_businessday SET state = 'closed', closed_at = now(),"
                " last_booking_id = daybook_latest_booking() WHERE state = 'open'"
                " RETURNING date, last_booking_id"
            )
            closed, ceiling = cursor.fetchone()
            cursor.execute(
                "INSERT INTO daybook_businessday (date, state) VALUES (%s, 'open')", [date(2026, 7, day)]
            )
            setup.commit()
            cursor.execute("SELECT count(*) FROM daybook_booking WHERE id <= %s", [ceiling])
            answers[closed] = (ceiling, cursor.fetchone()[0])
            setup.commit()
            time.sleep(0.03)
    stop.set()
    for poster in posters:
        poster.join()

    assert failures == []
    with setup.cursor() as cursor:
        for closed, (ceiling, then) in answers.items():
            cursor.execute("SELECT count(*) FROM daybook_booking WHERE id <= %s", [ceiling])
            assert cursor.fetchone()[0] == then, f"the answer for {closed} changed"
            cursor.execute(
                "SELECT bool_and((business_date <= %s) = (id <= %s)) FROM daybook_booking", [closed, ceiling]
            )
            assert cursor.fetchone()[0] is True
        cursor.execute("SELECT count(*), count(number), max(number) FROM daybook_booking")
        total, numbered, highest = cursor.fetchone()
        assert total == numbered == highest > 10
    setup.close()


@pytest.mark.django_db
def test_rolling_the_day_is_refused_twice() -> None:
    open_books(first_date=FIRST)
    roll_day(closing=FIRST)
    with pytest.raises(Exception, match="not 30 Jun 2026"):
        roll_day(closing=FIRST)
