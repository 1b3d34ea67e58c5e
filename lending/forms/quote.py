"""The terms of a loan that may never be: everything calc can plan, asked in one form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode, to_minor
from calc.schedule import CannotSchedule, GraceKind, InterestTo, LevelFrom, Method, Residue, Terms
from daybook import formats
from daybook.forms import DayField, TakaField
from lending import words
from lending.contract_words import contract_words
from lending.services.contracts import mode_refusal
from lending.services.quoting import CannotQuote, Quote, make_quote
from lending.term_words import reason_of

METHODS = words.METHODS | {Method.IRREGULAR.value: _("Irregular amounts")}
FIELD_OF = {"roll": "roll", "principal": "principal", "agreed_instalment_minor": "agreed_instalment"}
"""Fields whose name is not that of the term calc refuses."""


def _choice(label: Any, options: Mapping[Any, Any], initial: str = "", **more: Any) -> forms.ChoiceField:
    pairs = [(str(code), word) for code, word in options.items()]
    return forms.ChoiceField(label=label, choices=pairs, initial=initial or pairs[0][0], **more)


def _count(label: Any, most: int, **more: Any) -> forms.IntegerField:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    more.setdefault("min_value", 0)
    return forms.IntegerField(label=label, max_value=most, required=False, widget=widget, **more)


def _rate(label: Any, **more: Any) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, max_digits=10, decimal_places=6, widget=widget, **more)


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; a folded group opens when something in it was said or is wrong."""

    key: str
    label: Promise
    fields: list[BoundField]
    is_folded: bool
    is_open: bool


