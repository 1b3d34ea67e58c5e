"""Fields for dates and money as people in Bangladesh write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LATIN_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


class DayInput(forms.DateInput):
    """A browser's calendar; the value travels as YYYY-MM-DD whatever the language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A date, from a calendar or typed as dd/mm/yyyy."""

    widget = DayInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y"])
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.translate(LATIN_DIGITS) if isinstance(value, str) else value)


class TakaField(forms.DecimalField):
    """An amount in taka: 12,50,000.50 or ১২,৫০,০০০.৫০; at most two places, not negative unless told."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {"invalid": _("Write an amount in taka, such as 12,50,000.00.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 19)
        kwargs.setdefault("decimal_places", 2)
        kwargs.setdefault("min_value", Decimal(0))
        kwargs.setdefault("localize", False)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.translate(LATIN_DIGITS).replace(",", "").replace("৳", "").strip()
        return super().to_python(value)


class HolidayForm(forms.Form):
    """A day declared closed, or the declaration taken back."""

    act = forms.ChoiceField(
        label=_("What to do"),
        choices=[("declare", _("Declare a holiday")), ("withdraw", _("Withdraw the declaration"))],
    )
    date = DayField(label=_("Date"))
    name = forms.CharField(label=_("Name"), max_length=120)
    name_bn = forms.CharField(label=_("Name in Bangla"), max_length=120, required=False)
    reason = forms.CharField(label=_("Reason, such as the notice that declares it"), max_length=500)
