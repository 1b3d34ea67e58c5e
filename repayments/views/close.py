"""Closes of day: the list, one close with its progress, totals and exceptions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

import django_filters
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView

from daybook.formats import day, digits
from daybook.lists import DayFilter, ListPage
from daybook.pages import Page, Text
from daybook.selectors import BooksNotOpen, NumberUpTo, open_business_date
from daybook.tables import DayColumn, NumberColumn, PaikarTable
from daybook.templatetags.paikar import badge
from partners.access import FOUNDATION, Role, requires
from repayments import tasks
from repayments.forms.closes import CloseDateForm, SignExceptionsForm
from repayments.models import CloseRequest, DayRun
from repayments.selectors.closes import (
    TotalLine,
    carried_loans,
    progress_of,
    totals_of,
    unruled_loans,
)
from repayments.selectors.policies import LAPSING_WITHIN_DAYS, lapsing_policies
from repayments.services.close import CannotSignExceptions, sign_exceptions
from repayments.services.nightly import CannotAskForClose, ask_for_close

MAY_CLOSE = (Role.OFFICER, Role.FINANCE_HEAD, Role.ADMINISTRATOR)
MAY_SIGN = (Role.OFFICER, Role.FINANCE_HEAD)
CARRIED_SHOWN = 200

STATES = {
    DayRun.State.RUNNING: ("running", gettext_lazy("Running")),
    DayRun.State.CLOSED: ("closed_clean", gettext_lazy("Closed")),
    DayRun.State.EXCEPTIONS: ("closed_with_exceptions", gettext_lazy("Closed with exceptions")),
    DayRun.State.FAILED: ("failed", gettext_lazy("Failed")),
}
TIER_NAMES = {"wholesale": gettext_lazy("Wholesale"), "subloan": gettext_lazy("Sub-loans")}
COMPONENTS = {
    1: gettext_lazy("Charges"),
    2: gettext_lazy("Penal interest"),
    3: gettext_lazy("Interest"),
    4: gettext_lazy("Principal"),
    8: gettext_lazy("Advances"),
}


def state_badge(run: DayRun) -> str:
    """The state of a close, and whether its exceptions are signed, as a badge."""
    kind, label = STATES[DayRun.State(run.state)]
    if run.state == DayRun.State.EXCEPTIONS and run.signed_at:
        return badge(kind, _("Closed with exceptions, signed"))
    return badge(kind, label)


def _address(record: DayRun) -> str:
    return reverse("repayments:close", args=[record.pk])


class RunTable(PaikarTable):
    """Closes, newest first."""

    business_date = DayColumn(verbose_name=gettext_lazy("Business date"), linkify=_address)
    state = DayColumn(verbose_name=gettext_lazy("State"))
    loan_count = NumberColumn(verbose_name=gettext_lazy("Loans"))
    carried_count = NumberColumn(verbose_name=gettext_lazy("Carried"))
    without_policy_count = NumberColumn(verbose_name=gettext_lazy("Without a policy"))
    last_number = NumberColumn(verbose_name=gettext_lazy("Known up to booking"), orderable=False)
    took = NumberColumn(verbose_name=gettext_lazy("Seconds"), empty_values=(), orderable=False)
    finished_at = DayColumn(verbose_name=gettext_lazy("Finished"))
    started_by = DayColumn(verbose_name=gettext_lazy("Started by"))

    class Meta(PaikarTable.Meta):
        model = DayRun
        fields = (
            "business_date",
            "state",
            "loan_count",
            "carried_count",
            "without_policy_count",
            "last_number",
            "took",
            "finished_at",
            "started_by",
        )

    row_link = staticmethod(_address)

    def render_state(self, record: DayRun) -> str:
        return state_badge(record)

    def value_state(self, record: DayRun) -> str:
        return str(STATES[DayRun.State(record.state)][1])

    def render_started_by(self, record: DayRun) -> str:
        return record.starter

    def value_started_by(self, record: DayRun) -> str:
        return record.starter

    def render_took(self, record: DayRun) -> str:
        return "–" if record.finished_at is None else _shown(record)

    def value_took(self, record: DayRun) -> str | None:
        return None if record.finished_at is None else f"{_seconds(record):.1f}"


def _shown(run: DayRun) -> str:
    return digits(f"{_seconds(run):.1f}")


def _seconds(run: DayRun) -> float:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else 0.0


UNSIGNED = "unsigned"


class RunFilter(django_filters.FilterSet):
    """Closes of a period, or of a state."""

    state = django_filters.ChoiceFilter(
        method="of_state",
        label=gettext_lazy("State"),
        choices=[
            *((state.value, label) for state, (_kind, label) in STATES.items()),
            (UNSIGNED, gettext_lazy("Closed with exceptions, not signed")),
        ],
        empty_label=gettext_lazy("All"),
    )
    from_date = DayFilter("business_date", "gte", label=gettext_lazy("From"))
    to_date = DayFilter("business_date", "lte", label=gettext_lazy("To"))

    def of_state(self, queryset: QuerySet[DayRun], _name: str, value: str) -> QuerySet[DayRun]:
        if value == UNSIGNED:
            return queryset.filter(state=DayRun.State.EXCEPTIONS, signed_at__isnull=True)
        return queryset.filter(state=value)


class RunList(ListPage):
    """Every close, and the button that closes the open date."""

    required_roles = FOUNDATION
    template_name = "repayments/close/list.html"
    title = gettext_lazy("Close of day")
    subtitle = gettext_lazy("What each business date knew, fixed for ever: one snapshot a loan.")
    table_class = RunTable
    filterset_class = RunFilter
    empty_text = gettext_lazy("No business date is closed yet.")

    def get_rows(self) -> QuerySet[DayRun]:
        return DayRun.objects.annotate(last_number=NumberUpTo("last_booking_id")).order_by(
            "-business_date", "-attempt"
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            open_date = open_business_date()
        except BooksNotOpen:
            open_date = None
        unfinished = DayRun.objects.filter(state__in=[DayRun.State.RUNNING, DayRun.State.FAILED]).first()
        unsigned = DayRun.objects.filter(state=DayRun.State.EXCEPTIONS, signed_at__isnull=True).count()
        asked = CloseRequest.objects.order_by("-asked_at").first()
        return super().get_context_data(
            open_date=open_date,
            unfinished=unfinished,
            asked=asked if not unfinished else None,
            unsigned=unsigned,
            may_close=self.request.context.may(*MAY_CLOSE)  # type: ignore[attr-defined]
            and not unfinished
            and (asked is None or asked.answered_at is not None),
            **kwargs,
        )


class RunPage(Page, TemplateView):
    """One close: how far it is, its control totals, its exceptions and who signed them."""

    required_roles = FOUNDATION
    template_name = "repayments/close/detail.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.run = get_object_or_404(DayRun.objects.select_related("signed_by"), pk=kwargs["pk"])
        return super().get(request, *args, **kwargs)

    def get_title(self) -> Text:
        return _("Close of %(date)s") % {"date": day(self.run.business_date)}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Close of day"), reverse("repayments:closes"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        run = self.run
        has_ended = run.state in (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS)
        may_sign = self.request.context.may(*MAY_SIGN)  # type: ignore[attr-defined]
        return super().get_context_data(
            state=state_badge(run),
            seconds=_shown(run) if run.finished_at else "",
            totals=_sections(totals_of(run, by_institution=False)) if has_ended else [],
            institutions=_sections(totals_of(run, by_institution=True)) if has_ended else [],
            carried=carried_loans(run, at_most=CARRIED_SHOWN) if run.carried_count else [],
            unruled=[{"row": row, "tier": TIER_NAMES[row.tier]} for row in unruled_loans(run)]
            if run.without_policy_count
            else [],
            lapsing=lapsing_policies(run.business_date, within_days=LAPSING_WITHIN_DAYS),
            form=SignExceptionsForm()
            if may_sign and run.state == DayRun.State.EXCEPTIONS and not run.signed_at
            else None,
            **_progress(run),
            **kwargs,
        )


def _progress(run: DayRun) -> dict[str, Any]:
    return {"run": run, "progress": progress_of(run, now=timezone.now())}


def _sections(lines: list[TotalLine]) -> list[dict[str, Any]]:
    """Control totals tier by tier: no line adds the two."""
    return [
        {
            "tier": TIER_NAMES[tier],
            "currency": currency,
            "lines": [{"line": replace(line), "component": COMPONENTS[line.component]} for line in group],
        }
        for (tier, currency), group in groupby(
            sorted(lines, key=lambda line: (line.tier != "wholesale", line.currency)),
            key=lambda line: (line.tier, line.currency),
        )
    ]


@require_GET
@requires(*FOUNDATION)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress part of the page, polled while the close runs; when it has ended the page is read anew."""
    run = get_object_or_404(DayRun, pk=pk)
    response = render(request, "repayments/close/_progress.html", _progress(run))
    if run.state != DayRun.State.RUNNING:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires(*MAY_CLOSE)
