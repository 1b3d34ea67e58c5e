"""The portfolio on paper: the same table, the same chart, the same definitions."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.translation import override

from reports.builders.portfolio import TIERS, Portfolio
from reports.builders.wording import TIER_LABELS
from reports.render.ageing import chart_of
from reports.render.pdf import render_pdf
from reports.render.text import show_parameters, show_table

WIDTHS = ("auto", *(("11mm", "29mm", "27mm", "10mm", "10mm", "10mm", "25mm") * 2))


def render_portfolio(portfolio: Portfolio, *, buckets: Portfolio, lang: str) -> bytes:
    """A4 landscape, in English or Bangla; the same books give the same bytes."""
    report = portfolio.report
    checksum = report.checksum
    with override(lang):
        html = render_to_string(
            "reports/paper/portfolio.html",
            {
                "lang": lang,
                "report": report,
                "asked": report.asked,
                "portfolio": portfolio,
                "tiers": [(TIER_LABELS[tier], portfolio.totals[tier]) for tier in TIERS],
                "table": show_table(report.tables[0]),
                "parameters": show_parameters(report),
                "widths": WIDTHS,
                "chart": chart_of(buckets),
                "checksum": checksum,
                "created": f"{report.asked.as_of.isoformat()}T00:00:00Z",
            },
        )
    return render_pdf(html, identifier=checksum)
