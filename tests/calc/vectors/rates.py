"""Annual percentage rates and published loans."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from calc.calendar import Frequency
from calc.daycount import DayCount
from calc.events import Effect, change_rate, reschedule
from calc.interest import (
    Payment,
    effective_apr,
    effective_apr_after,
    nominal_rate,
    unit_period_apr,
)
from calc.money import (
    HALF_UP,
    round_ratio,
)
from calc.schedule import GraceKind, LevelFrom, Terms, instalments_needed
from tests.calc.vectors.lives import Life
from tests.calc.vectors.reading import (
    Case,
    assert_published_rows,
    day,
    minor,
    published_terms,
)
from tests.calc.vectors.registry import check


@check("apr_eu")
def _effective(one: Case) -> None:
    flows = [
        [(day(flow["date"]), minor(flow["amount"])) for flow in one["inputs"][name]]
        for name in ("drawdowns", "repayments")
    ]
    days = Decimal(one["inputs"].get("year_days", 365))
    months = one["inputs"].get("intervals") == "equal months"
    rate = effective_apr(*flows, year_days=days, equal_months=months)
    _as_published(rate, one["expected"]["apr_pct"])


def _as_published(rate: Decimal, published: str) -> None:
    """To as many decimals as were published."""
    assert rate.quantize(Decimal(published), ROUND_HALF_UP) == Decimal(published)


@check("apr_years")
def _effective_from_years(one: Case) -> None:
    flows = [
        [(Fraction(flow["years"]), minor(flow["amount"])) for flow in one["inputs"][name]]
        for name in ("drawdowns", "repayments")
    ]
    _as_published(effective_apr_after(*flows), one["expected"]["apr_pct"])


@check("apr_us")
def _unit_period(one: Case) -> None:
    inputs = one["inputs"]
    periods_a_year = inputs["unit_periods_per_year"] or 1  # none: the fraction is of a year
    payments: list[Payment] = []
    for group in inputs["payments"]:
        first = inputs["full_unit_periods_to_first_payment"] + len(payments)
        fraction = Fraction(inputs["fraction_to_first_payment"])
        payments += [Payment(first + n, minor(group["amount"]), fraction) for n in range(group["count"])]
    rate = unit_period_apr(minor(inputs["advance"]), payments, periods_per_year=periods_a_year)
    _as_published(rate, one["expected"]["apr_pct"])


@check("nominal")
def _nominal(one: Case) -> None:
    """The nominal rate of an effective one: paid so often, compounded once a year."""
    inputs = one["inputs"]
    rate = nominal_rate(Decimal(inputs["effective_pct"]), compounded=1, paid=inputs["times_a_year"])
    _as_published(rate, one["expected"]["nominal_pct"])


_PAID = {
    "monthly": (Frequency.MONTHLY, 12),
    "quarterly": (Frequency.QUARTERLY, 4),
    "annual": (Frequency.YEARLY, 1),
    "biweekly": (Frequency.FORTNIGHTLY, 26),
}
_COMPOUNDED = {"annual": 1, "semi_annual": 2, "quarterly": 4, "monthly": 12}


def _decimals(inputs: Case) -> int:
    """Decimals of the currency, or more of them where the source carries full precision."""
    if inputs.get("currency_unit") == "1":
        return 0
    if inputs.get("balance_tracking") == "carry_precision":  # as fine as 53 bits hold the principal
        return next(n for n in range(10, 0, -1) if Decimal(inputs["principal"]).scaleb(n) < 2**53)
    return 6 if inputs.get("day_count", "").startswith("actual") else 2


def _terms(one: Case, decimals: int) -> Terms:
    """Terms of a published loan by what it names: frequency, compounding, amortisation, a payment agreed."""
    inputs = one["inputs"]
    frequency, times = _PAID[inputs.get("payment_frequency", "monthly")]
    changes: dict[str, Any] = {"frequency": frequency, "instalments": inputs["term_months"] * times // 12}
    compounded = _COMPOUNDED.get(inputs.get("compounding", ""), times)
    if compounded != times:
        rate = Decimal(inputs["annual_rate_pct"])
        changes["annual_rate"] = nominal_rate(rate, compounded=compounded, paid=times)
    if longer := inputs.get("amortization_period_months"):
        changes |= {"amortised_over": longer * times // 12, "level_from": LevelFrom.NOMINAL}
    if inputs.get("day_count") == "actual/360":
        changes["day_count"] = DayCount.ACT_360
    if frequency is Frequency.FORTNIGHTLY:  # a fortnight is a 26th of a year
        changes["day_count"] = DayCount.ACT_364
    if grace := inputs.get("interest_only_months"):
        changes["instalments"] -= grace * times // 12
        changes |= {"grace_periods": grace * times // 12, "grace_kind": GraceKind.INTEREST_PAID}
    if start := inputs.get("start_date"):
        changes["disbursed_on"] = day(start)
    if agreed := inputs.get("payment_override"):
        changes["agreed_instalment_minor"] = minor(agreed, decimals)
    return published_terms(one, decimals=decimals, **changes)


@check("pub")
def _published(one: Case) -> None:
    """Payment, balloon and selected rows; the principal shown is payment less interest."""
    inputs, expected = one["inputs"], one["expected"]
    decimals = _decimals(inputs)
    shown = 0 if decimals == 0 else 2
    terms = _terms(one, decimals)
    if terms.agreed_instalment_minor:
        needed = instalments_needed(terms)
        assert needed == expected.get("payments", terms.instalments)
        terms = replace(terms, instalments=needed)
    life = Life.of(terms)
    payment, last = life.periods[0].total_minor, life.periods[-1].total_minor
    figures = {"periodic_payment": payment, "balloon_at_term": last - payment}
    for name in figures.keys() & expected.keys():
        assert round_ratio(figures[name], 10 ** (decimals - shown), HALF_UP) == minor(expected[name], shown)
    for change in inputs.get("rate_schedule", ()):
        _new_rate(life, change)
    fee = Decimal(inputs.get("fee_per_period", 0))
    assert_published_rows([*life.stood, *life.periods], expected.get("rows", ()), decimals, fee)


def _new_rate(life: Life, change: Case) -> None:
    """From a due date on the instalment is levelled anew over what is left, be the rate new or not."""
    start = [*life.stood, *life.periods][change["effective_payment_number"] - 2].nominal_on
    rate = Decimal(change["new_annual_rate"])
    if rate != life.terms.annual_rate:
        life.happen(change_rate, start, annual_rate=rate, effect=Effect.INSTALMENT)
    elif change["recast"]:
        left = sum(row.nominal_on > start for row in life.periods)
        rules = replace(life.terms.rules(), instalments=left)
        life.happen(reschedule, start, rules=rules, annual_rate=rate, keep_due=True)
