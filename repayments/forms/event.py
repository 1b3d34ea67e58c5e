"""What every form of a loan event has: from when, why, and a place for each refusal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from calc.money import to_minor
from daybook.forms import DayField, TakaField
from lending.contract_words import ContractWords
from lending.models import Loan

TERMS = {
    "amount": "amount",
    "amount_minor": "amount",
    "received_minor": "received",
    "down_payment": "down_payment",
    "down_payment_minor": "down_payment",
    "effective_on": "effective_date",
    "kind": "grace_kind",
    "grace_periods": "grace_months",
    "interest_grace": "grace_months",
    "disbursed_on": "effective_date",
    "due_on": "rows",
    "principal": "rows",
    "instalment": "rows",
}
"""Terms as calc and the services name them, where the field is called otherwise."""


class EventForm(forms.Form):
    """What every event has: from when, why. ``shown`` remembers of which figures the preview was."""

    kind = ""
    effective_date = DayField(label=_("Counts from"))
    reason = forms.CharField(
        label=_("Why"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The second person reads it, and it stays in the books with the event."),
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, loan: Loan | None, today: date, **kwargs: Any) -> None:
        self.loan = loan
        super().__init__(*args, **kwargs)
        self.fields["effective_date"].initial = today
        own = [name for name in self.fields if name not in ("effective_date", "reason", "shown")]
        self.order_fields(["effective_date", *own, "reason", "shown"])

    def parameters(self) -> dict[str, Any]:
        """The choices as the event keeps them: JSON, money in minor units."""
        skipped = {"effective_date", "reason", "shown", "valid_until"}
        kept: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name in skipped or value in (None, ""):
                continue
            if isinstance(self.fields[name], TakaField):
                kept[f"{name}_minor"] = to_minor(value)
            elif isinstance(value, date):
                kept[name] = value.isoformat()
            elif isinstance(value, Decimal):
                kept[name] = str(value)
            elif hasattr(value, "pk"):
                kept[name] = value.pk
            else:
                kept[name] = value
        return kept

    def speak(self, words: ContractWords) -> None:
        """Let every label, choice and hint use the words of the loan's contract."""
        for field in self.fields.values():
            field.label, field.help_text = words.tell(field.label or ""), words.tell(field.help_text)
            if type(field) is forms.ChoiceField:
                choices: Any = field.choices
                field.choices = [(code, words.tell(label)) for code, label in choices]

    def carried(self) -> dict[str, str]:
        """What the fields hold when the form comes back, where that is not what was sent: none."""
        return {}

    def refuse(self, term: str, sentence: str) -> None:
        """Put a refusal beside the field it names."""
        name = TERMS.get(term, term)
        self.add_error(name if name in self.fields else None, sentence)


def lead_to_fault(form: forms.Form) -> None:
    """Let the first field that is refused have the keyboard when the page comes back."""
    name = next((name for name in form.fields if name in form.errors), None)
    if name is not None:
        form.fields[name].widget.attrs["autofocus"] = True
