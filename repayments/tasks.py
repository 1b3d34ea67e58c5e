"""Work that Celery carries for repayments. Arguments are ids and ISO dates; every row has its own lease.

Messages may be lost or doubled: what is to be done stands in a row; ``sweep`` sends again what nobody took.
"""

from __future__ import annotations

import logging
import os
import socket
from uuid import uuid4

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from daybook import heartbeats
from daybook.selectors import BooksNotOpen
from repayments.models import ClassificationReturn, DayRun, DayRunSlice
from repayments.selectors.nightly import earlier_clock
from repayments.services import close, close_slices, nightly, notices, retention, returns, uploads
from repayments.services.leases import requeue_lapsed

logger = logging.getLogger("paikar.close")


def worker_name() -> str:
    """This process, as a lease names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="repayments.tasks.answer_close_request")
def answer_close_request(request_id: int) -> None:
    """Begin the close that a person asked for."""
    run = nightly.answer_request(request_id=request_id)
    if run is not None:
        queue_slices(run)


@shared_task(name="repayments.tasks.close_slice")
def close_slice(slice_id: int) -> None:
    """Compute and write one slice; when it was the last, tell, and see whether another day is due."""
    if not close_slices.work_slice(slice_id=slice_id, claimed_by=holder_name()):
        return
    mine = DayRunSlice.objects.select_related("run").get(pk=slice_id)
    run = mine.run
    seconds = (
        (mine.finished_at - mine.started_at).total_seconds() if mine.finished_at and mine.started_at else 0
    )
    logger.info(
        "slice written",
        extra={"run": run.pk, "slice": mine.number, "loans": mine.loan_count, "seconds": round(seconds, 2)},
    )
    if run.state == DayRun.State.RUNNING:
        take_up_slices()
        return
    logger.info(
        "close ended",
        extra={
            "run": run.pk, "business_date": run.business_date, "state": run.state, "loans": run.loan_count,
            "carried": run.carried_count, "without_policy": run.without_policy_count,
        },
    )  # fmt: skip
    tell_of_closes.delay()
    if run.started_by == nightly.CATCH_UP and run.state != DayRun.State.FAILED:
        close_due_days.delay()


@shared_task(name="repayments.tasks.close_due_days")
def close_due_days() -> None:
    """Begin the close of the oldest open day that is due, if none runs; each close leads to the next."""
    try:
        run = nightly.start_due_close(now=earlier_clock(timezone.now()))
    except (BooksNotOpen, close.CannotClose) as refusal:
        logger.info("no close begun: %s", refusal)
        return
    if run is None:
        return
    logger.info("close begun", extra={"run": run.pk, "business_date": run.business_date})
    queue_slices(run)
    if not run.slice_count:  # books without a loan: nobody else would go on
        close_due_days.delay()


@shared_task(name="repayments.tasks.tell_of_closes")
def tell_of_closes() -> None:
    """Write to people about closes that failed, ended with exceptions or are late, once for each."""
    notices.notice_closes(now=timezone.now())
    for notice_id in notices.untold():
        notices.tell(notice_id=notice_id, on=timezone.localdate())


@shared_task(name="repayments.tasks.sweep_close")
def sweep_close() -> None:
    """Queue what a dead worker or a lost message left behind of the running close, and of asking for one."""
    requests = nightly.waiting_requests()
    for request_id in requests:
        answer_close_request.delay(request_id)
    slices = close_slices.sweep_slices()
    for slice_id in slices:
        close_slice.delay(slice_id)
    heartbeats.beat("close", found=len(requests) + len(slices))


@shared_task(name="repayments.tasks.take_up_slices")
def take_up_slices() -> None:
    """Send again, at once, the slices that dead workers left behind and those that an error put back."""
    for slice_id in close_slices.free_slices():
        close_slice.delay(slice_id)


def queue_slices(run: DayRun) -> None:
    """Send one message for each slice that waits."""
    for slice_id in close.queued_slice_ids(run):
        close_slice.delay(slice_id)


@shared_task(name="repayments.tasks.read_upload")
def read_upload(upload_id: int) -> None:
    """Read a received file into rows."""
    uploads.read_upload(upload_id=upload_id, claimed_by=holder_name())


@shared_task(name="repayments.tasks.reassess_upload")
def reassess_upload(upload_id: int) -> None:
    """Check the rows of a file in preview again."""
    uploads.reassess_upload(upload_id=upload_id, claimed_by=holder_name())


@shared_task(name="repayments.tasks.post_upload")
def post_upload(upload_id: int) -> None:
    """Post a confirmed file."""
    uploads.post_upload(upload_id=upload_id, claimed_by=holder_name())


@shared_task(name="repayments.tasks.sweep_uploads")
def sweep_uploads() -> None:
    """Queue the reading and posting that a dead worker or a lost message left behind."""
    due = uploads.uploads_to_sweep()
    for upload_id in due["read"]:
        read_upload.delay(upload_id)
    for upload_id in due["reassess"]:
        reassess_upload.delay(upload_id)
    for upload_id in due["post"]:
        post_upload.delay(upload_id)
    heartbeats.beat("uploads", found=sum(map(len, due.values())))


@shared_task(name="repayments.tasks.compute_return")
def compute_return(return_id: int) -> None:
    """Write the lines of a drafted return."""
    returns.compute_return(return_id=return_id, claimed_by=holder_name())


@shared_task(name="repayments.tasks.sweep_returns")
def sweep_returns() -> None:
    """Queue the drafting that a dead worker or a lost message left behind."""
    for return_id in requeue_lapsed(ClassificationReturn, state=ClassificationReturn.State.DRAFT):
        compute_return.delay(return_id)


@shared_task(name="repayments.tasks.retain_snapshots")
def retain_snapshots() -> None:
    """Drop the daily snapshots of months past the retention; their month ends stay."""
    retention.retain_snapshots(months=settings.SNAPSHOT_MONTHS)


@shared_task(name="repayments.tasks.sweep")
def sweep() -> None:
    """Everything that may lie unfinished."""
    sweep_uploads()
    sweep_returns()
    sweep_close()


def holder_name() -> str:
    """This one run of a task, as a lease names it: a message delivered twice makes two holders."""
    return f"{worker_name()}:{uuid4().hex[:8]}"
