"""Send an approved tranche into a running loan: the old plan beside the new one, then the disbursement."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from calc.events import Effect
from daybook import formats
from daybook.forms import DayField
from daybook.pages import Page, Text
from daybook.selectors import open_business_date
from lending.contract_words import contract_words
from lending.models import Loan, Tranche
from partners.access import Role
from partners.services.refusals import Refused
from repayments.builders.events import ShownPreview, shown_preview
from repayments.forms.event import lead_to_fault
from repayments.names import sign_of
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.further import disburse_further, running_loans, see_further


class FurtherTrancheForm(forms.Form):
    """Into which loan, from when, what changes, and the transfer."""

    loan = forms.ModelChoiceField(Loan.objects.none(), label=_("Loan"), empty_label=_("Choose a loan"))
    value_date = DayField(label=_("Value date"), help_text=_("The day from which the money counts as sent."))
    effect = forms.ChoiceField(
        label=_("What changes"),
        choices=[
            (Effect.INSTALMENT.value, _("The instalment rises, the term stays")),
            (Effect.TERM.value, _("The term lengthens, the instalment stays")),
        ],
    )
    bank_reference = forms.CharField(label=_("Reference of the transfer"), max_length=80)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)


class FurtherTranche(Page, TemplateView):
    """Shown before anybody sends it."""

    required_roles = (Role.OFFICER, Role.FINANCE_HEAD)
    template_name = "repayments/events/further.html"
    tranche: Tranche
    form: FurtherTrancheForm
    seen: ShownPreview | None

    def get_title(self) -> Text:
        return _("Tranche %(number)s into a running loan") % {"number": self.tranche.number}

    def get_subtitle(self) -> Text:
        return formats.named(self.tranche.institution)

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Tranches"), reverse("lending:tranches")),
            (self.tranche.number, reverse("lending:tranche", args=[self.tranche.pk])),
        ]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._open(None)
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self._open(request.POST)
        if self.form.is_valid():
            told = self.form.cleaned_data
            asked = {
                "tranche": self.tranche,
                "loan": told["loan"],
                "on": told["value_date"],
                "effect": Effect(told["effect"]),
            }
            try:
                seen = see_further(**asked)
                if "send" in request.POST and told["shown"] == seen.digest:
                    disburse_further(
                        **asked,
                        bank_reference=told["bank_reference"],
                        actor=request.user,  # type: ignore[arg-type]
                        shown=told["shown"],
                    )
                    messages.success(request, gettext("Disbursed: the loan has a new plan."))
                    return redirect("lending:tranche", pk=self.tranche.pk)
                words = contract_words(self.tranche.agreement.contract_mode)
                self.seen = shown_preview(seen.outcome.preview(), words)
                self.form.data = {**request.POST.dict(), "shown": seen.digest}
            except CannotMakeEvent as refusal:
                self.form.add_error(refusal.term if refusal.term in self.form.fields else None, str(refusal))
            except Refused as refusal:
                self.form.add_error(None, str(refusal))
        lead_to_fault(self.form)
        return self.render_to_response(self.get_context_data())

    def _open(self, data: Any) -> None:
        self.tranche = get_object_or_404(
            Tranche.objects.select_related("institution", "agreement"), pk=self.kwargs["pk"]
        )
        self.seen = None
        self.form = FurtherTrancheForm(data, initial={"value_date": open_business_date()})
        loans = [loan.pk for loan in running_loans(self.tranche)]
        field: Any = self.form.fields["loan"]
        field.queryset = Loan.objects.filter(pk__in=loans).order_by("id")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        words = contract_words(self.tranche.agreement.contract_mode)
        return super().get_context_data(
            **{
                "tranche": self.tranche,
                "form": self.form,
                "preview": self.seen,
                "words": words,
                "currency": sign_of(str(self.tranche.requested_amount.currency)),
                "back": reverse("lending:tranche", args=[self.tranche.pk]),
            }
            | kwargs
        )


urls = [path("tranches/<int:pk>/into-loan/", FurtherTranche.as_view(), name="tranche-into-loan")]
