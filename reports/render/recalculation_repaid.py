"""The principal of each period: what the method of the contract asks for, worked out anew."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from calc.daycount import DayCount
from calc.money import DOWN
from calc.schedule import LevelFrom, Method, Residue, Terms
from reports.render.recalculation_cells import (
    Formula,
    Page,
    cents,
    least,
    most,
    number,
    rounded,
    taka,
)

if TYPE_CHECKING:
    from reports.render.recalculation_periods import Line

KEPT_DIGITS = 10**40
"""Factors of many periods are kept to so many parts: their exact fractions grow without end."""
_YEAR_DAYS = {DayCount.ACT_365F: 365, DayCount.ACT_ACT: 365, DayCount.ACT_364: 364}


def repay(
    page: Page,
    versions: Page,
    row: int,
    terms: Terms,
    lines: Sequence[Line],
    owed: Formula | None,
    whole: Formula | None,
) -> None:
    """Instalment and principal of every paying period; grace periods repay none."""
    for line in lines[: terms.grace_periods]:
        page.given(line.row, "Q", 0)
    paying = lines[terms.grace_periods :]
    if terms.method in (Method.EQUAL_INSTALMENT, Method.STEP_UP):
        _by_instalment(page, versions, row, terms, paying, owed)
    elif terms.method is Method.FLAT and whole is not None:
        _shares(page, terms, paying, paying[0].balance + whole, flat=True)
    elif terms.method is Method.EQUAL_PRINCIPAL:
        start = paying[0].balance
        if terms.prepaid_minor:
            start = start + number(taka(terms.prepaid_minor))
        _shares(page, terms, paying, start, flat=False)
    else:
        for at, line in enumerate(paying):
            is_last = at == len(paying) - 1
            if terms.method is Method.IRREGULAR:
                page.given(line.row, "Q", taka(terms.amounts[at]))
            else:
                page.works(line.row, "Q", line.balance if is_last else number(0))


def flat_share(terms: Terms, whole: Formula, count: int) -> Formula:
    """The usual part of flat interest; a few poisha over many instalments never make the
    last part negative."""
    share = rounded(whole / number(count), terms.interest_rounding)
    return least(share, rounded(whole / number(max(count - 1, 1)), DOWN))


def in_parts(terms: Terms, whole: Formula, share: Formula, count: int) -> list[Formula]:
    """The same part for every instalment but the last or first, which takes the residue."""
    rest = cents(whole - share * number(count - 1))
    residue = 0 if terms.residue is Residue.FIRST else count - 1
    return [rest if at == residue else share for at in range(count)]


def _shares(page: Page, terms: Terms, paying: Sequence[Line], amount: Formula, *, flat: bool) -> None:
    """Equal parts of principal, or of flat instalments their part that is no interest."""
    count = len(paying)
    share = (
        number(taka(terms.agreed_instalment_minor))
        if terms.agreed_instalment_minor
        else rounded(amount / number(count), terms.instalment_rounding)
    )
    before = number(0)
    for line, part in zip(paying, in_parts(terms, amount, share, count), strict=True):
        whole = page.works(line.row, "P", part)
        if flat:
            page.works(line.row, "Q", cents(whole - line.interest))
            continue
        if terms.prepaid_minor:  # the first of them are covered by what was prepaid
            covered = least(most(number(taka(terms.prepaid_minor)) - before, number(0)), whole)
            before = before + whole
            whole = cents(whole - covered)
        page.works(line.row, "Q", whole)


def _by_instalment(
    page: Page, versions: Page, row: int, terms: Terms, paying: Sequence[Line], owed: Formula | None
) -> None:
    """Level or stepped instalments: what is not interest repays; the last takes the balance."""
    weights = _weights(terms, len(paying))
    factor, sums = number(1), Fraction(0)
    for line, weight in zip(paying, weights, strict=True):
        factor = factor / (number(1) + line.rate / number(100) * line.part)
        factor = Formula(factor.text, _kept(factor.value))
        factor = page.works(line.row, "N", factor, "part")
        page.given(line.row, "O", _kept(weight), "rate")
        sums += factor.value * weight
    first, last = paying[0].row, paying[-1].row
    span = f"SUMPRODUCT(Periods!N{first}:N{last},Periods!O{first}:O{last})"
    worth = versions.works(row, "J", Formula(span, _kept(sums)), "part")
    balance = paying[0].balance
    if owed and not (terms.grace_periods or terms.quiet_periods or terms.level_from is LevelFrom.NOMINAL):
        growth = 1 + paying[0].rate.value / 100 * paying[0].part.value
        balance = balance + owed * Formula(f"Periods!N{first}", _kept(1 / growth))
    taken, level = number(0), None
    for at, (line, weight) in enumerate(zip(paying, weights, strict=True)):
        if at == len(paying) - 1:
            page.works(line.row, "P", cents(line.balance + line.interest))
            page.works(line.row, "Q", line.balance)
            return
        if not at and terms.residue is Residue.FIRST and terms.method is Method.EQUAL_INSTALMENT:
            moved = line.period.principal_minor + line.period.interest_minor
            instalment = page.given(line.row, "P", taka(moved))
        elif level is not None and weight == weights[at - 1]:
            instalment = page.works(line.row, "P", level)
        else:
            instalment = page.works(line.row, "P", _instalment(terms, balance, worth, weight, line))
            level = instalment
        principal = instalment - line.interest
        if terms.prepaid_minor:
            rest = number(taka(terms.prepaid_minor)) - taken
            covered = least(most(principal, number(0)), most(rest, number(0)))
            taken = taken + covered
            principal = principal - covered
        page.works(line.row, "Q", cents(principal))


def _instalment(terms: Terms, balance: Formula, worth: Formula, weight: Fraction, line: Line) -> Formula:
    """The instalment of a weight: agreed, or that which brings the balance to nothing."""
    weight_cell = Formula(f"Periods!O{line.row}", _kept(weight))
    if terms.agreed_instalment_minor:
        agreed = number(taka(terms.agreed_instalment_minor))
        if weight == 1:
            return agreed
        return rounded(agreed * weight_cell, terms.instalment_rounding)
    if terms.method is Method.EQUAL_INSTALMENT and terms.level_from is LevelFrom.NOMINAL:
        return rounded(_nominal(terms, balance), terms.instalment_rounding)
    return rounded(balance / worth * weight_cell, terms.instalment_rounding)


def _nominal(terms: Terms, balance: Formula) -> Formula:
    """The instalment from periods all alike: rate × months ÷ 12, over as many periods as the terms name."""
    count = terms.amortised_over or terms.instalments
    if terms.frequency.months:
        part = Fraction(terms.frequency.months, 12)
    else:
        year = _YEAR_DAYS.get(terms.day_count, 360)
        part = Fraction(terms.frequency.days(terms.every_days), year)
    ratio = number(Fraction(terms.annual_rate) / 100 * part)
    if not ratio.value:
        return balance / number(count)
    grown = Formula(f"(1+{ratio.text})^{count}", (1 + ratio.value) ** count)
    return Formula(
        f"{balance.text}*{ratio.text}*{grown.text}/({grown.text}-1)",
        balance.value * ratio.value * grown.value / (grown.value - 1),
        2,
    )


def _weights(terms: Terms, count: int) -> list[Fraction]:
    """Of steps, by how much each instalment is larger than the first; else 1."""
    if terms.method is not Method.STEP_UP:
        return [Fraction(1)] * count
    growth = 1 + Fraction(terms.step_percent) / 100
    done = terms.steps_done
    reached = [(done + at) // terms.step_every for at in range(count)]
    return [growth ** (step - reached[0]) for step in reached]


def _kept(value: Fraction) -> Fraction:
    return value if value.denominator <= KEPT_DIGITS else Fraction(int(value * KEPT_DIGITS), KEPT_DIGITS)
