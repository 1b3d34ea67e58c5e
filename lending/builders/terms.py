"""The terms of an agreement in words: label and value of each, in the words of its contract."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from daybook.formats import day, number, percent, taka_minor, tk
from lending import words
from lending.contract_words import contract_words
from lending.models import Agreement

Fact = tuple[str, str]


def agreement_terms(agreement: Agreement) -> list[Fact]:
    """Every term a reader may ask for; what does not apply is left out."""
    tell = contract_words(agreement.contract_mode).tell
    facts = (*_frame(agreement), *_rates(agreement), *_repayment(agreement), *_rounding(agreement))
    return [(tell(label), tell(value)) for label, value in facts]


def _frame(agreement: Agreement) -> Iterator[Fact]:
    yield _("Limit"), tk(agreement.limit)
    yield _("Signed on"), day(agreement.signed_date)
    yield _("In force"), f"{day(agreement.from_date)} – {day(agreement.to_date)}"
    if agreement.ended_date:
        yield _("Ended on"), day(agreement.ended_date)
    if agreement.relend_until:
        yield _("Lent again until"), day(agreement.relend_until)


def _rates(agreement: Agreement) -> Iterator[Fact]:
    said = contract_words(agreement.contract_mode)
    yield _("Contract"), str(said.contract)
    yield str(said.rate), _("%(rate)s a year") % {"rate": percent(agreement.annual_rate)}
    yield _("Interest basis"), str(words.INTEREST_BASES[agreement.interest_basis])
    yield _("Days are counted"), _word(words.DAY_COUNTS, agreement.day_count)
    yield str(said.penal_rate), _("%(rate)s a year") % {"rate": percent(agreement.penal_rate)}
    if agreement.early_fee_percent:
        yield _("Early-settlement fee"), percent(agreement.early_fee_percent)
    yield _("Money settles"), _word(words.ALLOCATION_ORDERS, agreement.allocation_order)
    if agreement.allocation_grid:
        yield _("Order as a list"), ", ".join(agreement.allocation_grid)


def _repayment(agreement: Agreement) -> Iterator[Fact]:
    yield _("Repayment"), _word(words.METHODS, agreement.method)
    yield _("Paying instalments"), number(agreement.instalment_count)
    yield _("Instalments fall due"), _frequency(agreement)
    yield _("Grace"), _grace(agreement)
    if agreement.interest_grace_months:
        yield _("Grace on interest"), _months(agreement.interest_grace_months)
    if agreement.due_day:
        yield _("Fixed day of the month"), number(agreement.due_day)
    if agreement.step_every:
        yield (
            _("Steps"),
            _("by %(percent)s after every %(count)s instalments")
            % {"percent": percent(agreement.step_percent), "count": number(agreement.step_every)},
        )
    yield _("A due date on a holiday"), _word(words.ROLL_RULES, agreement.roll_rule)
    yield _("Interest runs to"), _word(words.INTEREST_TO, agreement.interest_to)


def _rounding(agreement: Agreement) -> Iterator[Fact]:
    yield (
        _("Rounding of instalments"),
        _rounded(agreement.instalment_quantum_minor, agreement.instalment_rounding),
    )
    yield _("Rounding of interest"), _rounded(agreement.interest_quantum_minor, agreement.interest_rounding)
    yield _("What rounding leaves goes to"), _word(words.RESIDUES, agreement.residue)


def _frequency(agreement: Agreement) -> str:
    if agreement.every_days:
        return _("every %(count)s days") % {"count": number(agreement.every_days)}
    return _word(words.FREQUENCIES, agreement.frequency)


def _grace(agreement: Agreement) -> str:
    if not agreement.grace_months and not agreement.interest_grace_months:
        return _("none")
    return f"{_months(agreement.grace_months)}; {_word(words.GRACE_KINDS, agreement.grace_kind)}"


def _months(count: int) -> str:
    return _("%(months)s months") % {"months": number(count)}


def _rounded(quantum_minor: int, mode: str) -> str:
    named = words.QUANTA.get(str(quantum_minor))
    unit = str(named) if named else f"{taka_minor(quantum_minor)} {_('taka')}"
    return f"{unit}; {_word(words.ROUNDINGS, mode)}"


def _word(known: words.Words, code: str) -> str:
    return str(known.get(code, code))
