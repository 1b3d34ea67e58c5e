"""Terms beyond the plain loan: steps, irregular amounts, kinds and lengths of grace, balloons."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calc.calendar import Frequency
from calc.daycount import DayCount
from calc.money import RATE_DENOMINATOR, Rounding, RoundingMode
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    LevelFrom,
    Method,
    Period,
    Residue,
    Terms,
    TermsColumns,
    build_schedule,
    build_schedules,
    instalments_needed,
    nearest_instalment,
)
from tests.calc.strategies import CALENDAR, terms

BASE = Terms(
    method=Method.EQUAL_INSTALMENT,
    instalments=18,
    principal_minor=5_000_00,
    annual_rate=Decimal(12),
    disbursed_on=date(2022, 11, 1),
)
STEPS = replace(BASE, method=Method.STEP_UP, step_percent=Decimal(10), step_every=6)
IRREGULAR = replace(BASE, method=Method.IRREGULAR, instalments=3, amounts=(1_000_00, 0, 4_000_00))


def _left_over(periods: tuple[Period, ...], balance: int) -> Fraction:
    """What is owed at the end if interest were never rounded."""
    left = Fraction(balance)
    for period in periods:
        segment = period.segments[0]
        left = (
            left * (1 + Fraction(segment.rate_units, RATE_DENOMINATOR) * segment.factor) - period.total_minor
        )
    return left


def test_stepped_instalments_grow_by_their_percentage() -> None:
    plan = build_schedule(STEPS)
    totals = [period.total_minor for period in plan.periods]
    first, second, third = totals[0], totals[6], totals[12]
    assert totals[:6] == [first] * 6
    assert totals[6:12] == [second] * 6
    assert totals[12:17] == [third] * 5
    assert abs(Fraction(second) - first * Fraction(11, 10)) <= 1
    assert abs(Fraction(third) - first * Fraction(121, 100)) <= 2
    assert abs(totals[17] - third) <= 18
    assert plan.principal_minor == 5_000_00


def test_a_step_of_nothing_is_the_level_instalment() -> None:
    flat = build_schedule(replace(STEPS, step_percent=Decimal(0)))
    assert [p.total_minor for p in flat.periods] == [p.total_minor for p in build_schedule(BASE).periods]


def test_a_step_so_steep_that_early_instalments_miss_their_interest_is_refused() -> None:
    with pytest.raises(CannotSchedule) as refusal:
        build_schedule(replace(STEPS, step_percent=Decimal(400), step_every=1))
    assert refusal.value.term == "step_percent"


def test_irregular_amounts_repay_what_they_say() -> None:
    plan = build_schedule(IRREGULAR)
    assert [period.principal_minor for period in plan.periods] == [1_000_00, 0, 4_000_00]
    assert [period.interest_minor for period in plan.periods] == [50_00, 40_00, 40_00]


def test_principal_grace_with_interest_paid_is_interest_only_then_amortising() -> None:
    plan = build_schedule(
        replace(
            BASE,
            instalments=15,
            grace_periods=3,
            grace_kind=GraceKind.INTEREST_PAID,
            instalment_rounding=Rounding(RoundingMode.HALF_UP, 100),
        )
    )
    assert [period.total_minor for period in plan.periods[:4]] == [50_00, 50_00, 50_00, 361_00]


def test_deferred_interest_falls_due_with_the_first_interest_after_it() -> None:
    deferred = replace(
        BASE, instalments=12, grace_periods=6, grace_kind=GraceKind.INTEREST_DEFERRED, interest_grace=3
    )
    plan = build_schedule(deferred)
    assert [period.instalment for period in plan.periods[:5]] == [0, 0, 0, 1, 2]
    assert [period.interest_minor for period in plan.periods[:6]] == [0, 0, 0, 200_00, 50_00, 50_00]
    assert plan.capitalised_minor == 0
    whole = build_schedule(replace(deferred, interest_grace=0))
    assert whole.instalments[0].interest_minor == 350_00
    assert whole.instalments[0].principal_minor == plan.periods[6].principal_minor


def test_waived_interest_is_never_charged() -> None:
    waived = replace(
        BASE, instalments=12, grace_periods=6, grace_kind=GraceKind.INTEREST_WAIVED, interest_grace=3
    )
    plan = build_schedule(waived)
    assert [period.interest_minor for period in plan.periods[:6]] == [0, 0, 0, 50_00, 50_00, 50_00]
    on_interest_only = build_schedule(replace(waived, grace_periods=0, instalments=12))
    assert [period.interest_minor for period in on_interest_only.periods[:3]] == [0, 0, 0]
    assert all(period.principal_minor > 0 for period in on_interest_only.periods)
    assert len({period.total_minor for period in on_interest_only.periods[:-1]}) == 1


def test_added_interest_of_part_of_the_grace_leaves_the_rest_to_be_paid() -> None:
    plan = build_schedule(
        replace(BASE, grace_periods=6, grace_kind=GraceKind.INTEREST_ADDED, interest_grace=2)
    )
    assert [period.capitalised_minor for period in plan.periods[:3]] == [0, 100_00, 0]
    assert [period.interest_minor for period in plan.periods[:4]] == [0, 0, 51_00, 51_00]
    assert plan.instalments[0].period == 3


def test_an_agreed_instalment_leaves_what_is_over_to_the_last() -> None:
    plan = build_schedule(
        replace(BASE, instalments=6, day_count=DayCount.ACT_365F, agreed_instalment_minor=862_00)
    )
    assert [period.total_minor for period in plan.periods] == [862_00] * 5 + [865_50]


@pytest.mark.parametrize(
    ("agreed", "words"), [(2_000_00, "before its last"), (49_99, "not cover the interest")]
)
def test_an_agreed_instalment_that_cannot_be_is_refused(agreed: int, words: str) -> None:
    with pytest.raises(CannotSchedule, match=words) as refusal:
        build_schedule(replace(BASE, agreed_instalment_minor=agreed))
    assert refusal.value.term == "agreed_instalment"


def test_an_agreed_instalment_that_leaves_nothing_for_the_last_is_refused() -> None:
    twice = replace(BASE, annual_rate=Decimal(0), instalments=2)
    assert [p.total_minor for p in build_schedule(twice).periods] == [2_500_00, 2_500_00]
    with pytest.raises(CannotSchedule, match="before its last"):
        build_schedule(replace(twice, agreed_instalment_minor=5_000_00))


def test_the_term_follows_from_an_agreed_instalment() -> None:
    agreed = replace(BASE, agreed_instalment_minor=862_00)
    assert instalments_needed(agreed) == 7
    plan = build_schedule(replace(agreed, instalments=7))
    assert plan.periods[-1].total_minor <= 862_00
    assert instalments_needed(replace(BASE, agreed_instalment_minor=6_000_00)) == 1
    with pytest.raises(CannotSchedule, match="never") as refusal:
        instalments_needed(replace(BASE, agreed_instalment_minor=50_00))
    assert refusal.value.term == "agreed_instalment"


def test_the_term_that_an_agreed_instalment_needs_is_the_same_wherever_the_residue_goes() -> None:
    for method, agreed, needed in ((Method.EQUAL_INSTALMENT, 862_00, 7), (Method.EQUAL_PRINCIPAL, 800_00, 7)):
        wanted = replace(BASE, method=method, agreed_instalment_minor=agreed)
        first = replace(wanted, residue=Residue.FIRST)
        assert instalments_needed(wanted) == instalments_needed(first) == needed
        plan = build_schedule(replace(first, instalments=needed))
        assert plan.periods[0].principal_minor < plan.periods[1].principal_minor


def test_steps_that_would_grow_without_end_still_say_how_many_are_needed() -> None:
    steep = replace(STEPS, step_every=1, agreed_instalment_minor=60_00)
    assert instalments_needed(steep) == 26
    with pytest.raises(CannotSchedule, match="never"):
        instalments_needed(replace(steep, agreed_instalment_minor=40_00))


AGREED = (Method.EQUAL_INSTALMENT, Method.EQUAL_PRINCIPAL, Method.STEP_UP)


@settings(max_examples=60)
@given(terms(methods=AGREED, nominal=False), st.integers(60, 170))
def test_the_count_found_is_the_smallest_that_leaves_no_larger_last(wanted: Terms, percent: int) -> None:
    try:
        level = int(build_schedule(wanted, CALENDAR).columns.level[wanted.grace_periods])
    except CannotSchedule:
        return
    agreed = replace(wanted, agreed_instalment_minor=max(1, level * percent // 100))
    try:
        found = instalments_needed(agreed, CALENDAR)
    except CannotSchedule:
        return
    for count in range(max(1, found - 3, wanted.interest_grace - wanted.grace_periods + 1), found):
        fewer = replace(agreed, instalments=count, residue=Residue.LAST)
        plan = build_schedules(TermsColumns.of([fewer]), CALENDAR)
        if plan.refused:
            assert "cover the interest" in plan.refused[0].reason
        else:
            interest = 0 if wanted.method is Method.EQUAL_PRINCIPAL else int(plan.interest[-1])
            assert int(plan.principal[-1]) + interest > int(plan.level[-1])


def test_the_nearest_instalment_spreads_what_the_last_would_differ_by() -> None:
    fortnights = Terms(
        method=Method.EQUAL_INSTALMENT,
        instalments=3,
        frequency=Frequency.FORTNIGHTLY,
        day_count=DayCount.ACT_364,
        principal_minor=100_00,
        annual_rate=Decimal("9.4822"),
        disbursed_on=date(2024, 1, 1),
    )
    assert [row.total_minor for row in build_schedule(fortnights).periods] == [33_58, 33_58, 33_56]
    nearest = nearest_instalment(fortnights)
    assert nearest == 33_57
    agreed = build_schedule(replace(fortnights, agreed_instalment_minor=nearest))
    assert [row.total_minor for row in agreed.periods] == [33_57, 33_57, 33_58]
    with pytest.raises(CannotSchedule, match="equal instalments"):
        nearest_instalment(replace(fortnights, method=Method.BULLET))
    with pytest.raises(CannotSchedule, match="positive principal"):
        nearest_instalment(replace(fortnights, principal_minor=0))


@given(terms(methods=(Method.EQUAL_INSTALMENT,)))
def test_the_nearest_instalment_never_leaves_the_last_further_off(wanted: Terms) -> None:
    wanted = replace(wanted, residue=Residue.LAST)
    try:
        plan = build_schedule(wanted)
    except CannotSchedule:
        return
    nearest = nearest_instalment(wanted)
    level = int(plan.columns.level[-1])
    agreed = build_schedule(replace(wanted, agreed_instalment_minor=nearest))
    assert abs(agreed.periods[-1].total_minor - nearest) <= abs(plan.periods[-1].total_minor - level)


def test_a_longer_amortisation_leaves_a_balloon() -> None:
    plan = build_schedule(
        replace(
            BASE, instalments=12, level_from=LevelFrom.NOMINAL, amortised_over=24, day_count=DayCount.ACT_360
        )
    )
    assert plan.periods[0].total_minor == 235_37
    assert plan.periods[-1].total_minor > 10 * 235_37


@given(terms(methods=(Method.EQUAL_INSTALMENT, Method.STEP_UP), nominal=False))
def test_what_rounding_leaves_over_stays_within_what_it_can_grow_to(wanted: Terms) -> None:
    try:
        plan = build_schedule(wanted, CALENDAR)
    except CannotSchedule:
        return
    paying = plan.periods[wanted.grace_periods :]
    if wanted.grace_kind is GraceKind.INTEREST_DEFERRED:
        return
    growth = Fraction(1)
    for period in paying:
        growth *= 1 + Fraction(period.segments[0].rate_units, RATE_DENOMINATOR) * period.segments[0].factor
    assert abs(_left_over(paying, paying[0].opening_minor)) <= len(paying) * growth


@pytest.mark.parametrize(
    ("base", "change", "term"),
    [
        (STEPS, {"step_every": 0}, "step_every"),
        (STEPS, {"step_percent": Decimal(-100)}, "step_percent"),
        (STEPS, {"residue": Residue.FIRST}, "residue"),
        (STEPS, {"agreed_instalment_minor": 300_00}, "agreed_instalment"),
        (BASE, {"step_every": 2}, "step_percent"),
        (BASE, {"amounts": (1, 2)}, "amounts"),
        (BASE, {"agreed_instalment_minor": -1}, "agreed_instalment"),
        (BASE, {"amortised_over": 24}, "amortised_over"),
        (BASE, {"amortised_over": 12, "level_from": LevelFrom.NOMINAL}, "amortised_over"),
        (BASE, {"amortised_over": 1300, "level_from": LevelFrom.NOMINAL}, "amortised_over"),
        (BASE, {"amortised_over": 24, "level_from": LevelFrom.NOMINAL, "residue": Residue.FIRST}, "residue"),
        (BASE, {"interest_grace": 2}, "interest_grace"),
        (
            BASE,
            {"grace_periods": 2, "grace_kind": GraceKind.INTEREST_ADDED, "interest_grace": 3},
            "interest_grace",
        ),
        (BASE, {"grace_kind": GraceKind.INTEREST_WAIVED, "interest_grace": 18}, "interest_grace"),
        (IRREGULAR, {"amounts": (1_000_00, 4_000_00)}, "amounts"),
        (IRREGULAR, {"amounts": (1_000_00, -1, 4_000_01)}, "amounts"),
        (IRREGULAR, {"amounts": (1_000_00, 1_000_00, 1_000_00)}, "amounts"),
        (IRREGULAR, {"level_from": LevelFrom.NOMINAL}, "level_from"),
        (
            IRREGULAR,
            {"grace_periods": 1, "grace_kind": GraceKind.INTEREST_ADDED},
            "amounts",
        ),
    ],
)
def test_terms_that_contradict_are_refused_with_their_name(
    base: Terms, change: dict[str, object], term: str
) -> None:
    with pytest.raises(CannotSchedule) as refusal:
        build_schedule(replace(base, **change))  # type: ignore[arg-type]
    assert refusal.value.term == term


@pytest.mark.parametrize(
    ("frequency", "day_count", "instalment"),
    [
        (Frequency.WEEKLY, DayCount.ACT_364, 283_91),
        (Frequency.FORTNIGHTLY, DayCount.ACT_365F, None),
        (Frequency.QUARTERLY, DayCount.MONTHLY_12, 363_54),
        (Frequency.HALF_YEARLY, DayCount.THIRTY_360, None),
        (Frequency.YEARLY, DayCount.ACT_ACT, None),
    ],
)
def test_every_frequency_repays_the_loan(
    frequency: Frequency, day_count: DayCount, instalment: int | None
) -> None:
    plan = build_schedule(replace(BASE, frequency=frequency, day_count=day_count))
    assert plan.principal_minor == 5_000_00
    if instalment is not None:
        assert plan.periods[0].total_minor == instalment
