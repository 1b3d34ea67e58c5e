"""Files from institutions: received, looked at by two people, posted by a worker.

A maker sends the file and puts its rows right; a checker, another person, confirms; the worker posts. Reading
and posting (``read_upload``, ``post_upload``) are called by the worker's tasks only.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.db.models import CharField, QuerySet
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext as _

from daybook.models import AuditEntry
from daybook.services import record
from lending.models import Agreement, Application
from partners.access import actor_of
from partners.models import Institution, User
from repayments.faults import CAUTIONS, CannotReadFile
from repayments.models import Upload, UploadRow
from repayments.parsing.sniff import file_type
from repayments.services.leases import requeue_lapsed
from repayments.services.upload_posting import post_upload
from repayments.services.upload_reading import read_upload, reassess, reassess_upload
from repayments.services.upload_rows import CHOSEN_LOAN
from repayments.services.upload_words import refusal, state_in_english

__all__ = [
    "CannotChangeRow",
    "CannotConfirmUpload",
    "CannotDiscardUpload",
    "CannotReceiveUpload",
    "confirm_upload",
    "correct_row",
    "discard_row",
    "discard_upload",
    "post_upload",
    "read_upload",
    "reassess_upload",
    "receive_upload",
    "recheck_upload",
    "resolve_row",
    "retry_upload",
    "uploads_to_sweep",
]

Kind, State, Work = Upload.Kind, Upload.State, Upload.Work
RowState = UploadRow.State
_CELL = 160


class CannotReceiveUpload(Exception):
    """The file is refused at the door; the sentence says why and what to do."""


class CannotConfirmUpload(Exception):
    """The upload is not this person's to confirm, or not ready to be."""


class CannotDiscardUpload(Exception):
    """The upload is posted, or about to be."""


class CannotChangeRow(Exception):
    """The row may not be changed any more, or not like that."""


@transaction.atomic
def receive_upload(
    *,
    institution: Institution,
    kind: str,
    file_name: str,
    content: bytes,
    made_by: User,
    application: Application | None = None,
    agreement: Agreement | None = None,
    date_order: str = Upload.DateOrder.DAY_FIRST,
) -> Upload:
    """Take a file in, if it is one that can be read at all. The caller then queues ``read_upload``.

    Raises ``CannotReceiveUpload``: empty, too large, of a wrong type, a bomb, locked, with macros, or the
    very bytes of an upload that was not discarded.
    """
    if agreement is not None and agreement.institution_id != institution.pk:
        raise CannotReceiveUpload(_("Choose one of your own agreements."))
    if kind == Kind.BORROWERS and (application is None or application.institution_id != institution.pk):
        raise CannotReceiveUpload(_("Choose the application the borrowers belong to."))
    try:
        file_type(content)
        digest = hashlib.sha256(content).hexdigest()
        _refuse_same_bytes(institution, kind, digest, application)
    except CannotReadFile as error:
        raise CannotReceiveUpload(f"{file_name}: {refusal(error)}") from error
    upload = Upload.objects.create(
        institution=institution,
        kind=kind,
        application=application,
        agreement=agreement,
        date_order=date_order,
        file_name=file_name[-200:],
        content=content,
        size_bytes=len(content),
        content_sha256=digest,
        made_by=made_by,
    )
    _note(upload, "upload.receive", made_by, {"sha256": digest, "bytes": len(content), "kind": kind})
    return upload


def _refuse_same_bytes(
    institution: Institution, kind: str, digest: str, application: Application | None
) -> None:
    same = Upload.objects.filter(institution=institution, kind=kind, content_sha256=digest)
    if application is not None:
        same = same.filter(application=application)
    first = (
        same.exclude(state__in=[State.DISCARDED, State.UNREADABLE]).only("pk", "state").order_by("pk").first()
    )
    if first is not None:
        raise CannotReadFile("file.same_bytes", other=first.pk, state=state_in_english(first))


