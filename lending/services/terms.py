"""The terms of a plan as people state them, checked against each other and turned into what calc takes.

The one place for both tiers: an agreement, a row of a bank's list, an import and a quote state their
terms here, so that the same bad terms are refused with the same words everywhere. A refusal is calc's
``CannotSchedule``; ``lending.term_words`` says it in the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode, split_by_ratio, to_minor
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    Method,
    Residue,
    Rules,
    Schedule,
    Terms,
    build_schedule,
    check_rules,
)
from lending.models import Agreement, ProgrammeTerms

Code = TypeVar("Code", bound=StrEnum)
Mode = Agreement.ContractMode
Test = tuple[bool, str, str]
_COMPOUNDING = frozenset({"interest_added", "interest_capitalised"})


@dataclass(frozen=True, kw_only=True)
class StatedTerms:
    """Terms as an agreement or a list states them: codes as text, grace and tenor in months.

    `instalments` 0: they follow from the tenor; `tenor_months` 0: it is not stated.
    """

    method: str
    frequency: str = "monthly"
    every_days: int = 0
    instalments: int = 0
    tenor_months: int = 0
    grace_months: int = 0
    grace_kind: str = "none"
    interest_grace_months: int = 0
    day_count: str = "MONTHLY/12"
    due_day: int = 0
    roll_rule: str = "none"
    interest_to: str = "nominal"
    instalment_quantum_minor: int = 1
    instalment_rounding: str = "half_up"
    interest_quantum_minor: int = 1
    interest_rounding: str = "half_up"
    residue: str = "last"
    step_percent: Decimal = Decimal(0)
    step_every: int = 0
    amounts: tuple[int, ...] = ()
    contract_mode: str = Mode.INTEREST
    interest_basis: str = Agreement.InterestBasis.SCHEDULED
    early_fee_percent: Decimal = Decimal(0)

    def rules(self) -> Rules:
        """What calc plans by. Raises ``CannotSchedule`` with the term to change and the reason."""
        frequency = _known(Frequency, "frequency", self.frequency)
        method = _known(Method, "method", self.method)
        gaps = {
            "grace": self.grace_months,
            "interest_grace": self.interest_grace_months,
            "tenor": self.tenor_months,
            "count": self.instalments,
            "step": frequency.months,
        }
        faults = (*self._tenor_faults(frequency), *self._basis_faults(), *self._contract_faults())
        for contradicts, term, sentence in faults:
            if contradicts:
                raise CannotSchedule(term, sentence, **gaps)
        months = frequency.months or 1
        rules = Rules(
            method=method,
            instalments=self.instalments or (self.tenor_months - self.grace_months) // months,
            frequency=frequency,
            every_days=self.every_days,
            due_day=self.due_day,
            grace_periods=self.grace_months // months,
            grace_kind=_known(GraceKind, "grace_kind", self.grace_kind),
            interest_grace=self.interest_grace_months // months,
            day_count=_known(DayCount, "day_count", self.day_count),
            roll=_known(RollRule, "roll_rule", self.roll_rule),
            interest_to=_known(InterestTo, "interest_to", self.interest_to),
            instalment_rounding=Rounding(
                mode=_known(RoundingMode, "instalment_rounding", self.instalment_rounding),
                quantum_minor=self.instalment_quantum_minor,
            ),
            interest_rounding=Rounding(
                mode=_known(RoundingMode, "interest_rounding", self.interest_rounding),
                quantum_minor=self.interest_quantum_minor,
            ),
            residue=_known(Residue, "residue", self.residue),
            step_percent=self.step_percent,
            step_every=self.step_every,
            amounts=self.amounts,
        )
        check_rules(rules)
        return rules

    def _tenor_faults(self, frequency: Frequency) -> Iterator[Test]:
        """Tenor, grace and number of instalments against each other."""
        months, paying = frequency.months, self.tenor_months - self.grace_months
        has_tenor = self.tenor_months > 0
        yield (
            has_tenor and self.grace_months >= self.tenor_months,
            "grace_months",
            "a grace of {grace} months is not shorter than the tenor of {tenor} months",
        )
        yield (
            not months and self.grace_months > 0,
            "grace_months",
            "a grace counted in months needs instalments counted in months",
        )
        yield (
            bool(months and self.grace_months % months),
            "grace_months",
            "a grace of {grace} months is not a whole number of periods of {step} months",
        )
        yield (
            bool(self.interest_grace_months and (not months or self.interest_grace_months % months)),
            "interest_grace_months",
            "a grace on interest of {interest_grace} months is not a whole number of periods",
        )
        yield (
            not self.instalments and (not months or not has_tenor),
            "instalments",
            "say how many instalments there are",
        )
        yield (
            bool(has_tenor and months and not self.instalments and paying % months),
            "tenor_months",
            "a tenor of {tenor} months with {grace} of grace is not made of periods of {step} months",
        )
        yield (
            bool(has_tenor and months and self.instalments and self.instalments * months != paying),
            "instalments",
            "{count} instalments and {grace} months of grace do not make a tenor of {tenor} months",
        )

    def _basis_faults(self) -> Iterator[Test]:
        """What interest raised from facts cannot do: be in the plan before it has accrued."""
        daily = self.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT
        yield (
            daily and self.method == Method.FLAT,
            "method",
            "flat interest is fixed at the start and not raised on what is outstanding each day",
        )
        yield (
            daily and self.grace_kind not in (GraceKind.NONE, GraceKind.INTEREST_PAID),
            "grace_kind",
            "interest raised on what is outstanding each day is paid in grace, not added or put off",
        )

    def _contract_faults(self) -> Iterator[Test]:
        """What a contract without interest forbids."""
        if self.contract_mode == Mode.INTEREST:
            return
        fixed = self.contract_mode == Mode.MURABAHA
        yield (
            self.grace_kind in _COMPOUNDING,
            "grace_kind",
            "under this contract nothing unpaid joins what bears profit or rent",
        )
        yield (
            fixed and self.interest_basis != Agreement.InterestBasis.SCHEDULED,
            "interest_basis",
            "the price of a murabaha is fixed at the sale and not reckoned anew from day to day",
        )
        yield (
            fixed and self.early_fee_percent > 0,
            "early_fee_percent",
            "a murabaha paid early bears no fee; a rebate may be waived",
        )


def _known(codes: type[Code], term: str, text: str) -> Code:
    try:
        return codes(text)
    except ValueError as error:
        raise CannotSchedule(term, "“{text}” is not known here", text=text) from error


def stated_terms(agreement: Agreement, *, amounts: Sequence[int] = ()) -> StatedTerms:
    """What an agreement says of the plan of every tranche under it."""
    return StatedTerms(
        method=agreement.method,
        frequency=agreement.frequency,
        every_days=agreement.every_days or 0,
        instalments=agreement.instalment_count,
        grace_months=agreement.grace_months,
        grace_kind=agreement.grace_kind,
        interest_grace_months=agreement.interest_grace_months,
        day_count=agreement.day_count,
        due_day=agreement.due_day or 0,
        roll_rule=agreement.roll_rule,
        interest_to=agreement.interest_to,
        instalment_quantum_minor=agreement.instalment_quantum_minor,
        instalment_rounding=agreement.instalment_rounding,
        interest_quantum_minor=agreement.interest_quantum_minor,
        interest_rounding=agreement.interest_rounding,
        residue=agreement.residue,
        step_percent=Decimal(agreement.step_percent),
        step_every=agreement.step_every,
        amounts=tuple(amounts),
        contract_mode=agreement.contract_mode,
        interest_basis=agreement.interest_basis,
        early_fee_percent=Decimal(agreement.early_fee_percent),
    )


def agreement_rules(agreement: Agreement, *, amounts: Sequence[int] = ()) -> Rules:
    """The rules of an agreement as calc takes them; ``amounts`` (poisha) of an irregular plan come with each
    tranche. Raises ``CannotSchedule``."""
    return stated_terms(agreement, amounts=amounts).rules()


def wholesale_terms(
    agreement: Agreement,
    *,
    principal_minor: int,
    disbursed_on: date,
    first_due_on: date | None = None,
    amounts: Sequence[int] = (),
) -> Terms:
    """The terms of a tranche's loan as calc.schedule takes them. Raises ``CannotSchedule``."""
    rules = agreement_rules(agreement, amounts=amounts)
    return Terms(
        **{name: getattr(rules, name) for name in rules.__dataclass_fields__},
        principal_minor=principal_minor,
        annual_rate=agreement.annual_rate,
        disbursed_on=disbursed_on,
        first_due_on=first_due_on,
    )