class QuoteForm(forms.Form):
    """What the loan is; the address carries it, so a quote can be sent to a colleague."""

    principal = TakaField(label=_("Principal (Tk)"))
    annual_rate = _rate(label=_("Rate, % a year"), initial=Decimal(6))
    disbursed_on = DayField(label=_("Disbursed on"))
    contract = _choice(_("Contract"), words.CONTRACT_MODES)

    method = _choice(_("Repayment"), METHODS, Method.EQUAL_INSTALMENT)
    instalments = _count(
        _("Paying instalments"), 1200, initial=24, help_text=_("Without those of the grace period.")
    )
    frequency = _choice(_("Instalments fall due"), words.FREQUENCIES, Frequency.MONTHLY)
    every_days = _count(_("Every so many days"), 3660)
    first_due_on = DayField(
        label=_("First due date"), required=False, help_text=_("Empty: one period after the disbursement.")
    )
    due_day = _count(_("Fixed day of the month"), 31)

    grace_periods = _count(_("Grace, periods"), 600)
    grace_kind = _choice(_("During grace"), words.GRACE_KINDS)
    interest_grace = _count(_("of these without interest"), 600, help_text=_("Empty: all of the grace."))

    fee = TakaField(label=_("Kept back at disbursement (Tk)"), required=False)
    charge = TakaField(label=_("Charge with each instalment (Tk)"), required=False)

    agreed_instalment = TakaField(
        label=_("Agreed instalment (Tk)"),
        required=False,
        help_text=_("Leave the number of instalments empty to find it."),
    )
    step_percent = _rate(label=_("Step, %"), required=False)
    step_every = _count(_("Steps after so many instalments"), 1200)
    amounts = forms.CharField(
        label=_("Principal of each instalment (Tk)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Amounts one by one, each on its own line."),
    )
    amortised_over = _count(
        _("Amortised over"), 1200, help_text=_("More periods than instalments: the last is a balloon.")
    )
    level_from = _choice(
        _("Level instalment from"),
        {LevelFrom.PERIODS: _("the periods as they are"), LevelFrom.NOMINAL: _("periods all alike")},
    )

    day_count = _choice(_("Days are counted"), words.DAY_COUNTS, DayCount.MONTHLY_12)
    interest_to = _choice(_("Interest runs to"), words.INTEREST_TO)
    roll = _choice(_("A due date on a holiday"), words.ROLL_RULES, RollRule.FOLLOWING)

    instalment_quantum = _choice(_("Instalments are rounded to"), words.QUANTA)
    instalment_rounding = _choice(_("Rounding of instalments"), words.ROUNDINGS)
    interest_quantum = _choice(_("Interest is rounded to"), words.QUANTA)
    interest_rounding = _choice(_("Rounding of interest"), words.ROUNDINGS)
    residue = _choice(_("What rounding leaves goes to"), words.RESIDUES)
    working = forms.BooleanField(label=_("Show the working of every instalment"), required=False)

    GROUPS = (
        ("loan", _("The loan"), ("principal", "annual_rate", "disbursed_on", "contract"), False),
        (
            "plan",
            _("Repayment"),
            ("method", "instalments", "frequency", "every_days", "first_due_on", "due_day"),
            False,
        ),
        ("grace", _("Grace"), ("grace_periods", "grace_kind", "interest_grace"), True),
        ("charges", _("Charges"), ("fee", "charge"), True),
        (
            "special",
            _("Stepped, irregular and agreed instalments"),
            ("agreed_instalment", "step_percent", "step_every", "amounts", "amortised_over", "level_from"),
            True,
        ),
        ("days", _("Days and holidays"), ("day_count", "interest_to", "roll"), True),
        (
            "rounding",
            _("Rounding"),
            (
                "instalment_quantum",
                "instalment_rounding",
                "interest_quantum",
                "interest_rounding",
                "residue",
            ),
            True,
        ),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, calendar: BusinessCalendar, **kwargs: Any) -> None:
        """What a question leaves out takes its usual value, so that a short address is enough."""
        usual = {name: field.initial for name, field in self.base_fields.items()} | kwargs.get("initial", {})
        self.usual = {name: value for name, value in usual.items() if value not in (None, "")}
        given = dict(data.items()) if data is not None else {}
        self.said = {name: text for name, text in given.items() if name in self.base_fields and text}
        self.calendar = calendar
        self.quote: Quote | None = None
        # What was said as empty stays empty: an agreed instalment without a number of them finds it.
        filled = self.usual | {name: text for name, text in given.items() if name in self.base_fields}
        super().__init__(filled if data is not None else None, **kwargs)
        self._speak_as(filled.get("contract", ""))

    def _speak_as(self, contract: str) -> None:
        """Labels and choices in the words of the contract asked about, but for the names of contracts."""
        if contract not in words.CONTRACT_MODES or contract_words(contract).bears_interest:
            return
        tell = contract_words(contract).tell
        for name, field in self.fields.items():
            if name == "contract":
                continue
            field.label, field.help_text = tell(field.label or ""), tell(field.help_text)
            if isinstance(field, forms.ChoiceField):
                field.choices = [(code, tell(word)) for code, word in list(field.choices)]  # type: ignore[arg-type]

    def clean_amounts(self) -> tuple[int, ...]:
        """Amounts in minor units, one a line (or parted by semicolons or spaces)."""
        field = TakaField()
        texts = re.split(r"[;\s]+", self.cleaned_data["amounts"].strip())
        return tuple(to_minor(field.clean(text)) for text in texts if text)

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if self.errors:
            return told
        if not told.get("instalments") and not told.get("agreed_instalment"):
            self.add_error("instalments", _("Say how many, or an agreed instalment to find the number."))
            return told
        grace = {"grace_kind": told["grace_kind"] if told.get("grace_periods") else ""}
        if refusal := mode_refusal(told["contract"], "quote", grace):
            self.add_error("grace_kind", refusal)
            return told
        try:
            self.quote = make_quote(
                self._terms(told),
                calendar=self.calendar,
                mode=told["contract"],
                fee_minor=to_minor(told.get("fee") or Decimal(0)),
                charge_minor=to_minor(told.get("charge") or Decimal(0)),
            )
        except CannotSchedule as refusal_of_calc:
            self._refuse(refusal_of_calc.term, reason_of(refusal_of_calc, told["contract"]))
        except CannotQuote as refusal_of_charges:
            self._refuse(refusal_of_charges.term, refusal_of_charges.reason)
        return told

    def _refuse(self, term: str, reason: str) -> None:
        name = FIELD_OF.get(term, term)
        sentence = reason[:1].upper() + reason[1:] + "."
        self.add_error(name if name in self.fields else None, sentence)

    def _terms(self, told: Mapping[str, Any]) -> Terms:
        return Terms(
            method=Method(told["method"]),
            instalments=told.get("instalments") or 0,
            frequency=Frequency(told["frequency"]),
            grace_kind=GraceKind(told["grace_kind"]),
            day_count=DayCount(told["day_count"]),
            roll=RollRule(told["roll"]),
            interest_to=InterestTo(told["interest_to"]),
            instalment_rounding=_rounding(told, "instalment"),
            interest_rounding=_rounding(told, "interest"),
            residue=Residue(told["residue"]),
            level_from=LevelFrom(told["level_from"]),
            step_percent=told.get("step_percent") or Decimal(0),
            amounts=told["amounts"],
            principal_minor=to_minor(told["principal"]),
            annual_rate=told["annual_rate"],
            disbursed_on=told["disbursed_on"],
            first_due_on=told.get("first_due_on"),
            agreed_instalment_minor=to_minor(told.get("agreed_instalment") or Decimal(0)),
            every_days=told.get("every_days") or 0,
            due_day=told.get("due_day") or 0,
            grace_periods=told.get("grace_periods") or 0,
            interest_grace=told.get("interest_grace") or 0,
            amortised_over=told.get("amortised_over") or 0,
            step_every=told.get("step_every") or 0,
        )

    def groups(self) -> Iterator[Group]:
        """The fields as the page lays them out."""
        for key, label, names, folded in self.GROUPS:
            fields = [self[name] for name in names]
            differs = any(self._differs(field) for field in fields)
            wrong = self.is_bound and any(field.errors for field in fields)
            yield Group(key, label, fields, folded, differs or wrong)

    def _differs(self, field: BoundField) -> bool:
        said = self.said.get(field.name)
        return said is not None and said != str(self.usual.get(field.name, ""))

    @property
    def question(self) -> dict[str, str]:
        """What makes this quote, short enough for an address: only what differs from the usual."""
        always = ("principal", "annual_rate", "disbursed_on", "instalments")
        texts = {
            name: str(value) for name, value in (self.data or {}).items() if name in self.fields and value
        }
        return {
            name: text
            for name, text in texts.items()
            if name in always or text != str(self.usual.get(name, ""))
        }

    def told(self) -> list[tuple[str, str]]:
        """Label and value of what was asked, in the reader's words, for files and print."""
        found = []
        asked = self.question
        for name, field in self.fields.items():
            if name in asked and name != "working":
                shown = codes_of(field).get(asked[name], asked[name])
                on = self.cleaned_data.get(name)
                found.append((str(field.label), formats.day(on) if isinstance(on, date) else str(shown)))
        return found


def codes_of(field: forms.Field) -> dict[str, Any]:
    """What a field may be told, with its words; nothing where anything may."""
    return dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]


def _rounding(told: Mapping[str, Any], what: str) -> Rounding:
    return Rounding(RoundingMode(told[f"{what}_rounding"]), int(told[f"{what}_quantum"]))
