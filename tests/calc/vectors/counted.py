"""Days, parts of a year, due dates, and the figures a spreadsheet gives of a loan."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np

from calc.calendar import dates, due_dates
from calc.daycount import DayCount, counted_days, year_fraction
from calc.events import Running, settlement_figure
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import HALF_EVEN, from_minor, to_rate_units
from calc.schedule import Method, build_schedule
from tests.calc.vectors.reading import (
    Case,
    day,
    frequency_of,
    loan_terms,
    minor,
    plan,
    published_terms,
)
from tests.calc.vectors.registry import check


@check("daycount")
def _parts_of_a_year(one: Case) -> None:
    """Days as the basis counts them, or parts of a year as near as the source itself compares them."""
    day_count = DayCount(one["inputs"]["day_count"])
    periods = [(day(start), day(end)) for start, end in one["inputs"]["periods"]]
    if days := one["expected"].get("days"):
        starts, ends = (dates(column) for column in zip(*periods, strict=True))
        assert counted_days(starts, ends, day_count).tolist() == list(map(int, days))
    for (start, end), published in zip(periods, one["expected"].get("fractions", ()), strict=False):
        part = year_fraction(start, end, day_count)
        apart = abs(part - Fraction(published))
        assert apart < Fraction(one["inputs"]["within"])


@check("dates")
def _due_dates(one: Case) -> None:
    inputs = one["inputs"]
    frequency, every_days = frequency_of(inputs)
    steps = np.arange(inputs["installments"], dtype=np.int64)
    due = due_dates(dates([inputs["first_due_date"]]), steps, frequency, every_days=every_days)
    assert due.nominal[0].astype(str).tolist() == one["expected"]["due_dates"]


@check("part")
def _some_periods(one: Case) -> None:
    """The instalment, or interest and principal of some periods, from figures kept at full precision."""
    inputs, expected = one["inputs"], one["expected"]
    terms = published_terms(one, decimals=9)
    periods = plan(terms)
    figures = {"payment": periods[0].total_minor}
    if "from" in expected:
        asked = periods[expected["from"] - 1 : expected["to"]]
        figures["interest"] = sum(row.interest_minor for row in asked)
        figures["principal"] = sum(row.principal_minor for row in asked)
    assert figures.keys() & expected.keys()
    for name in figures.keys() & expected.keys():
        published = Decimal(expected[name])
        assert from_minor(figures[name], 9).quantize(published, ROUND_HALF_UP) == published, inputs


@check("split")
def _principal_and_interest(one: Case) -> None:
    """A plan without dates: its first instalment, and the principal and interest of each."""
    expected = one["expected"]
    schedule = build_schedule(published_terms(one, method=Method(one["inputs"]["method"])))
    rows = schedule.periods
    ours = {
        "payment": from_minor(rows[0].total_minor),
        "interest": from_minor(schedule.interest_minor),
        "principals": [from_minor(row.principal_minor) for row in rows],
        "interests": [from_minor(row.interest_minor) for row in rows],
    }
    for name, published in expected.items():
        figures = list(map(Decimal, published)) if isinstance(published, list) else Decimal(published)
        assert ours[name] == figures


@check("accrued")
def _accrued_to_each_day(one: Case) -> None:
    """The rounded total to each day of a period: the parts of a broken month take its calendar days."""
    inputs, published = one["inputs"], one["expected"]["accrued_by_day"]
    start, end = np.datetime64(inputs["from"]), np.datetime64(inputs["to"])
    one_loan = np.ones(1, dtype=np.int64)
    rate = np.array([to_rate_units(Decimal(inputs["annual_rate_pct"]))], dtype=np.int64)
    whole, segments = daily_product(
        Movements(one_loan, dates([start]), one_loan * minor(inputs["principal"])),
        Rates(one_loan, dates([start]), rate),
        Spans(one_loan, dates([start]), dates([end])),
        DayCount.MONTHLY_12,
        HALF_EVEN,
    )
    assert from_minor(int(whole[0])) == Decimal(published[-1])
    exact = segments.of_row(0)[0].exact_minor / 100
    days = int((end - start) / np.timedelta64(1, "D"))
    for number, total in enumerate(published, start=1):
        part = exact * number / days
        ours = Decimal(part.numerator) / part.denominator
        assert ours.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal(total)


@check("payoff_figure")
def _figure_on_a_day(one: Case) -> None:
    """What settles a loan on a day, what fell due before it paid as planned."""
    inputs, expected = one["inputs"], one["expected"]
    terms = loan_terms(one)
    paid = sum(row.total_minor for row in plan(terms) if row.nominal_on < day(inputs["payoff_on"]))
    assert paid == minor(inputs["paid_before"])
    figure = settlement_figure(Running.of([terms]), day(inputs["payoff_on"])).one()
    assert from_minor(figure.principal_minor) == Decimal(expected["principal"])
    assert from_minor(figure.interest_minor) == Decimal(expected["interest"])
