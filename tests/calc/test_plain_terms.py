"""Terms from plain values: what an outsider writes down of a loan, and which slips are named."""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from calc.calendar import Frequency, RollRule
from calc.daycount import DayCount
from calc.money import HALF_EVEN, Rounding, RoundingMode, from_minor
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    LevelFrom,
    Method,
    Residue,
    Rules,
    Terms,
    build_schedule,
    terms_of,
)
from tests.calc.strategies import terms

PLAIN: dict[str, Any] = {
    "principal": "10000.00",
    "annual_rate": "6",
    "instalments": 12,
    "disbursed_on": "2025-01-15",
}


def test_what_is_left_out_is_an_equal_instalment_each_month() -> None:
    assert terms_of(**PLAIN) == Terms(
        method=Method.EQUAL_INSTALMENT,
        instalments=12,
        principal_minor=10_000_00,
        annual_rate=Decimal(6),
        disbursed_on=date(2025, 1, 15),
    )


def test_every_term_has_a_plain_form() -> None:
    plain = terms_of(
        **PLAIN,
        method="step_up",
        step_percent="7.5",
        step_every=4,
        frequency="quarterly",
        day_count="30E/360",
        due_day=31,
        first_due_on="2025-03-31",
        roll="modified_following",
        interest_to="adjusted",
        grace_periods=2,
        grace_kind="interest_paid",
        residue="last",
        level_from="nominal",
        instalment_rounding="up 5.00",
        interest_rounding="half_even",
        agreed_instalment="950.50",
    )
    assert plain.method is Method.STEP_UP
    assert plain.step_percent == Decimal("7.5")
    assert plain.frequency is Frequency.QUARTERLY
    assert plain.day_count is DayCount.THIRTY_E_360
    assert plain.first_due_on == date(2025, 3, 31)
    assert plain.roll is RollRule.MODIFIED_FOLLOWING
    assert plain.interest_to is InterestTo.ADJUSTED
    assert plain.grace_kind is GraceKind.INTEREST_PAID
    assert plain.residue is Residue.LAST
    assert plain.level_from is LevelFrom.NOMINAL
    assert plain.instalment_rounding == Rounding(RoundingMode.UP, 500)
    assert plain.interest_rounding == HALF_EVEN
    assert plain.agreed_instalment_minor == 950_50
    assert terms_of(**{**PLAIN, "amounts": ["4000", "6000"]}).amounts == (4_000_00, 6_000_00)
    assert terms_of(**{**PLAIN, "principal": "30000000"}, decimals=0).principal_minor == 30_000_000


@given(terms())
def test_any_terms_can_be_said_plainly(wanted: Terms) -> None:
    said: dict[str, Any] = {
        field.name: getattr(wanted, field.name)
        for field in fields(Rules)
        if field.name not in {"amounts", "instalment_rounding", "interest_rounding"}
    }
    for name in ("instalment_rounding", "interest_rounding"):
        rounding = getattr(wanted, name)
        said[name] = f"{rounding.mode} {from_minor(rounding.quantum_minor)}"
    texts = {name: str(value) for name, value in said.items() if isinstance(value, str | Decimal)}
    again = terms_of(
        **(said | texts),
        amounts=[str(from_minor(amount)) for amount in wanted.amounts],
        principal=str(from_minor(wanted.principal_minor)),
        annual_rate=str(wanted.annual_rate),
        disbursed_on=wanted.disbursed_on.isoformat(),
    )
    assert again == wanted


@pytest.mark.parametrize(
    ("slip", "term", "words"),
    [
        ({"instalment": 12}, "instalment", "no term of this name; the terms are agreed_instalment, "),
        ({"principal_minor": 100}, "principal_minor", "no term of this name"),
        ({"principal": 10000.0}, "principal", "cannot be read: 10000.0"),
        ({"principal": "10,000"}, "principal", "cannot be read: 10,000"),
        ({"principal": "1.005"}, "principal", "cannot be read: 1.005"),
        ({"annual_rate": "six"}, "annual_rate", "cannot be read: six"),
        ({"instalments": "12"}, "instalments", "cannot be read: 12"),
        ({"disbursed_on": "15-01-2025"}, "disbursed_on", "cannot be read"),
        ({"day_count": "30/365"}, "day_count", "choose one of 30/360, 30E/360, ACT/360"),
        ({"method": "emi"}, "method", "choose one of equal_instalment, "),
        ({"instalment_rounding": "nearest 1"}, "instalment_rounding", "cannot be read: nearest 1"),
        ({"amounts": "4000"}, "amounts", "cannot be read: 4000"),
    ],
)
def test_a_slip_is_named_with_its_term(slip: dict[str, Any], term: str, words: str) -> None:
    with pytest.raises(CannotSchedule, match=words) as refusal:
        build_schedule(
            terms_of(**{"method": "irregular" if "amounts" in slip else "bullet", **PLAIN, **slip})
        )
    assert refusal.value.term == term


@pytest.mark.parametrize("left_out", sorted(PLAIN))
def test_what_cannot_be_left_out_is_asked_for(left_out: str) -> None:
    with pytest.raises(CannotSchedule, match="the term is missing") as refusal:
        terms_of(**{name: value for name, value in PLAIN.items() if name != left_out})
    assert refusal.value.term == left_out


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"annual_rate": 6.0}, "annual_rate"),
        ({"principal_minor": 1000.5}, "principal_minor"),
        ({"method": "flat"}, "method"),
        ({"day_count": "MONTHLY/12"}, "day_count"),
        ({"amounts": [1, 2]}, "amounts"),
        ({"disbursed_on": "2025-01-15"}, "disbursed_on"),
    ],
)
def test_terms_made_of_the_wrong_kind_are_refused_and_never_cut_to_fit(
    change: dict[str, object], term: str
) -> None:
    with pytest.raises(CannotSchedule, match="cannot be read") as refusal:
        build_schedule(replace(terms_of(**PLAIN), **change))  # type: ignore[arg-type]
    assert refusal.value.term == term


def test_a_whole_rate_may_be_a_whole_number() -> None:
    plain = terms_of(**PLAIN)
    assert build_schedule(replace(plain, annual_rate=6)).periods == build_schedule(plain).periods  # type: ignore[arg-type]
