"""Forms of an institution: status, limit, ratio, branch."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import LATIN_DIGITS, DayField, TakaField
from partners import words
from partners.models import District

WHY = forms.Textarea(attrs={"rows": 2})


class InstitutionForm(forms.Form):
    """A new partner institution."""

    code = forms.SlugField(label=_("Code"), max_length=20, help_text=_("Short and lasting, e.g. CITY."))
    name = forms.CharField(label=_("Name"), max_length=120)
    name_bn = forms.CharField(label=_("Name in Bangla"), max_length=160, required=False)
    bank_code = forms.RegexField(
        r"^[0-9]{3}$",
        label=_("Bank code"),
        required=False,
        help_text=_("The first three digits of its routing numbers."),
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=words.choices(words.KINDS))
    ownership = forms.ChoiceField(
        label=_("Ownership"), choices=words.choices(words.OWNERSHIPS), initial="private"
    )
    is_islamic = forms.BooleanField(label=_("Works on Islamic contracts"), required=False)


class StatusForm(forms.Form):
    """A new status from a date on."""

    effective_date = DayField(label=_("From"))
    status = forms.ChoiceField(label=_("Status"), choices=words.choices(words.STATUSES))
    kind = forms.ChoiceField(label=_("Kind"), choices=words.choices(words.KINDS))
    ownership = forms.ChoiceField(label=_("Ownership"), choices=words.choices(words.OWNERSHIPS))
    is_islamic = forms.BooleanField(label=_("Works on Islamic contracts"), required=False)
    reason = forms.CharField(label=_("Reason"), widget=WHY)


class LimitForm(forms.Form):
    """What may be outstanding, from a date on."""

    effective_date = DayField(label=_("From"))
    amount = TakaField(label=_("Limit (Tk)"))
    reason = forms.CharField(label=_("Reason"), widget=WHY)


class RatioForm(forms.Form):
    """A ratio as published or reported."""

    name = forms.CharField(label=_("Ratio"), max_length=40, help_text=_("e.g. NPL, capital adequacy"))
    as_of = DayField(label=_("As of"))
    percent = forms.DecimalField(label=_("Percent"), max_digits=7, decimal_places=3)
    source = forms.CharField(label=_("Source"), max_length=200)


class BranchForm(forms.Form):
    """A branch with its routing number."""

    name = forms.CharField(label=_("Branch"), max_length=120)
    routing_number = forms.CharField(
        label=_("Routing number"), required=False, max_length=20, help_text=_("Nine digits.")
    )
    district = forms.ModelChoiceField(label=_("District"), queryset=District.objects.all(), required=False)
    is_confirmed = forms.BooleanField(
        label=_("I compared the number with the bank"),
        required=False,
        help_text=_("Needed only where the number looks wrong."),
    )

    def clean_routing_number(self) -> str:
        """Digits only, in Latin script."""
        text: str = self.cleaned_data["routing_number"]
        return text.translate(LATIN_DIGITS).replace(" ", "").replace("-", "")
