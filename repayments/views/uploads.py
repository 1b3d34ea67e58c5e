"""Uploads: the list, sending a file, one upload through preview, confirmation and result."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import django_filters
import django_tables2 as tables
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from django.views.generic import FormView, TemplateView

from daybook.formats import number, taka_minor
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.pages import Page, Text
from daybook.tables import BadgeColumn, DayColumn, LinkColumn, MinorColumn, NumberColumn, PaikarTable
from lending.models import Agreement, Application
from lending.selectors.contracts import words_of
from partners.access import EVERYONE, Role, requires
from partners.models import Institution
from repayments import tasks
from repayments.faults import CAUTIONS, NOTICES
from repayments.forms.uploads import KINDS, UploadForm
from repayments.models import Upload, UploadRow
from repayments.parsing.fields import FIELDS
from repayments.selectors.uploads import sums_by_state, uploads
from repayments.services.upload_words import say
from repayments.services.uploads import CannotReceiveUpload, receive_upload
from repayments.views import upload_actions, upload_downloads

Kind, State, Work = Upload.Kind, Upload.State, Upload.Work
ROWS_A_PAGE = 50
STATE_WORDS: dict[str, Any] = {
    State.RECEIVED: gettext_lazy("Being read"),
    State.UNREADABLE: gettext_lazy("Refused"),
    State.PREVIEW: gettext_lazy("To be confirmed"),
    State.CONFIRMED: gettext_lazy("Being posted"),
    State.POSTED: gettext_lazy("Posted"),
    State.DISCARDED: gettext_lazy("Discarded"),
}
ROW_WORDS: dict[str, Any] = dict(UploadRow.State.choices)
KIND_SHORT: dict[str, Any] = {
    Kind.REPAYMENTS: gettext_lazy("Repayments"),
    Kind.SUBLOANS: gettext_lazy("Disbursements"),
    Kind.BORROWERS: gettext_lazy("Borrowers"),
    Kind.POSITIONS: gettext_lazy("Positions"),
}
KIND_WORDS: dict[str, Any] = {str(value): label for value, label in KINDS}


class UploadTable(PaikarTable):
    """One line for each file."""

    row_link = staticmethod(lambda record: reverse("repayments:upload", args=[record.pk]))

    pk = LinkColumn("repayments:upload", verbose_name=gettext_lazy("No."))
    received_at = DayColumn(verbose_name=gettext_lazy("Received"))
    institution = tables.Column(verbose_name=gettext_lazy("Institution"))
    kind = tables.Column(verbose_name=gettext_lazy("Holds"))
    file_name = tables.Column(verbose_name=gettext_lazy("File"), attrs={"td": {"class": "file-name"}})
    row_count = NumberColumn(verbose_name=gettext_lazy("Rows"))
    good_count = NumberColumn(verbose_name=gettext_lazy("Ready or posted"))
    good_minor = MinorColumn(verbose_name=gettext_lazy("Amount (Tk)"))
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=STATE_WORDS)
    sender = tables.Column(verbose_name=gettext_lazy("Sent by"))
    confirmer = tables.Column(verbose_name=gettext_lazy("Confirmed by"), default="–")

    class Meta(PaikarTable.Meta):
        model = Upload
        fields = (
            "pk", "received_at", "institution", "kind", "file_name", "row_count", "good_count", "good_minor",
            "state", "sender", "confirmer",
        )  # fmt: skip

    def render_kind(self, record: Upload) -> str:
        return str(KIND_SHORT[record.kind])


class UploadFilter(django_filters.FilterSet):
    """Find a file."""

    search = SearchFilter(columns=["file_name", "content_sha256"])
    state = django_filters.ChoiceFilter(
        choices=list(STATE_WORDS.items()), label=gettext_lazy("State"), empty_label=gettext_lazy("All")
    )
    kind = django_filters.ChoiceFilter(
        choices=list(KIND_SHORT.items()), label=gettext_lazy("Holds"), empty_label=gettext_lazy("All")
    )
    from_date = DayFilter("received_at__date", "gte", label=gettext_lazy("From"))
    to_date = DayFilter("received_at__date", "lte", label=gettext_lazy("To"))


class UploadList(ListPage):
    """Every file an institution sent; the foundation sees all."""

    required_roles = EVERYONE
    template_name = "repayments/uploads/list.html"
    title = gettext_lazy("Uploads")
    subtitle = gettext_lazy("Files from institutions: repayments, disbursements and intended borrowers.")
    table_class = UploadTable
    filterset_class = UploadFilter
    empty_text = gettext_lazy("No file has been sent yet.")

    def get_rows(self) -> QuerySet[Upload]:
        return uploads()

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}

    def get_empty_action(self) -> tuple[Text, str] | None:
        context = self.request.context  # type: ignore[attr-defined]
        return (_("Send a file"), reverse("repayments:upload-new")) if context.may(Role.MAKER) else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_send = self.request.context.may(Role.MAKER)  # type: ignore[attr-defined]
        return super().get_context_data(**{"may_send": may_send} | kwargs)


class UploadNew(Page, FormView):
    """Send a file: choose it or drop it, say what it holds."""

    required_roles = (Role.MAKER,)
    template_name = "repayments/uploads/new.html"
    title = gettext_lazy("Send a file")
    form_class = UploadForm

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Uploads"), reverse("repayments:uploads"))]

    def get_initial(self) -> dict[str, Any]:
        kind = self.request.GET.get("kind", Kind.REPAYMENTS)
        return {"kind": kind, "application": self.request.GET.get("application"), "date_order": "dmy"}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"institution_id": self.request.context.institution_id}  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        offered = [str(value) for value, _label in kwargs.get("form", self.get_form()).fields["kind"].choices]
        kinds = [(value, KIND_WORDS[value], FIELDS[value]) for value in offered]
        said = words_of(self.request.context.institution_id)  # type: ignore[attr-defined]
        return super().get_context_data(**{"kinds": kinds, "said": said} | kwargs)

    def form_valid(self, form: UploadForm) -> HttpResponse:
        cleaned = form.cleaned_data
        institution = Institution.objects.get(pk=self.request.context.institution_id)  # type: ignore[attr-defined]
        application: Application | None = cleaned.get("application")
        agreement: Agreement | None = cleaned.get("agreement")
        try:
            upload = receive_upload(
                institution=institution,
                kind=cleaned["kind"],
                file_name=cleaned["file"].name,
                content=cleaned["file"].read(),
                made_by=self.request.user,  # type: ignore[arg-type]
                application=application if cleaned["kind"] == Kind.BORROWERS else None,
                agreement=agreement if cleaned["kind"] == Kind.SUBLOANS else None,
                date_order=cleaned["date_order"],
            )
        except CannotReceiveUpload as error:
            form.add_error("file", str(error))
            return self.form_invalid(form)
        transaction.on_commit(partial(tasks.read_upload.delay, upload.pk))
        return redirect("repayments:upload", pk=upload.pk)


class UploadPage(Page, TemplateView):
    """One upload: progress, or rows by state with raw cells beside what was understood, or the result."""

    required_roles = EVERYONE
    template_name = "repayments/uploads/upload.html"

    def get_title(self) -> Text:
        return _("Upload %(number)s") % {"number": number(self.upload.pk)}

    def get_subtitle(self) -> Text:
        return f"{self.upload.file_name} · {KIND_WORDS[self.upload.kind]}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Uploads"), reverse("repayments:uploads"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.upload = get_object_or_404(uploads(), pk=kwargs["pk"])
        return self.render_to_response(self.get_context_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        upload, context = self.upload, self.request.context  # type: ignore[attr-defined]
        sums = sums_by_state(upload)
        chosen = self.request.GET.get("state", "")
        if chosen not in {entry.state for entry in sums}:
            chosen = ""
        rows = upload.rows.select_related("loan").order_by("row_number")
        search = self.request.GET.get("row", "")
        if chosen:
            rows = rows.filter(state=chosen)
        if search.isdecimal() and len(search) < 8:
            rows = rows.filter(row_number=int(search))
        page = Paginator(rows, ROWS_A_PAGE).get_page(self.request.GET.get("page"))
        ready = next((entry for entry in sums if entry.state == "ready"), None)
        faulty = sum(
            entry.count for entry in sums if entry.state in ("ambiguous", "unmatched", "invalid", "duplicate")
        )
        warned = upload.rows.filter(state=UploadRow.State.READY).exclude(warnings=[]).count()
        is_open = upload.state == State.PREVIEW and upload.work not in (Work.QUEUED, Work.RUNNING)
        about_file = [(entry["code"], *say(entry, self._tell)) for entry in upload.messages]
        return super().get_context_data(
            upload=upload,
            kind_word=KIND_WORDS[upload.kind],
            state_word=STATE_WORDS[upload.state],
            is_working=upload.work in (Work.QUEUED, Work.RUNNING)
            and upload.state in (State.RECEIVED, State.CONFIRMED, State.PREVIEW),
            is_open=is_open,
            may_send=context.may(Role.MAKER),
            may_change=is_open and context.may(Role.MAKER),
            may_confirm=is_open and context.may(Role.CHECKER) and ready is not None,
            may_discard=context.may(Role.MAKER, Role.CHECKER)
            and upload.state in (State.PREVIEW, State.UNREADABLE, State.RECEIVED)
            and not (upload.state == State.RECEIVED and upload.work == Work.RUNNING),
            may_retry=context.may(Role.MAKER, Role.CHECKER) and upload.work == Work.FAILED,
            is_own=upload.made_by_id == self.request.user.pk,
            refusals=[entry for entry in about_file if entry[0] not in CAUTIONS and entry[0] not in NOTICES],
            cautions=[entry for entry in about_file if entry[0] in CAUTIONS],
            notices=[entry for entry in about_file if entry[0] in NOTICES],
            sums=[(entry, ROW_WORDS[entry.state]) for entry in sums],
            row_total=sum(entry.count for entry in sums),
            chosen=chosen,
            ready=ready,
            faulty=faulty,
            warned=warned,
            needs_acceptance=warned or any(entry["code"] in CAUTIONS for entry in upload.messages),
            page=page,
            rows=[self._shown(row) for row in page],
            columns=self._columns(),
            **kwargs,
        )

    @cached_property
    def _tell(self) -> Callable[[str], str]:
        """In the words of the institution's contracts."""
        return words_of(self.upload.institution_id).tell

    def _columns(self) -> list[tuple[str, str, str]]:
        """Field, letter and heading as the file has it, in the file's order."""
        found = [(name, letter, heading) for name, (letter, heading) in self.upload.columns.items()]
        return sorted(found, key=lambda column: (len(column[1]), column[1]))

    def _shown(self, row: UploadRow) -> dict[str, Any]:
        fault = say(row.fault, self._tell) if row.fault else (row.reason, row.remedy)
        understood = {"amount": taka_minor(row.amount_minor) if row.amount_minor is not None else ""}
        warnings = [say(entry, self._tell) for entry in row.warnings]
        cells = []
        for name, letter, heading in self._columns():
            raw = row.cells.get(letter, "")
            corrected = row.corrections.get(letter)
            cells.append(
                {
                    "name": name, "letter": letter, "heading": heading, "raw": raw, "corrected": corrected,
                    "is_fault": bool(row.fault) and row.column == letter,
                    "is_figure": name in ("amount", "principal", "interest", "charge"),
                    "day": row.value_date if name == "value_date" else None,
                    "amount": understood["amount"] if name == "amount" else "",
                }
            )  # fmt: skip
        heading = next((cell["heading"] for cell in cells if cell["letter"] == row.column), "")
        return {
            "row": row, "cells": cells, "reason": fault[0], "remedy": fault[1], "warnings": warnings,
            "heading": heading, "state_word": ROW_WORDS[row.state],
        }  # fmt: skip


@require_GET
@requires(*EVERYONE)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress bar alone; when the work has ended the page is asked to show the outcome."""
    upload = get_object_or_404(Upload.objects.defer("content"), pk=pk)
    response = render(
        request,
        "daybook/_progress.html",
        {"work": upload, "progress_url": reverse("repayments:upload-progress", args=[pk])},
    )
    if upload.work not in (Work.QUEUED, Work.RUNNING):
        response["HX-Refresh"] = "true"
    return response


urls = [
    path("uploads/", UploadList.as_view(), name="uploads"),
    path("uploads/new/", UploadNew.as_view(), name="upload-new"),
    path("uploads/<int:pk>/", UploadPage.as_view(), name="upload"),
    path("uploads/<int:pk>/progress/", progress, name="upload-progress"),
    *upload_actions.urls,
    *upload_downloads.urls,
]
