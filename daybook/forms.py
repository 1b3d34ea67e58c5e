"""Fields for dates and money as people in Bangladesh write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

LATIN_DIGITS = str.maketrans("০১২৩৪৫৬৭৮৯", "0123456789")


DAY_FORMATS = ["%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"]
"""How a date may be written: the first is how it is shown, the second how addresses carry it."""


class DayInput(forms.DateInput):
    """A date as people here write it, dd/mm/yyyy.

    A browser's own calendar shows 11/12/2026 or 12/11/2026 by the language of the machine, and nobody
    can tell which.
    """

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        hints = {"placeholder": _("dd/mm/yyyy"), "autocomplete": "off", "maxlength": 10, "data-day": ""}
        super().__init__({**hints, **(attrs or {})}, format=DAY_FORMATS[0])

    def format_value(self, value: Any) -> str | None:
        """An address carries 2026-11-21; the field shows 21/11/2026."""
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                return value
        shown: str | None = super().format_value(value)
        return shown


class DayField(forms.DateField):
    """A date, written dd/mm/yyyy; Bangla digits and 2026-11-21 are understood, too.

    A year before 1900 or after 2199 is a slip of the pen, and near the ends of the calendar months cannot
    be added any more.
    """

    widget = DayInput
    default_error_messages = {
        "invalid": _("Write a date of the calendar as dd/mm/yyyy, such as 21/11/2026."),
        "year": _("The year must lie between 1900 and 2199."),
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("input_formats", DAY_FORMATS)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value.translate(LATIN_DIGITS).strip() if isinstance(value, str) else value)
        if found is not None and not 1900 <= found.year <= 2199:
            raise forms.ValidationError(self.error_messages["year"], code="year")
        return found


class TakaField(forms.DecimalField):
    """An amount in taka: 12,50,000.50 or ১২,৫০,০০০.৫০; at most two places, not negative unless told.

    Below ten lakh crore, more than the state spends in a year: beyond it is a slip of the pen, and far
    larger sums would not fit the books' whole numbers once multiplied.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {"invalid": _("Write an amount in taka, such as 12,50,000.00.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 15)
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
