"""Published cases (vectors.json beside the project), read and put into our terms.

Only the vocabulary of the file is translated here; every figure comes from the file or from calc.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np

from calc.calendar import Frequency, dates
from calc.daycount import DayCount
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import (
    HALF_EVEN,
    Rounding,
    RoundingMode,
    from_minor,
    round_ratio,
    to_minor,
    to_rate_units,
)
from calc.schedule import GraceKind, Method, Period, Terms, build_schedule

GIVEN = Path(__file__).resolve().parents[4] / "shared" / "data" / "vectors.json"
"""Cases handed to the project; not part of the repository."""
GATHERED = Path(__file__).with_name("published.json")
"""Further cases of the same kinds and shape, each with its source."""

Case = dict[str, Any]


def load(*files: Path) -> dict[str, Case]:
    """The cases of some files by id, the first file's where two have one; none of a file that is absent."""
    cases: dict[str, Case] = {}
    for file in files:
        for case in json.loads(file.read_text(encoding="utf-8")) if file.is_file() else ():
            cases.setdefault(case["id"], case)
    return cases


def minor(text: str, decimals: int = 2) -> int:
    return to_minor(Decimal(text), decimals)


def day(text: str) -> date:
    return date.fromisoformat(text)


_DAY_COUNTS = (
    ("equal periods", DayCount.MONTHLY_12),
    ("30/360", DayCount.MONTHLY_12),
    ("n/a", DayCount.ACT_365F),
    ("actual/365", DayCount.ACT_365F),
    ("actual/360", DayCount.ACT_360),
    ("actual/actual", DayCount.ACT_ACT),
)
_BY_YEAR = {
    "360": DayCount.ACT_360,
    "364": DayCount.ACT_364,
    "365": DayCount.ACT_365F,
    "actual": DayCount.ACT_ACT,
}


def _day_count(inputs: Case) -> DayCount:
    for words, day_count in _DAY_COUNTS:
        if inputs.get("day_count", "").startswith(words):
            return day_count
    in_months = inputs.get("frequency", {}).get("unit", "month") in {"month", "year"}
    if in_months and str(inputs.get("days_in_month", 30)) == "30":
        return DayCount.MONTHLY_12
    return _BY_YEAR[str(inputs["days_in_year"]).lower()]


_FREQUENCIES = {
    ("month", 1): Frequency.MONTHLY,
    ("month", 3): Frequency.QUARTERLY,
    ("month", 6): Frequency.HALF_YEARLY,
    ("month", 12): Frequency.YEARLY,
    ("year", 1): Frequency.YEARLY,
    ("week", 1): Frequency.WEEKLY,
    ("week", 2): Frequency.FORTNIGHTLY,
}
_DAYS = {"day": 1, "week": 7}


def frequency_of(inputs: Case) -> tuple[Frequency, int]:
    """How often a case falls due, and every how many days where that is not one of our names."""
    unit, every = inputs["frequency"]["unit"], inputs["frequency"]["every"]
    named = _FREQUENCIES.get((unit, every))
    return (named, 0) if named else (Frequency.EVERY_N_DAYS, every * _DAYS[unit])


def _instalment_rounding(inputs: Case) -> Rounding:
    if (
        "nearest 1.00" in inputs.get("installment_rounding", "")
        and inputs["amortisation"] != "equal_principal"
    ):
        return Rounding(RoundingMode.HALF_EVEN, 100)
    return HALF_EVEN


def loan_terms(case: Case, **changes: Any) -> Terms:
    """Terms of a case told as a loan with a first disbursement; `changes` are ours."""
    inputs = case["inputs"]
    frequency, every_days = frequency_of(inputs)
    disbursement = next(event for event in inputs["events"] if event["type"] == "disbursement")
    grace = inputs.get("grace", {})
    principal_grace = grace.get("principal_installments", 0)
    interest_grace = grace.get("interest_payment_installments", 0)
    kind = GraceKind.INTEREST_DEFERRED if interest_grace else GraceKind.INTEREST_PAID
    flat = inputs["interest_method"] == "flat"
    equal_principal = inputs["amortisation"] == "equal_principal"
    level = Method.EQUAL_PRINCIPAL if equal_principal else Method.EQUAL_INSTALMENT
    agreed = inputs.get("installment_amount", "0") if _day_count(inputs) is DayCount.ACT_365F else "0"
    terms = Terms(
        method=Method.FLAT if flat else level,
        instalments=inputs["installments"] - principal_grace,
        frequency=frequency,
        every_days=every_days,
        grace_periods=principal_grace,
        grace_kind=kind if principal_grace else GraceKind.NONE,
        interest_grace=interest_grace,
        day_count=_day_count(inputs),
        instalment_rounding=_instalment_rounding(inputs),
        interest_rounding=HALF_EVEN,
        principal_minor=minor(disbursement["amount"]),
        annual_rate=Decimal(inputs["annual_rate_pct"]),
        disbursed_on=day(disbursement["date"]),
        agreed_instalment_minor=minor(agreed),
    )
    terms = replace(terms, **changes)
    if flat and terms.annual_rate and terms.instalment_rounding == HALF_EVEN and not terms.grace_periods:
        terms = replace(terms, agreed_instalment_minor=_parts_rounded_apart(terms))
    return terms


