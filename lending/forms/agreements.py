"""Forms of agreements: drafting, approving, allotting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from lending.models import Cluster, FundSource


class ReasonForm(forms.Form):
    """A sentence that is kept with the decision."""

    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Kept with the decision.")
    )


class NoteForm(forms.Form):
    """A sentence that may be left out."""

    reason = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class ProposalDecisionForm(forms.Form):
    """Yes or no to what another person proposed."""

    approves = forms.TypedChoiceField(
        label=_("Decision"),
        choices=[("yes", _("Approve")), ("no", _("Reject"))],
        coerce=lambda text: text == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text=_("To reject, say why."),
    )


class AllotmentForm(forms.Form):
    """Part of the limit for a fund source, a cluster and a period."""

    fund_source: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Fund source"), queryset=FundSource.objects.all()
    )
    cluster = forms.ModelChoiceField(
        label=_("Cluster"),
        queryset=Cluster.objects.order_by("name"),
        required=False,
        empty_label=_("Any cluster"),
    )
    amount = TakaField(label=_("Amount (Tk)"))
    from_date = DayField(label=_("From"))
    to_date = DayField(label=_("To"))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if told.get("from_date") and told.get("to_date") and told["from_date"] > told["to_date"]:
            self.add_error("to_date", _("The period ends before it begins."))
        return told
