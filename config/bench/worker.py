"""A worker process of the bench: does what it is told on its standard input, one JSON line at a time.

Started before the clock, as a Celery worker is, so that neither the floor nor the close pays for it.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from django.db import transaction

from repayments import frames
from repayments.frames import Scope, Table
from repayments.models import DayRun
from repayments.selectors.measuring import measure_loans
from repayments.services.close import queued_slice_ids
from repayments.services.close_slices import work_slice, write_snapshots

_READS = (
    frames.read_loans,
    frames.read_profiles,
    frames.read_versions,
    frames.read_dues,
    frames.read_settled,
)


class Worker:
    """The tasks, by name; each takes what its line names and answers with figures."""

    def __init__(self) -> None:
        self.kept: list[Table] = []

    def read(self, *, ranges: list[list[int]], as_of: str, known: int) -> None:
        """The floor's reading: the columns a close reads, nothing done with them."""
        for first, last in ranges:
            for read in _READS:
                read(Scope.of_range(first, last), as_of=date.fromisoformat(as_of), last_booking_id=known)

    def measure(self, *, ranges: list[list[int]], as_of: str, known: int, keep: bool = False) -> None:
        """Recompute a date from the facts; kept, it is what the floor's writing writes."""
        self.kept = []
        for first, last in ranges:
            rows = measure_loans(
                Scope.of_range(first, last), as_of=date.fromisoformat(as_of), last_booking_id=known
            ).rows
            if keep:
                self.kept.append(rows)

    def write(self, *, run: int, day: str) -> None:
        """The floor's writing: snapshots as a close writes them, a transaction a slice."""
        target = DayRun(pk=run, business_date=date.fromisoformat(day))
        for rows in self.kept:
            with transaction.atomic():
                write_snapshots(target, rows)
        self.kept = []

    def close(self, *, run: int) -> None:
        """Take slices of a run until none waits."""
        target = DayRun.objects.get(pk=run)
        while waiting := queued_slice_ids(target):
            for slice_id in np.roll(waiting, -(os.getpid() % len(waiting))).tolist():
                work_slice(slice_id=slice_id, claimed_by=f"bench-{os.getpid()}")


def serve(lines: TextIO, answers: TextIO) -> None:
    """Do every task that comes in, and answer each with the seconds it took and the most memory held."""
    worker = Worker()
    print(json.dumps(_used(seconds=0)), file=answers, flush=True)
    for line in lines:
        task: dict[str, Any] = json.loads(line)
        work: Callable[..., None] = getattr(worker, task.pop("do"))
        begun = time.perf_counter()
        work(**task)
        print(json.dumps(_used(seconds=time.perf_counter() - begun)), file=answers, flush=True)


def _used(*, seconds: float) -> dict[str, float]:
    """What a task took, and what this process has used since it began."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "processor": used.ru_utime + used.ru_stime, "memory": _most_memory()}


def _most_memory() -> int:
    """The most memory this program has held, in bytes: ``ru_maxrss`` would count who started it, too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status says nothing of VmHWM")
