"""What is asked when a penal rate is to change."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField


class PenalRateForm(forms.Form):
    """A rate, from when, and why."""

    annual_rate = forms.DecimalField(
        label=_("Penal rate, % a year"), min_value=0, max_value=100, max_digits=7, decimal_places=4
    )
    effective_date = DayField(label=_("From"))
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))


class PenalRateDecisionForm(forms.Form):
    """A word on the decision; a rejection needs one."""

    reason = forms.CharField(label=_("Reason"), required=False, widget=forms.Textarea(attrs={"rows": 2}))
