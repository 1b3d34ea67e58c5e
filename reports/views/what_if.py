"""What if: the same book under two sets of policies, and the loans that would change class."""

from __future__ import annotations

import dataclasses
from typing import Any

import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook.forms import DayField
from daybook.lists import ListPage
from daybook.pages import Page, Text
from daybook.tables import MinorColumn, PaikarTable
from partners.access import FOUNDATION
from repayments.models import RulingProposal
from reports.builders.objects import Bilingual
from reports.builders.questions import CLASS_BY_CODE
from reports.builders.what_if import changing_rows
from reports.builders.wording import CLASS_LABELS, TIER_SHORT
from reports.forms import ALL, AskedForm
from reports.models import ReportRun
from reports.render.text import show_parameters, show_table
from reports.selectors.portfolio import currencies, institution_names
from reports.services.running import CannotStartRun
from reports.services.what_if import WhatIf as Answer
from reports.services.what_if import make_what_if, takes_long
from reports.services.what_if_runs import kept_what_if, run_of, start_what_if
from reports.tasks import enqueue
from reports.views.asking import FILES, books_context, books_query, context_of, download, person

SHOWN = 20
"""Loans on the page itself; the list of all is a page of its own."""

CLASS_CHOICES = [ALL, *((code, CLASS_LABELS[grade]) for code, grade in CLASS_BY_CODE.items())]


class WhatIfForm(AskedForm):
    """Whose loans, and what set B is."""

    tier = forms.ChoiceField(required=False, label=_("Tier"), choices=list(TIER_SHORT.items()))
    currency = forms.ChoiceField(required=False, label=_("Currency"))
    other = DayField(required=False, label=_("Set B: policies in force on"))
    draft = forms.ChoiceField(required=False, label=_("Set B: with the proposed policy"))

    def __init__(self, data: QueryDict | dict[str, str], **kwargs: Any) -> None:
        values = data.copy()
        values["tier"] = values.get("tier") or "subloan"
        found = currencies() or ["BDT"]
        values["currency"] = values.get("currency") or found[0]
        super().__init__(values, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in found]  # type: ignore[attr-defined]
        kinds = (RulingProposal.Kind.CLASS_POLICY, RulingProposal.Kind.PROVISION_POLICY)
        drafts = RulingProposal.objects.filter(kind__in=kinds, state=RulingProposal.State.PROPOSED)
        self.fields["draft"].choices = [  # type: ignore[attr-defined]
            ("", _("None")),
            *((str(one.pk), one.parameters.get("code", "")) for one in drafts),
        ]

    @property
    def facts(self) -> dict[str, str]:
        """The question in plain text."""
        self.is_valid()
        told = self.cleaned_data
        other = told.get("other")
        return {
            "tier": told.get("tier") or "subloan",
            "currency": told.get("currency") or "BDT",
            "other": other.isoformat() if other else "",
            "draft": told.get("draft") or "",
        }


class WhatIf(Page):
    """What the page and the list of its loans share: the question, and its answer where there is one."""

    required_roles = FOUNDATION

    def ask(self, request: HttpRequest) -> Answer | None:
        """The comparison; None while it is for the workers to make."""
        self.form = WhatIfForm(request.GET)
        self.asked, self.facts = self.form.asked, self.form.facts
        self.run = None
        if not takes_long(self.asked, self.facts["tier"]):
            return make_what_if(self.asked, self.facts)
        self.run = run_of(self.asked, self.facts)
        return kept_what_if(self.run) if self.run and self.run.work == ReportRun.Work.DONE else None

    @property
    def question(self) -> str:
        """The question as an address carries it."""
        told = {name: value for name, value in self.facts.items() if value}
        return books_query(self.asked, **told)


