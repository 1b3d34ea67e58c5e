"""The panel of the home page that says what of repayments waits for this person."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from daybook.pages import Page
from daybook.selectors import BooksNotOpen, open_business_date
from partners.access import EVERYONE, Role
from repayments.models import ClassificationReturn, DayRun, LoanEvent, ReceiptProposal, RulingProposal, Upload
from repayments.selectors.policies import LAPSING_WITHIN_DAYS, lapsing_policies
from repayments.selectors.positions import differing_count

COMPARED_AT_ONCE = 5_000
"""Positions measured for the home page, in well under a second."""

CLOSE_WATCHERS = (Role.OFFICER, Role.FINANCE_HEAD, Role.ADMINISTRATOR, Role.AUDITOR)


class Waiting(Page, TemplateView):
    """Files to confirm, proposals to decide, closes to see to: counts that lead to the list.

    An auditor and a viewer decide nothing: they see what lies undecided.
    """

    required_roles = EVERYONE
    template_name = "repayments/_waiting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context, user = self.request.context, self.request.user  # type: ignore[attr-defined]
        waiting = []
        if context.may(Role.MAKER, Role.CHECKER, Role.VIEWER):
            files = Upload.objects.filter(state=Upload.State.PREVIEW)
            if not context.may(Role.MAKER):
                files = files.exclude(made_by_id=user.pk)
            waiting.append(
                (_("Files to confirm"), files.count(), f"{reverse('repayments:uploads')}?state=preview")
            )
        if context.may(Role.APPROVER, Role.FINANCE_HEAD, Role.AUDITOR):
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
            rulings = RulingProposal.objects.filter(state="proposed").exclude(made_by_id=user.pk)
            waiting.append(
                (
                    _("Judgements and policies to decide"),
                    rulings.count(),
                    f"{reverse('repayments:rulings')}?state=proposed",
                )
            )
            drafts = ClassificationReturn.objects.filter(state="draft").exclude(made_by_id=user.pk)
            waiting.append(
                (_("Returns to lock"), drafts.count(), f"{reverse('repayments:returns')}?state=draft")
            )
        if context.may(*CLOSE_WATCHERS):
            closes = DayRun.objects.filter(state=DayRun.State.FAILED).count()
            waiting.append((_("Closes that failed"), closes, f"{reverse('repayments:closes')}?state=failed"))
            unsigned = DayRun.objects.filter(state=DayRun.State.EXCEPTIONS, signed_at__isnull=True).count()
            waiting.append(
                (
                    _("Closes to sign"),
                    unsigned,
                    f"{reverse('repayments:closes')}?state=unsigned",
                )
            )
        waiting += _positions()
        if context.may(Role.FINANCE_HEAD, Role.ADMINISTRATOR) and (lapsing := _lapsing()):
            waiting.append((_("Policies that lapse soon"), lapsing, reverse("repayments:policies")))
        return super().get_context_data(waiting=waiting, **kwargs)


def _positions() -> list[tuple[str, int, str]]:
    """Positions that institutions state otherwise than our books; nothing while none differs."""
    try:
        count, compared = differing_count(at_most=COMPARED_AT_ONCE)
    except BooksNotOpen:
        return []
    label = _("Positions that differ") if compared else _("Positions to compare")
    return [(label, count, reverse("repayments:positions"))] if count else []


def _lapsing() -> int:
    """How many policies lapse within the time of warning; none before the books are open."""
    try:
        return len(lapsing_policies(open_business_date(), within_days=LAPSING_WITHIN_DAYS))
    except BooksNotOpen:
        return 0


urls = [path("waiting/", Waiting.as_view(), name="waiting")]
