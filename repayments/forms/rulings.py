"""What a person fills in to propose a judgement, a security or a policy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from lending.models import Programme, Security, Tier
from lending.models.borrowers import SizeTier
from partners.models import District, Institution
from repayments.models import ClassificationPolicy, RulingProposal
from repayments.models.judgements import LoanClassName
from repayments.models.policies import DatedPolicy

Kind = RulingProposal.Kind
EVERY_TIER = [("", _("Both tiers")), *Tier.choices]
BEGINNINGS = ("sma_months", "ss_months", "df_months", "bl_months")
CONFIDENCES = [
    ("H", _("H: the primary text was read")),
    ("M", _("M: one report, or inferred")),
    ("L", _("L: weak")),
    ("K", _("K: custom, to be confirmed")),
]


def _reason(label: Any = None) -> forms.CharField:
    return forms.CharField(
        label=label or _("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The second person reads it, and it stands in the books."),
    )


def _sizes() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Sizes of enterprise"),
        choices=SizeTier.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: all."),
    )


class RulingForm(forms.Form):
    """Base of the forms below."""

    @property
    def parameters(self) -> dict[str, Any]:
        """What was filled in, as text, numbers and lists; dates in ISO; without the reason."""
        found: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name == "reason":
                continue
            if isinstance(value, Model):
                found[f"{name}_id"] = value.pk
            elif isinstance(value, date):
                found[name] = value.isoformat()
            elif isinstance(value, Decimal):
                found[name] = str(value)
            else:
                found[name] = value
        return found

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        first, last = told.get("from_date"), told.get("to_date")
        if first and last and last < first:
            self.add_error("to_date", _("The last day comes before the first."))
        return told


class FloorForm(RulingForm):
    """Hold the class of one loan."""

    at_least = forms.TypedChoiceField(
        label=_("The class is at least"), choices=LoanClassName.choices[1:], coerce=int
    )
    from_date = DayField(label=_("From"))
    reason = _reason(_("Why: what is known of the borrower that the figures do not show"))


class ReleaseForm(RulingForm):
    """Release a held class."""

    from_date = DayField(label=_("Released from"), help_text=_("The first day it no longer holds."))
    reason = _reason()


class SecurityForm(RulingForm):
    """A security of one loan."""

    category = forms.ChoiceField(label=_("Kind of security"), choices=Security.Category.choices)
    kind = forms.CharField(
        label=_("What it is"),
        max_length=60,
        help_text=_("Deed, deposit receipt or guarantee, and its number."),
    )
    value = TakaField(label=_("Value"), min_value=Decimal("0.01"))
    eligible_percent = forms.DecimalField(
        label=_("Eligible percent of the value"), min_value=0, max_value=100, max_digits=5, decimal_places=2
    )
    valued_date = DayField(label=_("Valued on"))
    from_date = DayField(label=_("Counts from"))
    to_date = DayField(
        label=_("Counts until"),
        required=False,
        help_text=_("Movables are valued yearly, immovables every three years. Empty: without end."),
    )
    is_withdrawn = forms.BooleanField(
        label=_("The security it replaces never counted"),
        required=False,
        help_text=_("Only when it replaces one."),
    )
    reason = _reason()


class FreezeForm(RulingForm):
    """Stop classes from worsening."""

    reference = forms.CharField(
        label=_("Circular or decision"), max_length=120, help_text=_("Such as BRPD 17/2020.")
    )
    tier = forms.ChoiceField(label=_("Tier"), choices=EVERY_TIER, required=False)
    applies_to = forms.ChoiceField(
        label=_("Institutions"), choices=DatedPolicy.AppliesTo.choices, initial=DatedPolicy.AppliesTo.ANY
    )
    institution = forms.ModelChoiceField(
        Institution.objects.order_by("name"), label=_("One institution"), required=False, empty_label=_("All")
    )
    programme = forms.ModelChoiceField(
        Programme.objects.order_by("code"), label=_("Programme"), required=False, empty_label=_("All")
    )
    district = forms.ModelChoiceField(
        District.objects.order_by("name"), label=_("District"), required=False, empty_label=_("All")
    )
    sizes = _sizes()
    from_date = DayField(
        label=_("From"), help_text=_("No class gets worse than on the evening before this day.")
    )
    to_date = DayField(label=_("To, included"))
    is_withdrawn = forms.BooleanField(
        label=_("The freeze it replaces never applied"),
        required=False,
        help_text=_("Only when it replaces one."),
    )
    reason = _reason()


class _PolicyForm(RulingForm):
    code = forms.RegexField(
        r"^[A-Z0-9-]{3,24}$",
        label=_("Code"),
        error_messages={"invalid": _("Capital letters, digits and hyphens, such as P-CMSME-2027.")},
    )
    reference = forms.CharField(label=_("Circular or decision"), max_length=120)
    tier = forms.ChoiceField(label=_("Tier"), choices=Tier.choices, initial=Tier.SUBLOAN)
    applies_to = forms.ChoiceField(label=_("Institutions"), choices=DatedPolicy.AppliesTo.choices)
    scope = _sizes()
    from_date = DayField(label=_("From"))
    to_date = DayField(label=_("To, included"), required=False)
    confidence = forms.ChoiceField(label=_("Confidence"), choices=CONFIDENCES)


def _months(label: Any, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=0, max_value=120, **more)


class ClassPolicyForm(_PolicyForm):
    """Months at which each class begins."""

    test = forms.ChoiceField(label=_("Test"), choices=ClassificationPolicy.Test.choices)
    lag_months = _months(_("Lag, months"), initial=0)
    sma_months = _months(_("SMA from, months"), required=False)
    ss_months = _months(_("SS from, months"))
    df_months = _months(_("DF from, months"))
    bl_months = _months(_("BL from, months"))
    term_years_min = _months(_("Terms over, years"), required=False)
    term_years_max = _months(_("Terms up to, years"), required=False)
    reason = _reason()

    def clean(self) -> dict[str, Any]:
        told = super().clean()
        begins = [told[name] for name in BEGINNINGS if told.get(name) is not None]
        if begins != sorted(set(begins)):
            self.add_error(None, _("The months must rise from class to class."))
        if told.get("lag_months") and told.get("test") != ClassificationPolicy.Test.TIME:
            self.add_error("lag_months", _("A lag goes with the test by time only."))
        return told


def _percent(label: Any, **more: Any) -> forms.DecimalField:
    return forms.DecimalField(label=label, min_value=0, max_value=100, max_digits=6, decimal_places=3, **more)


class ProvisionPolicyForm(_PolicyForm):
    """Percent of the base for each class."""

    standard_percent = _percent(_("Standard, percent"))
    sma_percent = _percent(_("SMA, percent"))
    ss_percent = _percent(_("SS, percent"))
    df_percent = _percent(_("DF, percent"))
    bl_percent = _percent(_("BL, percent"))
    floor_percent = _percent(
        _("Floor of the base, percent of the outstanding"),
        initial=0,
        help_text=_("15 under BRPD 14/2012; 0: none. Cash-like security waives it."),
    )
    reason = _reason()


FORMS: dict[str, type[RulingForm]] = {
    Kind.FLOOR: FloorForm,
    Kind.RELEASE: ReleaseForm,
    Kind.FREEZE: FreezeForm,
    Kind.SECURITY: SecurityForm,
    Kind.CLASS_POLICY: ClassPolicyForm,
    Kind.PROVISION_POLICY: ProvisionPolicyForm,
}
