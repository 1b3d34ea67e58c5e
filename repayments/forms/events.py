"""What a person fills in to propose a loan event, one form a kind; and the payment of a quotation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from calc.events import Accrued, Dates, Effect
from calc.schedule import GraceKind
from daybook.forms import DayField, TakaField
from lending.models import Cluster, Loan, Programme, Tier
from lending.words import DAY_COUNTS, FREQUENCIES, GRACE_KINDS, METHODS, choices
from partners.models import District, Institution
from repayments.forms.event import EventForm
from repayments.forms.own_plan import PlanForm
from repayments.models import LoanEvent
from repayments.names import NamedChoiceField
from repayments.services.events.forgiving import Extent, Waived

Kind = LoanEvent.Kind
STATED = ("annual_rate", "method", "frequency", "instalments")
"""What makes a plan, unless the institution gives its own."""
TERMS_OF_A_PLAN = frozenset({*STATED, "grace_months", "grace_kind", "day_count", "first_due_on"})


def _plain(rate: Decimal | None) -> str:
    """A rate without the places nobody needs: 2.0000 is 2."""
    return "" if rate is None else f"{rate.normalize():f}"


def _reference(*, is_required: bool = False) -> forms.CharField:
    return forms.CharField(
        label=_("Bank's reference of the payment"),
        max_length=80,
        required=is_required,
        help_text=_("Leave it empty where an advance held already covers it."),
    )


class PrepaymentForm(PlanForm):
    """Principal paid early."""

    kind = Kind.PREPAYMENT
    amount = TakaField(label=_("Principal paid early"))
    effect = forms.ChoiceField(
        label=_("What changes"),
        choices=[
            (Effect.TERM.value, _("The term shortens, the instalment stays")),
            (Effect.INSTALMENT.value, _("The instalment falls, the term stays")),
        ],
    )
    interest = forms.ChoiceField(
        label=_("Interest accrued since the last due date"),
        choices=[
            (Accrued.CARRIED.value, _("Falls due with the next instalment")),
            (Accrued.DUE.value, _("Is paid with the prepayment")),
        ],
    )
    received = TakaField(
        label=_("Amount received"),
        required=False,
        help_text=_("Empty: exactly what is needed. More than needed is held as an advance."),
    )
    reference = _reference()


class SettlementForm(EventForm):
    """A quotation of what ends the loan."""

    kind = Kind.SETTLEMENT
    valid_until = DayField(label=_("The quotation holds until"))


class NewPlanForm(PlanForm):
    """New terms for what is owed, or the institution's own plan in their place."""

    annual_rate = forms.DecimalField(label=_("Rate, % a year"), max_digits=7, decimal_places=4, min_value=0)
    method = forms.ChoiceField(label=_("Method"), choices=[])
    frequency = forms.ChoiceField(label=_("Frequency"), choices=[])
    instalments = forms.IntegerField(label=_("Instalments"), min_value=1, max_value=600)
    grace_months = forms.IntegerField(label=_("Grace, months"), min_value=0, initial=0, required=False)
    grace_kind = forms.ChoiceField(label=_("Kind of grace"), choices=[], required=False)
    day_count = forms.ChoiceField(label=_("Counting of days"), choices=[], required=False)
    first_due_on = DayField(
        label=_("First due date"), required=False, help_text=_("Empty: one period after it counts.")
    )
    down_payment = TakaField(label=_("Down payment"), required=False)
    reference = _reference()
    moves_overdue = forms.BooleanField(
        label=_("Move what is overdue into the new plan"), required=False, initial=True
    )
    capitalise = forms.BooleanField(
        label=_("Interest moved and accrued becomes principal"), required=False, initial=False
    )
    is_special = forms.BooleanField(label=_("A special case"), required=False)

    def __init__(self, *args: Any, loan: Loan | None, today: date, **kwargs: Any) -> None:
        super().__init__(*args, loan=loan, today=today, **kwargs)
        for name, words in (
            ("method", {code: word for code, word in METHODS.items() if code != "irregular"}),
            ("frequency", {code: word for code, word in FREQUENCIES.items() if code != "every_n_days"}),
            ("grace_kind", GRACE_KINDS),
            ("day_count", DAY_COUNTS),
        ):
            self.fields[name].choices = choices(words)  # type: ignore[attr-defined]
        if loan is not None:
            self.fields["annual_rate"].initial = _plain(loan.annual_rate)
            self.fields["method"].initial = loan.agreement.method
            self.fields["frequency"].initial = loan.agreement.frequency
            self.fields["day_count"].initial = loan.agreement.day_count
        if "rows" in self.fields:
            for name in STATED:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any] | None:
        told = super().clean() or self.cleaned_data
        if not self.plan and not self.errors:
            for name in STATED:
                if told.get(name) in (None, ""):
                    self.add_error(name, gettext("Give this, or the institution's own new plan."))
        return told

    def parameters(self) -> dict[str, Any]:
        """Without terms where the plan itself is given."""
        kept = super().parameters()
        return {name: value for name, value in kept.items() if not self.plan or name not in TERMS_OF_A_PLAN}


