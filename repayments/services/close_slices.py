"""One slice of a close: claim it, compute it, write it. Harmless to repeat, safe to kill.

A worker claims a slice in a short transaction, so that pages show who is at work, then computes and
writes it in one that holds the slice's row from first to last. The row lock is the hold: it ends with
the worker's connection, so the slice of a dead worker is free at once, and a worker that is alive,
however slow, keeps its slice. Whoever dies leaves nothing half-written.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
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
from repayments.services.leases import DATABASE_AWAY
from repayments.services.standings import add_to_base, subloans_of_slice

ATTEMPTS = 3
"""Times a slice may fail by an error before its run is given up as failed, to be repeated by hand."""

MOST_ATTEMPTS = 10
"""Times it may be begun in all: the workers it kills, or a database away or full, must end as well."""

# The server notices within seconds that a worker is gone, in the middle of a query as after a power cut, and
# takes its hold from one that hangs: nothing a slice does leaves a connection idle for as much as a minute.
_NOTICE_DEATH = """
SELECT set_config('client_connection_check_interval', '2s', true),
       set_config('tcp_keepalives_idle', '10', true), set_config('tcp_keepalives_interval', '5', true),
       set_config('tcp_keepalives_count', '3', true),
       set_config('idle_in_transaction_session_timeout', '10min', true)
"""

_TIER_NAMES = {int(Tier.WHOLESALE): b"wholesale", int(Tier.SUBLOAN): b"subloan"}
_STATE_NAMES = {COMPUTED: b"computed", FAILED: b"failed"}


class SliceDoesNotFit(ArithmeticError):
    """A slice holds another number of loans than was cut for it: facts of a closed date have changed."""


def work_slice(*, slice_id: int, claimed_by: str) -> bool:
    """Claim, compute and write one slice. False when there was nothing to do: done, or in other hands.

    ``claimed_by`` names this one attempt. An error is noted on the slice, which waits to be tried again;
    after ``ATTEMPTS`` the run has failed.
    """
    if not claim_slice(slice_id=slice_id, claimed_by=claimed_by):
        return False
    try:
        return _compute(slice_id, claimed_by)
    except (
        Exception
    ) as error:  # a bug or a fault of the database: on the slice for people to read, and raised
        with suppress(*DATABASE_AWAY):  # what cannot be noted is found again as a slice left behind
            _note_failure(
                slice_id,
                claimed_by,
                f"{type(error).__name__}: {error}",
                allowed=MOST_ATTEMPTS if isinstance(error, DATABASE_AWAY) else ATTEMPTS,
            )
        raise


@transaction.atomic
def claim_slice(*, slice_id: int, claimed_by: str) -> bool:
    """Take a slice of a running close that waits, or whose worker no longer holds its row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE repayments_dayrunslice
               SET work = 'running', claimed_by = %(by)s, attempts = attempts + 1, error = '',
                   started_at = clock_timestamp()
             WHERE id = (SELECT s.id FROM repayments_dayrunslice s JOIN repayments_dayrun r ON r.id = s.run_id
                          WHERE s.id = %(slice)s AND r.state = 'running' AND s.attempts < %(most)s
                            AND s.work IN ('queued', 'running')
                            FOR UPDATE OF s SKIP LOCKED)
            """,
            {"slice": slice_id, "by": claimed_by, "most": MOST_ATTEMPTS},
        )
        return cursor.rowcount == 1


@transaction.atomic
def free_slices() -> list[int]:
    """Queue again the slices whose worker is gone; they, and those that an error put back, in order.

    A slice that was begun ``MOST_ATTEMPTS`` times and never ended fails its run.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH left_behind AS (
                SELECT id, attempts >= %(most)s AS is_hopeless FROM repayments_dayrunslice
                 WHERE work = 'running' FOR UPDATE SKIP LOCKED)
            UPDATE repayments_dayrunslice s
               SET work = CASE WHEN is_hopeless THEN 'failed' ELSE 'queued' END, claimed_by = '',
                   error = CASE WHEN is_hopeless THEN %(sentence)s ELSE s.error END
              FROM left_behind l WHERE l.id = s.id
            """,
            {
                "most": MOST_ATTEMPTS,
                "sentence": f"Begun {MOST_ATTEMPTS} times; each time its worker ended without a word.",
            },
        )
    hopeless = DayRunSlice.objects.filter(work=DayRunSlice.Work.FAILED, run__state=DayRun.State.RUNNING)
    for lost in hopeless.order_by("number"):
        _give_up(lost)
    return _waiting_ids(attempts__gt=0)


def sweep_slices() -> list[int]:
    """Free what dead workers held, and name every slice of a running close that waits.

    Broker messages may be lost or doubled; this is what makes that harmless.
    """
    free_slices()
    return _waiting_ids()


def _waiting_ids(**which: Any) -> list[int]:
    waiting = DayRunSlice.objects.filter(
        work=DayRunSlice.Work.QUEUED, run__state=DayRun.State.RUNNING, **which
    )
    return list(waiting.order_by("run_id", "number").values_list("pk", flat=True))


@transaction.atomic
def _compute(slice_id: int, claimed_by: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_NOTICE_DEATH)
    mine = (
        DayRunSlice.objects.select_for_update(of=["self"])
        .select_related("run")
        .filter(pk=slice_id, work=DayRunSlice.Work.RUNNING, claimed_by=claimed_by)
        .first()
    )
    if mine is None:  # somebody took it between the claim and this lock
        return False
    run = mine.run
    scope = Scope.of_range(mine.first_loan_id, mine.last_loan_id)
    rows = measure_loans(scope, as_of=run.business_date, last_booking_id=run.last_booking_id).rows
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
        subloans=subloans_of_slice(run, rows, scope),
    )
    return True


def _settle(
    mine: DayRunSlice,
    *,
    computed: int,
    carried: int,
    without_policy: int,
    checksum: bytes,
    subloans: pd.DataFrame,
) -> None:
    """Under the run's lock: mark the slice done, add to what the run comes to, finish if it was the last."""
    run = DayRun.objects.select_for_update().get(pk=mine.run_id)
    add_to_base(run, subloans)
    DayRunSlice.objects.filter(pk=mine.pk).update(
        work=DayRunSlice.Work.DONE,
        done_count=F("total_count"),
        computed_count=computed,
        carried_count=carried,
        without_policy_count=without_policy,
        checksum=checksum,
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
def _note_failure(slice_id: int, claimed_by: str, error: str, *, allowed: int) -> None:
    mine = (
        DayRunSlice.objects.select_for_update()
        .filter(pk=slice_id, work=DayRunSlice.Work.RUNNING, claimed_by=claimed_by)
        .first()
    )
    if mine is None:
        return
    is_last_attempt = mine.attempts >= allowed
    mine.work = DayRunSlice.Work.FAILED if is_last_attempt else DayRunSlice.Work.QUEUED
    mine.error = error
    mine.save(update_fields=["work", "error"])
    if is_last_attempt:
        _give_up(mine)


def _give_up(lost: DayRunSlice) -> None:
    """The run has failed with a slice that failed."""
    DayRun.objects.filter(pk=lost.run_id, state=DayRun.State.RUNNING).update(
        state=DayRun.State.FAILED, error=f"{lost} failed {lost.attempts} times: {lost.error}"
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
