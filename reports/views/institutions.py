"""The page of one institution: what it drew, lent on, holds and owes; and its statement of account."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook.pages import Page
from partners.access import EVERYONE, requires
from partners.models import Institution
from reports.builders.objects import Bilingual
from reports.builders.portfolio import TIERS
from reports.forms import PortfolioForm, StatementForm
from reports.render.pdf import CONTENT_TYPE
from reports.render.text import show_table
from reports.services.institution_page import InstitutionView, make_institution_page
from reports.services.making import CannotMake
from reports.services.statements import print_institution_statement
from reports.views.asking import (
    address_of,
    as_file,
    books_context,
    context_of,
    language_of,
    person,
)
from reports.views.portfolio import tier_card


class InstitutionPage(Page, TemplateView):
    """Both tiers of one institution side by side, and what comes next. A partner sees only its own."""

    required_roles = EVERYONE
    template_name = "reports/institution.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.institution = get_object_or_404(Institution, pk=kwargs["pk"])
        form = PortfolioForm(request.GET, is_partner=True)
        asked, currency = form.asked, form.facts["currency"]
        self.view: InstitutionView = make_institution_page(self.institution, asked, currency=currency)
        base = {"institution": str(self.institution.pk), "currency": currency}
        return self.render_to_response(
            self.get_context_data(
                **books_context(asked, form),
                form=form,
                institution=self.institution,
                view=self.view,
                currency=currency,
                next_dues=show_table(self.view.next_dues),
                cards=[tier_card(tier, self.view.totals[tier], asked, base) for tier in TIERS],
            )
        )

    def get_title(self) -> str:
        return str(Bilingual(self.institution.name, self.institution.name_bn))

    def get_subtitle(self) -> str:
        status = self.view.status
        return (
            f"{status.get_kind_display()} · {status.get_ownership_display()} · {status.get_status_display()}"
            if status
            else ""
        )

    def get_crumbs(self) -> list[tuple[Any, str]]:
        if context_of(self.request).is_partner:
            return []
        return [(_("Portfolio"), reverse("reports:portfolio"))]


@requires(*EVERYONE)
def institution_statement(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of what an institution owes the foundation, as PDF."""
    institution = get_object_or_404(Institution, pk=pk)
    form = StatementForm(request.GET)
    asked = form.asked
    facts = {"institution": str(institution.pk), "currency": request.GET.get("currency") or "BDT"}
    start = form.cleaned_data.get("period_from")
    if start:
        facts["from"] = start.isoformat()
    try:
        paper = print_institution_statement(
            asked, facts, lang=language_of(request), made_by=person(request), address=address_of(request)
        )
    except CannotMake as refusal:
        raise Http404(str(refusal)) from refusal
    return as_file(paper.content, name=paper.file_name, content_type=CONTENT_TYPE, inline=True)
