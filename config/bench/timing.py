"""Time a close of day against its floor, and a past day asked for again, on one or several worker processes.

The floor reads the same columns of the same slices and writes the same snapshot rows by COPY, and
computes nothing: what no close over these tables could go below. It is timed before and after the
close and the two are averaged, so that a machine that others use too does not favour either.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import IO, Any

from django.db import connection, transaction

from calc.calendar import add_months
from config.bench.books import generate_day
from daybook.selectors import open_business_date
from daybook.services import Actor, book
from partners.models import User
from repayments.models import ClassificationPolicy, DayRun
from repayments.services.close import retry_close, start_close
from repayments.services.policies import load_policies

FLOOR_DATES = (date(2031, 1, 1), date(2031, 2, 1))
"""Where the floor's snapshots go: months no close of the bench touches; dropped again afterwards."""


@dataclass
class Figures:
    """What one size of book measured with so many workers, in seconds and bytes.

    ``processor``: what the workers' own processes used for the close, together. ``load``: the load average
    of the machine before anything was measured.
    """

    loans: int
    workers: int
    dues: int = 0
    allocations: int = 0
    start: float = 0
    close: float = 0
    floor_read: float = 0
    floor_write: float = 0
    as_of_year: float = 0
    as_of_month: float = 0
    memory: list[int] = field(default_factory=list)
    processor: float = 0
    load: float = 0

    @property
    def floor(self) -> float:
        return self.floor_read + self.floor_write


