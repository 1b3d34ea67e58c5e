"""What a person types to propose a receipt, a reversal, or to decide a proposal."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.forms import DayField, TakaField
from partners.models import Institution
from repayments.names import NamedChoiceField


class InstitutionChoice(forms.Form):
    """Which institution paid."""

    institution = NamedChoiceField(
        Institution.objects.none(), label=_("Institution"), empty_label=_("Choose an institution")
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["institution"].queryset = Institution.objects.filter(  # type: ignore[attr-defined]
            loans__tier="wholesale"
        ).distinct()


class ReceiptForm(forms.Form):
    """Money received on one wholesale loan. `shown` remembers which figures the preview was of."""

    amount = TakaField(label=_("Amount received"))
    value_date = DayField(label=_("Value date"), help_text=_("When the money reached our account."))
    external_reference = forms.CharField(
        label=_("Bank's reference"),
        max_length=80,
        help_text=_("As the bank's advice says; one payment keeps one reference."),
    )
    reason = forms.CharField(
        label=_("Note for the second person"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def figures(self) -> str:
        """The amount and date as a text to compare."""
        return f"{self.cleaned_data['amount']:.2f} {self.cleaned_data['value_date']:%Y-%m-%d}"


class ReversalForm(forms.Form):
    """Why a receipt is to be taken back."""

    reason = forms.CharField(
        label=_("Why is it to be reversed?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The second person reads it, and it stays in the books with the reversal."),
    )


class DecisionForm(forms.Form):
    """The second person's word."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed to reject."),
    )
