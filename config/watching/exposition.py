"""The figures in Prometheus' text format: each process's own counts, and a look at the books."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from config.watching import broker_state, measures
from daybook.heartbeats import CLOCK
from repayments.models import DayRun

CONTENT_TYPE = CONTENT_TYPE_LATEST


def exposition(*, now: datetime) -> bytes:
    """Everything Prometheus is told. The books' figures are absent while the database is away."""
    counted = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    looked_up = CollectorRegistry(auto_describe=False)
    looked_up.register(_Look(now))
    return generate_latest(counted) + generate_latest(looked_up)


class _Look(Collector):
    """One look at the books, for one answer."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        yield _gauge("broker_up", "Whether the broker answers.", float(not broker_state.trouble()))
        try:
            books = measures.look(now=self.now)
        except (DatabaseError, InterfaceError):
            yield _gauge("database_up", "Whether the database answers.", 0)
            return
        yield _gauge("database_up", "Whether the database answers.", 1)
        yield _gauge("migrations_unapplied", "Migrations the database has not.", books.unapplied)
        yield from _of_closes(books)
        yield from _of_queues(books)
        yield from _of_hearts(books)


def _of_closes(books: measures.Books) -> Iterator[Metric]:
    yield _gauge("close_lag_days", "Days from the open business date to today.", books.lag_days)
    yield _gauge("close_late", "Whether the clock should have closed the open date by now.", books.is_late)
    runs = GaugeMetricFamily("paikar_close_runs", "Closes by state.", labels=["state"])
    for state in DayRun.State:
        runs.add_metric([state.value], books.runs.get(state.value, 0))
    yield runs
    last = books.last_close
    if last is None:
        return
    loans_a_second = last.loans / max(last.seconds, 0.001)
    yield _gauge("close_last_seconds", "How long the newest close took.", last.seconds)
    yield _gauge("close_last_loans", "Loans of the newest close.", last.loans)
    yield _gauge("close_last_loans_a_second", "Speed of the newest close.", loans_a_second)
    yield _gauge("close_last_carried_loans", "Loans whose figures were carried over.", last.carried)
    yield _gauge("close_last_without_policy_loans", "Loans no policy fits.", last.without_policy)
    yield _gauge(
        "close_last_finished_timestamp_seconds", "When the newest close ended.", last.finished_at.timestamp()
    )


def _of_queues(books: measures.Books) -> Iterator[Metric]:
    rows = GaugeMetricFamily("paikar_work_rows", "Rows of long work.", labels=["kind", "state"])
    oldest = GaugeMetricFamily("paikar_work_oldest_seconds", "Age of what waits longest.", labels=["kind"])
    for queue in books.queues:
        for state in ("queued", "running", "lapsed", "failed"):
            rows.add_metric([queue.kind, state], getattr(queue, state))
        oldest.add_metric([queue.kind], queue.oldest_seconds)
    yield rows
    yield oldest
    yield _gauge("notices_untold", "Events nobody could be written to about.", books.untold)


def _of_hearts(books: measures.Books) -> Iterator[Metric]:
    ages = GaugeMetricFamily("paikar_heartbeat_age_seconds", "Since it was last heard.", labels=["name"])
    found = CounterMetricFamily(
        "paikar_swept", "Rows a sweeper queued again, since ever.", labels=["sweeper"]
    )
    for name, (beaten_at, found_count) in books.heartbeats.items():
        ages.add_metric([name], (books.now - beaten_at).total_seconds())
        if name != CLOCK:
            found.add_metric([name], found_count)
    yield ages
    yield found


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"paikar_{name}", words, value=value)