class WhatIfPage(WhatIf, TemplateView):
    """Two sets side by side."""

    template_name = "reports/what_if.html"
    title = _("What if other policies were in force")
    subtitle = _("The same loans under two sets of policies. Nothing here is written to the books.")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Policies"), reverse("repayments:policies"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        made = self.ask(request)
        kind = request.GET.get("export", "")
        if made is not None and kind in FILES:
            return download(
                request,
                made.report,
                kind=kind,
                stem=f"what_if_{self.facts['tier']}",
                subject=self.facts["tier"],
                institution_id=context_of(request).institution_id,
            )
        shown = {} if made is None else self._shown(made)
        return self.render_to_response(
            self.get_context_data(
                **books_context(self.asked, self.form),
                form=self.form,
                run=self.run,
                progress_url=reverse("reports:run-progress", args=[self.run.pk]) if self.run else "",
                question=self.question,
                made=made,
                **shown,
            )
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Give the question to the workers."""
        self.ask(request)
        try:
            run = start_what_if(self.asked, self.facts, made_by=person(request))
        except CannotStartRun as refusal:
            messages.error(request, str(refusal))
        else:
            if run.work == ReportRun.Work.QUEUED:
                enqueue(run.pk)
        return redirect(f"{reverse('reports:what-if')}?{self.question}")

    def _shown(self, made: Answer) -> dict[str, Any]:
        compared = made.compared
        *tables, loans = made.report.tables
        return {
            "tables": [show_table(table) for table in tables],
            "loans": show_table(dataclasses.replace(loans, rows=loans.rows[:SHOWN])),
            "parameters": show_parameters(made.report),
            "provision_a": int(compared.provision_a.sum()),
            "provision_b": int(compared.provision_b.sum()),
            "change": int((compared.provision_b - compared.provision_a).sum()),
            "changed": len(compared.changed),
            "count": compared.loans,
        }


class ChangingLoans(PaikarTable):
    """Loans that would change class, the greatest change of provision first."""

    number = tables.Column(
        verbose_name=_("Loan"), linkify=lambda record: record["address"], attrs={"td": {"class": "code"}}
    )
    institution = tables.Column(verbose_name=_("Institution"))
    class_a = tables.Column(verbose_name=_("Class, set A"), order_by=("grade_a",))
    class_b = tables.Column(verbose_name=_("Class, set B"), order_by=("grade_b",))
    outstanding_minor = MinorColumn(verbose_name=_("Principal outstanding"), total=True)
    provision_a_minor = MinorColumn(verbose_name=_("Provision, set A"), total=True)
    provision_b_minor = MinorColumn(verbose_name=_("Provision, set B"), total=True)
    change_minor = MinorColumn(verbose_name=_("Change of provision"), total=True)

    row_link = staticmethod(lambda record: record["address"])

    class Meta(PaikarTable.Meta):
        fields = (
            "number", "institution", "class_a", "class_b", "outstanding_minor", "provision_a_minor",
            "provision_b_minor", "change_minor",
        )  # fmt: skip


class ChangingForm(WhatIfForm):
    """The same question, narrowed to loans that change from one class or to another."""

    institution = forms.ChoiceField(required=False, label=_("Institution"))
    class_a = forms.ChoiceField(required=False, label=_("Class, set A"), choices=CLASS_CHOICES)
    class_b = forms.ChoiceField(required=False, label=_("Class, set B"), choices=CLASS_CHOICES)

    def __init__(self, data: QueryDict | dict[str, str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        names = institution_names()
        self.fields["institution"].choices = [ALL, *((str(pk), Bilingual(*names[pk])) for pk in names)]  # type: ignore[attr-defined]


class ChangingList(WhatIf, ListPage):
    """Every loan of a comparison that changes class: to sort, to narrow, to take away as a file."""

    template_name = "reports/what_if_loans.html"
    title = _("Loans that change class")
    table_class = ChangingLoans
    empty_text = _("No loan would change class.")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.made = self.ask(request)
        if self.made is None:
            return redirect(f"{reverse('reports:what-if')}?{self.question}")
        return super().get(request, *args, **kwargs)

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Policies"), reverse("repayments:policies")),
            (_("What if"), f"{reverse('reports:what-if')}?{self.question}"),
        ]

    def get_subtitle(self) -> Text:
        return " · ".join(f"{label}: {value}" for label, value in show_parameters(self._answer.report))

    @property
    def _answer(self) -> Answer:
        if self.made is None:
            raise TypeError("the list is shown of a comparison that was made")
        return self.made

    def get_rows(self) -> list[dict[str, Any]]:
        self.narrowing = ChangingForm(self.request.GET)
        self.narrowing.is_valid()
        told = self.narrowing.cleaned_data
        books = books_query(self.asked)
        rows = changing_rows(
            self._answer.compared,
            institution_id=int(told["institution"]) if told.get("institution") else None,
            class_a=CLASS_BY_CODE[told["class_a"]] if told.get("class_a") else None,
            class_b=CLASS_BY_CODE[told["class_b"]] if told.get("class_b") else None,
        )
        for row in rows:
            row["address"] = f"{reverse('reports:loan', args=[row['loan_id']])}?{books}"
        return rows

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        fields = [self.narrowing[name] for name in ("institution", "class_a", "class_b")]
        kept = [("as_of", self.asked.as_of.isoformat()), ("known_by", self.asked.known_by.isoformat())]
        return super().get_context_data(
            fields=fields,
            kept=[*kept, *((name, value) for name, value in self.facts.items() if value)],
            **kwargs,
        )
