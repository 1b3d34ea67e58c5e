"""Figures about the work itself, read from the books: closes, queues, heartbeats, migrations.

Everything is asked in one short transaction as ``paikar_foundation``, which may read and is what a
foundation person's page runs as. No figure names a person, an institution or a loan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from daybook.heartbeats import CLOCK
from daybook.models import BusinessDay, Heartbeat, LeasedWork, Notice
from repayments.models import CloseRequest, DayRun
from repayments.selectors.nightly import is_late


@dataclass(frozen=True, slots=True)
class Queue:
    """One kind of leased work: rows that wait, that are worked on, whose holder is silent, that failed."""

    kind: str
    queued: int
    running: int
    lapsed: int
    failed: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class LastClose:
    """The newest close that ended."""

    business_date: date
    finished_at: datetime
    seconds: float
    loans: int
    carried: int
    without_policy: int


@dataclass(frozen=True, slots=True)
class Books:
    """Everything a look at the books gives, at one moment."""

    now: datetime
    open_date: date | None
    lag_days: int
    is_late: bool
    last_close: LastClose | None
    runs: dict[str, int]
    queues: list[Queue]
    heartbeats: dict[str, tuple[datetime, int]]
    untold: int
    unapplied: int

    def beat_age(self) -> float | None:
        """Seconds since the clock was last heard through a worker; None when never."""
        found = self.heartbeats.get(CLOCK)
        return None if found is None else (self.now - found[0]).total_seconds()


@contextmanager
def reading() -> Iterator[None]:
    """A transaction that may read the foundation's tables, and gives up quickly."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5s'")
        cursor.execute("SET LOCAL ROLE paikar_foundation")
        yield
        cursor.execute("RESET ROLE")
        cursor.execute("RESET statement_timeout")


def look(*, now: datetime) -> Books:
    """Look at the books once."""
    with reading():
        open_date = (
            BusinessDay.objects.filter(state=BusinessDay.State.OPEN).values_list("date", flat=True).first()
        )
        return Books(
            now=now,
            open_date=open_date,
            lag_days=max(0, (timezone.localdate(now) - open_date).days) if open_date else 0,
            is_late=is_late(open_date, now=now),
            last_close=_last_close(),
            runs=dict(DayRun.objects.order_by().values_list("state").annotate(Count("pk"))),
            queues=queues(now=now),
            heartbeats={beat.name: (beat.beaten_at, beat.found_count) for beat in Heartbeat.objects.all()},
            untold=Notice.objects.filter(told_at__isnull=True).count(),
            unapplied=len(unapplied_migrations()),
        )


def queues(*, now: datetime) -> list[Queue]:
    """Every kind of long work there is, and the requests to close a day."""
    kinds = [model for model in apps.get_models() if issubclass(model, LeasedWork)]
    found = [_queue(model, now=now) for model in sorted(kinds, key=lambda model: model._meta.label_lower)]
    asked = CloseRequest.objects.filter(answered_at__isnull=True).aggregate(
        queued=Count("pk"), oldest=Min("asked_at")
    )
    oldest = _age(asked["oldest"], now)
    found.append(Queue("repayments.closerequest", asked["queued"], 0, 0, 0, oldest))
    return found


def _queue(model: type[LeasedWork], *, now: datetime) -> Queue:
    work = LeasedWork.Work
    counted = (
        QuerySet(model)
        .filter(work__in=(work.QUEUED, work.RUNNING, work.FAILED))
        .aggregate(
            queued=Count("pk", filter=Q(work=work.QUEUED)),
            running=Count("pk", filter=Q(work=work.RUNNING)),
            lapsed=Count("pk", filter=Q(work=work.RUNNING, claimed_until__lt=now)),
            failed=Count("pk", filter=Q(work=work.FAILED)),
            oldest=Min("queued_at", filter=Q(work=work.QUEUED)),
        )
    )
    return Queue(
        kind=model._meta.label_lower,
        queued=counted["queued"],
        running=counted["running"],
        lapsed=counted["lapsed"],
        failed=counted["failed"],
        oldest_seconds=_age(counted["oldest"], now),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _last_close() -> LastClose | None:
    ended = (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS)
    run = DayRun.objects.filter(state__in=ended).order_by("-business_date", "-attempt").first()
    if run is None or run.finished_at is None:
        return None
    return LastClose(
        business_date=run.business_date,
        finished_at=run.finished_at,
        seconds=(run.finished_at - run.started_at).total_seconds(),
        loans=run.loan_count,
        carried=run.carried_count,
        without_policy=run.without_policy_count,
    )


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations or ())


def unapplied_migrations() -> frozenset[tuple[str, str]]:
    """Migrations this release has and the database has not."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return _migrations_on_disk() - frozenset(cursor.fetchall())
