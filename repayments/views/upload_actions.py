"""What people do to an upload: confirm, discard, check again, put a row right."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from daybook.formats import number
from lending.selectors.contracts import words_of
from partners.access import Role, requires
from partners.models import User
from repayments import tasks
from repayments.forms.uploads import RowForm
from repayments.matching.loans import candidates_for
from repayments.models import Upload, UploadRow
from repayments.parsing.fields import FIELDS
from repayments.selectors.uploads import loans_to_choose
from repayments.services.upload_words import say
from repayments.services.uploads import (
    CannotChangeRow,
    CannotConfirmUpload,
    CannotDiscardUpload,
    confirm_upload,
    correct_row,
    discard_row,
    discard_upload,
    recheck_upload,
    resolve_row,
    retry_upload,
)

_REFUSALS = (CannotChangeRow, CannotConfirmUpload, CannotDiscardUpload)


def _upload(pk: int) -> Upload:
    return get_object_or_404(Upload.objects.defer("content"), pk=pk)


def _back(pk: int) -> HttpResponse:
    return redirect("repayments:upload", pk=pk)


def _queue_check(upload_id: int) -> None:
    """A list of sub-loans is checked again by the worker; repayments are by now."""
    if Upload.objects.filter(pk=upload_id, state=Upload.State.PREVIEW, work=Upload.Work.QUEUED).exists():
        transaction.on_commit(partial(tasks.reassess_upload.delay, upload_id))


@require_POST
@requires(Role.CHECKER)
def confirm(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The second person lets the ready rows be posted."""
    try:
        confirm_upload(
            upload=_upload(pk),
            confirmed_by=request.user,  # type: ignore[arg-type]
            accepts_warnings=request.POST.get("accepts_warnings") == "on",
        )
    except CannotConfirmUpload as error:
        messages.error(request, str(error))
    else:
        transaction.on_commit(partial(tasks.post_upload.delay, pk))
    return _back(pk)


@require_POST
@requires(Role.MAKER, Role.CHECKER)
def discard(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Set the upload aside."""
    try:
        discard_upload(upload=_upload(pk), discarded_by=request.user, reason=request.POST.get("reason", ""))  # type: ignore[arg-type]
    except CannotDiscardUpload as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The upload is discarded; its file is kept."))
    return _back(pk)


@require_POST
@requires(Role.MAKER, Role.CHECKER)
def retry(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Queue work that was put down after an error."""
    try:
        upload = retry_upload(upload=_upload(pk), asked_by=request.user)  # type: ignore[arg-type]
    except CannotConfirmUpload as error:
        messages.error(request, str(error))
        return _back(pk)
    task = {
        Upload.State.RECEIVED: tasks.read_upload,
        Upload.State.PREVIEW: tasks.reassess_upload,
        Upload.State.CONFIRMED: tasks.post_upload,
    }[Upload.State(upload.state)]
    transaction.on_commit(partial(task.delay, pk))
    return _back(pk)


@require_POST
@requires(Role.MAKER)
def recheck(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Assess the rows again: loans may have been opened, or other uploads discarded, since."""
    try:
        recheck_upload(upload=_upload(pk))
    except CannotChangeRow as error:
        messages.error(request, str(error))
    else:
        _queue_check(pk)
    return _back(pk)


@requires(Role.MAKER)
def row(request: HttpRequest, pk: int, row_number: int) -> HttpResponseBase:
    """Put one row right: other text for its cells, the loan it means, or leave it out."""
    upload = _upload(pk)
    found = get_object_or_404(upload.rows.select_related("loan"), row_number=row_number)
    columns = sorted(upload.columns.items(), key=lambda column: (len(column[1][0]), column[1][0]))
    filled = {spec.name for spec in FIELDS[upload.kind] if spec.filled}
    cells = [
        (
            letter,
            f"{letter} · {heading}",
            str(found.corrections.get(letter, found.cells.get(letter, ""))),
            name in filled,
        )
        for name, (letter, heading) in columns
    ]
    form = RowForm(request.POST if request.POST.get("act") == "correct" else None, cells=cells)
    if request.method == "POST":
        try:
            with transaction.atomic():
                done = _act(request, upload, found, form)
        except _REFUSALS as error:
            messages.error(request, str(error))
        else:
            if done:
                _queue_check(pk)
                return redirect(f"{reverse('repayments:upload', args=[pk])}#row-{row_number}")
    tell = words_of(upload.institution_id).tell
    reason, remedy = say(found.fault, tell) if found.fault else (found.reason, found.remedy)
    context: dict[str, Any] = {
        "title": _("Row %(row)s") % {"row": number(row_number)},
        "subtitle": upload.file_name,
        "crumbs": [
            (_("Uploads"), reverse("repayments:uploads")),
            (_("Upload %(number)s") % {"number": number(pk)}, reverse("repayments:upload", args=[pk])),
        ],
        "upload": upload, "row": found, "form": form, "reason": reason, "remedy": remedy,
        "raw": [(letter, heading, found.cells.get(letter, "")) for letter, heading in columns],
        "loans": _choices(upload, found),
    }  # fmt: skip
    return render(request, "repayments/uploads/row.html", context)


def _act(request: HttpRequest, upload: Upload, found: UploadRow, form: RowForm) -> bool:
    user = cast(User, request.user)
    act = request.POST.get("act")
    if act == "discard":
        discard_row(
            upload=upload, row_number=found.row_number, changed_by=user, reason=request.POST.get("reason", "")
        )
        return True
    loan = request.POST.get("loan", "")
    if act == "resolve" and loan.isdecimal():
        resolve_row(upload=upload, row_number=found.row_number, loan_id=int(loan), changed_by=user)
        return True
    if act == "correct" and form.is_valid():
        changed = form.corrections()
        if changed:
            correct_row(
                upload=upload, row_number=found.row_number, corrections=changed, changed_by=user,
                reason=form.cleaned_data["reason"],
            )  # fmt: skip
        return True
    return False


def _choices(upload: Upload, found: UploadRow) -> Any:
    if found.state != UploadRow.State.AMBIGUOUS:
        return []
    key = str(found.values.get("account_key", ""))
    ids = candidates_for(institution_id=upload.institution_id, keys=[key]).get(key, [])
    return loans_to_choose(institution_id=upload.institution_id, loan_ids=ids)


urls = [
    path("uploads/<int:pk>/confirm/", confirm, name="upload-confirm"),
    path("uploads/<int:pk>/discard/", discard, name="upload-discard"),
    path("uploads/<int:pk>/retry/", retry, name="upload-retry"),
    path("uploads/<int:pk>/check/", recheck, name="upload-recheck"),
    path("uploads/<int:pk>/rows/<int:row_number>/", row, name="upload-row"),
]
