"""The policies applied: classes, provisions, freezes, which lapse soon, and where a new one is proposed."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook.pages import Page
from daybook.selectors import BooksNotOpen, open_business_date
from partners.access import FOUNDATION, Role
from repayments.models import ChargePolicy, ClassFreeze, ClassificationPolicy, ProvisionPolicy
from repayments.selectors.policies import LAPSING_WITHIN_DAYS, lapsing_policies


class PolicyPage(Page, TemplateView):
    """Policies and freezes with their dates and sources; which lapse soon."""

    required_roles = FOUNDATION
    template_name = "repayments/close/policies.html"
    title = gettext_lazy("Policies")
    subtitle = gettext_lazy(
        "Dated rules of class and provision. For a loan the most specific scope counts, then the latest "
        "start; where none fits, the answer is “no policy”."
    )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            on = open_business_date()
        except BooksNotOpen:
            on = timezone.localdate()
        people = ("proposed_by", "approved_by", "booking")
        return super().get_context_data(
            on=on,
            classes=ClassificationPolicy.objects.select_related(*people).order_by(
                "tier", "applies_to", "-from_date"
            ),
            provisions=ProvisionPolicy.objects.select_related(*people).order_by(
                "tier", "applies_to", "-from_date"
            ),
            charges=ChargePolicy.objects.select_related(*people).order_by(
                "kind", "tier", "-from_date", "code"
            ),
            freezes=ClassFreeze.objects.filter(replaced_by__isnull=True, is_withdrawn=False).select_related(
                "institution", "programme", "district", "made_by", "approved_by"
            ),
            may_propose=self.request.context.may(Role.OFFICER, Role.FINANCE_HEAD),  # type: ignore[attr-defined]
            lapsing=lapsing_policies(on, within_days=LAPSING_WITHIN_DAYS),
            **kwargs,
        )


urls = [path("policies/", PolicyPage.as_view(), name="policies")]
