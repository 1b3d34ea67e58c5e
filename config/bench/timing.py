"""Time a close of day against its floor, in one process and one run.

The floor reads the same columns of the same slices and writes the same snapshot rows by COPY, and
computes nothing: what no close over these tables could go below. It is timed before and after the
close and the two are averaged, so that a machine that others use too does not favour either.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from django.db import connection, transaction

from config.bench.books import SECOND_DATE
from daybook.models import Booking
from daybook.services import Actor, book
from partners.models import User
from repayments import frames
from repayments.frames import Scope
from repayments.models import DayRun
from repayments.selectors.measuring import measure_loans
from repayments.services.close import close_day
from repayments.services.close_slices import write_snapshots
from repayments.services.policies import load_policies

FLOOR_DATES = (date(2031, 1, 1), date(2031, 2, 1))
"""Where the floor's snapshots go: months no close of the bench touches."""


@dataclass
class Figures:
    """What one size of book measured, in seconds and bytes."""

    loans: int
    dues: int = 0
    allocations: int = 0
    first_close: float = 0
    close: float = 0
    floor_read: float = 0
    floor_write: float = 0
    peak_memory: int = 0

    @property
    def floor(self) -> float:
        return self.floor_read + self.floor_write

    @property
    def ratio(self) -> float:
        return self.close / self.floor


def measure(*, loans: int, second_day: Callable[[], None], say: Callable[[str], None]) -> dict[str, float]:
    """Close the first date (all is new to it), then the second (a night like any other), then the floor."""
    figures = Figures(loans=loans)
    with transaction.atomic():
        booking = _booking()
        first, second = User.objects.order_by("pk")[:2]
        load_policies(booking=booking, proposed_by=first, approved_by=second)
    figures.dues, figures.allocations = _count("lending_due"), _count("repayments_allocation")
    with _timed() as took:
        run = _close()
    figures.first_close = took()
    say(f"first close {took():.2f} s")
    second_day()
    before = _floor(run, FLOOR_DATES[0])
    with _timed() as took:
        run = _close(closing=SECOND_DATE)
    figures.close = took()
    say(f"close {took():.2f} s")
    after = _floor(run, FLOOR_DATES[1])
    figures.floor_read, figures.floor_write = ((x + y) / 2 for x, y in zip(before, after, strict=True))
    figures.peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return asdict(figures) | {"floor": figures.floor, "ratio": figures.ratio}


def _close(closing: date | None = None) -> DayRun:
    run = close_day(closing=closing, started_by="bench")
    if run.state == DayRun.State.FAILED:
        raise ArithmeticError(run.error)
    return run


def _floor(run: DayRun, day: date) -> tuple[float, float]:
    """Seconds to read the columns of the close, and to write its snapshots again under another date."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_snapshot_partition(%s)", [day])
    target = DayRun(pk=run.pk, business_date=day)
    reading = writing = 0.0
    for part in run.slices.order_by("number"):
        scope = Scope.of_range(part.first_loan_id, part.last_loan_id)
        with _timed() as took:
            for read in (
                frames.read_loans,
                frames.read_profiles,
                frames.read_schedules,
                frames.read_dues,
                frames.read_settled,
            ):
                read(scope, as_of=run.business_date, last_booking_id=run.last_booking_id)
        reading += took()
        rows = measure_loans(scope, as_of=run.business_date, last_booking_id=run.last_booking_id).rows
        with _timed() as took, transaction.atomic():
            write_snapshots(target, rows)
        writing += took()
    return reading, writing


def _booking() -> Booking:
    return book(purpose="bench", actor=Actor(None, "Bench"))


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    begun = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0]
    ended.append(time.perf_counter() - begun)
