"""A settlement quotation on paper, in English or Bangla: what ends the loan, for every day it holds."""

from __future__ import annotations

import hashlib
import json

from django.template.loader import render_to_string
from django.utils.translation import override

from lending.contract_words import contract_words
from repayments.builders.events import shown_preview
from repayments.models import LoanEvent
from reports.render.pdf import render_pdf


def render_quotation(event: LoanEvent, *, lang: str) -> bytes:
    """The quotation as PDF; the same event and language give the same bytes."""
    if event.loan is None:
        raise ValueError(f"event {event.pk} is of no loan")
    words = contract_words(event.loan.agreement.contract_mode)
    checksum = hashlib.sha256(
        json.dumps([event.pk, event.preview.get("figures", [])], sort_keys=True).encode()
    ).hexdigest()
    with override(lang):
        html = render_to_string(
            "reports/paper/quotation.html",
            {
                "lang": lang,
                "event": event,
                "loan": event.loan,
                "words": words,
                "preview": shown_preview(event.preview, words),
                "checksum": checksum,
                "created": f"{event.made_at:%Y-%m-%d}T00:00:00Z",
            },
        )
    return render_pdf(html, identifier=checksum)
