"""Whatever happens to a loan, in whatever order: sums hold, columns are single loans, books are replay."""

from datetime import date, timedelta

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calc.events import Replans, Running, settle
from calc.events.changing import days_of, go_on
from calc.events.onward import Onward
from calc.events.rest import rest_of
from calc.money import BoolColumn, Component
from calc.schedule import (
    GraceKind,
    InterestTo,
    Method,
    Period,
    Terms,
    build_schedule,
    read_terms,
    write_terms,
)
from tests.calc.eventful import Book, Event, events, stories
from tests.calc.strategies import CALENDAR, terms

ROW = ("instalment", "nominal_on", "due_on", "principal", "interest", "capitalised", "closing")
FEW = settings(max_examples=40)


def _principal(book: Book) -> int:
    in_force = book.as_of(date.max, len(book.versions))
    return sum(amount for (_, component, _), amount in in_force.items() if component == Component.PRINCIPAL)


@FEW
@given(stories())
def test_principal_falling_due_is_what_was_lent_capitalised_added_and_moved_in(book: Book) -> None:
    plan = build_schedule(book.terms, CALENDAR)
    grown = sum(
        replan.capitalised_minor + replan.added_minor + replan.transferred_minor
        for _, replan in book.versions
    )
    assert _principal(book) == book.terms.principal_minor + plan.capitalised_minor + grown


@FEW
@given(stories(), st.data())
def test_the_books_as_of_a_day_known_by_a_version_are_the_replay_of_the_events(
    book: Book, data: st.DataObject
) -> None:
    known = data.draw(st.integers(0, len(book.versions)))
    on = book.terms.disbursed_on + timedelta(days=data.draw(st.integers(0, 1500)))
    periods = [
        (end, period) for end, period in _ends(book.terms, build_schedule(book.terms, CALENDAR).periods)
    ]
    for effective, replan in book.versions[:known]:
        if effective <= on:
            periods = [(end, period) for end, period in periods if end < effective]
            periods += _ends(replan.terms, replan.periods)
    replayed: dict[tuple[int, int, date], int] = {}
    for _, period in periods:
        for component, amount in (
            (Component.INTEREST, period.interest_minor),
            (Component.PRINCIPAL, period.principal_minor),
        ):
            if amount:
                replayed[period.instalment, component, period.due_on] = amount
    assert book.as_of(on, known) == replayed


def _ends(plan: Terms | None, periods: tuple[Period, ...]) -> list[tuple[date, Period]]:
    adjusted = plan is not None and plan.interest_to is InterestTo.ADJUSTED
    return [(p.due_on if adjusted and p.period else p.nominal_on, p) for p in periods]


@FEW
@given(stories())
def test_instalments_are_numbered_on_without_gap_and_fall_due_in_order(book: Book) -> None:
    numbers = sorted({number for number, _, _ in book.as_of(date.max, len(book.versions))})
    for (_, replan), before in zip(book.versions, [None, *book.versions], strict=False):
        new = [period.instalment for period in replan.periods if period.instalment]
        assert new == list(range(replan.kept + 1, replan.kept + 1 + len(new)))
        assert before is None or replan.kept <= before[1].kept + len(before[1].periods)
    assert numbers == sorted(set(numbers))


@FEW
@given(st.lists(terms(), min_size=2, max_size=5), st.lists(events(), min_size=1, max_size=3), st.data())
def test_loans_in_columns_are_loans_one_by_one(
    loans: list[Terms], happenings: list[Event], data: st.DataObject
) -> None:
    many = Running.of(loans, CALENDAR)
    sound = [at for at in range(len(loans)) if at not in many.plan.refused]
    assume(sound)
    ones = {at: Running.of([loans[at]], CALENDAR) for at in sound}
    on = max(loans[at].disbursed_on for at in sound)
    for event in happenings:
        on += timedelta(days=data.draw(st.integers(0, 200)))
        replans = event(many, on)
        singles = {at: event(one, on) for at, one in ones.items()}
        for at, single in singles.items():
            assert (at in replans.refused) == bool(single.refused)
            rows = replans.plan.loan == at
            for name in ROW:
                assert getattr(replans.plan, name)[rows].tolist() == getattr(single.plan, name).tolist()
            if not single.refused:
                assert replans.terms.one(at) == single.terms.one(0)
        if replans.refused:
            break
        many, ones = replans.go_on(), {at: single.go_on() for at, single in singles.items()}
        if not replans.left.all():
            break


EXACT = (Method.EQUAL_INSTALMENT, Method.EQUAL_PRINCIPAL, Method.BULLET, Method.IRREGULAR)


@given(terms(methods=EXACT), st.integers(0, 1500))
def test_a_plan_that_goes_on_unchanged_is_the_same_plan(loan: Terms, days: int) -> None:
    running, new, on = _unchanged(loan, days)
    back = _repeated(running, on)
    if loan.grace_kind is GraceKind.INTEREST_CAPITALISED:
        assert new.plan.due_on.tolist() == running.plan.due_on[back].tolist()
        return
    for name in ROW:
        assert getattr(new.plan, name).tolist() == getattr(running.plan, name)[back].tolist()


@given(terms(methods=(Method.FLAT, Method.STEP_UP)), st.integers(0, 1500))
def test_flat_and_stepped_plans_go_on_to_the_same_sums(loan: Terms, days: int) -> None:
    running, new, on = _unchanged(loan, days)
    back = _repeated(running, on)
    assert new.plan.due_on.tolist() == running.plan.due_on[back].tolist()
    if loan.method is Method.FLAT and not loan.grace_periods:
        assert new.plan.interest.sum() == running.plan.interest[back].sum()


def _repeated(running: Running, on: np.datetime64) -> BoolColumn:
    """Rows that a version on the day repeats: a silent period that ends that day is over."""
    return (running.ends > on) | ((running.ends == on) & (running.plan.instalment > 0))


def _unchanged(loan: Terms, days: int) -> tuple[Running, Replans, np.datetime64]:
    """The version that changes nothing, on a day so many after the disbursement."""
    running = Running.of([loan], CALENDAR)
    assume(not running.plan.refused)
    on = np.datetime64(loan.disbursed_on) + days
    assume(bool((running.ends > on).any()))
    rest = rest_of(running, days_of(running, on))
    new = go_on(running, rest, Onward.of(running, rest), dict(rest.refused))
    assume(not new.refused)
    return running, new, on


@given(terms(), st.integers(0, 40))
def test_settling_on_a_due_date_is_what_is_outstanding_and_that_due(loan: Terms, number: int) -> None:
    assume(not Running.of([loan], CALENDAR).plan.refused)
    plan = build_schedule(loan, CALENDAR)
    due = plan.instalments[number % len(plan.instalments)]
    end = due.due_on if loan.interest_to is InterestTo.ADJUSTED else due.nominal_on
    settled = settle(Running.of([loan], CALENDAR), end).one()
    only = settled.periods
    assert len(only) == 1
    assert only[0].principal_minor == due.principal_minor + due.closing_minor
    assert only[0].interest_minor == due.interest_minor


@FEW
@given(stories())
def test_terms_written_and_read_plan_the_same(book: Book) -> None:
    for _, replan in book.versions:
        if replan.terms is not None:
            again = build_schedule(read_terms(write_terms(replan.terms)), CALENDAR).periods
            assert [row for row in replan.periods if row.period] == list(again)