@transaction.atomic
def confirm_upload(*, upload: Upload, confirmed_by: User, accepts_warnings: bool = False) -> Upload:
    """Let an upload be posted, by a person who neither sent it nor changed a row of it.

    Rows that are not ready stay as they are and are not posted. The caller then queues ``post_upload``.
    Raises ``CannotConfirmUpload``.
    """
    held = _locked(upload.pk)
    if held.state != State.PREVIEW:
        raise CannotConfirmUpload(_not_open(held))
    if held.work in (Work.QUEUED, Work.RUNNING):
        raise CannotConfirmUpload(_("The rows are being checked again; wait a moment."))
    if held.made_by_id == confirmed_by.pk:
        raise CannotConfirmUpload(_("You sent this file; another person has to confirm it."))
    rows = held.rows.all()
    if rows.filter(changed_by=confirmed_by).exists() or _once_changed(rows, confirmed_by):
        raise CannotConfirmUpload(_("You changed rows of this file; another person has to confirm it."))
    ready = rows.filter(state=RowState.READY)
    ready_count = ready.count()
    if ready_count == 0:
        raise CannotConfirmUpload(_("No row is ready to be posted. Correct the rows, or discard the upload."))
    has_warnings = cautions_of(held) or ready.exclude(warnings=[]).exists()
    if has_warnings and not accepts_warnings:
        raise CannotConfirmUpload(_("The file has warnings. Read them, and accept them to confirm."))
    held.state, held.work = State.CONFIRMED, Work.QUEUED
    held.confirmed_by, held.accepts_warnings = confirmed_by, bool(has_warnings)
    held.done_count, held.total_count, held.attempts, held.error = 0, ready_count, 0, ""
    held.claimed_by, held.claimed_until, held.started_at, held.finished_at = "", None, None, None
    held.save(
        update_fields=[
            "state", "work", "confirmed_by", "accepts_warnings", "done_count", "total_count",
            "attempts", "error", "claimed_by", "claimed_until", "started_at", "finished_at",
        ]
    )  # fmt: skip
    Upload.objects.filter(pk=held.pk).update(queued_at=Now(), confirmed_at=Now())
    _note(held, "upload.confirm", confirmed_by, {"rows": ready_count, "accepts_warnings": bool(has_warnings)})
    return held


def _once_changed(rows: QuerySet[UploadRow], person: User) -> bool:
    """Whether the trail names the person at a row that somebody else changed afterwards."""
    return AuditEntry.objects.filter(
        actor_id=person.pk,
        action__startswith="upload_row.",
        subject_type=UploadRow._meta.label_lower,
        subject_id__in=rows.exclude(changed_by=None).values_list(Cast("pk", CharField()), flat=True),
    ).exists()


def cautions_of(upload: Upload) -> list[dict[str, Any]]:
    """The warnings about the file as a whole that a checker has to accept."""
    return [entry for entry in upload.messages if entry["code"] in CAUTIONS]


@transaction.atomic
def discard_upload(*, upload: Upload, discarded_by: User, reason: str = "") -> Upload:
    """Set an upload aside for good. Its file and rows are kept. Raises ``CannotDiscardUpload``."""
    held = _locked(upload.pk)
    failed_posting = held.state == State.CONFIRMED and held.work == Work.FAILED
    if held.state not in (State.RECEIVED, State.UNREADABLE, State.PREVIEW) and not failed_posting:
        raise CannotDiscardUpload(_not_open(held))
    held.state, held.work = State.DISCARDED, Work.DONE
    held.save(update_fields=["state", "work"])
    _note(held, "upload.discard", discarded_by, {}, reason)
    return held


@transaction.atomic
def retry_upload(*, upload: Upload, asked_by: User) -> Upload:
    """Queue work that was put down after an error; the caller then queues the task.

    Raises ``CannotConfirmUpload``.
    """
    held = _locked(upload.pk)
    if held.work != Work.FAILED:
        raise CannotConfirmUpload(_not_open(held))
    held.work, held.attempts, held.error, held.done_count = Work.QUEUED, 0, "", 0
    held.save(update_fields=["work", "attempts", "error", "done_count"])
    Upload.objects.filter(pk=held.pk).update(queued_at=Now())
    _note(held, "upload.retry", asked_by, {})
    return held


def correct_row(
    *, upload: Upload, row_number: int, corrections: dict[str, str], changed_by: User, reason: str = ""
) -> UploadRow:
    """Put other text in place of cells of a row (by column letter); the cells as sent are kept beside.

    The whole file is then assessed again, for a corrected row may free or repeat another.
    Raises ``CannotChangeRow``.
    """
    letters = {letter for letter, _heading in upload.columns.values()}
    unknown = corrections.keys() - letters
    if unknown:
        raise CannotChangeRow(_("Column %(letters)s is not read.") % {"letters": ", ".join(sorted(unknown))})
    return _change_row(
        upload, row_number, {k: v.strip()[:_CELL] for k, v in corrections.items()}, changed_by, reason
    )


