"""Files for people: the template, the file as sent, and the file with what became of each row."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from calc.calendar import add_months
from daybook.lists import CONTENT_TYPES
from daybook.selectors import open_business_date
from lending.selectors.contracts import words_of
from partners.access import EVERYONE, PARTNER, requires
from repayments.builders.upload_files import Outcome, Wanted, outcome_workbook, template_workbook
from repayments.models import Upload
from repayments.parsing.fields import FIELDS
from repayments.selectors.uploads import expected_rows
from repayments.services.upload_words import say


@require_GET
@requires(*PARTNER)
def template(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The workbook to fill in; for repayments with every sub-loan that has something to pay this month."""
    if kind not in Upload.Kind.values:
        raise Http404(kind)
    rows: list[Wanted] = []
    figures: list[str] = []
    if kind == Upload.Kind.REPAYMENTS:
        first, last = _month(open_business_date())
        expected = expected_rows(
            institution_id=request.context.institution_id,  # type: ignore[attr-defined]
            first=first,
            last=last,
        )
        figures = [_("Falls due this month (not read)"), _("Overdue from before (not read)")]
        rows = [
            Wanted(
                {"account": row.account or row.number, "borrower": row.borrower},
                (row.due_minor, row.overdue_minor),
            )
            for row in expected
        ]
    content = template_workbook(
        title=_("Rows"),
        fields=FIELDS[kind],
        bangla=get_language() == "bn",
        rows=rows,
        figure_headings=figures,
        codes_title=_("Codes"),
        created=timezone.localtime(),
        tell=words_of(request.context.institution_id).tell,  # type: ignore[attr-defined]
        beside=(_("Repayment plan"), FIELDS["plans"]) if kind == Upload.Kind.SUBLOANS else None,
    )
    return _file(content, f"paikar-{kind}.xlsx", CONTENT_TYPES["xlsx"])


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, date.fromordinal(add_months(first, 1).toordinal() - 1)


@require_GET
@requires(*EVERYONE)
def result(_request: HttpRequest, pk: int) -> HttpResponseBase:
    """The rows as sent, each with its state, reason and remedy."""
    upload = get_object_or_404(Upload.objects.defer("content"), pk=pk)
    headings = dict(upload.columns.values())
    tell = words_of(upload.institution_id).tell
    rows = upload.rows.order_by("row_number").values_list(
        "row_number", "cells", "state", "column", "fault", "reason", "remedy", "loan__number"
    )
    states = dict(upload.rows.model.State.choices)
    outcomes = []
    for row_number, cells, state, column, fault, reason, remedy, loan in rows:
        why, what = say(fault, tell) if fault else (reason, remedy)
        if why and column:
            why = _("Column %(column)s (%(heading)s): %(reason)s") % {
                "column": column, "heading": headings.get(column, ""), "reason": why,
            }  # fmt: skip
        outcomes.append(Outcome(row_number, cells, str(states[state]), loan or "", why, what))
    content = outcome_workbook(
        header_row=upload.header_row or 1,
        headings=headings,
        rows=outcomes,
        status_headings=[_("Status"), _("Our loan"), _("Reason"), _("Remedy")],
        created=timezone.localtime(),
    )
    stem = upload.file_name.rpartition(".")[0] or upload.file_name
    return _file(content, f"{stem}-{upload.pk}-result.xlsx", CONTENT_TYPES["xlsx"])


@require_GET
@requires(*EVERYONE)
def original(_request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file, byte for byte as it was sent."""
    upload = get_object_or_404(Upload, pk=pk)
    return _file(bytes(upload.content), upload.file_name, "application/octet-stream")


def _file(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


urls = [
    path("uploads/template/<slug:kind>/", template, name="upload-template"),
    path("uploads/<int:pk>/result/", result, name="upload-result"),
    path("uploads/<int:pk>/original/", original, name="upload-original"),
]
