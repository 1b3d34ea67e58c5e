"""Report runs: what was made, bulk statements with their progress, and the check of a checksum."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook.lists import ListPage
from daybook.pages import Page
from daybook.selectors import known_by
from daybook.services import record
from daybook.tables import BadgeColumn, DayColumn, LinkColumn, NumberColumn, PaikarTable
from partners.access import EVERYONE, actor_of, requires
from reports.builders.objects import Asked
from reports.forms import BulkForm, VerifyForm, default_date
from reports.models import ReportPart, ReportRun
from reports.services.bulk import start_statements
from reports.services.running import CannotStartRun
from reports.services.runs import asked_of, verify_checksum
from reports.services.what_if_runs import NAME as WHAT_IF
from reports.services.what_if_runs import question_of
from reports.tasks import enqueue
from reports.views.asking import address_of, as_file, books_query, context_of, person

ENDED = (ReportRun.Work.DONE, ReportRun.Work.FAILED)


class RunTable(PaikarTable):
    """Runs, newest first."""

    title = LinkColumn("reports:run", verbose_name=gettext_lazy("Report"))
    as_of = DayColumn(verbose_name=gettext_lazy("As of"))
    known_by = DayColumn(verbose_name=gettext_lazy("Known by"))
    work = BadgeColumn(verbose_name=gettext_lazy("State"), labels=dict(ReportRun.Work.choices))
    done_count = NumberColumn(verbose_name=gettext_lazy("Done"), orderable=False)
    total_count = NumberColumn(verbose_name=gettext_lazy("Of"), orderable=False)
    queued_at = DayColumn(verbose_name=gettext_lazy("Asked for"))

    class Meta(PaikarTable.Meta):
        model = ReportRun
        fields = ("title", "as_of", "known_by", "work", "done_count", "total_count", "queued_at")
        row_attrs = {"data-href": lambda record: reverse("reports:run", args=[record.pk])}


class RunList(ListPage):
    """What was made from the books; a partner sees its own."""

    required_roles = EVERYONE
    template_name = "reports/runs.html"
    title = gettext_lazy("Statements and report runs")
    table_class = RunTable
    empty_text = gettext_lazy("No report has been made yet. Statements of many loans at once start here.")

    def get_rows(self) -> QuerySet[ReportRun]:
        return ReportRun.objects.defer("content", "parameters").order_by("-id")


class BulkStatements(Page, TemplateView):
    """Ask for the statements of all loans of an institution or a programme."""

    required_roles = EVERYONE
    template_name = "reports/bulk.html"
    title = gettext_lazy("Statements of many loans")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        given = {
            name: request.GET[name] for name in ("institution", "programme", "tier") if name in request.GET
        }
        form = BulkForm(
            is_partner=context_of(request).is_partner,
            initial={"as_of": default_date(), "tier": "subloan", "owing": True, "lang": "en", **given},
        )
        return self.render_to_response(self.get_context_data(form=form))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = context_of(request)
        form = BulkForm(request.POST, is_partner=context.is_partner)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        values = form.cleaned_data
        facts = {name: values[name] for name in ("institution", "programme", "tier") if values.get(name)}
        institution_id = int(facts["institution"]) if facts.get("institution") else None
        if context.is_partner:
            institution_id = context.institution_id
            facts["institution"] = str(institution_id)
        if values["owing"]:
            facts["owing"] = "1"
        asked = Asked(values["as_of"], known_by(values["as_of"]))
        try:
            run = start_statements(
                asked,
                facts,
                lang=values["lang"],
                institution_id=institution_id,
                title=self._title(form, facts),
                made_by=person(request),
            )
        except CannotStartRun as refusal:
            form.add_error(None, str(refusal))
            return self.render_to_response(self.get_context_data(form=form))
        enqueue(run.pk)
        return redirect("reports:run", pk=run.pk)

    def _title(self, form: BulkForm, facts: dict[str, str]) -> str:
        labels = []
        for name in ("institution", "programme"):
            field = form.fields.get(name)
            if field is not None and facts.get(name):
                labels.append(str(dict(field.choices)[facts[name]]))  # type: ignore[attr-defined]
        return " · ".join([_("Statements"), *labels, facts["tier"]])

    def get_crumbs(self) -> list[tuple[Any, str]]:
        return [(gettext_lazy("Statements and report runs"), reverse("reports:runs"))]


class RunPage(Page, TemplateView):
    """One run: its question, its progress, its files."""

    required_roles = EVERYONE
    template_name = "reports/run.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.run = get_object_or_404(ReportRun.objects.defer("content"), pk=kwargs["pk"])
        return self.render_to_response(
            self.get_context_data(
                run=self.run,
                is_bulk="loans" in self.run.parameters,
                progress_url=reverse("reports:run-progress", args=[self.run.pk]),
                parts=self.run.parts.defer("content")[:500],
                what_if_url=_what_if_url(self.run),
            )
        )

    def get_title(self) -> str:
        return self.run.title

    def get_crumbs(self) -> list[tuple[Any, str]]:
        return [(gettext_lazy("Statements and report runs"), reverse("reports:runs"))]


def _what_if_url(run: ReportRun) -> str:
    """The page of the comparison a run is for; empty for another kind of run."""
    if run.name != WHAT_IF:
        return ""
    told = {name: value for name, value in question_of(run).items() if value}
    return f"{reverse('reports:what-if')}?{books_query(asked_of(run), **told)}"


@requires(*EVERYONE)
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress part of a run's page, asked for every second while it goes on."""
    run = get_object_or_404(ReportRun.objects.defer("content"), pk=pk)
    response = render(
        request,
        "daybook/_progress.html",
        {"work": run, "progress_url": reverse("reports:run-progress", args=[run.pk])},
    )
    if run.work in ENDED:
        response["HX-Refresh"] = "true"
    return response


@requires(*EVERYONE)
def run_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The packed file of a bulk run."""
    run = get_object_or_404(ReportRun, pk=pk)
    if not run.content:
        raise Http404(_("This run keeps no file."))
    _seen(request, run, run.file_name)
    return as_file(bytes(run.content), name=run.file_name, content_type=run.content_type)


@requires(*EVERYONE)
def run_part(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """One file of a bulk run."""
    part = get_object_or_404(ReportPart.objects.select_related("run"), run_id=pk, position=position)
    _seen(request, part.run, part.file_name)
    return as_file(bytes(part.content), name=part.file_name, content_type="application/pdf", inline=True)


def _seen(request: HttpRequest, run: ReportRun, file_name: str) -> None:
    record(
        actor=actor_of(person(request)),
        action="report.download",
        subject=run,
        institution_id=run.institution_id,
        after={"file": file_name},
        address=address_of(request),
    )


class Verify(Page, TemplateView):
    """Whether a checksum on a paper is that of figures this system made, and still makes."""

    required_roles = EVERYONE
    template_name = "reports/verify.html"
    title = gettext_lazy("Verify a checksum")
    subtitle = gettext_lazy("Every statement and export carries a checksum of its figures.")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = VerifyForm(request.GET if "checksum" in request.GET else None)
        verdict = (
            verify_checksum(form.cleaned_data["checksum"]) if form.is_bound and form.is_valid() else None
        )
        return self.render_to_response(self.get_context_data(form=form, verdict=verdict))
