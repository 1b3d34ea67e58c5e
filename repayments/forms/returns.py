"""What a person fills in to draft a return, and to lock or discard one."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from daybook.formats import day
from lending.models import Tier
from partners.models import Institution
from repayments.names import NamedChoiceField
from repayments.services.returns import latest_quarter_end, previous_quarter_end

QUARTERS_OFFERED = 8


class DraftForm(forms.Form):
    """Which return: tier, institution, quarter's end, and up to which closed date the books are read."""

    tier = forms.ChoiceField(label=_("Tier"), choices=Tier.choices)
    institution = NamedChoiceField(
        Institution.objects.none(), label=_("Institution"), required=False, empty_label=_("All institutions")
    )
    as_of = forms.ChoiceField(label=_("As of the end of the quarter"))
    known_by = forms.ChoiceField(
        label=_("As known by the close of"),
        help_text=_("What was booked by then is in the return; what is booked later never is."),
    )
    reason = forms.CharField(
        label=_("Remarks"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, today: date, closed: list[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = Institution.objects.order_by("name")  # type: ignore[attr-defined]
        ends = [latest_quarter_end(today)]
        while len(ends) < QUARTERS_OFFERED:
            ends.append(previous_quarter_end(ends[-1]))
        self.fields["as_of"].choices = [(end.isoformat(), day(end)) for end in ends]  # type: ignore[attr-defined]
        self.fields["known_by"].choices = [(one.isoformat(), day(one)) for one in closed]  # type: ignore[attr-defined]


class DecideForm(forms.Form):
    """What the second person found."""

    reason = forms.CharField(
        label=_("What was checked, or why it is turned down"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
