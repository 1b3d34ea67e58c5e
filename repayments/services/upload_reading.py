"""The worker reads a file: bytes to rows in named states, all of them or none."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from daybook.selectors import open_business_date
from daybook.services import Actor, record
from repayments.faults import CannotReadFile, message
from repayments.matching.duplicates import rows_digest
from repayments.models import Upload, UploadRow
from repayments.parsing.read import read_file
from repayments.parsing.understand import Understood, taka
from repayments.services import leases
from repayments.services.upload_rows import Rows, assess, insert_rows, rows_of, update_rows
from repayments.services.upload_words import state_in_english

READER = Actor(id=None, name="Reader of files")
State, Work = Upload.State, Upload.Work
_STEPS = 4


def read_upload(*, upload_id: int, claimed_by: str) -> bool:
    """Read a received upload. False when there is nothing to do: another worker has it, or it is read.

    Safe to call any number of times. A file that cannot be read is refused with words for the sender; the
    same rows as an earlier upload are refused with a pointer to it.
    """
    if not leases.claim(Upload, upload_id, claimed_by=claimed_by, state=State.RECEIVED):
        return False
    upload = Upload.objects.get(pk=upload_id)
    try:
        if upload.attempts > leases.MAX_ATTEMPTS:
            raise CannotReadFile("file.reader_stopped", attempts=leases.MAX_ATTEMPTS)
        with leases.reporting(Upload, upload_id, claimed_by=claimed_by) as report:
            _read(upload, report)
    except CannotReadFile as error:
        _refuse(upload, error)
    except leases.LeaseLost:
        return False
    except IntegrityError as error:
        if "upload_same_rows_once" not in str(error):
            raise
        _refuse(upload, _same_rows(upload) or CannotReadFile("file.no_rows"))
    except leases.DATABASE_AWAY:
        raise  # the hold lapses, and the sweeper sends the work again
    except Exception as error:
        leases.fail(Upload, upload_id, claimed_by=claimed_by, error=f"{type(error).__name__}: {error}"[:500])
        raise
    return True


def reassess(upload: Upload) -> None:
    """Assess the rows that are neither posted nor discarded again, in the caller's transaction."""
    closed = (UploadRow.State.POSTED, UploadRow.State.DISCARDED)
    rows = rows_of(upload, states=[state for state in UploadRow.State.values if state not in closed])
    if len(rows.cells):
        understood = assess(upload, rows, business_date=open_business_date())
        update_rows(upload, understood)
        _compare_total_again(upload, understood)


def reassess_upload(*, upload_id: int, claimed_by: str) -> bool:
    """The worker assesses an upload in preview again. False when there is nothing to do."""
    if not leases.claim(Upload, upload_id, claimed_by=claimed_by, state=State.PREVIEW):
        return False
    upload = Upload.objects.defer("content").get(pk=upload_id)
    try:
        with transaction.atomic():
            reassess(upload)
            held = Upload.objects.filter(
                pk=upload_id, state=State.PREVIEW, work=Work.RUNNING, claimed_by=claimed_by
            )
            if held.update(work=Work.WAITING, claimed_until=None, finished_at=Now()) != 1:
                raise leases.LeaseLost(f"upload {upload_id}")
    except leases.LeaseLost:
        return False
    except leases.DATABASE_AWAY:
        raise  # the hold lapses, and the sweeper sends the work again
    except Exception as error:
        leases.fail(Upload, upload_id, claimed_by=claimed_by, error=f"{type(error).__name__}: {error}"[:500])
        raise
    return True


@transaction.atomic
def _read(upload: Upload, report: leases.Report) -> None:
    report(0, _STEPS)
    read = read_file(bytes(upload.content), file_name=upload.file_name, kind=upload.kind)
    report(1, _STEPS)
    upload.columns = {name: list(found) for name, found in read.columns.items()}
    rows = Rows(cells=read.cells, marks=read.marks, corrections={})
    understood = assess(upload, rows, business_date=open_business_date())
    upload.rows_sha256 = rows_digest(understood.values, read.cells)
    if same := _same_rows(upload):
        raise same
    report(2, _STEPS)
    insert_rows(upload, rows, understood)
    report(3, _STEPS)
    found = int(understood.values["amount_minor"].sum())
    read.messages += _total_caution(stated=read.stated_total_minor, found=found)
    count = len(read.cells)
    _finish(
        upload,
        state=State.PREVIEW,
        work=Work.WAITING,
        rows_sha256=upload.rows_sha256,
        sheet_name=read.sheet_name[:120],
        header_row=read.header_row,
        columns=upload.columns,
        stated_total_minor=read.stated_total_minor,
        messages=read.messages,
        done_count=count,
        total_count=count,
    )
    states, counts = np.unique(np.where(understood.faults.clean, "ready", "not ready"), return_counts=True)
    _note(upload, "upload.read", dict(zip(states.tolist(), counts.tolist(), strict=True)))


def _total_caution(*, stated: int | None, found: int) -> list[dict[str, Any]]:
    """What to say when the rows do not come to the file's own total row (both in poisha)."""
    if stated is None or stated == found:
        return []
    return [message("file.total_differs", stated=taka(stated), found=taka(found))]


def _compare_total_again(upload: Upload, understood: Understood) -> None:
    """A corrected row may bring the rows to the file's total, which counts rows left out as well."""
    left_out = upload.rows.filter(state=UploadRow.State.DISCARDED).aggregate(sum=Sum("amount_minor"))["sum"]
    found = int(understood.values["amount_minor"].sum()) + (left_out or 0)
    told = [entry for entry in upload.messages if entry["code"] != "file.total_differs"]
    told += _total_caution(stated=upload.stated_total_minor, found=found)
    if told != upload.messages:
        upload.messages = told
        upload.save(update_fields=["messages"])


def _same_rows(upload: Upload) -> CannotReadFile | None:
    """The refusal that points to the first upload with these rows, if there is one that counts."""
    first = (
        Upload.objects.filter(
            institution_id=upload.institution_id, kind=upload.kind, rows_sha256=upload.rows_sha256
        )
        .exclude(state__in=[State.DISCARDED, State.UNREADABLE])
        .exclude(pk=upload.pk)
        .only("pk", "state", "file_name")
        .order_by("pk")
        .first()
    )
    if first is None:
        return None
    return CannotReadFile("file.same_rows", other=first.pk, state=state_in_english(first))


@transaction.atomic
def _refuse(upload: Upload, error: CannotReadFile) -> None:
    """Keep the file and say why it is refused. Nothing was written for it."""
    is_repeat = error.message["code"] == "file.same_rows"
    try:
        _finish(
            upload,
            state=State.DISCARDED if is_repeat else State.UNREADABLE,
            work=Work.DONE,
            messages=[error.message],
        )
    except leases.LeaseLost:
        return
    _note(upload, "upload.refuse", error.message)


def _finish(upload: Upload, **values: Any) -> None:
    """End the reader's hold. Raises ``LeaseLost`` when the row is no longer this reader's."""
    held = Upload.objects.filter(
        pk=upload.pk, state=State.RECEIVED, work=Work.RUNNING, claimed_by=upload.claimed_by
    )
    if held.update(claimed_until=None, finished_at=Now(), **values) != 1:
        raise leases.LeaseLost(f"upload {upload.pk}")


def _note(upload: Upload, action: str, after: dict[str, Any]) -> None:
    record(actor=READER, action=action, subject=upload, institution_id=upload.institution_id, after=after)
