"""The portfolio page, its files, and its comparison of two known-by dates."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook.pages import Page
from partners.access import EVERYONE
from reports.builders.objects import Asked
from reports.builders.portfolio import SHOWN_PAR, TIERS, Figures, Portfolio
from reports.builders.wording import DIMENSION_LABELS, TIER_LABELS, Dimension
from reports.forms import PortfolioForm
from reports.render.ageing import chart_of
from reports.render.pdf import CONTENT_TYPE
from reports.render.portfolio import render_portfolio
from reports.render.text import show_table
from reports.services.comparing import compare_portfolios
from reports.services.making import make_portfolio
from reports.services.runs import record_run
from reports.views.asking import (
    FILES,
    address_of,
    as_file,
    books_context,
    books_query,
    context_of,
    download,
    language_of,
    loans_url,
    person,
)


def overview(request: HttpRequest) -> HttpResponseBase:
    """Where work starts: a partner's own page, the foundation's portfolio."""
    context = context_of(request)
    if context.is_partner:
        return redirect("reports:institution", pk=context.institution_id)
    return redirect("reports:portfolio")


overview.required_roles = EVERYONE  # type: ignore[attr-defined]  # read by the test that walks every URL


class PortfolioPage(Page, TemplateView):
    """Both tiers as of a date, known by a date, by one dimension."""

    required_roles = EVERYONE
    template_name = "reports/portfolio.html"
    title = gettext_lazy("Portfolio")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        context = context_of(request)
        self.form = PortfolioForm(request.GET, is_partner=context.is_partner)
        asked, facts = self.form.asked, dict(self.form.facts)
        if context.is_partner:
            facts["institution"] = str(context.institution_id)
        self.asked, self.facts = asked, facts
        self.portfolio = make_portfolio(asked, facts)
        kind = request.GET.get("export", "")
        if kind in FILES:
            return download(
                request,
                self.portfolio.report,
                kind=kind,
                stem=f"portfolio_by_{facts['by']}",
                subject=f"by {facts['by']}",
                institution_id=context.institution_id,
            )
        if kind == "pdf":
            return self._paper(request, facts)
        return self.render_to_response(self.get_context_data())

    def _paper(self, request: HttpRequest, facts: dict[str, str]) -> HttpResponse:
        lang = language_of(request)
        report = self.portfolio.report
        name = f"portfolio_by_{facts['by']}_{report.asked.as_of.isoformat()}_{lang}.pdf"
        record_run(
            report,
            subject=f"by {facts['by']}",
            file_name=name,
            content_type=CONTENT_TYPE,
            lang=lang,
            institution_id=context_of(request).institution_id,
            made_by=person(request),
            address=address_of(request),
        )
        content = render_portfolio(self.portfolio, buckets=self._buckets(report.asked, facts), lang=lang)
        return as_file(content, name=name, content_type=CONTENT_TYPE, inline=True)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, facts = self.asked, self.facts
        filters = {name: value for name, value in facts.items() if name != "by"}
        compare_with = self.form.compare_with
        table = show_table(self.portfolio.report.tables[0])
        return super().get_context_data(
            **books_context(asked, self.form),
            form=self.form,
            portfolio=self.portfolio,
            table=table,
            rows=_linked_rows(self.portfolio, table.rows, asked, filters),
            cards=[tier_card(tier, self.portfolio.totals[tier], asked, filters) for tier in TIERS],
            chart=chart_of(self._buckets(asked, facts)),
            dimensions=[(str(key), label) for key, label in DIMENSION_LABELS.items()],
            checksum=self.portfolio.report.checksum,
            **_comparison(asked, compare_with, facts),
            currency=facts["currency"],
            **kwargs,
        )

    def _buckets(self, asked: Asked, facts: dict[str, str]) -> Portfolio:
        if self.portfolio.dimension is Dimension.BUCKET:
            return self.portfolio
        return make_portfolio(asked, {**facts, "by": str(Dimension.BUCKET)})


def _comparison(asked: Asked, other: Asked | None, facts: dict[str, str]) -> dict[str, Any]:
    """The comparison with another known-by date, where one is asked for."""
    if other is None:
        return {"comparison": None}
    comparison = compare_portfolios(asked, other, facts)
    return {
        "comparison": comparison,
        "comparison_totals": show_table(comparison.totals),
        "comparison_loans": show_table(comparison.loans),
        "comparison_bookings": show_table(comparison.bookings),
    }


def tier_card(tier: str, figures: Figures, asked: Asked, filters: dict[str, str]) -> dict[str, Any]:
    """The figures of one tier, each with the address of the loans behind it."""
    base = {**filters, "tier": tier}
    return {
        "label": TIER_LABELS[tier],
        "figures": figures,
        "loans_url": loans_url(asked, **base, owing="1"),
        "overdue_url": loans_url(asked, **base, owing="1", overdue="1"),
        "pars": [
            (
                days,
                figures.par(days),
                loans_url(asked, **{**base, "plus_r": ""}, owing="1", late_over=str(days)),
                figures.par(days, plus_r=True),
                loans_url(asked, **{**base, "plus_r": "1"}, owing="1", late_over=str(days)),
            )
            for days in SHOWN_PAR
        ],
        "rescheduled_url": loans_url(asked, **base, owing="1", rescheduled="1"),
    }


def _linked_rows(
    portfolio: Portfolio, rows: Any, asked: Asked, filters: dict[str, str]
) -> list[dict[str, Any]]:
    """Each figure of the table leads to its loans: same tier, same group, same dates."""
    width = (len(portfolio.report.tables[0].columns) - 1) // len(TIERS)
    narrowings = [{}, {}, {"overdue": "1"}, {"late_over": "30"}, {"late_over": "60"}, {"late_over": "90"}, {}]
    linked = []
    for row in rows:
        cells = []
        for at, cell in enumerate(row.cells[1:]):
            more = {**filters, str(portfolio.dimension): row.key, "owing": "1", **narrowings[at % width]}
            is_empty = not portfolio_count(portfolio, row.key, TIERS[at // width])
            cells.append((cell, "" if is_empty else loans_url(asked, **more, tier=TIERS[at // width])))
        url = ""
        if portfolio.dimension is Dimension.INSTITUTION:
            url = f"{reverse('reports:institution', args=[row.key])}?{books_query(asked)}"
        linked.append({"label": row.cells[0].text, "url": url, "cells": cells, "width": width})
    return linked


def portfolio_count(portfolio: Portfolio, value: str, tier: str) -> int:
    """How many loans of a tier stand in a group."""
    return next((figures[tier].loans for key, _label, figures in portfolio.groups if key == value), 0)