def resolve_row(*, upload: Upload, row_number: int, loan_id: int, changed_by: User) -> UploadRow:
    """Say which of the loans that fit an ambiguous row is meant. Raises ``CannotChangeRow``."""
    row = _change_row(upload, row_number, {CHOSEN_LOAN: loan_id}, changed_by, "")
    if row.loan_id != loan_id:
        raise CannotChangeRow(_("That loan does not have the account number of this row."))
    return row


@transaction.atomic
def _change_row(
    upload: Upload, row_number: int, changes: dict[str, Any], changed_by: User, reason: str
) -> UploadRow:
    held = _locked(upload.pk)
    row = _open_row(held, row_number)
    before = {letter: row.corrections.get(letter, row.cells.get(letter, "")) for letter in changes}
    row.corrections = row.corrections | changes
    row.changed_by = changed_by
    row.save(update_fields=["corrections", "changed_by"])
    _assess_again(held)
    record(
        actor=actor_of(changed_by), action="upload_row.correct", subject=row,
        institution_id=held.institution_id,
        before=before, after=changes, reason=reason,
    )  # fmt: skip
    row.refresh_from_db()
    return row


@transaction.atomic
def discard_row(*, upload: Upload, row_number: int, changed_by: User, reason: str = "") -> UploadRow:
    """Leave a row out. It stays on file as discarded. Raises ``CannotChangeRow``."""
    held = _locked(upload.pk)
    row = _open_row(held, row_number)
    before = row.state
    row.state, row.changed_by = RowState.DISCARDED, changed_by
    row.save(update_fields=["state", "changed_by"])
    _assess_again(held)
    record(
        actor=actor_of(changed_by), action="upload_row.discard", subject=row,
        institution_id=held.institution_id,
        before={"state": before}, after={"state": row.state}, reason=reason,
    )  # fmt: skip
    return row


@transaction.atomic
def recheck_upload(*, upload: Upload) -> Upload:
    """Assess the open rows again: loans may have been opened, receipts posted or reversed since."""
    held = _locked(upload.pk)
    if held.state != State.PREVIEW:
        raise CannotChangeRow(_not_open(held))
    _assess_again(held)
    return held


def _assess_again(upload: Upload) -> None:
    """Assess the open rows, or queue that for the worker.

    A list of borrowers is compared with other institutions' borrowers, whom a partner's session cannot see;
    so the worker does it, and the caller queues ``reassess_upload`` for an upload whose work is queued.
    """
    if upload.kind != Kind.REPAYMENTS:
        Upload.objects.filter(pk=upload.pk).update(
            work=Work.QUEUED, queued_at=Now(), attempts=0, done_count=0, error=""
        )
        upload.work = Work.QUEUED
        return
    reassess(upload)


def uploads_to_sweep() -> dict[str, list[int]]:
    """Ids of uploads whose reading or posting is due again: a message was lost, or a worker died."""
    return {
        "read": requeue_lapsed(Upload, state=State.RECEIVED),
        "reassess": requeue_lapsed(Upload, state=State.PREVIEW),
        "post": requeue_lapsed(Upload, state=State.CONFIRMED),
    }


def _locked(upload_id: int) -> Upload:
    return Upload.objects.defer("content").select_for_update(no_key=True).get(pk=upload_id)


def _open_row(upload: Upload, row_number: int) -> UploadRow:
    if upload.state != State.PREVIEW:
        raise CannotChangeRow(_not_open(upload))
    row = upload.rows.filter(row_number=row_number).first()
    if row is None:
        raise CannotChangeRow(_("The file has no row %(row)s.") % {"row": row_number})
    if row.state in (RowState.POSTED, RowState.DISCARDED):
        raise CannotChangeRow(
            _("Row %(row)s is %(state)s and stays so.")
            % {"row": row_number, "state": row.get_state_display().lower()}
        )
    return row


def _not_open(upload: Upload) -> str:
    who = str(upload.confirmed_by) if upload.confirmed_by else ""
    if upload.state in (State.CONFIRMED, State.POSTED) and who:
        return _("Upload %(number)s was confirmed by %(who)s and cannot be changed.") % {
            "number": upload.pk,
            "who": who,
        }
    return _("Upload %(number)s is not open: %(state)s.") % {
        "number": upload.pk,
        "state": upload.get_state_display().lower(),
    }


def _note(upload: Upload, action: str, by: User, after: dict[str, Any], reason: str = "") -> None:
    record(
        actor=actor_of(by), action=action, subject=upload, institution_id=upload.institution_id, after=after,
        reason=reason,
    )  # fmt: skip
