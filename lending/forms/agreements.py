"""Forms of agreements: drafting, approving, allotting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from lending import words
from lending.models import Cluster, FundSource, Programme
from partners.models import Institution


class ReasonForm(forms.Form):
    """A sentence that is kept with the decision."""

    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Kept with the decision.")
    )


class NoteForm(forms.Form):
    """A sentence that may be left out."""

    reason = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class AgreementForm(forms.Form):
    """A new agreement with the terms that every tranche under it takes."""

    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.all())
    programme = forms.ModelChoiceField(
        label=_("Programme"), queryset=Programme.objects.order_by("-from_date")
    )
    limit = TakaField(label=_("Limit (Tk)"))
    is_revolving = forms.BooleanField(label=_("Repaid money may be drawn again"), required=False)
    signed_date = DayField(label=_("Signed on"))
    from_date = DayField(label=_("In force from"))
    to_date = DayField(label=_("May draw until"))
    contract_mode = forms.ChoiceField(label=_("Contract"), choices=words.choices(words.CONTRACT_MODES))
    annual_rate = forms.DecimalField(
        label=_("Rate, % a year"), max_digits=7, decimal_places=4, min_value=0, max_value=100
    )
    method = forms.ChoiceField(label=_("Repayment"), choices=words.choices(words.METHODS))
    frequency = forms.ChoiceField(
        label=_("Instalments fall due"), choices=words.choices(words.FREQUENCIES), initial="quarterly"
    )
    instalment_count = forms.IntegerField(
        label=_("Paying instalments"),
        min_value=1,
        max_value=400,
        help_text=_("Without those of the grace period."),
    )
    grace_months = forms.IntegerField(label=_("Grace, months"), min_value=0, max_value=120, initial=0)
    grace_kind = forms.ChoiceField(
        label=_("During grace"), choices=words.choices(words.GRACE_KINDS), initial="none"
    )
    day_count = forms.ChoiceField(label=_("Days are counted"), choices=words.choices(words.DAY_COUNTS))
    due_day = forms.IntegerField(label=_("Fixed day of the month"), min_value=1, max_value=31, required=False)
    roll_rule = forms.ChoiceField(
        label=_("A due date on a holiday"), choices=words.choices(words.ROLL_RULES), initial="following"
    )
    penal_rate = forms.DecimalField(
        label=_("Penal rate, % a year"),
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        initial=0,
    )
    relend_until = DayField(label=_("Collected money may be lent again until"), required=False)


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
