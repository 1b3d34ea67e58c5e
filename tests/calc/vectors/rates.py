"""Annual percentage rates and published loans."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from calc.calendar import Frequency
from calc.daycount import DayCount
from calc.events import Effect, change_rate, reschedule
from calc.interest import Payment, effective_apr, nominal_rate, unit_period_apr
from calc.money import (
    HALF_UP,
    from_minor,
    round_ratio,
)
from calc.schedule import LevelFrom, instalments_needed
from tests.calc.vectors.lives import Life
from tests.calc.vectors.reading import (
    Case,
    assert_published_rows,
    day,
    minor,
    plan,
    published_terms,
)
from tests.calc.vectors.registry import case, check


@check("apr_eu")
def _effective(one: Case) -> None:
    flows = [
        [(day(flow["date"]), minor(flow["amount"])) for flow in one["inputs"][name]]
        for name in ("drawdowns", "repayments")
    ]
    rate = effective_apr(*flows, year_days=one["inputs"]["year_days"])
    assert rate.quantize(Decimal("0.01")) == Decimal(one["expected"]["apr_pct"])


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
    assert rate.quantize(Decimal("0.01")) == Decimal(one["expected"]["apr_pct"])


@check("pub")
def _published(one: Case) -> None:
    periods = plan(published_terms(one))
    assert from_minor(periods[0].total_minor) == Decimal(one["expected"]["periodic_payment"])
    assert_published_rows(periods, one["expected"].get("rows", ()))


@case("PUB-YEN-DOWN")
def _without_decimals(one: Case) -> None:
    periods = plan(published_terms(one, decimals=0))
    assert periods[0].total_minor == int(one["expected"]["periodic_payment"])
    assert_published_rows(periods, one["expected"]["rows"], decimals=0)


@case("PUB-FHLBB1935")
def _full_precision(one: Case) -> None:
    """Full precision is a currency of ten decimals; the principal shown is payment less interest."""
    override = minor(one["inputs"]["payment_override"], 10)
    terms = published_terms(one, decimals=10, agreed_instalment_minor=override)
    periods = plan(terms)
    assert instalments_needed(terms) == one["inputs"]["term_months"]
    assert_published_rows(periods, one["expected"]["rows"], decimals=10)


@case("PUB-FNMA-ACT360")
def _balloon(one: Case) -> None:
    """Payment and interest carry full precision here: a currency of six decimals."""
    terms = published_terms(
        one,
        decimals=6,
        instalments=one["inputs"]["term_months"],
        amortised_over=one["inputs"]["amortization_period_months"],
        level_from=LevelFrom.NOMINAL,
        day_count=DayCount.ACT_360,
        disbursed_on=day(one["inputs"]["start_date"]),
    )
    periods = plan(terms)
    payment = periods[0].total_minor
    balloon = periods[-1].total_minor - payment
    for ours, name in ((payment, "periodic_payment"), (balloon, "balloon_at_term")):
        assert round_ratio(ours, 10_000, HALF_UP) == minor(one["expected"][name])


@case("PUB-CA-QUARTERLY")
def _compounded_half_yearly(one: Case) -> None:
    rate = nominal_rate(Decimal(one["inputs"]["annual_rate_pct"]), compounded=2, paid=4)
    terms = published_terms(
        one,
        annual_rate=rate,
        frequency=Frequency.QUARTERLY,
        instalments=one["inputs"]["term_months"] // 3,
        amortised_over=one["inputs"]["amortization_period_months"] // 3,
        level_from=LevelFrom.NOMINAL,
    )
    periods = plan(terms)
    payment = minor(one["expected"]["periodic_payment"])
    assert periods[0].total_minor == payment
    assert periods[-1].total_minor - payment == minor(one["expected"]["balloon_at_term"])


@case("PUB-REGZ-H14")
def _yearly_rate(one: Case) -> None:
    """Each January the instalment is levelled anew over what is left, whether the rate changed or not."""
    life = Life.of(published_terms(one))
    for change in one["inputs"]["rate_schedule"]:
        start = [*life.stood, *life.periods][change["effective_payment_number"] - 2].nominal_on
        rate = Decimal(change["new_annual_rate"])
        if rate != life.terms.annual_rate:
            life.happen(change_rate, start, annual_rate=rate, effect=Effect.INSTALMENT)
        elif change["recast"]:
            left = sum(row.nominal_on > start for row in life.periods)
            rules = replace(life.terms.rules(), instalments=left)
            life.happen(reschedule, start, rules=rules, annual_rate=rate, keep_due=True)
    assert_published_rows([*life.stood, *life.periods], one["expected"]["rows"])
