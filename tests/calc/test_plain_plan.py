"""Odd terms against the plainest possible plan: leap days, long and short periods, tiny and huge sums."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import event, given, settings
from hypothesis import strategies as st

from calc.calendar import BusinessCalendar, Frequency, RollRule, Weekday
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    LevelFrom,
    Method,
    Residue,
    Terms,
    build_schedule,
)
from tests.calc.plain_plan import Impossible, plain_plan

HOLIDAYS = frozenset(
    date(year, month, day)
    for year in range(2023, 2030)
    for month, day in ((2, 21), (2, 28), (2, 29), (3, 26), (3, 31), (4, 14), (5, 1), (12, 16), (12, 31))
    if (month, day) != (2, 29) or year % 4 == 0
)
CALENDARS = (
    BusinessCalendar(holidays=HOLIDAYS),
    BusinessCalendar(weekend=frozenset({Weekday.FRI})),
    BusinessCalendar(weekend=frozenset(set(Weekday) - {Weekday.WED}), holidays=HOLIDAYS),
)
LEAPS = (date(2024, 2, 29), date(2028, 2, 29), date(2024, 1, 31), date(2023, 12, 31), date(2027, 8, 30))
LEVEL = (Method.EQUAL_INSTALMENT, Method.STEP_UP)
QUIET = (
    GraceKind.INTEREST_ADDED,
    GraceKind.INTEREST_CAPITALISED,
    GraceKind.INTEREST_DEFERRED,
    GraceKind.INTEREST_WAIVED,
)

principals = st.one_of(st.integers(1, 500), st.integers(10**4, 10**9), st.integers(10**13, 2**53 - 1))
rates = st.one_of(
    st.just(Decimal(0)),
    st.decimals(Decimal("0.000001"), Decimal(60), places=6),
    st.decimals(Decimal(60), Decimal(1000), places=2),
)


@st.composite
def odd_terms(draw: st.DrawFn) -> Terms:
    """Terms of every kind at the edges of what is allowed; many have no plan."""
    frequency = draw(st.sampled_from(list(Frequency)))
    by_months = frequency.months > 0
    day_count = draw(st.sampled_from([d for d in DayCount if by_months or d is not DayCount.MONTHLY_12]))
    adjusted = day_count is not DayCount.MONTHLY_12 and draw(st.booleans())
    method = draw(st.sampled_from(list(Method)))
    instalments = draw(st.one_of(st.integers(1, 8), st.integers(1, 60)))
    principal = draw(principals)
    grace = draw(st.sampled_from([0, 0, 1, 2, 7]))
    kinds = [kind for kind in GraceKind if kind is not GraceKind.NONE]
    if method is Method.IRREGULAR:
        kinds = [GraceKind.INTEREST_PAID, GraceKind.INTEREST_DEFERRED, GraceKind.INTEREST_WAIVED]
    kind = draw(st.sampled_from(kinds)) if grace else GraceKind.NONE
    quiet = draw(st.integers(0, grace)) if kind in QUIET else 0
    disbursed = draw(st.one_of(st.sampled_from(LEAPS), st.dates(date(2023, 1, 1), date(2028, 12, 31))))
    first = draw(st.sampled_from([None, 1, 2, 30, 59, 400]))
    due_day = draw(st.sampled_from([0, 0, 1, 30, 31])) if by_months and first is None else 0
    nominal = method is Method.EQUAL_INSTALMENT and draw(st.booleans())
    steps = method is Method.STEP_UP
    return Terms(
        method=method,
        instalments=instalments,
        frequency=frequency,
        every_days=draw(st.sampled_from([1, 5, 30, 45, 365])) if frequency is Frequency.EVERY_N_DAYS else 0,
        due_day=due_day,
        first_due_on=disbursed + timedelta(days=first) if first else None,
        grace_periods=grace,
        grace_kind=kind,
        interest_grace=quiet,
        day_count=day_count,
        roll=draw(st.sampled_from(list(RollRule))),
        interest_to=InterestTo.ADJUSTED if adjusted else InterestTo.NOMINAL,
        instalment_rounding=Rounding(
            draw(st.sampled_from(list(RoundingMode))), draw(st.sampled_from([1, 1, 1, 100, 500, 1000]))
        ),
        interest_rounding=Rounding(draw(st.sampled_from(list(RoundingMode)))),
        residue=Residue.LAST if method in LEVEL else draw(st.sampled_from(list(Residue))),
        level_from=LevelFrom.NOMINAL if nominal else LevelFrom.PERIODS,
        amortised_over=draw(st.sampled_from([0, instalments, instalments + 36])) if nominal else 0,
        step_percent=draw(st.sampled_from([Decimal("-12.5"), Decimal(0), Decimal(7)]))
        if steps
        else Decimal(0),
        step_every=draw(st.integers(1, 12)) if steps else 0,
        amounts=_uneven(draw, principal, instalments) if method is Method.IRREGULAR else (),
        principal_minor=principal,
        annual_rate=draw(rates),
        disbursed_on=disbursed,
    )


def _uneven(draw: st.DrawFn, principal: int, count: int) -> tuple[int, ...]:
    cuts = sorted(draw(st.lists(st.integers(0, principal), min_size=count - 1, max_size=count - 1)))
    whole = [0, *cuts, principal]
    return tuple(whole[at + 1] - whole[at] for at in range(count))


Rows = list[tuple[date, date, int, int, int, int]]


def _plain(wanted: Terms, calendar: BusinessCalendar) -> Rows:
    try:
        rows = plain_plan(wanted, calendar)
    except Impossible:
        return []
    return [(row.nominal, row.due, row.principal, row.interest, row.capitalised, row.closing) for row in rows]


def _ours(wanted: Terms, calendar: BusinessCalendar) -> Rows:
    try:
        periods = build_schedule(wanted, calendar).periods
    except CannotSchedule as refusal:
        event(f"refused: {refusal.term}")
        return []
    return [
        (
            row.nominal_on,
            row.due_on,
            row.principal_minor,
            row.interest_minor,
            row.capitalised_minor,
            row.closing_minor,
        )
        for row in periods
    ]


@settings(max_examples=200)
@given(odd_terms(), st.sampled_from(CALENDARS))
def test_odd_terms_have_the_plan_a_clerk_would_write_or_none(
    wanted: Terms, calendar: BusinessCalendar
) -> None:
    assert _ours(wanted, calendar) == _plain(wanted, calendar)


@settings(max_examples=12)
@given(odd_terms().filter(lambda found: found.method is not Method.IRREGULAR), st.integers(400, 600))
def test_six_hundred_instalments_are_no_harder_than_six(wanted: Terms, count: int) -> None:
    longer = replace(
        wanted,
        instalments=count,
        amortised_over=0,
        principal_minor=wanted.principal_minor + 10**12,
        annual_rate=min(wanted.annual_rate, Decimal(30)),
    )
    assert _ours(longer, CALENDARS[0]) == _plain(longer, CALENDARS[0])


@given(odd_terms(), st.sampled_from(CALENDARS))
def test_a_residue_put_first_changes_the_first_instalment_and_no_more_of_the_rest_than_it_must(
    wanted: Terms, calendar: BusinessCalendar
) -> None:
    """Level instalments: every one between the first and the last stays what it was."""
    last = replace(wanted, residue=Residue.LAST, method=Method.EQUAL_INSTALMENT, step_every=0, amounts=())
    last = replace(last, step_percent=Decimal(0), amortised_over=0)
    rows = [_totals(replace(last, residue=residue), calendar) for residue in (Residue.LAST, Residue.FIRST)]
    if all(rows) and wanted.instalments > 2:
        assert rows[0][1:-1] == rows[1][1:-1]
        level = rows[0][1]
        assert abs(rows[1][-1] - level) <= max(abs(rows[0][-1] - level), wanted.instalments)


def _totals(wanted: Terms, calendar: BusinessCalendar) -> list[int]:
    """What the paying periods come to; none where the terms are refused."""
    try:
        plan = build_schedule(wanted, calendar)
    except CannotSchedule:
        return []
    return [row.total_minor for row in plan.periods[wanted.grace_periods :]]