def example_plan(
    agreement: Agreement, calendar: BusinessCalendar, *, disbursed_on: date, principal_minor: int
) -> Schedule:
    """What the terms mean for one amount. Raises ``CannotSchedule``.

    The amounts of an irregular plan come with each tranche; here they are equal parts of what is due.
    """
    amounts: tuple[int, ...] = ()
    if agreement.method == Method.IRREGULAR:
        even = _copy_with(agreement, method=Method.EQUAL_PRINCIPAL.value)
        plan = build_schedule(
            wholesale_terms(even, principal_minor=principal_minor, disbursed_on=disbursed_on), calendar
        )
        total = principal_minor + plan.capitalised_minor
        amounts = split_by_ratio(total, [1] * agreement.instalment_count)
    terms = wholesale_terms(
        agreement, principal_minor=principal_minor, disbursed_on=disbursed_on, amounts=amounts
    )
    return build_schedule(terms, calendar)


def _copy_with(agreement: Agreement, **changes: object) -> Agreement:
    """An unsaved agreement with the same terms but for some."""
    names = [field.attname for field in agreement._meta.concrete_fields]
    return Agreement(**{name: getattr(agreement, name) for name in names} | changes)


def check_agreement(
    agreement: Agreement, offered: ProgrammeTerms | None, calendar: BusinessCalendar
) -> Schedule:
    """The plan of the whole limit, once the terms fit each other and the programme's.

    Raises ``CannotSchedule``, whose term is the agreement's field.
    """
    for contradicts, term, sentence, gaps in _agreement_faults(agreement, offered):
        if contradicts:
            raise CannotSchedule(term, sentence, **gaps)
    return example_plan(
        agreement,
        calendar,
        disbursed_on=agreement.from_date,
        principal_minor=to_minor(agreement.limit.amount),
    )


