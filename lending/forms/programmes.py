"""The form of a programme's new terms."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from lending import words


def _percent(label: Any, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=7, decimal_places=more.pop("places", 4), min_value=0, max_value=100, **more
    )


class TermsForm(forms.Form):
    """What the programme demands from a date on; shares are percent of what is lent."""

    effective_date = DayField(label=_("From"))
    fund_rate = _percent(_("Foundation to institution, % a year"))
    borrower_rate_cap = _percent(_("Borrowers pay at most, % a year"))
    min_amount = TakaField(label=_("Smallest sub-loan (Tk)"))
    max_amount = TakaField(label=_("Largest sub-loan (Tk)"))
    max_machinery_amount = TakaField(label=_("Largest for machinery (Tk)"), required=False)
    collateral_free_to = TakaField(label=_("Without collateral up to (Tk)"), required=False)
    tenor_months = forms.IntegerField(label=_("Longest tenor, months"), min_value=1, max_value=360)
    grace_months = forms.IntegerField(label=_("Longest grace, months"), min_value=0, max_value=120)
    women_share = _percent(_("To women at least, %"), required=False, places=2)
    manufacturing_share = _percent(_("To manufacturing at least, %"), required=False, places=2)
    trading_share_max = _percent(_("To trading at most, %"), required=False, places=2)
    up_to_10_lakh_share = _percent(_("In loans up to 10 lakh at least, %"), required=False, places=2)
    excluded_sectors = forms.CharField(
        label=_("Excluded sectors"), required=False, help_text=_("Separated by commas.")
    )
    confidence = forms.ChoiceField(
        label=_("How sure these figures are"), choices=words.choices(words.CONFIDENCES), initial="H"
    )
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The decision or letter that sets them."),
    )

    def clean_excluded_sectors(self) -> list[str]:
        """The sectors one by one."""
        return [part.strip() for part in self.cleaned_data["excluded_sectors"].split(",") if part.strip()]
