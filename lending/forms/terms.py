"""The form of an agreement: its terms in groups, the rare ones folded and filled with what is usual."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.allocation import CannotOrder, Grid
from daybook.forms import LATIN_DIGITS, DayField, TakaField
from lending import words
from lending.models import Agreement, Programme
from partners.models import Institution


@dataclass(frozen=True)
class Group:
    """Fields that belong together; a folded group opens itself where it has something to say."""

    title: Promise | str
    fields: list[forms.BoundField]
    is_folded: bool
    is_open: bool


def _percent(label: Any, **more: Any) -> forms.DecimalField:
    most = more.pop("max_value", 100)
    return forms.DecimalField(
        label=label, max_digits=7, decimal_places=4, min_value=0, max_value=most, **more
    )


def _choice(label: Any, known: words.Words, initial: str, **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=words.choices(known), initial=initial, required=False, **more
    )


class AgreementForm(forms.Form):
    """A new agreement with the terms that every tranche under it takes.

    What is left out takes the initial value. ``service_terms`` are the columns the service takes.
    """

    institution = forms.ModelChoiceField(label=_("Institution"), queryset=Institution.objects.all())
    programme = forms.ModelChoiceField(
        label=_("Programme"), queryset=Programme.objects.order_by("-from_date")
    )
    limit = TakaField(label=_("Limit (Tk)"))
    is_revolving = forms.BooleanField(label=_("Repaid money may be drawn again"), required=False)
    signed_date = DayField(label=_("Signed on"))
    from_date = DayField(label=_("In force from"))
    to_date = DayField(label=_("May draw until"))
    relend_until = DayField(label=_("Collected money may be lent again until"), required=False)

    contract_mode = forms.ChoiceField(
        label=_("Contract"),
        choices=words.choices(words.CONTRACT_MODES),
        help_text=_("The words on every page and paper follow it: interest, profit, rent."),
    )
    annual_rate = _percent(_("Rate, % a year"), help_text=_("0 where nothing is charged."))
    interest_basis = _choice(
        _("Interest basis"),
        words.INTEREST_BASES,
        "scheduled",
        help_text=_("By the day: each due date's interest is raised from what was outstanding."),
    )
    day_count = _choice(_("Days are counted"), words.DAY_COUNTS, "ACT/360")

    method = forms.ChoiceField(label=_("Repayment"), choices=words.choices(words.METHODS))
    frequency = forms.ChoiceField(
        label=_("Instalments fall due"), choices=words.choices(words.FREQUENCIES), initial="quarterly"
    )
    instalment_count = forms.IntegerField(
        label=_("Paying instalments"),
        min_value=1,
        max_value=1200,
        help_text=_("Without those of the grace period."),
    )
    grace_months = forms.IntegerField(label=_("Grace, months"), min_value=0, max_value=120, initial=0)
    grace_kind = forms.ChoiceField(
        label=_("During grace"), choices=words.choices(words.GRACE_KINDS), initial="none"
    )
    due_day = forms.IntegerField(
        label=_("Fixed day of the month"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=_("31: the last day of each month. Empty: the day of the disbursement."),
    )

    penal_rate = _percent(_("Penal rate, % a year"), initial=0, required=False)
    early_fee_percent = _percent(
        _("Early-settlement fee, %"),
        initial=0,
        required=False,
        help_text=_("Of the principal settled early; nothing where the contract is no loan at interest."),
    )
    allocation_order = _choice(_("Money settles"), words.ALLOCATION_ORDERS, "oldest_first")
    allocation_grid = forms.CharField(
        label=_("Order as a list"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "One a line, first to last: past_due, due or in_advance, a full stop, and charge, penal, "
            "interest or principal, such as past_due.penal."
        ),
    )

    every_days = forms.IntegerField(
        label=_("Every so many days"),
        min_value=1,
        max_value=366,
        required=False,
        help_text=_("Where instalments fall due by days."),
    )
    step_percent = _percent(
        _("Step, %"), initial=0, required=False, max_value=999, help_text=_("By which instalments step up.")
    )
    step_every = forms.IntegerField(
        label=_("Steps after"), min_value=0, max_value=400, initial=0, required=False,
        help_text=_("So many instalments."),
    )  # fmt: skip
    interest_grace_months = forms.IntegerField(
        label=_("Grace on interest, months"),
        min_value=0,
        max_value=120,
        initial=0,
        required=False,
        help_text=_("Where it is not as long as the grace on principal; 0: it is."),
    )
    roll_rule = _choice(_("A due date on a holiday"), words.ROLL_RULES, "following")
    interest_to = _choice(_("Interest runs to"), words.INTEREST_TO, "nominal")
    instalment_quantum_minor = _choice(_("Instalments are rounded to"), words.QUANTA, "1")
    instalment_rounding = _choice(_("Rounding of instalments"), words.ROUNDINGS, "half_up")
    interest_quantum_minor = _choice(_("Interest is rounded to"), words.QUANTA, "1")
    interest_rounding = _choice(_("Rounding of interest"), words.ROUNDINGS, "half_up")
    residue = _choice(_("What rounding leaves goes to"), words.RESIDUES, "last")

    GROUPS = (
        (
            _("Whom, how much, how long"),
            "institution programme limit is_revolving signed_date from_date to_date relend_until",
            False,
        ),
        (_("Contract and rate"), "contract_mode annual_rate day_count interest_basis", False),
        (
            _("Repayment"),
            "method frequency instalment_count grace_months grace_kind due_day",
            False,
        ),
        (
            _("When it is late or early"),
            "penal_rate early_fee_percent allocation_order allocation_grid",
            True,
        ),
        (
            _("Steps, days, grace on interest"),
            "every_days step_percent step_every interest_grace_months",
            True,
        ),
        (
            _("Holidays and rounding"),
            (
                "roll_rule interest_to instalment_quantum_minor instalment_rounding interest_quantum_minor "
                "interest_rounding residue"
            ),
            True,
        ),
    )

    def groups(self) -> Iterator[Group]:
        """The fields as the page draws them."""
        for title, names, is_folded in self.GROUPS:
            fields = [self[name] for name in names.split()]
            speaks = any(field.errors or self._differs(field) for field in fields)
            yield Group(title, fields, is_folded, is_folded and speaks)

    def _differs(self, field: forms.BoundField) -> bool:
        """Whether something else than the usual was typed."""
        if not self.is_bound:
            return False
        return str(field.data or "") not in ("", str(field.field.initial or ""), str(field.field.initial))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        for name, field in self.fields.items():
            if told.get(name) in (None, "") and field.initial is not None and name not in self.errors:
                told[name] = field.initial
        for name in ("instalment_quantum_minor", "interest_quantum_minor"):
            if name in told:
                told[name] = int(told[name])
        for name in ("penal_rate", "early_fee_percent", "step_percent"):
            if name in told:
                told[name] = Decimal(told[name])
        told["allocation_grid"] = self._grid(told)
        return told

    def _grid(self, told: dict[str, Any]) -> list[str]:
        """The cells of the grid, where the order is one; an error where they make none."""
        names = str(told.get("allocation_grid") or "").translate(LATIN_DIGITS).split()
        if told.get("allocation_order") != "grid":
            return []
        try:
            return list(Grid.parse(names).names)
        except CannotOrder:
            self.add_error(
                "allocation_grid",
                _(
                    "Name every cell of past_due and due once, such as past_due.penal; of in_advance all "
                    "four or none."
                ),
            )
            return []


def drafted(told: dict[str, Any]) -> Agreement:
    """The agreement the form describes, not saved: to see what its terms mean."""
    return Agreement(**told)
