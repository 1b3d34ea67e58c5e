"""What if: the same book under two sets of policies, and the loans that would change class."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook.forms import DayField
from daybook.pages import Page, Text
from partners.access import FOUNDATION
from repayments.models import RulingProposal
from reports.builders.wording import TIER_SHORT
from reports.forms import AskedForm
from reports.render.text import show_parameters, show_table
from reports.selectors.portfolio import currencies
from reports.services.what_if import make_what_if
from reports.views.asking import FILES, books_context, context_of, download


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


class WhatIfPage(Page, TemplateView):
    """Two sets side by side."""

    required_roles = FOUNDATION
    template_name = "reports/what_if.html"
    title = _("What if other policies were in force")
    subtitle = _("The same loans under two sets of policies. Nothing here is written to the books.")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Policies"), reverse("repayments:policies"))]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = WhatIfForm(request.GET)
        asked, facts = form.asked, form.facts
        made = make_what_if(asked, facts)
        kind = request.GET.get("export", "")
        if kind in FILES:
            return download(
                request,
                made.report,
                kind=kind,
                stem=f"what_if_{facts['tier']}",
                subject=facts["tier"],
                institution_id=context_of(request).institution_id,
            )
        *tables, loans = [show_table(table) for table in made.report.tables]
        change = int((made.compared.provision_b - made.compared.provision_a).sum())
        return self.render_to_response(
            self.get_context_data(
                **books_context(asked, form),
                form=form,
                tables=tables,
                loans=loans,
                parameters=show_parameters(made.report),
                provision_a=int(made.compared.provision_a.sum()),
                provision_b=int(made.compared.provision_b.sum()),
                change=change,
                changed=len(made.compared.changed),
                count=int(made.compared.loan.size),
            )
        )