class Crew:
    """Worker processes that do the same task at the same time, each its share."""

    def __init__(self, size: int) -> None:
        command = [sys.executable, sys.argv[0], "bench", "--worker"]
        self.workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(size)
        ]
        self.answers = [self._answer(worker) for worker in self.workers]

    def do(self, tasks: list[dict[str, Any]]) -> float:
        """Hand out one task each and wait for all; the seconds until the last was done."""
        begun = time.perf_counter()
        for worker, task in zip(self.workers, tasks, strict=True):
            _pipe(worker.stdin).write(json.dumps(task) + "\n")
            _pipe(worker.stdin).flush()
        self.answers = [self._answer(worker) for worker in self.workers]
        return time.perf_counter() - begun

    @property
    def memory(self) -> list[int]:
        """The most memory each worker has held."""
        return [int(answer["memory"]) for answer in self.answers]

    @property
    def processor(self) -> float:
        """Processor seconds the workers have used."""
        return sum(float(answer["processor"]) for answer in self.answers)

    def dismiss(self) -> None:
        for worker in self.workers:
            worker.communicate()

    @staticmethod
    def _answer(worker: subprocess.Popen[str]) -> dict[str, Any]:
        line = _pipe(worker.stdout).readline()
        if not line:
            raise RuntimeError(f"worker {worker.pid} of the bench ended; its error is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("a worker of the bench was started without pipes")
    return stream


def prepare(*, workers: int, say: Callable[[str], None]) -> None:
    """Load policies and close the first date, to which all is new; what an earlier start did stays done."""
    with transaction.atomic():
        if not ClassificationPolicy.objects.exists():
            first, second = User.objects.order_by("pk")[:2]
            booking = book(purpose="bench", actor=Actor(None, "Bench"))
            load_policies(booking=booking, proposed_by=first, approved_by=second)
    stopped = DayRun.objects.filter(state=DayRun.State.RUNNING).first()
    if stopped is not None:
        retry_close(business_date=stopped.business_date)
    elif DayRun.objects.exists():
        return
    with _crew(workers) as crew, _timed() as took:
        _work(crew, stopped or start_close(started_by="bench"))
    say(f"{'close taken up again' if stopped else 'first close'}: {took():.1f} s")


def measure(*, workers: int, admin: Any, say: Callable[[str], None]) -> dict[str, Any]:
    """Close the next date, a night like any other, between two floors; then ask for two past days again."""
    day = open_business_date()
    before = DayRun.objects.exclude(state=DayRun.State.RUNNING).latest("business_date").business_date
    generate_day(admin, after=before, day=day)
    _drop_floors(admin)  # of a bench that was stopped
    with _crew(workers) as floor_crew, _crew(workers) as crew:
        with _timed() as took:
            run = start_close(closing=day, started_by="bench")
        figures = Figures(loans=run.loan_count, workers=workers, start=took(), load=os.getloadavg()[0])
        floors = [_floor(floor_crew, run, FLOOR_DATES[0])]
        say(f"floor {sum(floors[0]):.1f} s")
        used = crew.processor
        with _timed() as took:
            _work(crew, run)
        figures.close = figures.start + took()
        figures.processor = crew.processor - used
        say(f"close {figures.close:.1f} s")
        figures.memory = crew.memory
        floors.append(_floor(floor_crew, run, FLOOR_DATES[1]))
        say(f"floor {sum(floors[1]):.1f} s")
        figures.floor_read, figures.floor_write = ((x + y) / 2 for x, y in zip(*floors, strict=True))
        figures.as_of_year = _as_of(crew, run, add_months(day, -12))
        figures.as_of_month = _as_of(crew, run, add_months(day, -1))
        say(f"as of a year back {figures.as_of_year:.1f} s, a month back {figures.as_of_month:.1f} s")
        figures.memory = [max(x, y) for x, y in zip(figures.memory, crew.memory, strict=True)]
    _drop_floors(admin)
    figures.dues, figures.allocations = _count("lending_due"), _count("repayments_allocation")
    return asdict(figures) | {"floor": figures.floor, "ratio": figures.close / figures.floor}


def _work(crew: Crew, run: DayRun) -> None:
    """Let the crew compute the slices of a run; the worker with the last one finishes it."""
    crew.do([{"do": "close", "run": run.pk}] * len(crew.workers))
    run.refresh_from_db()
    if run.state not in (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS):
        raise ArithmeticError(f"the close of the bench is {run.state}: {run.error}")


def _floor(crew: Crew, run: DayRun, day: date) -> tuple[float, float]:
    """Seconds to read the columns of the close, and to write its snapshots under another date."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_snapshot_partition(%s)", [day])
    known = {"as_of": run.business_date.isoformat(), "known": run.last_booking_id}
    shares = _shares(run, len(crew.workers))
    reading = crew.do([{"do": "read", "ranges": share, **known} for share in shares])
    crew.do([{"do": "measure", "ranges": share, **known, "keep": True} for share in shares])
    writing = crew.do([{"do": "write", "run": run.pk, "day": day.isoformat()}] * len(shares))
    return reading, writing


def _drop_floors(admin: Any) -> None:
    with admin.cursor() as cursor:
        for day in FLOOR_DATES:
            cursor.execute(f"DROP TABLE IF EXISTS repayments_arrearssnapshot_{day:%Y_%m}")


def _as_of(crew: Crew, run: DayRun, day: date) -> float:
    """Seconds to recompute a past date as we know it now."""
    known = {"as_of": day.isoformat(), "known": run.last_booking_id}
    shares = _shares(run, len(crew.workers))
    return crew.do([{"do": "measure", "ranges": share, **known} for share in shares])


def _shares(run: DayRun, workers: int) -> list[list[list[int]]]:
    """The ranges of a run's slices dealt out like cards."""
    ranges = [
        [first, last]
        for first, last in run.slices.order_by("number").values_list("first_loan_id", "last_loan_id")
    ]
    return [ranges[number::workers] for number in range(workers)]


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


@contextmanager
def _crew(size: int) -> Iterator[Crew]:
    crew = Crew(size)
    try:
        yield crew
    finally:
        crew.dismiss()


@contextmanager
def _timed() -> Iterator[Callable[[], float]]:
    begun = time.perf_counter()
    ended: list[float] = []
    yield lambda: (ended[0] if ended else time.perf_counter()) - begun
    ended.append(time.perf_counter())
