"""Part-prepayment under a plan the bank supplied: worked by hand, and what always holds."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.events import (
    CannotReplan,
    Effect,
    Moved,
    Replan,
    Running,
    prepay_supplied,
    reschedule,
    resupply,
    settlement_figure,
)
from calc.schedule import CannotSchedule, SuppliedRow, terms_of

LENT = date(2025, 1, 1)
"""1,20,000.00 in four parts, each 30 days after the one before, 1 % a period on the balance."""
ROWS = [
    SuppliedRow(1, date(2025, 1, 31), 30_000_00, 1_200_00),
    SuppliedRow(2, date(2025, 3, 2), 30_000_00, 900_00),
    SuppliedRow(3, date(2025, 4, 1), 30_000_00, 600_00),
    SuppliedRow(4, date(2025, 5, 1), 30_000_00, 300_00),
]
E = date(2025, 2, 12)


def running(rows: list[SuppliedRow] = ROWS) -> Running:
    return Running.of_supplied(sum(row.principal_minor for row in rows), LENT, rows)


def rows_of(replan: Replan) -> list[tuple[int, date, int, int]]:
    return [(row.instalment, row.due_on, row.principal_minor, row.interest_minor) for row in replan.periods]


def test_the_instalment_falls() -> None:
    """12 of 30 days bear 360.00 of the 900.00, paid with it; the 540.00 left fall to 72/90: 432.00."""
    replan = prepay_supplied(running(), E, amount=18_000_00, effect=Effect.INSTALMENT).one()
    assert rows_of(replan) == [
        (2, E, 18_000_00, 360_00),
        (3, date(2025, 3, 2), 24_000_00, 432_00),
        (4, date(2025, 4, 1), 24_000_00, 480_00),
        (5, date(2025, 5, 1), 24_000_00, 240_00),
    ]
    assert (replan.kept, replan.terms, replan.taken_back_minor) == (1, None, 90_000_00)


def test_the_term_shortens() -> None:
    """30,900.00 less 270.00 repays 30,630.00; of 14,370.00 left the interest is 600.00 x 14,370/60,000."""
    replan = prepay_supplied(running(), E, amount=45_000_00, effect=Effect.TERM).one()
    assert rows_of(replan) == [
        (2, E, 45_000_00, 360_00),
        (3, date(2025, 3, 2), 30_630_00, 270_00),
        (4, date(2025, 4, 1), 14_370_00, 143_70),
    ]


def test_a_due_of_the_very_day_stands() -> None:
    replan = prepay_supplied(running(), date(2025, 3, 2), amount=20_000_00, effect=Effect.INSTALMENT).one()
    assert rows_of(replan) == [
        (2, date(2025, 3, 2), 30_000_00, 900_00),
        (3, date(2025, 3, 2), 20_000_00, 0),
        (4, date(2025, 4, 1), 20_000_00, 400_00),
        (5, date(2025, 5, 1), 20_000_00, 200_00),
    ]


def test_the_banks_own_plan_is_taken_as_it_is() -> None:
    own = [
        SuppliedRow(7, date(2025, 4, 1), 42_000_00, 777_00),
        SuppliedRow(8, date(2025, 6, 1), 30_000_00, 0),
    ]
    replan = prepay_supplied(running(), E, amount=18_000_00, effect=Effect.TERM, rows=own).one()
    assert rows_of(replan)[1:] == [
        (3, date(2025, 4, 1), 42_000_00, 777_00),
        (4, date(2025, 6, 1), 30_000_00, 0),
    ]


@pytest.mark.parametrize(
    ("changes", "term"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 90_000_00}, "amount"),
        ({"on": date(2025, 5, 2)}, "effective_on"),
        ({"on": date(2024, 12, 31)}, "effective_on"),
        ({"rows": [SuppliedRow(1, date(2025, 4, 1), 71_999_99, 0)]}, "principal"),
        ({"rows": [SuppliedRow(1, date(2025, 2, 12), 72_000_00, 0)]}, "due_on"),
        ({"on": date(2025, 4, 12), "amount": 1_00}, "effect"),
    ],
)
def test_is_refused_by_the_term_to_change(changes: dict[str, object], term: str) -> None:
    told = {"on": E, "amount": 18_000_00, "effect": Effect.TERM} | changes
    with pytest.raises(CannotSchedule) as refusal:
        prepay_supplied(running(), told.pop("on"), **told)  # type: ignore[arg-type]
    assert refusal.value.term == term


def test_interest_on_no_balance_is_for_the_bank_to_say() -> None:
    """All the interest stands in a last row of its own: no one else can tell what of it falls away."""
    rows = [
        SuppliedRow(1, date(2025, 3, 2), 60_000_00, 0),
        SuppliedRow(2, date(2025, 4, 1), 60_000_00, 0),
        SuppliedRow(3, date(2025, 5, 1), 0, 3_000_00),
    ]
    with pytest.raises(CannotReplan) as refusal:
        prepay_supplied(running(rows), E, amount=18_000_00, effect=Effect.INSTALMENT)
    assert refusal.value.term == "rows"


@st.composite
def plans(draw: st.DrawFn) -> list[SuppliedRow]:
    count = draw(st.integers(2, 8))
    due, rows = LENT, []
    for number in range(1, count + 1):
        due += timedelta(days=draw(st.integers(1, 95)))
        repays = draw(st.one_of(st.just(0), st.integers(1, 10**9))) if number < count else draw(
            st.integers(1, 10**9)
        )  # fmt: skip
        rows.append(SuppliedRow(number, due, repays, draw(st.integers(0 if repays else 1, 10**8))))
    return rows


@given(plans(), st.data())
def test_what_always_holds(rows: list[SuppliedRow], data: st.DataObject) -> None:
    """Principal is repaid exactly, interest to the day is paid with it, nothing planned later grows."""
    on = data.draw(st.dates(LENT, rows[-1].due_on - timedelta(days=1)), label="on")
    ahead = [row for row in rows if row.due_on > on]
    balance = sum(row.principal_minor for row in ahead)
    amount = data.draw(st.integers(1, max(balance - 1, 1)), label="amount")
    effect = data.draw(st.sampled_from(Effect), label="effect")
    if amount >= balance or (effect is Effect.TERM and sum(1 for row in ahead if row.principal_minor) < 2):
        return
    book = running(rows)
    before = settlement_figure(book, on).one()
    replan = prepay_supplied(book, on, amount=amount, effect=effect).one()
    standing = [row for row in rows if row.due_on == on]
    paid, new = replan.periods[len(standing)], replan.periods[len(standing) + 1 :]
    assert (paid.principal_minor, paid.due_on) == (amount, on)
    assert paid.interest_minor == before.interest_minor - sum(row.interest_minor for row in standing)
    assert sum(row.principal_minor for row in new) == balance - amount
    old = {row.due_on: row for row in ahead}
    assert [row.due_on for row in new] == sorted(row.due_on for row in new)
    for row in new:
        planned = old[row.due_on]
        assert row.interest_minor <= planned.interest_minor
        if effect is Effect.TERM:
            assert row.total_minor <= planned.principal_minor + planned.interest_minor
        else:
            assert row.principal_minor <= planned.principal_minor
    if effect is Effect.INSTALMENT and amount < balance / 2:
        kept = {row.due_on for row in ahead if row.principal_minor > 1}
        assert kept <= {row.due_on for row in new}


def test_the_banks_new_plan_repays_what_moves_into_it() -> None:
    """90,000.00 ahead and 30,000.00 overdue, less 20,000.00 down; the 1,200.00 stands in its interest."""
    own = [
        SuppliedRow(1, date(2025, 6, 1), 60_000_00, 900_00),
        SuppliedRow(2, date(2025, 9, 1), 40_000_00, 300_00),
    ]
    moved = Moved(principal=30_000_00, interest=1_200_00, down_payment=20_000_00, capitalise=False)
    replan = resupply(running(), E, own, moved=moved).one()
    assert rows_of(replan) == [
        (2, E, 20_000_00, 0),
        (3, date(2025, 6, 1), 60_000_00, 900_00),
        (4, date(2025, 9, 1), 40_000_00, 300_00),
    ]
    assert (replan.transferred_minor, replan.capitalised_minor, replan.taken_back_minor) == (
        30_000_00, 0, 90_000_00,
    )  # fmt: skip
    with pytest.raises(CannotReplan, match="120000 of interest moves in"):
        resupply(running(), E, [own[0], SuppliedRow(2, date(2025, 9, 1), 40_000_00, 299_99)], moved=moved)
    joined = Moved(principal=30_000_00, interest=1_200_00, capitalise=True)
    all_of_it = [SuppliedRow(1, date(2025, 6, 1), 121_200_00, 0)]
    assert resupply(running(), E, all_of_it, moved=joined).one().capitalised_minor == 1_200_00


def test_interest_accrued_by_facts_has_an_instalment_of_its_own_on_the_day() -> None:
    """500.00 by daily product and 200.00 overdue become principal; the new plan is numbered on from there."""
    terms = terms_of(
        principal="90000", annual_rate="6", instalments=3, disbursed_on="2025-01-01", method="equal_principal"
    )
    replan = reschedule(
        Running.of([terms]),
        date(2025, 2, 12),
        rules=terms.rules(),
        annual_rate=terms.annual_rate,
        moved=Moved(principal=30_000_00, interest=200_00, accrued=500_00, capitalise=True),
    ).one()
    assert rows_of(replan)[0] == (2, date(2025, 2, 12), 0, 500_00)
    assert [row.instalment for row in replan.periods] == [2, 3, 4, 5]
    assert replan.capitalised_minor == 700_00
    assert sum(row.principal_minor for row in replan.periods) == 60_000_00 + 30_000_00 + 700_00
