"""The panel of the home page that says where the money stands; for an institution, its own."""

from __future__ import annotations

from typing import Any

from django.views.generic import TemplateView

from daybook.pages import Page
from daybook.selectors import BooksNotOpen
from partners.access import EVERYONE
from partners.models import Institution
from repayments.models import DayRun
from reports.builders.objects import Asked
from reports.builders.portfolio import NOTHING, TIERS, figures_by
from reports.forms import AskedForm
from reports.render.text import show_table
from reports.selectors.portfolio import Filters, read_standings
from reports.services.institution_page import make_institution_page
from reports.views.asking import books_query, context_of
from reports.views.portfolio import tier_card

CURRENCY = "BDT"
NEXT_DUES = 3
RECENT_FILES = 4


class Glance(Page, TemplateView):
    """Both tiers at the latest close, and the close; a partner also reads its next dues and latest files."""

    required_roles = EVERYONE
    template_name = "reports/_glance.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            asked = AskedForm({}).asked
        except BooksNotOpen:
            return super().get_context_data(**kwargs)
        institution_id = context_of(self.request).institution_id
        found = _of_foundation(asked) if institution_id is None else _of_institution(institution_id, asked)
        return super().get_context_data(
            asked=asked, books_query=books_query(asked), currency=CURRENCY, **found, **kwargs
        )


def _of_foundation(asked: Asked) -> dict[str, Any]:
    frame = read_standings(as_of=asked.as_of, knowledge=asked.knowledge, currency=CURRENCY, filters=Filters())
    totals = {tier: figures_by(frame[frame["tier"] == tier]).get(None, NOTHING) for tier in TIERS}
    return {
        "cards": [tier_card(tier, totals[tier], asked, {"currency": CURRENCY}) for tier in TIERS],
        "close": DayRun.objects.order_by("-business_date", "-attempt").first(),
    }


def _of_institution(institution_id: int, asked: Asked) -> dict[str, Any]:
    institution = Institution.objects.get(pk=institution_id)
    view = make_institution_page(institution, asked, currency=CURRENCY)
    filters = {"institution": str(institution_id), "currency": CURRENCY}
    dues = show_table(view.next_dues)
    return {
        "institution": institution,
        "cards": [tier_card(tier, view.totals[tier], asked, filters) for tier in TIERS],
        "next_dues": dues.rows[:NEXT_DUES],
        "due_columns": dues.columns,
        "uploads": view.uploads[:RECENT_FILES],
    }
