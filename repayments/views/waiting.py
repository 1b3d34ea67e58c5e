"""The panel of the home page that says what of repayments waits for this person."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from daybook.pages import Page
from partners.access import EVERYONE, Role
from repayments.models import LoanEvent, ReceiptProposal, Upload


class Waiting(Page, TemplateView):
    """Files to confirm, proposals to decide: counts that lead to the list."""

    required_roles = EVERYONE
    template_name = "repayments/_waiting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context, user = self.request.context, self.request.user  # type: ignore[attr-defined]
        waiting = []
        if context.may(Role.MAKER, Role.CHECKER):
            files = Upload.objects.filter(state=Upload.State.PREVIEW)
            if not context.may(Role.MAKER):
                files = files.exclude(made_by_id=user.pk)
            waiting.append(
                (_("Files to confirm"), files.count(), f"{reverse('repayments:uploads')}?state=preview")
            )
        if context.may(Role.APPROVER, Role.FINANCE_HEAD):
            proposals = ReceiptProposal.objects.filter(state="proposed").exclude(made_by_id=user.pk)
            waiting.append(
                (
                    _("Receipts to decide"),
                    proposals.count(),
                    f"{reverse('repayments:proposals')}?state=proposed",
                )
            )
            events = LoanEvent.objects.filter(state="proposed").exclude(made_by_id=user.pk)
            waiting.append(
                (_("Loan events to decide"), events.count(), f"{reverse('repayments:events')}?state=proposed")
            )
        return super().get_context_data(waiting=waiting, **kwargs)


urls = [path("waiting/", Waiting.as_view(), name="waiting")]