class RescheduleForm(NewPlanForm):
    """For a classified loan."""

    kind = Kind.RESCHEDULE


class RestructureForm(NewPlanForm):
    """For an unclassified loan."""

    kind = Kind.RESTRUCTURE


class MoratoriumForm(EventForm):
    """Which loans, until when, what becomes of interest."""

    kind = Kind.MORATORIUM
    until = DayField(label=_("Until, that day included"))
    tier = forms.ChoiceField(label=_("Tier"), choices=Tier.choices, initial=Tier.SUBLOAN)
    programme = NamedChoiceField(
        Programme.objects.all(), label=_("Programme"), required=False, empty_label=_("Any")
    )
    institution = NamedChoiceField(
        Institution.objects.all(), label=_("Institution"), required=False, empty_label=_("Any")
    )
    cluster = NamedChoiceField(
        Cluster.objects.all(), label=_("Cluster"), required=False, empty_label=_("Any")
    )
    district = NamedChoiceField(
        District.objects.all(), label=_("District"), required=False, empty_label=_("Any")
    )
    grace_kind = forms.ChoiceField(
        label=_("Interest meanwhile"),
        choices=[
            (GraceKind.INTEREST_PAID.value, _("Goes on falling due")),
            (GraceKind.INTEREST_DEFERRED.value, _("Waits and falls due afterwards")),
            (GraceKind.INTEREST_ADDED.value, _("Is added to the principal at the end")),
            (GraceKind.INTEREST_CAPITALISED.value, _("Is added to the principal each period")),
            (GraceKind.INTEREST_WAIVED.value, _("Is not charged")),
        ],
    )
    dates = forms.ChoiceField(
        label=_("The dates after it"),
        choices=[
            (Dates.SHIFTED.value, _("Move by as much")),
            (Dates.KEPT.value, _("Stay; the instalments grow")),
        ],
    )


class RateForm(EventForm):
    """Another rate."""

    kind = Kind.RATE_CHANGE
    annual_rate = forms.DecimalField(
        label=_("New rate, % a year"), max_digits=7, decimal_places=4, min_value=0
    )
    effect = forms.ChoiceField(
        label=_("What changes"),
        choices=[
            (Effect.INSTALMENT.value, _("The instalment, the term stays")),
            (Effect.TERM.value, _("The term, the instalment stays")),
        ],
    )
    scope = forms.ChoiceField(
        label=_("On"),
        choices=[("loan", _("This loan")), ("agreement", _("Every running loan of its agreement"))],
    )

    def parameters(self) -> dict[str, Any]:
        """The agreement instead of the loan, where it is of all its loans."""
        kept = super().parameters()
        if kept.pop("scope", "loan") == "agreement" and self.loan is not None:
            kept |= {"agreement": self.loan.agreement_id, "tier": self.loan.tier}
        return kept


class WriteOffForm(EventForm):
    """How much, after what notice."""

    kind = Kind.WRITE_OFF
    extent = forms.ChoiceField(
        label=_("How much"),
        choices=[(Extent.WHOLE.value, _("All that is owed")), (Extent.PART.value, _("A part"))],
    )
    amount = TakaField(label=_("The part"), required=False, help_text=_("Only for a part."))
    notice_date = DayField(
        label=_("Notice went out on"), required=False, help_text=_("A sub-loan's borrower must have notice.")
    )


class WaiverForm(EventForm):
    """What is forgiven."""

    kind = Kind.WAIVER
    component = forms.ChoiceField(
        label=_("What is forgiven"),
        choices=[
            (Waived.PENAL.value, _("Penal interest")),
            (Waived.INTEREST.value, _("Interest")),
            (Waived.CHARGE.value, _("Charges")),
        ],
    )
    amount = TakaField(label=_("Amount"))
    instalment = forms.IntegerField(
        label=_("Of instalment"), min_value=1, required=False, help_text=_("Empty: the oldest first.")
    )


class RefundForm(EventForm):
    """Money given back."""

    kind = Kind.REFUND
    amount = TakaField(label=_("Amount"))
    reference = forms.CharField(label=_("Bank's reference of the transfer"), max_length=80)


FORMS: dict[str, type[EventForm]] = {
    form.kind: form
    for form in (
        PrepaymentForm,
        SettlementForm,
        RescheduleForm,
        RestructureForm,
        MoratoriumForm,
        RateForm,
        WriteOffForm,
        WaiverForm,
        RefundForm,
    )
}


class QuotationPaymentForm(forms.Form):
    """The payment that a settlement quotation waits for."""

    value_date = DayField(label=_("Value date"), help_text=_("When the money counts."))
    received = TakaField(label=_("Amount received"))
    reference = forms.CharField(label=_("Bank's reference of the payment"), max_length=80)

    def refuse(self, term: str, sentence: str) -> None:
        """Put a refusal beside the field it names."""
        name = {"received_minor": "received", "effective_date": "value_date"}.get(term, term)
        self.add_error(name if name in self.fields else None, sentence)
