"""The worker posts a confirmed upload: every ready row in one transaction, or none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from django.db import connection, transaction
from django.db.models.functions import Now

from daybook.models import Booking
from daybook.services import book, record
from lending.models import Tier
from partners.access import actor_of
from repayments.faults import RowFaults
from repayments.matching.duplicates import mark_posted
from repayments.models import Receipt, Upload, UploadRow
from repayments.parsing.fields import CLASSES
from repayments.services import leases
from repayments.services.posting import CannotPostReceipts, post_receipts
from repayments.services.upload_list_posting import CannotPostList, post_list
from repayments.services.upload_rows import mark_rows

State, Work = Upload.State, Upload.Work
_CHUNK = 2_000
"""Rows handed to posting at once: few statements, and a progress bar that moves."""

_READY = """
SELECT r.id, r.row_number, r.loan_id, r.value_date, r.amount_minor, r.reference,
       (r."values"->>'principal_minor')::bigint, (r."values"->>'interest_minor')::bigint,
       (r."values"->>'charge_minor')::bigint
  FROM repayments_uploadrow r WHERE r.upload_id = %s AND r.state = 'ready'
 ORDER BY r.loan_id, r.value_date, r.row_number
"""
_COLUMNS = ["id", "row_number", "loan_id", "value_date", "amount_minor", "reference",
            "reported_principal_minor", "reported_interest_minor", "reported_charge_minor"]  # fmt: skip


def post_upload(*, upload_id: int, claimed_by: str) -> bool:
    """Post a confirmed upload. False when there is nothing to do: another worker has it, or it is posted.

    Everything is one transaction, which ends only if the upload is still held by this worker: a worker that
    was killed, or overtaken while it slept, leaves nothing behind, and a doubled message finds nothing.
    """
    if not leases.claim(Upload, upload_id, claimed_by=claimed_by, state=State.CONFIRMED):
        return False
    upload = Upload.objects.defer("content").select_related("confirmed_by").get(pk=upload_id)
    if upload.attempts > leases.MAX_ATTEMPTS:
        error = f"The worker stopped {leases.MAX_ATTEMPTS} times while posting; nothing is posted."
        leases.fail(Upload, upload_id, claimed_by=claimed_by, error=error)
        return False
    try:
        with leases.reporting(Upload, upload_id, claimed_by=claimed_by) as report:
            _post(upload, report)
    except leases.LeaseLost:
        return False
    except (CannotPostReceipts, CannotPostList) as refusal:
        leases.fail(Upload, upload_id, claimed_by=claimed_by, error=str(refusal))
    except leases.DATABASE_AWAY:
        raise  # the hold lapses, and the sweeper sends the work again
    except Exception as error:
        leases.fail(Upload, upload_id, claimed_by=claimed_by, error=f"{type(error).__name__}: {error}"[:500])
        raise
    return True


@transaction.atomic
def _post(upload: Upload, report: leases.Report) -> None:
    confirmed_by = upload.confirmed_by
    if confirmed_by is None:
        raise leases.LeaseLost(f"upload {upload.pk} is not confirmed")
    booking = book(
        purpose=f"upload.{upload.kind}",
        actor=actor_of(confirmed_by),
        institution_id=upload.institution_id,
        reason=upload.file_name,
    )
    post = {Upload.Kind.REPAYMENTS: _post_receipts, Upload.Kind.POSITIONS: _post_positions}.get(
        Upload.Kind(upload.kind), post_list
    )
    posted = post(upload, booking, report)
    held = Upload.objects.filter(
        pk=upload.pk, state=State.CONFIRMED, work=Work.RUNNING, claimed_by=upload.claimed_by
    )
    ended = held.update(
        state=State.POSTED, work=Work.DONE, booking=booking, claimed_until=None, finished_at=Now(),
        done_count=posted, total_count=posted,
    )  # fmt: skip
    if ended != 1:
        raise leases.LeaseLost(f"upload {upload.pk}")
    record(
        actor=actor_of(confirmed_by),
        action="upload.post",
        subject=upload,
        institution_id=upload.institution_id,
        after={"posted": posted},
        booking=booking,
    )


def _post_receipts(upload: Upload, booking: Booking, report: leases.Report) -> int:
    rows = _ready_rows(upload)
    _lock_loans(rows)
    rows = _without_posted_meanwhile(upload, rows)
    done = 0
    report(done, len(rows))
    for chunk in _whole_loans(rows):
        receipts = pd.DataFrame(
            {
                "loan_id": chunk["loan_id"],
                "institution_id": upload.institution_id,
                "tier": Tier.SUBLOAN.value,
                "channel": Receipt.Channel.UPLOAD.value,
                "value_date": chunk["value_date"],
                "amount_minor": chunk["amount_minor"],
                "external_reference": chunk["reference"],
                **{name: chunk[name] for name in _COLUMNS[-3:]},
                "upload_row_id": chunk["id"],
            }
        )
        post_receipts(receipts=receipts, booking=booking)
        done += len(chunk)
        report(done, len(rows))
    UploadRow.objects.filter(pk__in=rows["id"].tolist()).update(state=UploadRow.State.POSTED)
    return len(rows)


def _post_positions(upload: Upload, booking: Booking, report: leases.Report) -> int:
    """What the institution states, as facts of its own: no figure of ours changes."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO repayments_reportedposition (loan_id, institution_id, as_of, outstanding_minor,
                   overdue_minor, declared_class, upload_row_id, booking_id)
            SELECT r.loan_id, r.institution_id, r.value_date, r.amount_minor,
                   (r."values"->>'overdue_minor')::bigint,
                   array_position(%s::text[], nullif(r."values"->>'declared_class', '')) - 1, r.id, %s
              FROM repayments_uploadrow r WHERE r.upload_id = %s AND r.state = 'ready' ORDER BY r.row_number
            """,
            [list(CLASSES), booking.pk, upload.pk],
        )
        done = cursor.rowcount
    upload.rows.filter(state=UploadRow.State.READY).update(state=UploadRow.State.POSTED)
    report(done, done)
    return done


def _ready_rows(upload: Upload) -> pd.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(_READY, [upload.pk])
        rows = pd.DataFrame(cursor.fetchall(), columns=_COLUMNS)
    return rows.astype(dict.fromkeys(_COLUMNS[-3:], "Int64"))


def _lock_loans(rows: pd.DataFrame) -> None:
    """All loans of the file, before anything is asked of them; posting locks them again, which is free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_lock_loans(%s)", [np.unique(rows["loan_id"]).tolist()])


def _without_posted_meanwhile(upload: Upload, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose references another file has posted since the preview become duplicates."""
    asked = rows.set_index("row_number")
    faults = RowFaults(asked.index)
    column = upload.columns["reference"][0]
    mark_posted(asked, faults, institution_id=upload.institution_id, upload_id=upload.pk, column=column)
    if not faults.clean.all():
        mark_rows(upload, faults)
    return rows[faults.clean]


def _whole_loans(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Pieces of about ``_CHUNK`` rows that never part a loan's rows; loans rise from piece to piece."""
    position = (
        rows.groupby("loan_id", sort=True)["loan_id"].transform("size").groupby(rows["loan_id"]).cumcount()
    )
    first = (np.arange(len(rows)) - position.to_numpy()) // _CHUNK
    for _, piece in rows.groupby(first, sort=True):
        yield piece
