"""Quarter-end returns: the list, a draft's form, one return with its totals, its lines."""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

import django_filters
import django_tables2 as tables
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView

from calc.classification import Basis
from daybook.formats import day, named
from daybook.lists import ListPage
from daybook.models import BusinessDay
from daybook.pages import Page, Text
from daybook.selectors import BooksNotOpen, open_business_date
from daybook.tables import BadgeColumn, DayColumn, MinorColumn, NamedColumn, NumberColumn, PaikarTable
from partners.access import FOUNDATION, Role, requires
from partners.models import Institution
from repayments import tasks
from repayments.forms.returns import DecideForm, DraftForm
from repayments.models import ClassificationReturn
from repayments.models.judgements import LoanClassName
from repayments.selectors.returns import ClassTotal, class_totals, sum_totals
from repayments.services.returns import (
    CannotDraftReturn,
    CannotLockReturn,
    discard_return,
    draft_return,
    lock_return,
    recompute_checksum,
)

MAY_DRAFT = (Role.OFFICER, Role.FINANCE_HEAD)
MAY_LOCK = (Role.APPROVER, Role.FINANCE_HEAD)
PROVED_HERE = 50_000
"""Loans up to which a page recomputes a return at once; more is work for ``manage.py verify_return``."""
CLOSED_OFFERED = 120

STATES = {
    "draft": gettext_lazy("Draft"),
    "locked": gettext_lazy("Locked"),
    "discarded": gettext_lazy("Discarded"),
}
TIERS = {"wholesale": gettext_lazy("Wholesale"), "subloan": gettext_lazy("Sub-loans")}
CLASSES = {-1: gettext_lazy("No policy"), **dict(LoanClassName.choices)}
BASES = {
    Basis.OBJECTIVE: gettext_lazy("Figures"),
    Basis.FROZEN: gettext_lazy("Frozen"),
    Basis.FLOOR: gettext_lazy("Held"),
}


def _address(record: ClassificationReturn) -> str:
    return reverse("repayments:return", args=[record.pk])


class ReturnTable(PaikarTable):
    """Returns, newest quarter first."""

    as_of = DayColumn(verbose_name=gettext_lazy("As of"), linkify=_address)
    tier = tables.Column(verbose_name=gettext_lazy("Tier"))
    institution = NamedColumn(
        accessor="institution", verbose_name=gettext_lazy("Institution"), default=gettext_lazy("All")
    )
    state = BadgeColumn(labels=STATES, verbose_name=gettext_lazy("State"))
    loan_count = NumberColumn(verbose_name=gettext_lazy("Loans"))
    provision_minor = MinorColumn(verbose_name=gettext_lazy("Provision"))
    known_by = DayColumn(verbose_name=gettext_lazy("Known by"))
    made_by = tables.Column(verbose_name=gettext_lazy("Drafted by"))
    decided_by = tables.Column(verbose_name=gettext_lazy("Decided by"), default="–")

    row_link = staticmethod(_address)

    class Meta(PaikarTable.Meta):
        model = ClassificationReturn
        fields = (
            "as_of",
            "tier",
            "institution",
            "state",
            "loan_count",
            "provision_minor",
            "known_by",
            "made_by",
            "decided_by",
        )

    def render_tier(self, record: ClassificationReturn) -> str:
        return str(TIERS[record.tier])

    def value_tier(self, record: ClassificationReturn) -> str:
        return str(TIERS[record.tier])


class ReturnFilter(django_filters.FilterSet):
    tier = django_filters.ChoiceFilter(
        choices=list(TIERS.items()), label=gettext_lazy("Tier"), empty_label=gettext_lazy("All")
    )
    state = django_filters.ChoiceFilter(
        choices=list(STATES.items()), label=gettext_lazy("State"), empty_label=gettext_lazy("All")
    )


class ReturnList(ListPage):
    """Every return, and the way to draft one."""

    required_roles = FOUNDATION
    template_name = "repayments/returns/list.html"
    title = gettext_lazy("Classification returns")
    subtitle = gettext_lazy("Classes as reported at a quarter’s end: drafted, checked, locked for ever.")
    table_class = ReturnTable
    filterset_class = ReturnFilter
    empty_text = gettext_lazy(
        "No return has been drafted yet. Until a first one is locked, the nightly class drives suspense."
    )

    def get_rows(self) -> QuerySet[ClassificationReturn]:
        return ClassificationReturn.objects.select_related("institution", "made_by", "decided_by")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_draft=self.request.context.may(*MAY_DRAFT),  # type: ignore[attr-defined]
            **kwargs,
        )


class DraftReturn(Page, TemplateView):
    """Ask for a return."""

    required_roles = MAY_DRAFT
    template_name = "repayments/returns/new.html"
    title = gettext_lazy("Draft a return")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Classification returns"), reverse("repayments:returns"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=_draft_form()))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = _draft_form(request.POST)
        if form.is_valid():
            told = form.cleaned_data
            try:
                made = draft_return(
                    tier=told["tier"],
                    institution_id=told["institution"].pk if told["institution"] else None,
                    as_of=date.fromisoformat(told["as_of"]),
                    known_by_date=date.fromisoformat(told["known_by"]),
                    reason=told["reason"],
                    actor=request.user,  # type: ignore[arg-type]
                )
            except CannotDraftReturn as refusal:
                form.add_error(None, str(refusal))
            else:
                transaction.on_commit(partial(tasks.compute_return.delay, made.pk))
                return redirect("repayments:return", pk=made.pk)
        return self.render_to_response(self.get_context_data(form=form))


