"""What a person says about a close."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class CloseDateForm(forms.Form):
    """The date that was open when the person saw the page."""

    date = forms.DateField(input_formats=["%Y-%m-%d"])


class SignExceptionsForm(forms.Form):
    """An officer takes note of what a close could not do."""

    reason = forms.CharField(
        label=_("What was found, and what will be done about it"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