def start(request: HttpRequest) -> HttpResponse:
    """Ask the workers to close the open date, if it is still the one the person saw."""
    form = CloseDateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The open business date has changed meanwhile; nothing was closed."))
        return redirect("repayments:closes")
    closing = form.cleaned_data["date"]
    if DayRun.objects.filter(state__in=[DayRun.State.RUNNING, DayRun.State.FAILED]).exists():
        messages.error(request, _("The close before must finish first."))
        return redirect("repayments:closes")
    try:
        asked = ask_for_close(business_date=closing, actor=request.user)  # type: ignore[arg-type]
        transaction.on_commit(partial(tasks.answer_close_request.delay, asked.pk))
        messages.success(request, _("The close of %(date)s is under way.") % {"date": day(closing)})
    except CannotAskForClose as refusal:
        messages.error(request, str(refusal))
    return redirect("repayments:closes")


@require_POST
@requires(*MAY_SIGN)
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the exceptions of a close."""
    form = SignExceptionsForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say what was found and what will be done about it."))
    else:
        try:
            sign_exceptions(run_id=pk, actor=request.user, reason=form.cleaned_data["reason"])  # type: ignore[arg-type]
            messages.success(request, _("The exceptions are signed."))
        except CannotSignExceptions as refusal:
            messages.error(request, str(refusal))
    return redirect("repayments:close", pk=pk)


urls = [
    path("closes/", RunList.as_view(), name="closes"),
    path("closes/start/", start, name="close-start"),
    path("closes/<int:pk>/", RunPage.as_view(), name="close"),
    path("closes/<int:pk>/progress/", progress, name="close-progress"),
    path("closes/<int:pk>/sign/", sign, name="close-sign"),
]