def _draft_form(data: Any = None) -> DraftForm:
    try:
        today = open_business_date()
    except BooksNotOpen as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    closed = BusinessDay.objects.filter(state=BusinessDay.State.CLOSED).order_by("-date")
    return DraftForm(data, today=today, closed=list(closed.values_list("date", flat=True)[:CLOSED_OFFERED]))


class ReturnPage(Page, TemplateView):
    """One return: how far it is, totals by class, who did what, and the second person's decision."""

    required_roles = FOUNDATION
    template_name = "repayments/returns/detail.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.made = found_return(kwargs["pk"])
        return self.render_to_response(self.get_context_data())

    def get_title(self) -> Text:
        return _("Return of %(date)s, %(tier)s") % {
            "date": day(self.made.as_of),
            "tier": str(TIERS[self.made.tier]).lower(),
        }

    def get_subtitle(self) -> Text:
        return named(self.made.institution) if self.made.institution else _("All institutions")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Classification returns"), reverse("repayments:returns"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        made, is_written = self.made, self.made.work == ClassificationReturn.Work.DONE
        is_draft = made.state == ClassificationReturn.State.DRAFT
        is_mine = made.made_by_id == self.request.user.pk
        may_lock = self.request.context.may(*MAY_LOCK)  # type: ignore[attr-defined]
        may_draft = self.request.context.may(*MAY_DRAFT)  # type: ignore[attr-defined]
        return super().get_context_data(
            made=made,
            work=made,
            progress_url=reverse("repayments:return-progress", args=[made.pk]),
            state_label=STATES[made.state],
            sections=sections(class_totals(made)) if is_written else [],
            institutions=sections(class_totals(made, by_institution=True))
            if is_written and made.institution_id is None
            else [],
            names={one.pk: named(one) for one in Institution.objects.all()},
            policies=[code for codes in made.policies.values() for code in codes.values()],
            form=DecideForm(),
            is_written=is_written,
            is_draft=is_draft,
            is_mine=is_mine,
            may_lock=is_draft and is_written and may_lock and not is_mine,
            may_discard=is_draft and (may_lock or may_draft),
            proved=kwargs.pop("proved", None),
            may_prove=is_written and made.loan_count <= PROVED_HERE,
            **kwargs,
        )


def sections(totals: list[ClassTotal]) -> list[dict[str, Any]]:
    """Totals currency by currency, with class names and a foot."""
    found = []
    for currency, group in groupby(totals, key=lambda total: total.currency):
        rows = list(group)
        found.append(
            {
                "currency": currency,
                "rows": [{"total": row, "label": CLASSES[row.loan_class]} for row in rows],
                "foot": sum_totals(rows),
            }
        )
    return found


def found_return(pk: int) -> ClassificationReturn:
    """A return with the names of its people, or 404."""
    found: ClassificationReturn = get_object_or_404(
        ClassificationReturn.objects.select_related("institution", "made_by", "decided_by", "booking"), pk=pk
    )
    return found


@require_GET
@requires(*FOUNDATION)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress part, polled while the lines are written."""
    made = found_return(pk)
    address = reverse("repayments:return-progress", args=[pk])
    response = render(request, "daybook/_progress.html", {"work": made, "progress_url": address})
    if made.work in (ClassificationReturn.Work.DONE, ClassificationReturn.Work.FAILED):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@requires(*{*MAY_DRAFT, *MAY_LOCK})
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Lock a return, or give its draft up."""
    found_return(pk)
    form = DecideForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    is_lock = "lock" in request.POST
    if is_lock and not request.context.may(*MAY_LOCK):  # type: ignore[attr-defined]
        raise PermissionDenied(_("Approvers and the finance head lock returns."))
    try:
        if is_lock:
            lock_return(return_id=pk, reason=reason, actor=request.user)  # type: ignore[arg-type]
            messages.success(request, _("Locked. From now on suspense follows its classes."))
        else:
            discard_return(return_id=pk, reason=reason, actor=request.user)  # type: ignore[arg-type]
            messages.success(request, _("The draft is given up."))
    except CannotLockReturn as refusal:
        messages.error(request, str(refusal))
    return redirect("repayments:return", pk=pk)


@require_POST
@requires(*FOUNDATION)
def prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Recompute a return from the facts and compare."""
    made = found_return(pk)
    if made.loan_count <= PROVED_HERE and made.work == ClassificationReturn.Work.DONE:
        if recompute_checksum(made) == made.checksum:
            messages.success(request, _("Recomputed from the facts: every line is the same."))
        else:
            messages.error(request, _("Recomputed from the facts, the lines differ. Tell the administrator."))
    return redirect("repayments:return", pk=pk)


urls = [
    path("returns/", ReturnList.as_view(), name="returns"),
    path("returns/new/", DraftReturn.as_view(), name="return-new"),
    path("returns/<int:pk>/", ReturnPage.as_view(), name="return"),
    path("returns/<int:pk>/progress/", progress, name="return-progress"),
    path("returns/<int:pk>/decide/", decide, name="return-decide"),
    path("returns/<int:pk>/prove/", prove, name="return-prove"),
]
