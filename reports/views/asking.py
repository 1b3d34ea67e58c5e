"""What the pages share: the books asked, addresses that keep the question, files of what is seen."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import get_language

from partners.access import Context
from partners.models import User
from reports.builders.objects import Asked, Report
from reports.render import csv, xlsx
from reports.services.runs import record_run

FILES = {"xlsx": (xlsx.render_xlsx, xlsx.CONTENT_TYPE), "csv": (csv.render_csv, csv.CONTENT_TYPE)}


def context_of(request: HttpRequest) -> Context:
    """Who asks."""
    context: Context = request.context  # type: ignore[attr-defined]
    return context


def person(request: HttpRequest) -> User:
    """The signed-in person; every page here requires one."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("a report is asked for by a signed-in person")
    return user


def address_of(request: HttpRequest) -> str:
    """Where the request came from, for the audit trail."""
    return str(request.META.get("REMOTE_ADDR", ""))


def language_of(request: HttpRequest) -> str:
    """The language a file is asked in; else the page's."""
    wanted = request.GET.get("lang", "")
    return wanted if wanted in ("en", "bn") else ("bn" if (get_language() or "").startswith("bn") else "en")


def books_query(asked: Asked, **more: str) -> str:
    """The question's dates as a query string, to be carried from page to page."""
    return urlencode({"as_of": asked.as_of.isoformat(), "known_by": asked.known_by.isoformat(), **more})


def loans_url(asked: Asked, **filters: str) -> str:
    """The list of the loans behind a figure."""
    return f"{reverse('reports:loans')}?{books_query(asked, **filters)}"


def download(
    request: HttpRequest, report: Report, *, kind: str, stem: str, subject: str, institution_id: int | None
) -> HttpResponse:
    """The report as a file, recorded as a run."""
    render, content_type = FILES[kind]
    name = f"{stem}_{report.asked.as_of.isoformat()}.{kind}"
    content = render(report)
    record_run(
        report,
        subject=subject,
        file_name=name,
        content_type=content_type,
        lang=language_of(request),
        institution_id=institution_id,
        made_by=person(request),
        address=address_of(request),
    )
    return as_file(content, name=name, content_type=content_type)


def as_file(content: bytes, *, name: str, content_type: str, inline: bool = False) -> HttpResponse:
    """Bytes as a file to keep, or to look at in the browser."""
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(not inline, name) or "inline"
    response["Cache-Control"] = "private, no-store"
    return response


def books_context(asked: Asked, form: Any) -> dict[str, Any]:
    """What the bar of dates and its warnings need."""
    return {"asked": asked, "asked_form": form, "books_query": books_query(asked)}
