"""Forms of events after which a bank may give its own new plan of a sub-loan: a file, or pasted lines."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from daybook.formats import number
from lending.models import Loan, Tier
from repayments.faults import CannotReadFile
from repayments.forms.event import EventForm
from repayments.parsing.new_plan import as_text, read_new_plan, read_pasted_plan
from repayments.services.upload_words import refusal, say


class PlanForm(EventForm):
    """An event after which a bank may go on by its own new plan of a sub-loan."""

    plan_file = forms.FileField(
        label=_("The institution's own new plan, as a file"),
        required=False,
        allow_empty_file=True,
        help_text=_("Excel or CSV: instalment, due date, principal, interest. The day is written first."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.xls"}),
    )
    rows = forms.CharField(
        label=_("The same, pasted"),
        required=False,
        strip=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 4, "wrap": "off", "class": "code"}),
        help_text=_("A line an instalment. What a file held is shown here; change it or leave it empty."),
    )
    plan: tuple[dict[str, Any], ...] = ()

    def __init__(self, *args: Any, loan: Loan | None, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, today=today, **kwargs)
        self.today = today
        if loan is None or loan.tier != Tier.SUBLOAN:
            del self.fields["plan_file"], self.fields["rows"]
        last = ("plan_file", "rows", "reason", "shown")
        self.order_fields([*(name for name in self.fields if name not in last), *last])

    def clean(self) -> dict[str, Any] | None:
        told = super().clean() or self.cleaned_data
        file, text = told.get("plan_file"), told.get("rows") or ""
        if file is None and not text.strip():
            return told
        field = "rows" if file is None else "plan_file"
        try:
            read = (
                read_pasted_plan(text, business_date=self.today)
                if file is None
                else read_new_plan(file.read(), file_name=file.name, business_date=self.today)
            )
        except CannotReadFile as error:
            self.add_error(field, refusal(error) if file is None else f"{file.name}: {refusal(error)}")
            return told
        if read.fault is not None:
            gaps = {
                "file": gettext("Pasted lines") if file is None else file.name,
                "row": number(read.row),
                "column": read.column,
                "why": " ".join(say(read.fault)),
            }
            self.add_error(field, gettext("%(file)s, row %(row)s, column %(column)s: %(why)s") % gaps)
        self.plan = read.rows
        return told

    def carried(self) -> dict[str, str]:
        return {"rows": as_text(self.plan)} if self.plan else {}

    def parameters(self) -> dict[str, Any]:
        """The plan as an event keeps it, in place of the file or the text."""
        kept = super().parameters()
        kept.pop("plan_file", None)
        kept.pop("rows", None)
        return kept | ({"rows": list(self.plan)} if self.plan else {})
