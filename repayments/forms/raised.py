"""What is asked of the check of sub-loans' penal interest."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from partners.models import Institution
from repayments.names import NamedChoiceField

EVERYTHING, TOO_MUCH, NOTHING_TAKEN = "", "over", "none"


class CheckForm(forms.Form):
    """Whose sub-loans, and which of them."""

    institution = NamedChoiceField(
        label=_("Institution"),
        queryset=Institution.objects.order_by("name"),
        required=False,
        empty_label=_("Choose an institution"),
    )
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[
            (EVERYTHING, _("All")),
            (TOO_MUCH, _("Reported more than the limit")),
            (NOTHING_TAKEN, _("Reported nothing")),
        ],
    )
    loan = forms.CharField(label=_("Loan"), required=False, max_length=40)
