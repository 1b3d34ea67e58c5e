"""Work that Celery carries for repayments. Arguments are ids and ISO dates; every row has its own lease."""

from __future__ import annotations

import os
import socket
from datetime import date
from uuid import uuid4

from celery import shared_task
from django.utils import timezone

from daybook.selectors import BooksNotOpen, open_business_date
from repayments.models import DayRun
from repayments.services import close, close_slices, uploads

CATCH_UP = "Close of due days"


def worker_name() -> str:
    """This process, as a lease names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


@shared_task(name="repayments.tasks.start_close")
def start_close(closing: str = "", opening: str = "", started_by: str = "") -> None:
    """Close a date (ISO; the open one when empty) through the workers."""
    run = close.start_close(
        closing=date.fromisoformat(closing) if closing else None,
        opening=date.fromisoformat(opening) if opening else None,
        started_by=started_by or CATCH_UP,
    )
    queue_slices(run)


@shared_task(name="repayments.tasks.close_slice")
def close_slice(slice_id: int) -> None:
    """Compute and write one slice; after the last of a night's close, see whether another day is due."""
    close_slices.work_slice(slice_id=slice_id, claimed_by=worker_name())
    run = DayRun.objects.get(slices__pk=slice_id)
    if run.started_by == CATCH_UP and run.state in (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS):
        close_due_days.delay()


@shared_task(name="repayments.tasks.close_due_days")
def close_due_days() -> None:
    """Begin the close of the oldest open day before today, if none runs; each close leads to the next."""
    try:
        is_due = open_business_date() < timezone.localdate()
        if is_due:
            queue_slices(close.start_close(started_by=CATCH_UP))
    except (BooksNotOpen, close.CannotClose):
        return


@shared_task(name="repayments.tasks.sweep_close")
def sweep_close() -> None:
    """Queue what a dead worker or a lost message left behind of the running close."""
    for slice_id in close_slices.sweep_slices():
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


@shared_task(name="repayments.tasks.sweep")
def sweep() -> None:
    """Everything that may lie unfinished."""
    sweep_uploads()
    sweep_close()


def holder_name() -> str:
    """This one run of a task, as a lease names it: a message delivered twice makes two holders."""
    return f"{worker_name()}:{uuid4().hex[:8]}"
