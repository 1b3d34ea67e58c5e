"""Forms of applications and tranches."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calc.money import to_minor
from daybook.formats import digits, tk
from daybook.forms import DayField, TakaField
from lending.models import Agreement, Allotment, Cluster


class AllotmentChoice(forms.ModelChoiceField):
    """Allotments by agreement, cluster and amount."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.agreement.number} · {obj.cluster or _('any cluster')} · {tk(obj.amount)}"


class ApplicationForm(forms.Form):
    """A request for one cluster. The choices are the institution's own open allotments."""

    allotment = AllotmentChoice(
        label=_("Allotment"), queryset=Allotment.objects.none(), empty_label=_("Choose an allotment")
    )
    cluster = forms.ModelChoiceField(
        label=_("Cluster"),
        queryset=Cluster.objects.order_by("name"),
        required=False,
        empty_label=_("The allotment's cluster"),
    )
    amount = TakaField(label=_("Amount (Tk)"))
    purpose = forms.CharField(label=_("Purpose"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, institution_id: int, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["allotment"].queryset = (  # type: ignore[attr-defined]
            Allotment.objects.filter(
                Q(from_date__lte=on, to_date__gte=on),
                institution_id=institution_id,
                agreement__state=Agreement.State.ACTIVE,
            ).select_related("agreement", "cluster")
        )

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        allotment = told.get("allotment")
        if allotment is not None and told.get("cluster") is None:
            if allotment.cluster is None:
                self.add_error("cluster", _("This allotment is open to any cluster: choose one."))
            told["cluster"] = allotment.cluster
        return told


class ChangeForm(forms.Form):
    """Amount and purpose of an open application."""

    amount = TakaField(label=_("Amount (Tk)"))
    purpose = forms.CharField(label=_("Purpose"), widget=forms.Textarea(attrs={"rows": 3}))


class AppraisalForm(forms.Form):
    """What the officer recommends, and why."""

    recommended_amount = TakaField(label=_("Recommended amount (Tk)"))
    reason = forms.CharField(label=_("Appraisal"), widget=forms.Textarea(attrs={"rows": 4}))


class ApprovalForm(forms.Form):
    """What is sanctioned, and until when it may be drawn."""

    amount = TakaField(label=_("Sanctioned amount (Tk)"))
    expires_date = DayField(label=_("May be drawn until"))
    reason = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class AmountsField(forms.CharField):
    """Amounts in taka, one a line, or a column copied from a sheet; gives minor units.

    Of a line with several cells the last counts, so that numbers and dates before it may stay.
    """

    widget = forms.Textarea(attrs={"rows": 6, "inputmode": "decimal"})

    def to_python(self, value: Any) -> Any:
        found = []
        for number, line in enumerate(str(value or "").strip().splitlines(), start=1):
            cell = re.split(r"[\t;|]", line.strip())[-1]
            try:
                amount = TakaField().clean(cell)
            except forms.ValidationError as error:
                raise forms.ValidationError(
                    _("Line %(number)s: “%(text)s” is no amount. Write one amount a line, as 12,50,000.00."),
                    params={"number": digits(str(number)), "text": cell[:40]},
                ) from error
            found.append(to_minor(amount))
        return found


class _PlanForm(forms.Form):
    """What a tranche may say of its own plan; amounts are asked for where the plan is irregular."""

    first_due_date = DayField(
        label=_("First due date"),
        required=False,
        help_text=_("Where the first period is long or short; empty: as the agreement says."),
    )
    instalment_amounts = AmountsField(
        label=_("Principal of each instalment (Tk)"),
        required=False,
        help_text=_("One a line, or a column copied from a sheet; together the amount."),
    )

    def __init__(self, *args: Any, is_irregular: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_irregular:
            del self.fields["instalment_amounts"]


class TrancheRequestForm(_PlanForm):
    """An amount to draw, and its plan where the agreement leaves it open."""

    amount = TakaField(label=_("Amount (Tk)"))
    field_order = ("amount",)


class CancelPartForm(forms.Form):
    """What of a facility will not be drawn any more, and why."""

    amount = TakaField(label=_("Amount (Tk)"))
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), help_text=_("Kept with the decision.")
    )


class TrancheApprovalForm(_PlanForm):
    """All or part of what was asked for."""

    field_order = ("amount", "first_due_date", "instalment_amounts", "reason")
    amount = TakaField(label=_("Approved amount (Tk)"))
    reason = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 2}), required=False)


class DisbursementForm(forms.Form):
    """When the money was sent, and the bank's reference of the transfer."""

    value_date = DayField(label=_("Value date"), help_text=_("The day from which the money counts as sent."))
    bank_reference = forms.CharField(label=_("Reference of the transfer"), max_length=80)
