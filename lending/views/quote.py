"""What a loan would look like: any terms, no loan. The address carries the terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from daybook import formats
from daybook.exports import to_csv, to_xlsx
from daybook.lists import CONTENT_TYPES
from daybook.pages import Page
from daybook.selectors import business_calendar, open_business_date
from lending.contract_words import contract_words
from lending.forms.quote import QuoteForm
from lending.services.quoting import Quote, quote_sheet
from partners.access import EVERYONE


class QuotePage(Page, TemplateView):
    """A form of terms, and under it the plan they make, with its working and its price."""

    required_roles = EVERYONE
    template_name = "lending/quote.html"
    title = _("What a loan would look like")
    subtitle = _("Any terms, no loan: the plan, its working and its price.")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET if "principal" in request.GET else None
        initial = {"disbursed_on": open_business_date().isoformat()}
        form = QuoteForm(asked, calendar=business_calendar(), initial=initial)
        if asked is not None:
            form.is_valid()
        kind = request.GET.get("export", "")
        if form.quote and kind in CONTENT_TYPES:
            now = timezone.localtime()
            price = [(str(_("APR")), formats.percent(form.quote.apr)), (str(_("Printed")), formats.day(now))]
            sheet = quote_sheet(form.quote, [*form.told(), *price])
            content = to_csv(sheet) if kind == "csv" else to_xlsx(sheet, created=now)
            answer = HttpResponse(content, content_type=CONTENT_TYPES[kind])
            answer["Content-Disposition"] = f'attachment; filename="quote-{now:%Y%m%d-%H%M}.{kind}"'
            return answer
        quote = form.quote
        return self.render_to_response(
            self.get_context_data(
                form=form,
                quote=quote,
                words=contract_words(quote.mode if quote else "interest"),
                rate_places=_places(quote.terms.annual_rate) if quote else 2,
                columns=5 + bool(quote and quote.plan.capitalised_minor) + bool(quote and quote.charge_minor),
                shown_instalment=_shown(quote) if quote else 0,
                groups=list(form.groups()),
                told=form.told(),
                address=urlencode(form.question),
                shows_working=bool(request.GET.get("working")),
            )
        )


def _shown(quote: Quote) -> int:
    """The instalment that the first tile names."""
    return quote.instalment_minor if quote.are_level else quote.largest_minor


def _places(rate: Decimal) -> int:
    """How many places a rate needs, at least two."""
    return max(2, -int(rate.normalize().as_tuple().exponent))


urls = [path("quote/", QuotePage.as_view(), name="quote")]
