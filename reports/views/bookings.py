"""One booking: who, when, why, and the facts it wrote."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook.formats import number
from daybook.models import AuditEntry, Booking
from daybook.pages import Page, Text
from lending.selectors.contracts import words_of
from partners.access import EVERYONE, Side
from partners.models import Institution
from reports.builders.wording import COMPONENT_LABELS, component_labels
from reports.selectors.bookings import dues_of, loans_of, receipts_of, rows_written, settled_by

SHOWN = 100
TIERS = {"wholesale": gettext_lazy("Wholesale"), "subloan": gettext_lazy("Sub-loans")}


class BookingPage(Page, TemplateView):
    """Row-level security decides whose bookings a partner finds.

    Of a booking for the whole programme it sees what that wrote on its own loans; who booked it, and why,
    may speak of others.
    """

    required_roles = EVERYONE
    template_name = "reports/booking.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.booking = get_object_or_404(Booking, pk=kwargs["pk"])
        self.tells_why = self._is_foundation() or self.booking.institution_id is not None
        if not self.tells_why and not rows_written(self.booking, guarded_only=True):
            raise Http404
        return super().get(request, *args, **kwargs)

    def get_title(self) -> Text:
        return _("Booking %(number)s") % {"number": number(self.booking.number)}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Bookings"), reverse("daybook:bookings"))] if self._is_foundation() else []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        booking = self.booking
        owner = (
            Institution.objects.filter(pk=booking.institution_id).first() if booking.institution_id else None
        )
        reader = self.request.context.institution_id  # type: ignore[attr-defined]
        tell = words_of(booking.institution_id or reader).tell
        return super().get_context_data(
            booking=booking,
            tells_why=self.tells_why,
            institution=owner,
            written=rows_written(booking, guarded_only=not self._is_foundation()),
            settled=[
                (TIERS[line.tier], tell(COMPONENT_LABELS[line.component]), line)
                for line in settled_by(booking)
            ],
            receipts=receipts_of(booking, at_most=SHOWN),
            loans=loans_of(booking, at_most=SHOWN),
            dues=[
                (due, component_labels(due.loan.agreement.contract_mode)[due.component])
                for due in dues_of(booking, at_most=SHOWN)
            ],
            shown=SHOWN,
            trail=AuditEntry.objects.filter(booking=booking).order_by("pk")[:SHOWN]
            if self._is_foundation()
            else [],
            **kwargs,
        )

    def _is_foundation(self) -> bool:
        return self.request.context.side is Side.FOUNDATION  # type: ignore[attr-defined]
