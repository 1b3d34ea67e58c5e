"""One slice of a close: claim it, compute it, write it. Harmless to repeat, safe to kill.

A worker claims a slice for a while in a transaction of its own, then computes and writes it in one
transaction that holds the slice's row. Whoever dies leaves nothing half-written: the row lock goes
with the connection, the lease lapses, and the sweeper queues the slice again.
"""

from __future__ import annotations

import numpy as np
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from calc.classification import NO_POLICY, Tier
from daybook.columns import copy_unordered
from repayments.frames import Scope, Table, unpack_currency
from repayments.models import DayRun, DayRunSlice
from repayments.selectors.fingerprints import fingerprint
from repayments.selectors.measuring import COMPUTED, FAILED, FIGURES, IDENTITY, measure_loans
from repayments.services.close_totals import finish_run

LEASE_SECONDS = 300
ATTEMPTS = 3
"""Times a slice is tried before its run is given up as failed, to be repeated by hand."""

_TIER_NAMES = {int(Tier.WHOLESALE): b"wholesale", int(Tier.SUBLOAN): b"subloan"}
_STATE_NAMES = {COMPUTED: b"computed", FAILED: b"failed"}


class SliceDoesNotFit(ArithmeticError):
    """A slice holds another number of loans than was cut for it: facts of a closed date have changed."""


def work_slice(*, slice_id: int, claimed_by: str, lease_seconds: int = LEASE_SECONDS) -> bool:
    """Claim, compute and write one slice. False when there was nothing to do: done, or in other hands.

    An error is noted on the slice, which waits to be tried again; after ``ATTEMPTS`` the run has failed.
    """
    if not claim_slice(slice_id=slice_id, claimed_by=claimed_by, lease_seconds=lease_seconds):
        return False
    try:
        return _compute(slice_id, claimed_by)
    except (
        Exception
    ) as error:  # a bug or a fault of the database: on the slice for people to read, and raised
        _note_failure(slice_id, claimed_by, f"{type(error).__name__}: {error}")
        raise


@transaction.atomic
def claim_slice(*, slice_id: int, claimed_by: str, lease_seconds: int = LEASE_SECONDS) -> bool:
    """Take a slice that waits, or whose lease has lapsed and whose worker no longer holds its row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE repayments_dayrunslice
               SET work = 'running', claimed_by = %(by)s, attempts = attempts + 1, error = '',
                   claimed_until = clock_timestamp() + make_interval(secs => %(lease)s),
                   started_at = coalesce(started_at, clock_timestamp())
             WHERE id = (SELECT s.id FROM repayments_dayrunslice s JOIN repayments_dayrun r ON r.id = s.run_id
                          WHERE s.id = %(slice)s AND r.state = 'running'
                            AND (s.work = 'queued'
                                 OR s.work = 'running' AND s.claimed_until < clock_timestamp())
                            FOR UPDATE OF s SKIP LOCKED)
            """,
            {"slice": slice_id, "by": claimed_by, "lease": lease_seconds},
        )
        return cursor.rowcount == 1


@transaction.atomic
def sweep_slices() -> list[int]:
    """Queue again the slices of the running close whose lease has lapsed, and name all that wait.

    Broker messages may be lost or doubled; this is what makes that harmless.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE repayments_dayrunslice SET work = 'queued', claimed_by = '', claimed_until = NULL
             WHERE id IN (SELECT id FROM repayments_dayrunslice
                           WHERE work = 'running' AND claimed_until < clock_timestamp()
                             FOR UPDATE SKIP LOCKED)
            """
        )
    waiting = DayRunSlice.objects.filter(work=DayRunSlice.Work.QUEUED, run__state=DayRun.State.RUNNING)
    return list(waiting.order_by("run_id", "number").values_list("pk", flat=True))


@transaction.atomic
def _compute(slice_id: int, claimed_by: str) -> bool:
    mine = (
        DayRunSlice.objects.select_for_update(of=["self"])
        .select_related("run")
        .filter(pk=slice_id, work=DayRunSlice.Work.RUNNING, claimed_by=claimed_by)
        .first()
    )
    if mine is None:
        return False
    run = mine.run
    measured = measure_loans(
        Scope.of_range(mine.first_loan_id, mine.last_loan_id),
        as_of=run.business_date,
        last_booking_id=run.last_booking_id,
    )
    rows = measured.rows
    if len(rows) != mine.loan_count:
        raise SliceDoesNotFit(f"{mine} was cut with {mine.loan_count} loans and now holds {len(rows)}.")
    write_snapshots(run, rows)
    is_computed = rows["state"] == COMPUTED
    has_policy = (rows["classification_policy_id"] > NO_POLICY) & (rows["provision_policy_id"] > NO_POLICY)
    _settle(
        mine,
        computed=int(is_computed.sum()),
        carried=int((~is_computed).sum()),
        without_policy=int((is_computed & ~has_policy).sum()),
        checksum=fingerprint(rows),
    )
    return True


def _settle(mine: DayRunSlice, *, computed: int, carried: int, without_policy: int, checksum: bytes) -> None:
    """Under the run's lock: mark the slice done, add to the run's counts, and finish if it was the last."""
    run = DayRun.objects.select_for_update().get(pk=mine.run_id)
    DayRunSlice.objects.filter(pk=mine.pk).update(
        work=DayRunSlice.Work.DONE,
        done_count=F("total_count"),
        computed_count=computed,
        carried_count=carried,
        without_policy_count=without_policy,
        checksum=checksum,
        claimed_until=None,
        finished_at=Now(),
    )
    DayRun.objects.filter(pk=run.pk).update(
        computed_count=F("computed_count") + computed,
        carried_count=F("carried_count") + carried,
        without_policy_count=F("without_policy_count") + without_policy,
    )
    run.refresh_from_db()
    if not run.slices.exclude(work=DayRunSlice.Work.DONE).exists():
        finish_run(run)


@transaction.atomic
def _note_failure(slice_id: int, claimed_by: str, error: str) -> None:
    mine = (
        DayRunSlice.objects.select_for_update()
        .filter(pk=slice_id, work=DayRunSlice.Work.RUNNING, claimed_by=claimed_by)
        .first()
    )
    if mine is None:
        return
    is_last_attempt = mine.attempts >= ATTEMPTS
    mine.work = DayRunSlice.Work.FAILED if is_last_attempt else DayRunSlice.Work.QUEUED
    mine.error, mine.claimed_until = error, None
    mine.save(update_fields=["work", "error", "claimed_until"])
    if is_last_attempt:
        DayRun.objects.filter(pk=mine.run_id, state=DayRun.State.RUNNING).update(
            state=DayRun.State.FAILED, error=f"{mine} failed {mine.attempts} times: {error}"
        )


def write_snapshots(run: DayRun, rows: Table) -> None:
    """Write standings as snapshots of a run, by COPY."""
    count = len(rows)
    names = {
        "tier": _TIER_NAMES,
        "state": _STATE_NAMES,
        "currency": {int(code): unpack_currency(code).encode() for code in np.unique(rows["currency"])},
    }
    columns = {name: np.ascontiguousarray(rows[name]) for name, _ in IDENTITY + FIGURES if name not in names}
    for name, texts in names.items():
        codes = np.array(sorted(texts), dtype=np.int64)
        columns[name] = np.array([texts[code] for code in codes.tolist()])[np.searchsorted(codes, rows[name])]
    columns["business_date"] = np.full(count, run.business_date, dtype="datetime64[D]")
    columns["run_id"] = np.full(count, run.pk, dtype=np.int64)
    copy_unordered("repayments_arrearssnapshot", columns)