def _parts_rounded_apart(terms: Terms) -> int:
    """The flat instalment of a source that rounds principal and interest each by itself."""
    whole = (terms.principal_minor, build_schedule(terms).interest_minor)
    return sum(round_ratio(amount, terms.instalments, HALF_EVEN) for amount in whole)


_MODES = {
    "ROUND_HALF_UP": RoundingMode.HALF_UP,
    "ROUND_HALF_EVEN": RoundingMode.HALF_EVEN,
    "ROUND_UP": RoundingMode.UP,
    "ROUND_DOWN": RoundingMode.DOWN,
}


def published_terms(case: Case, *, decimals: int = 2, **changes: Any) -> Terms:
    """Terms of a published loan without dates: monthly or yearly from the first of a year."""
    inputs = case["inputs"]
    yearly = inputs.get("payment_frequency") == "annual"
    months = inputs.get("term_months") or inputs.get("installments", 1)
    terms = Terms(
        method=Method.EQUAL_INSTALMENT,
        instalments=months // 12 if yearly else months,
        frequency=Frequency.YEARLY if yearly else Frequency.MONTHLY,
        day_count=DayCount.MONTHLY_12,
        instalment_rounding=Rounding(_MODES[inputs.get("payment_rounding", "ROUND_HALF_UP")]),
        interest_rounding=Rounding(_MODES[inputs.get("interest_rounding", "ROUND_HALF_UP")]),
        principal_minor=minor(inputs["principal"], decimals),
        annual_rate=Decimal(inputs["annual_rate_pct"]),
        disbursed_on=date(2025, 1, 1),
    )
    return replace(terms, **changes)


def plan(terms: Terms) -> tuple[Period, ...]:
    return build_schedule(terms).periods


def expected_rows(checkpoint: Case) -> list[Case]:
    """Instalment rows of a checkpoint, disbursements left out."""
    return [row for row in checkpoint["schedule"] if row.get("type") != "disbursement"]


def assert_rows(periods: Sequence[Period], rows: Sequence[Case]) -> None:
    """Due date, principal, interest and closing balance of each row, to the last unit."""
    assert len(periods) == len(rows)
    for period, row in zip(periods, rows, strict=True):
        ours = (
            period.nominal_on.isoformat(),
            from_minor(period.principal_minor),
            from_minor(period.interest_minor),
            from_minor(period.closing_minor),
        )
        theirs = (
            row["due_date"],
            Decimal(row["principal"]),
            Decimal(row["interest"]),
            Decimal(row.get("balance_after", "0")),
        )
        assert ours == theirs


def assert_published_rows(
    periods: Sequence[Period], rows: Sequence[Case], decimals: int = 2, fee: Decimal = Decimal(0)
) -> None:
    """Selected rows by number; figures kept finer are rounded half up to the published ones.

    The payment shown holds the fee of each period.
    """
    for row in rows:
        period = periods[row["n"] - 1]
        payment, interest, balance = (
            from_minor(ours, decimals).quantize(Decimal(row["payment_amount"]), ROUND_HALF_UP)
            for ours in (period.total_minor, period.interest_minor, period.closing_minor)
        )
        ours = (payment + fee, payment - interest, interest, balance)
        names = ("payment_amount", "principal", "interest", "balance")
        assert ours == tuple(Decimal(row[name]) for name in names)


def interest_on_facts(
    terms: Terms, movements: Sequence[tuple[str, str]], from_on: str, to_on: str
) -> Decimal:
    """Daily product of one loan, each segment rounded half even: movements of principal as (date, amount)."""
    one = np.ones(len(movements), dtype=np.int64)
    amounts = np.array([minor(amount) for _, amount in movements], dtype=np.int64)
    rate = np.array([to_rate_units(terms.annual_rate)], dtype=np.int64)
    interest, _ = daily_product(
        Movements(one, dates(on for on, _ in movements), amounts),
        Rates(one[:1], dates([movements[0][0]]), rate),
        Spans(one[:1], dates([from_on]), dates([to_on])),
        terms.day_count,
        HALF_EVEN,
        round_each=True,
    )
    return from_minor(int(interest[0]))
