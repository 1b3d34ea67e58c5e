"""Schedules: the published table of domain.md 5.3, and what must hold for any terms."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from calc.calendar import EVERY_DAY, BusinessCalendar, Frequency, RollRule, Weekday
from calc.daycount import DayCount, year_fraction
from calc.money import (
    DOWN,
    HALF_UP,
    RATE_DENOMINATOR,
    UP,
    Component,
    Rounding,
    RoundingMode,
    from_minor,
    round_ratio,
)
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    LevelFrom,
    Method,
    Residue,
    Schedule,
    Terms,
    TermsColumns,
    build_schedule,
    build_schedules,
)
from tests.calc.strategies import CALENDAR, terms

LAKH = 1_00_000_00
BASE = Terms(
    method=Method.EQUAL_INSTALMENT,
    instalments=42,
    principal_minor=10 * LAKH,
    annual_rate=Decimal(6),
    disbursed_on=date(2025, 1, 15),
)

LEVEL = (Method.EQUAL_INSTALMENT,)
NOT_FLAT = tuple(method for method in Method if method is not Method.FLAT)
NOT_DEFERRED = tuple(kind for kind in GraceKind if kind not in {GraceKind.NONE, GraceKind.INTEREST_DEFERRED})


def _plan(wanted: Terms, calendar: BusinessCalendar = CALENDAR) -> Schedule:
    """The plan, or leave the example if rounding makes so small a loan impossible."""
    try:
        return build_schedule(wanted, calendar)
    except CannotSchedule as refusal:
        assume(refusal.term not in {"instalment_rounding", "first_due_on", "step_percent"})
        raise


@pytest.mark.parametrize(
    ("principal", "rate", "count", "instalment", "last", "interest"),
    [
        (10_00_000, 6, 42, "26456.22", "26456.04", "111161.06"),
        (10_00_000, 6, 48, "23485.03", "23484.93", "127281.34"),
        (10_00_000, 4, 30, "35083.25", "35083.29", "52497.54"),
        (10_00_000, 4, 24, "43424.92", "43424.98", "42198.14"),
        (25_00_000, 9, 36, "79499.33", "79499.37", "361975.92"),
    ],
)
def test_equal_instalments_are_those_of_domain_5_3(
    principal: int, rate: int, count: int, instalment: str, last: str, interest: str
) -> None:
    plan = build_schedule(
        replace(BASE, principal_minor=principal * 100, annual_rate=Decimal(rate), instalments=count)
    )
    totals = [from_minor(period.total_minor) for period in plan.instalments]
    assert totals[:-1] == [Decimal(instalment)] * (count - 1)
    assert totals[-1] == Decimal(last)
    assert from_minor(plan.interest_minor) == Decimal(interest)


@pytest.mark.parametrize(
    ("kind", "instalment", "principal", "count"),
    [
        (GraceKind.INTEREST_PAID, "26456.22", "1000000.00", 48),
        (GraceKind.INTEREST_ADDED, "27249.90", "1030000.00", 42),
        (GraceKind.INTEREST_CAPITALISED, "27259.89", "1030377.51", 42),
    ],
)
def test_six_months_of_grace_come_in_three_kinds(
    kind: GraceKind, instalment: str, principal: str, count: int
) -> None:
    plan = build_schedule(replace(BASE, grace_periods=6, grace_kind=kind))
    assert from_minor(plan.instalments[-2].total_minor) == Decimal(instalment)
    assert from_minor(plan.principal_minor) == Decimal(principal)
    assert len(plan.instalments) == count
    assert len(plan.periods) == 48
    assert plan.periods[-1].nominal_on == date(2029, 1, 15)


@given(terms())
def test_the_principal_sums_to_the_loan_and_what_was_capitalised(wanted: Terms) -> None:
    plan = _plan(wanted)
    assert plan.principal_minor == wanted.principal_minor + plan.capitalised_minor
    balance = wanted.principal_minor
    for period in plan.periods:
        assert period.opening_minor == balance
        balance += period.capitalised_minor - period.principal_minor
        assert period.closing_minor == balance
        assert min(period.principal_minor, period.interest_minor, period.capitalised_minor, balance) >= 0
    assert balance == 0


@given(terms(methods=NOT_FLAT, kinds=NOT_DEFERRED))
def test_each_period_s_interest_is_its_working_rounded_once(wanted: Terms) -> None:
    for period in _plan(wanted).periods:
        exact = sum((segment.exact_minor for segment in period.segments), Fraction(0))
        expected = round_ratio(exact.numerator, exact.denominator, wanted.interest_rounding)
        if period.instalment:
            assert period.interest_minor == expected
        elif wanted.grace_kind is GraceKind.INTEREST_CAPITALISED:
            assert abs(period.capitalised_minor - expected) <= 1


@given(terms())
def test_the_working_covers_every_day_of_the_plan_once(wanted: Terms) -> None:
    plan = _plan(wanted)
    day = wanted.disbursed_on
    for period in plan.periods:
        end = period.due_on if wanted.interest_to is InterestTo.ADJUSTED else period.nominal_on
        for segment in period.segments:
            assert segment.from_on == day
            day = segment.to_on
        assert day == end


@given(terms(methods=LEVEL, kinds=NOT_DEFERRED))
def test_an_instalment_is_level_but_for_the_one_that_takes_the_residue(wanted: Terms) -> None:
    wanted = replace(wanted, residue=Residue.LAST)
    paying = _plan(wanted).periods[wanted.grace_periods :]
    assert len({period.total_minor for period in paying[:-1]}) <= 1
    for period in paying[:-1]:
        assert period.total_minor % wanted.instalment_rounding.quantum_minor == 0


@given(terms(methods=LEVEL, nominal=False))
def test_a_residue_put_first_leaves_the_last_instalment_level_to_a_few_poisha(wanted: Terms) -> None:
    wanted = replace(wanted, instalments=wanted.instalments + 2)
    paying = _plan(replace(wanted, residue=Residue.FIRST)).periods[wanted.grace_periods :]
    # one poisha more at first is this much less at last, so nothing finer can be had
    growth = Fraction(1)
    for period in paying[1:]:
        growth *= 1 + Fraction(period.segments[0].rate_units, RATE_DENOMINATOR) * period.segments[0].factor
    assert abs(paying[-1].total_minor - paying[-2].total_minor) <= wanted.instalments * growth


@given(terms())
def test_due_dates_rise_and_only_the_calendar_moves_them(wanted: Terms) -> None:
    plan = _plan(wanted)
    nominal = [period.nominal_on for period in plan.periods]
    assert nominal == sorted(set(nominal))
    assert nominal[0] > wanted.disbursed_on
    for period in plan.periods:
        column = np.array([period.nominal_on], dtype="datetime64[D]")
        assert period.due_on == CALENDAR.roll(column, wanted.roll)[0].item()


@given(st.lists(terms(), min_size=1, max_size=6))
def test_loans_side_by_side_get_the_plans_they_get_alone(wanted: list[Terms]) -> None:
    together = build_schedules(TermsColumns.of(wanted), CALENDAR)
    for position, one in enumerate(wanted):
        mine = together.loan == position
        alone = build_schedules(TermsColumns.of([one]), CALENDAR)
        assert (position in together.refused) == bool(alone.refused)
        for name in ("period", "instalment", "nominal_on", "due_on", "principal", "interest", "closing"):
            assert getattr(together, name)[mine].tolist() == getattr(alone, name).tolist()
        rows = np.flatnonzero(mine)
        of_mine = np.isin(together.segments.row, rows)
        assert together.segments.balance[of_mine].tolist() == alone.segments.balance.tolist()
        assert together.segments.from_on[of_mine].tolist() == alone.segments.from_on.tolist()


@given(terms())
def test_the_dues_are_the_plan_and_never_of_nothing(wanted: Terms) -> None:
    plan = _plan(wanted)
    dues = plan.dues(77)
    assert set(dues.loan.tolist()) <= {77}
    assert (dues.amount > 0).all()
    assert (dues.instalment > 0).all()
    for kind, total in (
        (Component.PRINCIPAL, plan.principal_minor),
        (Component.INTEREST, plan.interest_minor),
    ):
        assert int(dues.amount[dues.component == kind].sum()) == total


def test_equal_principal_takes_interest_on_what_is_left() -> None:
    plan = build_schedule(
        replace(BASE, method=Method.EQUAL_PRINCIPAL, instalments=4, frequency=Frequency.QUARTERLY)
    )
    assert [period.principal_minor for period in plan.periods] == [25_000_000] * 4
    assert [period.interest_minor for period in plan.periods] == [1_500_000, 1_125_000, 750_000, 375_000]


def test_flat_interest_is_on_the_whole_amount_for_the_whole_term() -> None:
    plan = build_schedule(replace(BASE, method=Method.FLAT, instalments=12, annual_rate=Decimal(10)))
    assert plan.interest_minor == 10_000_000
    assert [period.interest_minor for period in plan.periods] == [833_333] * 11 + [833_337]
    assert [period.total_minor for period in plan.periods] == [9_166_667] * 11 + [9_166_663]


def test_a_bullet_repays_all_at_the_end() -> None:
    plan = build_schedule(replace(BASE, method=Method.BULLET, instalments=4, frequency=Frequency.QUARTERLY))
    assert [period.principal_minor for period in plan.periods] == [0, 0, 0, 100_000_000]
    assert [period.interest_minor for period in plan.periods] == [1_500_000] * 4


def test_a_rate_of_nothing_leaves_equal_parts_and_no_interest() -> None:
    plan = build_schedule(replace(BASE, annual_rate=Decimal(0), instalments=3))
    assert [period.total_minor for period in plan.periods] == [33_333_333, 33_333_333, 33_333_334]
    assert plan.interest_minor == 0


@pytest.mark.parametrize(
    ("rounding", "instalment"),
    [
        (Rounding(RoundingMode.UP, 100), 26457_00),
        (Rounding(RoundingMode.DOWN, 100), 26456_00),
        (Rounding(RoundingMode.HALF_UP, 500), 26455_00),
        (Rounding(RoundingMode.UP, 1000), 26460_00),
        (HALF_UP, 26456_22),
        (UP, 26456_22),
        (DOWN, 26456_21),
    ],
)
def test_the_instalment_is_rounded_to_its_quantum_and_the_last_absorbs(
    rounding: Rounding, instalment: int
) -> None:
    plan = build_schedule(replace(BASE, instalment_rounding=rounding))
    assert {period.total_minor for period in plan.periods[:-1]} == {instalment}
    assert plan.principal_minor == BASE.principal_minor


def test_the_first_period_may_be_long_or_short() -> None:
    actual = replace(BASE, day_count=DayCount.ACT_365F, instalments=12)
    for first, days in ((date(2025, 3, 1), 45), (date(2025, 1, 25), 10)):
        plan = build_schedule(replace(actual, first_due_on=first))
        opening = plan.periods[0]
        assert opening.segments[0].days == days
        exact = Fraction(10 * LAKH * 6, 100) * year_fraction(date(2025, 1, 15), first, DayCount.ACT_365F)
        assert opening.interest_minor == round_ratio(exact.numerator, exact.denominator, HALF_UP)
        assert [period.nominal_on.day for period in plan.periods] == [first.day] * 12


def test_a_fixed_due_day_at_the_month_s_end_comes_back() -> None:
    plan = build_schedule(replace(BASE, instalments=4, due_day=31, first_due_on=date(2025, 2, 28)))
    assert [period.nominal_on.day for period in plan.periods] == [28, 31, 30, 31]


def test_under_monthly_twelfths_every_whole_period_is_a_twelfth_whatever_its_dates() -> None:
    plan = build_schedule(replace(BASE, method=Method.BULLET, instalments=4, disbursed_on=date(2025, 1, 30)))
    assert [str(period.nominal_on) for period in plan.periods] == [
        "2025-02-28",
        "2025-03-30",
        "2025-04-30",
        "2025-05-30",
    ]
    assert [period.interest_minor for period in plan.periods] == [500_000] * 4


def test_the_first_due_date_follows_a_silent_grace_and_starts_a_paid_one() -> None:
    first = date(2025, 8, 10)
    silent = replace(BASE, grace_periods=6, grace_kind=GraceKind.INTEREST_ADDED, first_due_on=first)
    plan = build_schedule(silent)
    assert plan.instalments[0].nominal_on == first
    assert plan.instalments[0].instalment == 1
    assert plan.periods[0].nominal_on == date(2025, 2, 10)
    paid = replace(silent, grace_kind=GraceKind.INTEREST_PAID, first_due_on=date(2025, 2, 10))
    assert build_schedule(paid).instalments[0].nominal_on == date(2025, 2, 10)


def test_interest_runs_to_the_adjusted_date_where_the_terms_say_so() -> None:
    # 14 February 2026 is a Saturday: the due date moves to Sunday the 15th
    quarterly = replace(
        BASE,
        method=Method.BULLET,
        instalments=1,
        disbursed_on=date(2026, 1, 14),
        day_count=DayCount.ACT_360,
        roll=RollRule.FOLLOWING,
    )
    nominal = build_schedule(quarterly, CALENDAR).periods[0]
    adjusted = build_schedule(replace(quarterly, interest_to=InterestTo.ADJUSTED), CALENDAR).periods[0]
    assert (nominal.nominal_on, nominal.due_on) == (date(2026, 2, 14), date(2026, 2, 15))
    assert (nominal.segments[0].days, adjusted.segments[0].days) == (31, 32)
    assert adjusted.interest_minor > nominal.interest_minor


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"instalments": 0}, "instalments"),
        ({"instalments": 1300}, "instalments"),
        ({"instalments": 0, "grace_periods": 6, "grace_kind": GraceKind.INTEREST_PAID}, "grace_periods"),
        ({"grace_periods": -1}, "grace_periods"),
        ({"grace_periods": 3}, "grace_kind"),
        ({"grace_kind": GraceKind.INTEREST_PAID}, "grace_periods"),
        ({"frequency": Frequency.EVERY_N_DAYS, "day_count": DayCount.ACT_360}, "every_days"),
        ({"every_days": 10}, "every_days"),
        ({"due_day": 32}, "due_day"),
        ({"frequency": Frequency.WEEKLY, "due_day": 5, "day_count": DayCount.ACT_360}, "due_day"),
        ({"frequency": Frequency.WEEKLY}, "day_count"),
        ({"interest_to": InterestTo.ADJUSTED}, "interest_to"),
        ({"principal_minor": 0}, "principal"),
        ({"principal_minor": 2**60}, "principal"),
        ({"annual_rate": Decimal(-1)}, "annual_rate"),
        ({"annual_rate": Decimal(1001)}, "annual_rate"),
        ({"annual_rate": Decimal("6.0000001")}, "annual_rate"),
        ({"first_due_on": date(2025, 1, 15)}, "first_due_on"),
        ({"first_due_on": date(2025, 2, 10), "due_day": 15}, "first_due_on"),
        (
            {
                "grace_periods": 6,
                "grace_kind": GraceKind.INTEREST_ADDED,
                "first_due_on": date(2025, 3, 15),
            },
            "first_due_on",
        ),
        ({"first_due_on": date(2045, 1, 15)}, "first_due_on"),
        ({"instalment_rounding": Rounding(RoundingMode.UP, 1_000_000)}, "instalment_rounding"),
        (
            {"method": Method.EQUAL_PRINCIPAL, "instalment_rounding": Rounding(RoundingMode.UP, 1_000_000)},
            "instalment_rounding",
        ),
    ],
)
def test_terms_that_contradict_are_refused_with_the_term_and_the_reason(
    change: dict[str, object], term: str
) -> None:
    with pytest.raises(CannotSchedule) as refusal:
        build_schedule(replace(BASE, **change))  # type: ignore[arg-type]
    assert refusal.value.term == term
    assert refusal.value.reason


def test_a_refused_loan_does_not_stop_its_neighbours() -> None:
    wanted = [BASE, replace(BASE, principal_minor=-1), replace(BASE, instalments=12)]
    plans = build_schedules(TermsColumns.of(wanted))
    assert list(plans.refused) == [1]
    assert plans.refused[1].term == "principal"
    assert np.unique(plans.loan).tolist() == [0, 2]
    ids = np.array([900, 901, 902], dtype=np.int64)
    assert set(plans.dues(ids).loan.tolist()) == {900, 902}


def test_amounts_that_grow_beyond_the_books_are_refused_and_stop_no_neighbour() -> None:
    grown = replace(
        BASE,
        principal_minor=2**53 - 1,
        annual_rate=Decimal(1000),
        frequency=Frequency.YEARLY,
        grace_periods=6,
        grace_kind=GraceKind.INTEREST_CAPITALISED,
    )
    below = replace(
        BASE,
        annual_rate=Decimal(583),
        instalments=58,
        frequency=Frequency.QUARTERLY,
        day_count=DayCount.THIRTY_360,
        level_from=LevelFrom.NOMINAL,
        first_due_on=date(2025, 6, 15),
    )
    sound = replace(grown, principal_minor=100_00)
    wanted = [sound, grown, below, sound, grown]
    plans = build_schedules(TermsColumns.of(wanted))
    assert {at: plans.refused[at].term for at in sorted(plans.refused)} == {
        1: "annual_rate",
        2: "first_due_on",
        4: "annual_rate",
    }
    assert "beyond what the books can hold" in plans.refused[1].reason
    alone = build_schedule(sound).columns
    for at in (0, 3):
        assert plans.principal[plans.loan == at].tolist() == alone.principal.tolist()


def test_a_week_of_seven_working_days_leaves_due_dates_alone() -> None:
    plan = build_schedule(replace(BASE, roll=RollRule.FOLLOWING), EVERY_DAY)
    assert all(period.due_on == period.nominal_on for period in plan.periods)
    friday = BusinessCalendar(weekend=frozenset({Weekday.FRI}))
    moved = build_schedule(replace(BASE, roll=RollRule.FOLLOWING), friday)
    assert any(period.due_on != period.nominal_on for period in moved.periods)
