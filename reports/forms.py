"""What a person may ask: dates of the books, filters of loans, what to compare, what to run in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField
from daybook.selectors import known_by, latest_closed_date, open_business_date
from reports.builders.loans import DEFAULT_SORT, SORTABLE
from reports.builders.objects import Asked, Words
from reports.builders.questions import CLASS_BY_CODE, dimension_names
from reports.builders.wording import BUCKET_LABELS, CLASS_LABELS, DIMENSION_LABELS, TIER_SHORT, Dimension
from reports.selectors.portfolio import currencies

ALL = ("", _("All"))


def default_date() -> date:
    """The latest closed date; on books that never closed a day, the open one."""
    return latest_closed_date() or open_business_date()


class AskedForm(forms.Form):
    """As of which date, known by which business date. What is wrong falls back to the latest closed date."""

    as_of = DayField(required=False, label=_("As of"))
    known_by = DayField(required=False, label=_("Known by"))

    def __init__(self, data: QueryDict | dict[str, str], **kwargs: Any) -> None:
        values = data.copy()
        self.standard = default_date()
        for name in ("as_of", "known_by"):
            if not values.get(name):
                values[name] = self.standard.isoformat()
        super().__init__(values, **kwargs)

    def clean_known_by(self) -> date:
        value: date = self.cleaned_data["known_by"]
        if value > open_business_date():
            raise forms.ValidationError(
                _("The books are open on %(date)s; nothing is known later."),
                params={"date": open_business_date().isoformat()},
            )
        return value

    @property
    def asked(self) -> Asked:
        """The books asked for."""
        valid = self.is_valid()
        as_of = self.cleaned_data.get("as_of") or self.standard
        known = self.cleaned_data.get("known_by") or self.standard
        if not valid and "as_of" in self.errors:
            as_of = self.standard
        return Asked(as_of, known_by(known))


class PortfolioForm(AskedForm):
    """The portfolio page: which breakdown, which currency, narrowed to what, compared with when."""

    by = forms.ChoiceField(required=False, label=_("By"))
    currency = forms.ChoiceField(required=False, label=_("Currency"))
    institution = forms.ChoiceField(required=False, label=_("Institution"))
    programme = forms.ChoiceField(required=False, label=_("Programme"))
    plus_r = forms.ChoiceField(
        required=False,
        label=_("At risk"),
        choices=[("", _("Late")), ("1", _("Late, + R"))],
    )
    compare = DayField(required=False, label=_("Compare with known by"))

    def __init__(self, data: QueryDict | dict[str, str], *, is_partner: bool = False, **kwargs: Any) -> None:
        values = data.copy()
        self.is_partner = is_partner
        if not values.get("by"):
            values["by"] = str(Dimension.PROGRAMME if is_partner else Dimension.INSTITUTION)
        super().__init__(values, **kwargs)
        self.fields["by"].choices = list(DIMENSION_LABELS.items())  # type: ignore[attr-defined]
        self.fields["currency"].choices = [(code, code) for code in currencies()]  # type: ignore[attr-defined]
        if len(self.fields["currency"].choices) == 1:  # type: ignore[attr-defined]
            self.fields["currency"].widget = forms.HiddenInput()
        for dimension in (Dimension.INSTITUTION, Dimension.PROGRAMME):
            self.fields[dimension].choices = _choices(dimension)  # type: ignore[attr-defined]
        if is_partner:
            del self.fields["institution"]

    @property
    def facts(self) -> dict[str, str]:
        """The question in plain text."""
        self.is_valid()
        found = {
            "currency": self.cleaned_data.get("currency") or "BDT",
            "by": self.cleaned_data.get("by") or "",
        }
        for name in ("institution", "programme", "plus_r"):
            if self.cleaned_data.get(name):
                found[name] = self.cleaned_data[name]
        if not found["by"]:
            found["by"] = str(Dimension.INSTITUTION)
        return found

    @property
    def compare_with(self) -> Asked | None:
        """The same date as known at another business date."""
        self.is_valid()
        day = self.cleaned_data.get("compare")
        return Asked(self.asked.as_of, known_by(day)) if day else None


class LoansForm(AskedForm):
    """The list of loans."""

    tier = forms.ChoiceField(required=False, choices=list(TIER_SHORT.items()), label=_("Tier"))
    q = forms.CharField(
        required=False,
        max_length=80,
        label=_("Search"),
        widget=forms.TextInput(
            attrs={"type": "search", "data-search": "", "placeholder": _("number, account, borrower")}
        ),
    )
    institution = forms.ChoiceField(required=False, label=_("Institution"))
    programme = forms.ChoiceField(required=False, label=_("Programme"))
    cluster = forms.ChoiceField(required=False, label=_("Cluster"))
    bucket = forms.ChoiceField(required=False, label=_("Days past due"))
    overdue = forms.ChoiceField(required=False, label=_("Overdue"), choices=[ALL, ("1", _("Only overdue"))])
    owing = forms.ChoiceField(
        required=False, label=_("Owing"), choices=[ALL, ("1", _("Only loans that owe"))]
    )
    rescheduled = forms.ChoiceField(
        required=False, label=_("Rescheduled"), choices=[ALL, ("1", _("Only rescheduled"))]
    )
    currency = forms.ChoiceField(required=False, label=_("Currency"))
    plus_r = forms.ChoiceField(required=False, choices=[ALL, ("1", "+R")], widget=forms.HiddenInput)
    late_over = forms.IntegerField(required=False, min_value=0, max_value=100_000, widget=forms.HiddenInput)
    gender = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    size = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    district = forms.ChoiceField(required=False, widget=forms.HiddenInput)
    sort = forms.ChoiceField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | dict[str, str], *, is_partner: bool = False, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["class"] = forms.ChoiceField(
            required=False,
            label=_("Class (indicative)"),
            choices=[ALL, *((code, CLASS_LABELS[grade]) for code, grade in CLASS_BY_CODE.items())],
        )
        self.fields["bucket"].choices = [ALL, *((str(n), label) for n, label in BUCKET_LABELS.items())]  # type: ignore[attr-defined]
        self.fields["currency"].choices = [(code, code) for code in currencies()]  # type: ignore[attr-defined]
        orders = [order for name in SORTABLE for order in (name, f"-{name}")]
        self.fields["sort"].choices = [ALL, *((order, order) for order in orders)]  # type: ignore[attr-defined]
        for name in ("institution", "programme", "cluster", "gender", "size", "district"):
            self.fields[name].choices = _choices(Dimension(name))  # type: ignore[attr-defined]
        if is_partner:
            del self.fields["institution"]
        if len(self.fields["currency"].choices) == 1:  # type: ignore[attr-defined]
            self.fields["currency"].widget = forms.HiddenInput()

    @property
    def facts(self) -> dict[str, str]:
        """The question in plain text; what is wrong or empty is left out."""
        self.is_valid()
        names = [name for name in self.fields if name not in ("as_of", "known_by")]
        found = {name: str(self.cleaned_data.get(name)) for name in names if self.cleaned_data.get(name)}
        return {"tier": "wholesale", "currency": "BDT", "sort": DEFAULT_SORT} | found


class StatementForm(AskedForm):
    """A statement: from which day (its start unless said), in which language."""

    period_from = DayField(required=False, label=_("From"))
    lang = forms.ChoiceField(required=False, choices=[("en", "English"), ("bn", "বাংলা")], label=_("Language"))


class BulkForm(forms.Form):
    """Statements of all loans of an institution or a programme, in one file."""

    as_of = DayField(label=_("As of"))
    tier = forms.ChoiceField(choices=list(TIER_SHORT.items()), label=_("Tier"))
    institution = forms.ChoiceField(required=False, label=_("Institution"))
    programme = forms.ChoiceField(required=False, label=_("Programme"))
    owing = forms.BooleanField(required=False, initial=True, label=_("Only loans that owe on the date"))
    lang = forms.ChoiceField(choices=[("en", "English"), ("bn", "বাংলা")], label=_("Language"))

    def __init__(self, *args: Any, is_partner: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_partner = is_partner
        self.fields["institution"].choices = _choices(Dimension.INSTITUTION)  # type: ignore[attr-defined]
        self.fields["programme"].choices = _choices(Dimension.PROGRAMME)  # type: ignore[attr-defined]
        if is_partner:
            del self.fields["institution"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.is_partner and not values.get("institution") and not values.get("programme"):
            raise forms.ValidationError(_("Choose an institution or a programme."))
        if values.get("as_of") and values["as_of"] > open_business_date():
            self.add_error("as_of", _("The books are not open on that date yet."))
        return values


class VerifyForm(forms.Form):
    """A checksum as it is printed; spaces do not matter."""

    checksum = forms.RegexField(
        regex=r"^[0-9a-fA-F\s]{16,90}$",
        label=_("Checksum (SHA-256)"),
        error_messages={
            "invalid": _("A checksum has 64 digits from 0–9 and a–f; at least the first 16 are needed.")
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_checksum(self) -> str:
        return "".join(self.cleaned_data["checksum"].split()).lower()


def _choices(dimension: Dimension) -> Sequence[tuple[str, Words]]:
    values = dimension_names(dimension).values()
    return [ALL, *((value, label) for value, label in values)]
