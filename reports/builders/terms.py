"""The terms of a plan in words."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from calc.calendar import Frequency
from calc.money import Rounding
from calc.schedule import InterestTo, Terms
from daybook import formats
from lending import words
from lending.contract_words import told
from reports.builders.objects import Words
from reports.builders.shown import Count


def term_words(terms: Terms, contract_mode: str) -> list[tuple[Words, Words]]:
    """Label and value of each term that a reader asks for, in the words of the contract."""
    found = [*_plan(terms), *_rest(terms)]
    return [(told(contract_mode, label), _value(value, contract_mode)) for label, value in found]


def _value(value: Words, contract_mode: str) -> Words:
    return value if isinstance(value, Count) else told(contract_mode, value)


def _plan(terms: Terms) -> Iterator[tuple[Words, Words]]:
    every = (
        f"{words.FREQUENCIES[terms.frequency]} ({formats.number(terms.every_days)})"
        if terms.frequency is Frequency.EVERY_N_DAYS
        else words.FREQUENCIES[terms.frequency]
    )
    yield _("Method"), words.METHODS.get(terms.method, str(terms.method))
    yield _("Instalments fall due"), every
    yield _("Paying instalments"), Count(terms.instalments)
    yield _("Day count"), words.DAY_COUNTS.get(terms.day_count, str(terms.day_count))
    if terms.grace_periods or terms.interest_grace:
        kind = words.GRACE_KINDS.get(terms.grace_kind, str(terms.grace_kind))
        yield _("Grace periods"), f"{Count(terms.grace_periods)}; {kind}"
    if terms.step_every:
        step = formats.percent(terms.step_percent)
        yield _("Step, %"), f"{step}, {_('Steps after')} {Count(terms.step_every)}"


def _rest(terms: Terms) -> Iterator[tuple[Words, Words]]:
    """What is said only where it is not the usual."""
    if terms.due_day:
        yield _("Fixed day of the month"), Count(terms.due_day)
    if terms.interest_to is not InterestTo.NOMINAL:
        yield _("Interest runs to"), words.INTEREST_TO[terms.interest_to]
    for label, rounding in (
        (_("Rounding of instalments"), terms.instalment_rounding),
        (_("Rounding of interest"), terms.interest_rounding),
    ):
        if rounding != Rounding():
            quantum = words.QUANTA.get(str(rounding.quantum_minor), str(rounding.quantum_minor))
            yield label, f"{quantum}; {words.ROUNDINGS[rounding.mode]}"
