"""Events worked by hand, and the ones that do not fit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from calc.calendar import BusinessCalendar, Frequency, RollRule, dates
from calc.daycount import DayCount
from calc.events import (
    Accrued,
    AtEvent,
    CannotReplan,
    Changed,
    Dates,
    Effect,
    Moved,
    Replan,
    Replans,
    Running,
    add_tranche,
    change_rate,
    early_fee,
    moratorium,
    prepay,
    reschedule,
    resupply,
    settle,
    settlement_figure,
)
from calc.interest import Movements
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    Method,
    Rules,
    SuppliedRow,
    Terms,
    read_terms,
    write_terms,
)

TWELVE = Terms(
    method=Method.EQUAL_PRINCIPAL,
    instalments=12,
    day_count=DayCount.ACT_360,
    principal_minor=12_00_000_00,
    annual_rate=Decimal(6),
    disbursed_on=date(2025, 1, 15),
)
"""12,00,000.00 at 6 % in 12 monthly principals of 1,00,000.00, actual/360."""


def _on(day: str) -> date:
    return date.fromisoformat(day)


def _changes(replan: Replan) -> dict[Changed, tuple[object, object]]:
    return {change.what: (change.old, change.new) for change in replan.changes}


def test_the_interest_of_a_period_with_a_prepayment_is_its_two_stretches_rounded_once() -> None:
    replan = prepay(Running.of([TWELVE]), _on("2025-03-25"), amount=3_00_000_00, effect=Effect.TERM).one()
    at_event, first = replan.periods[:2]
    assert (at_event.instalment, at_event.due_on, at_event.principal_minor) == (
        3,
        _on("2025-03-25"),
        3_00_000_00,
    )
    # 10,00,000 x 6 % x 10/360 + 7,00,000 x 6 % x 21/360 = 1,666.67 + 2,450.00
    assert [segment.days for segment in first.segments] == [10, 21]
    assert first.interest_minor == 4_116_67
    assert _changes(replan)[Changed.INSTALMENTS] == (10, 7)


def test_a_due_on_the_very_date_is_repeated_as_it_was() -> None:
    plan = Running.of([TWELVE])
    replan = prepay(plan, _on("2025-04-15"), amount=3_00_000_00, effect=Effect.INSTALMENT).one()
    assert replan.kept == 2
    assert replan.periods[0].principal_minor == replan.replaced[0].principal_minor == 1_00_000_00
    assert replan.periods[0].interest_minor == replan.replaced[0].interest_minor
    assert [period.instalment for period in replan.periods[:3]] == [3, 4, 5]
    assert {period.principal_minor for period in replan.periods[2:]} == {66_666_67, 66_666_64}


def test_two_events_of_one_day_both_stand() -> None:
    once = prepay(Running.of([TWELVE]), _on("2025-03-25"), amount=1_00_000_00, effect=Effect.TERM).one()
    assert once.terms is not None
    given = [AtEvent(0, 3, _on("2025-03-25"), _on("2025-03-25"), 1_00_000_00)]
    again = Running.of([read_terms(write_terms(once.terms))], at_event=given)
    twice = prepay(again, _on("2025-03-25"), amount=2_00_000_00, effect=Effect.TERM).one()
    assert [period.principal_minor for period in twice.periods[:2]] == [1_00_000_00, 2_00_000_00]
    assert twice.taken_back_minor == 10_00_000_00
    assert twice.periods[2].interest_minor == 4_116_67


def test_interest_asked_for_with_the_prepayment_is_not_asked_for_again() -> None:
    replan = prepay(
        Running.of([TWELVE]),
        _on("2025-03-25"),
        amount=3_00_000_00,
        effect=Effect.TERM,
        interest=Accrued.DUE,
        fee_percent=Decimal("0.5"),
    ).one()
    assert [period.interest_minor for period in replan.periods[:2]] == [1_666_67, 2_450_00]
    assert (replan.fee_minor, replan.fee_instalment) == (1_500_00, 3)


@pytest.mark.parametrize(
    ("day_count", "carried", "rest"), [(DayCount.THIRTY_360, 16, 14), (DayCount.MONTHLY_12, 16, 15)]
)
def test_both_parts_of_a_broken_period_add_up_to_the_whole(
    day_count: DayCount, carried: int, rest: int
) -> None:
    """15 to 31 January is 16 days of 30/360; the period to 15 February has 30, so 14 are left."""
    terms = replace(TWELVE, day_count=day_count)
    plan = Running.of([terms])
    replan = change_rate(plan, _on("2025-01-31"), annual_rate=Decimal(12), effect=Effect.INSTALMENT).one()
    old, new = replan.periods[0].segments
    assert (old.days, new.days) == (carried, rest)
    assert old.factor + new.factor == plan.plan.segments.of_row(0)[0].factor


def test_daily_product_settles_on_what_was_really_outstanding() -> None:
    moved = Movements(
        np.zeros(2, dtype=np.int64), dates(["2025-01-15", "2025-03-20"]), np.array([12_00_000_00, -50_000_00])
    )
    figure = settlement_figure(Running.of([TWELVE]), _on("2025-03-25"), movements=moved).one()
    # 12,00,000 for 5 days and 11,50,000 for 5 days at 6 % over 360
    assert figure.interest_minor == 1_000_00 + 958_33
    assert [segment.balance_minor for segment in figure.segments] == [12_00_000_00, 11_50_000_00]
    assert figure.principal_minor == 10_00_000_00


def test_a_sale_at_a_fixed_price_rebates_what_is_not_earned() -> None:
    flat = replace(TWELVE, method=Method.FLAT, day_count=DayCount.MONTHLY_12)
    figure = settlement_figure(Running.of([flat]), _on("2025-04-15"), unearned=True).one()
    # ten shares of 6,000.00 are planned, the one of 15 April is earned
    assert (figure.interest_minor, figure.rebate_minor) == (60_000_00, 54_000_00)
    assert figure.total_minor == 10_00_000_00 + 6_000_00
    assert settle(Running.of([flat]), _on("2025-04-15"), unearned=True).one().rebate_minor == 54_000_00


def test_a_moratorium_lets_interest_wait_or_forgives_it_and_moves_the_rest_on() -> None:
    plan = Running.of([TWELVE])
    until = _on("2025-05-31")
    waits = moratorium(plan, _on("2025-03-25"), kind=GraceKind.INTEREST_DEFERRED, until=until).one()
    waived = moratorium(plan, _on("2025-03-25"), kind=GraceKind.INTEREST_WAIVED, until=until).one()
    assert waits.periods[-1].due_on == waived.periods[-1].due_on == _on("2026-03-15")
    # 10,00,000 at 6 %: 61 days wait, 31 of their own; waived from the event on, 10 days stay owed
    assert waits.periods[2].interest_minor == 10_166_67 + 5_166_67
    assert waived.periods[2].interest_minor == 1_666_67 + 5_166_67
    kept = moratorium(
        plan, _on("2025-03-25"), kind=GraceKind.INTEREST_PAID, dates=Dates.KEPT, until=until
    ).one()
    assert kept.periods[-1].due_on == _on("2026-01-15")
    assert kept.periods[2].principal_minor == 1_25_000_00


def test_capitalisation_that_was_planned_and_no_longer_happens_is_below_zero() -> None:
    terms = replace(
        TWELVE, grace_periods=6, grace_kind=GraceKind.INTEREST_CAPITALISED, day_count=DayCount.MONTHLY_12
    )
    settled = settle(Running.of([terms]), _on("2025-04-15")).one()
    assert settled.capitalised_minor < 0
    # three months of 6 % capitalised: 12,00,000 x 1.005^3
    assert settled.periods[0].principal_minor == 12_18_090_15


def test_overdue_money_moves_into_the_new_plan_capitalised_or_carried() -> None:
    plan = Running.of([TWELVE])
    rules = Rules(
        method=Method.EQUAL_PRINCIPAL,
        instalments=4,
        frequency=Frequency.QUARTERLY,
        day_count=DayCount.ACT_360,
    )
    moved = Moved(principal=2_00_000_00, interest=11_000_00, down_payment=61_000_00)
    into = reschedule(plan, _on("2025-03-25"), rules=rules, annual_rate=Decimal(8), moved=moved).one()
    assert (into.transferred_minor, into.capitalised_minor) == (2_00_000_00, 11_000_00 + 1_666_67)
    assert into.periods[0].principal_minor == 61_000_00
    carried = replace(moved, capitalise=False)
    apart = reschedule(plan, _on("2025-03-25"), rules=rules, annual_rate=Decimal(8), moved=carried).one()
    assert apart.capitalised_minor == 0
    # 11,39,000 at 8 % for 92 days, and what was owed from before
    assert apart.periods[1].interest_minor == 23_286_22 + 11_000_00 + 1_666_67


def test_interest_that_runs_to_the_adjusted_date_is_broken_there() -> None:
    terms = replace(TWELVE, roll=RollRule.FOLLOWING, interest_to=InterestTo.ADJUSTED)
    plan = Running.of([terms], BusinessCalendar())
    # 15 February 2025 is a Saturday: the first period runs to Sunday the 16th
    replan = prepay(plan, _on("2025-02-16"), amount=1_00_000_00, effect=Effect.TERM).one()
    assert (replan.kept, replan.periods[0].instalment) == (0, 1)
    earlier = prepay(plan, _on("2025-02-15"), amount=1_00_000_00, effect=Effect.TERM).one()
    assert [segment.days for segment in earlier.periods[1].segments] == [31, 1]


def test_a_supplied_plan_is_settled_rescheduled_or_supplied_anew() -> None:
    rows = [SuppliedRow(n, date(2025, n + 1, 1), 1_000_00, 31_00) for n in (1, 2, 3)]
    plan = Running.of_supplied(3_000_00, _on("2025-01-01"), rows)
    settled = settle(plan, _on("2025-02-15")).one()
    assert (settled.periods[0].principal_minor, settled.periods[0].interest_minor) == (2_000_00, 15_50)
    anew = resupply(plan, _on("2025-02-15"), [SuppliedRow(9, _on("2025-06-01"), 2_000_00, 80_00)]).one()
    assert [(row.instalment, row.total_minor) for row in anew.periods] == [(2, 2_080_00)]
    with pytest.raises(CannotSchedule):
        resupply(plan, _on("2025-02-15"), [SuppliedRow(9, _on("2025-06-01"), 1_900_00)])


def test_the_fee_is_a_percentage_rounded_half_up() -> None:
    assert early_fee(4_00_000_01, Decimal("0.5")).tolist() == [2_000_00]
    assert early_fee(np.array([100, 300]), Decimal("0.5")).tolist() == [1, 2]


def _prepaid(loan: Terms, amount: int, effect: Effect = Effect.TERM, on: str = "2025-03-25") -> Replans:
    return prepay(Running.of([loan]), _on(on), amount=amount, effect=effect)


IRREGULAR = replace(TWELVE, method=Method.IRREGULAR, instalments=2, amounts=(6_00_000_00, 6_00_000_00))
REFUSED: dict[str, tuple[Callable[[], Replans], str]] = {
    "a prepayment of nothing": (lambda: _prepaid(TWELVE, 0), "amount"),
    "a prepayment of everything": (lambda: _prepaid(TWELVE, 10_00_000_00), "amount"),
    "a bullet shortened": (lambda: _prepaid(replace(TWELVE, method=Method.BULLET), 1_00), "effect"),
    "a prepayment after the end": (lambda: _prepaid(TWELVE, 1_00, on="2026-02-01"), "effective_on"),
    "an event before the plan": (lambda: _prepaid(TWELVE, 1_00, on="2025-01-14"), "effective_on"),
    "the rate it has": (
        lambda: change_rate(
            Running.of([TWELVE]), _on("2025-03-25"), annual_rate=Decimal(6), effect=Effect.TERM
        ),
        "annual_rate",
    ),
    "a tranche that lengthens agreed amounts": (
        lambda: add_tranche(Running.of([IRREGULAR]), _on("2025-01-25"), amount=1_00, effect=Effect.TERM),
        "effect",
    ),
    "a moratorium of no length": (
        lambda: moratorium(
            Running.of([TWELVE]), _on("2025-03-25"), until=_on("2025-03-25"), kind=GraceKind.INTEREST_PAID
        ),
        "until",
    ),
    "a moratorium that ends before it begins": (
        lambda: moratorium(
            Running.of([TWELVE]), _on("2025-03-25"), until=_on("2025-03-01"), kind=GraceKind.INTEREST_PAID
        ),
        "until",
    ),
    "a moratorium to the end with the dates kept": (
        lambda: moratorium(
            Running.of([TWELVE]),
            _on("2025-03-25"),
            until=_on("2026-03-01"),
            kind=GraceKind.INTEREST_PAID,
            dates=Dates.KEPT,
        ),
        "dates",
    ),
    "interest added to agreed amounts": (
        lambda: moratorium(
            Running.of([IRREGULAR]), _on("2025-01-25"), until=_on("2025-03-01"), kind=GraceKind.INTEREST_ADDED
        ),
        "kind",
    ),
    "a down payment of everything": (
        lambda: reschedule(
            Running.of([TWELVE]),
            _on("2025-03-25"),
            rules=Rules(method=Method.BULLET, instalments=1),
            annual_rate=Decimal(6),
            moved=Moved(down_payment=20_00_000_00),
        ),
        "down_payment",
    ),
    "settling what is settled": (
        lambda: settle(Running.of([TWELVE]), _on("2026-02-01")),
        "effective_on",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_event_that_does_not_fit_is_refused_with_the_term_and_the_reason(name: str) -> None:
    event, term = REFUSED[name]
    with pytest.raises(CannotReplan) as refusal:
        event().one()
    assert refusal.value.term == term
    assert refusal.value.reason


def test_a_rate_at_which_the_instalment_no_longer_covers_the_interest_is_refused() -> None:
    level = replace(TWELVE, method=Method.EQUAL_INSTALMENT, instalments=120)
    with pytest.raises(CannotSchedule) as refusal:
        change_rate(Running.of([level]), _on("2025-03-25"), annual_rate=Decimal(60), effect=Effect.TERM).one()
    assert refusal.value.term == "agreed_instalment"


def test_a_loan_that_does_not_fit_does_not_stop_its_neighbours() -> None:
    loans = Running.of([TWELVE, replace(TWELVE, annual_rate=Decimal(8)), replace(TWELVE, principal_minor=-1)])
    replans = change_rate(loans, _on("2025-03-25"), annual_rate=Decimal(8), effect=Effect.INSTALMENT)
    assert {at: refusal.term for at, refusal in replans.refused.items()} == {1: "annual_rate", 2: "principal"}
    assert np.unique(replans.plan.loan).tolist() == [0]
    assert replans.left.tolist() == [True, False, False]
