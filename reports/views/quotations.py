"""The paper of a settlement quotation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from daybook.services import record
from partners.access import EVERYONE, actor_of, requires
from repayments.models import LoanEvent
from reports.render.pdf import CONTENT_TYPE
from reports.render.quotation import render_quotation
from reports.views.asking import address_of, as_file, language_of, person


@requires(*EVERYONE)
def settlement_quotation(request: HttpRequest, pk: int) -> HttpResponse:
    """The quotation as PDF, in the language asked for."""
    event: LoanEvent = get_object_or_404(
        LoanEvent.objects.select_related("loan__agreement", "loan__institution"),
        pk=pk,
        kind=LoanEvent.Kind.SETTLEMENT,
    )
    lang = language_of(request)
    content = render_quotation(event, lang=lang)
    record(
        actor=actor_of(person(request)),
        action="loan_event.print",
        subject=event,
        institution_id=event.institution_id,
        address=address_of(request),
    )
    name = f"quotation_{event.loan.number if event.loan else event.pk}_{event.effective_date}_{lang}.pdf"
    return as_file(content, name=name, content_type=CONTENT_TYPE, inline=True)