def _agreement_faults(
    agreement: Agreement, offered: ProgrammeTerms | None
) -> Iterator[tuple[bool, str, str, dict[str, object]]]:
    none: dict[str, object] = {}
    yield (
        agreement.from_date < agreement.signed_date,
        "from_date",
        "it is in force before it was signed",
        none,
    )
    yield agreement.to_date < agreement.from_date, "to_date", "it ends before it begins", none
    yield (
        agreement.relend_until is not None and agreement.relend_until < agreement.from_date,
        "relend_until",
        "collected money cannot be lent again before there is any",
        none,
    )
    yield agreement.limit.amount <= 0, "limit", "the limit must be above nothing", none
    if offered is not None:
        cap = offered.borrower_rate_cap
        yield (
            agreement.annual_rate > cap,
            "annual_rate",
            "a rate of {rate} % exceeds the cap of {cap} % under the programme",
            {"rate": agreement.annual_rate, "cap": cap},
        )


AGREEMENT_FIELDS = {
    "instalments": "instalment_count",
    "grace_periods": "grace_months",
    "interest_grace": "interest_grace_months",
    "principal": "limit",
    "roll": "roll_rule",
    "first_due_on": "due_day",
    "disbursed_on": "from_date",
}
"""The agreement's field by the term calc names, where they differ."""


def field_of(refusal: CannotSchedule) -> str:
    """The agreement's field that a refusal asks to change."""
    return AGREEMENT_FIELDS.get(refusal.term, refusal.term)
