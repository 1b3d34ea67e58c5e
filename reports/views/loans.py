"""The list of loans, the page of one loan, its statement and its recalculation sheet."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook.pages import Page
from daybook.services import record
from lending.models import Loan
from partners.access import EVERYONE, Role, actor_of, requires
from repayments.models import Receipt
from reports.builders.loans import SORTABLE, loan_columns
from reports.builders.wording import CLASS_BADGES, TIER_SHORT
from reports.forms import AskedForm, LoansForm, StatementForm
from reports.render import xlsx
from reports.render.pdf import CONTENT_TYPE
from reports.render.text import show_parameters, show_table
from reports.selectors.trails import trail_of_loan
from reports.services.loan_page import LoanView, make_loan_page
from reports.services.making import CannotMake, loan_standings, make_loans
from reports.services.recalculating import make_recalculation
from reports.services.statements import print_loan_statement
from reports.views.asking import (
    FILES,
    address_of,
    as_file,
    books_context,
    context_of,
    download,
    language_of,
    person,
)

PER_PAGE = 50
# Who may see a whole NID: those who appraise or audit. The view of it is written into the trail.
NID_ROLES = (Role.OFFICER, Role.APPROVER, Role.FINANCE_HEAD, Role.AUDITOR, Role.MAKER, Role.CHECKER)


class LoanList(Page, TemplateView):
    """The loans of one tier that a question means, sorted, with totals, and the same as a file."""

    required_roles = EVERYONE
    template_name = "reports/loans.html"
    title = _("Loans")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = context_of(request)
        form = LoansForm(request.GET, is_partner=context.is_partner)
        asked, facts = form.asked, dict(form.facts)
        if context.is_partner:
            facts["institution"] = str(context.institution_id)
        kind = request.GET.get("export", "")
        if kind in FILES:
            return download(
                request,
                make_loans(asked, facts),
                kind=kind,
                stem=f"loans_{facts['tier']}",
                subject=str(facts["tier"]),
                institution_id=context.institution_id,
            )
        standings = loan_standings(asked, facts)
        paginator = Paginator(range(len(standings)), PER_PAGE)
        page = paginator.get_page(request.GET.get("page"))
        rows = slice(max(page.start_index() - 1, 0), page.end_index())
        report = make_loans(asked, facts, standings=standings, page=rows)
        order = {int(pk): at for at, pk in enumerate(standings["loan_id"].iloc[rows])}
        table = show_table(report.tables[0])
        return self.render_to_response(
            self.get_context_data(
                **books_context(asked, form),
                form=form,
                facts=facts,
                tiers=list(TIER_SHORT.items()),
                table=table,
                rows=sorted(table.rows, key=lambda row: order[int(row.key)]),
                heads=_heads(facts),
                page=page,
                parameters=show_parameters(report),
                count=len(standings),
                is_filtered=any(
                    facts.get(name) for name in form.fields if name not in ("tier", "currency", "sort")
                ),
            )
        )


def _heads(facts: dict[str, str]) -> list[dict[str, Any]]:
    """Column heads with the sort a click asks for."""
    current = facts["sort"]
    heads = []
    for column in loan_columns(facts["tier"]):
        key = column.key if column.key in SORTABLE else ""
        standing = "down" if current == f"-{key}" else "up" if current == key else ""
        following = key if standing == "down" else f"-{key}" if key != "number" or standing == "up" else key
        heads.append(
            {"column": column, "sort": following if key else "", "standing": standing if key else ""}
        )
    return heads


class LoanPage(Page, TemplateView):
    """One loan as of a date, known by a date."""

    required_roles = EVERYONE
    template_name = "reports/loan.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.loan = get_object_or_404(Loan, pk=kwargs["pk"])
        form = AskedForm(request.GET)
        self.view: LoanView = make_loan_page(self.loan, form.asked)
        return self.render_to_response(
            self.get_context_data(
                **books_context(form.asked, form),
                loan=self.loan,
                view=self.view,
                header=self.view.header,
                class_badge=CLASS_BADGES.get(self.view.loan_class, "secondary"),
                channels=dict(Receipt.Channel.choices),
                trail=trail_of_loan(self.loan)[:50],
                may_see_nid=context_of(request).may(*NID_ROLES),
                may_judge=context_of(request).may(Role.OFFICER, Role.FINANCE_HEAD),
            )
        )

    def get_title(self) -> str:
        return self.loan.number

    def get_subtitle(self) -> str:
        return str(self.view.subtitle)

    def get_crumbs(self) -> list[tuple[Any, str]]:
        return [
            (_("Loans"), f"{reverse('reports:loans')}?tier={self.loan.tier}"),
            (
                self.view.institution,
                reverse("reports:institution", args=[self.loan.institution_id]),
            ),
        ]


@requires(*NID_ROLES)
def loan_nid(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole NIDs of a loan's parties, as a part of its page; that they were seen is recorded."""
    from django.shortcuts import render

    loan = get_object_or_404(Loan, pk=pk)
    parties = make_loan_page(loan, AskedForm(request.GET).asked).parties
    record(
        actor=actor_of(person(request)),
        action="loan.see_nid",
        subject=loan,
        institution_id=loan.institution_id,
        address=address_of(request),
    )
    return render(request, "reports/_parties.html", {"parties": parties, "is_open": True, "loan": loan})


@requires(*EVERYONE)
def loan_statement(request: HttpRequest, pk: int) -> HttpResponse:
    """The statement of account of a loan, as PDF."""
    loan = get_object_or_404(Loan, pk=pk)
    form = StatementForm(request.GET)
    asked = form.asked
    facts = {"loan": str(loan.pk)}
    start = form.cleaned_data.get("period_from")
    if start:
        facts["from"] = start.isoformat()
    try:
        paper = print_loan_statement(
            asked, facts, lang=language_of(request), made_by=person(request), address=address_of(request)
        )
    except CannotMake as refusal:
        raise Http404(str(refusal)) from refusal
    return as_file(paper.content, name=paper.file_name, content_type=CONTENT_TYPE, inline=True)


@requires(*EVERYONE)
def loan_recalculation(request: HttpRequest, pk: int) -> HttpResponse:
    """The auditor's workbook: raw inputs, and formulas that recompute the figures without our engine."""
    loan = get_object_or_404(Loan, pk=pk)
    asked = AskedForm(request.GET).asked
    try:
        paper = make_recalculation(
            asked,
            loan_id=loan.pk,
            lang=language_of(request),
            made_by=person(request),
            address=address_of(request),
        )
    except CannotMake as refusal:
        raise Http404(str(refusal)) from refusal
    return as_file(paper.content, name=paper.file_name, content_type=xlsx.CONTENT_TYPE)
