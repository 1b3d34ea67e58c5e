"""Orders by loan, the grid, refunds, recoveries and what is settled without money: against the walker."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.allocation import (
    Allocations,
    CannotOrder,
    Grid,
    Order,
    Orders,
    Settled,
    Source,
    Timing,
    allocate,
    difference,
)
from calc.arrears import measure
from calc.money import OWED, Component
from tests.calc.test_allocation import START, days, payments
from tests.calc.walker import (
    Book,
    Due,
    Rank,
    Receipt,
    due_columns,
    oldest,
    receipt_columns,
    since_column,
    walk,
)

FALLEN = tuple((timing, kind) for timing in (Timing.PAST_DUE, Timing.DUE) for kind in OWED)
AHEAD = tuple((Timing.IN_ADVANCE, kind) for kind in OWED)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    return Grid(tuple(draw(st.permutations((*FALLEN, *(AHEAD if draw(st.booleans()) else ()))))))


rules = st.one_of(st.sampled_from([o for o in Order if o is not Order.GRID]), grids())


@st.composite
def plans(draw: st.DrawFn) -> list[Due]:
    """Dues of all kinds; some stand in the plan only from a later date, though never after they fall due."""
    lates = draw(st.lists(days, min_size=1, max_size=5))
    keys = draw(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(OWED)), max_size=8, unique=True))
    found = []
    for number, component in keys:
        late = lates[number % len(lates)]
        since = late - timedelta(days=draw(st.integers(0, 60)))
        found.append(Due(number, int(component), late, draw(st.integers(1, 300)), since))
    for memo in draw(st.lists(st.sampled_from([6, 7]), max_size=2, unique=True)):
        late = draw(days)
        found.append(Due(0, memo, late, draw(st.integers(1, 200)), late))
    return found


@st.composite
def desks(draw: st.DrawFn) -> tuple[dict[int, list[Due]], dict[int, list[Receipt]], dict[int, Order | Grid]]:
    loans = draw(st.lists(st.integers(1, 50), min_size=1, max_size=5, unique=True))
    return (
        {loan: draw(plans()) for loan in loans},
        {loan: draw(payments(first_number=100 * loan)) for loan in loans},
        {loan: draw(rules) for loan in loans},
    )


Desk = tuple[dict[int, list[Due]], dict[int, list[Receipt]], dict[int, Order | Grid]]


def _orders(by_loan: dict[int, Order | Grid]) -> Orders:
    distinct = tuple(dict.fromkeys(by_loan.values()))
    loans = sorted(by_loan)
    return Orders(
        distinct, np.array(loans, dtype=np.int64), np.array([distinct.index(by_loan[n]) for n in loans])
    )


def _rank(rule: Order | Grid) -> Rank:
    """The same order as a clerk would sort the papers."""
    if isinstance(rule, Grid):

        def by_cell(due: Due, day: date) -> tuple[object, ...] | None:
            timing = (due.late >= day) + (due.late > day)
            cell = (Timing(timing), Component(due.component))
            if cell not in rule.cells or (timing == 2 and due.since > day):
                return None
            return (rule.cells.index(cell), due.late, due.instalment)

        return by_cell
    sign = {Order.BY_COMPONENT: 1, Order.PRINCIPAL_FIRST: -1}

    def by_component(due: Due, day: date) -> tuple[object, ...] | None:
        return (sign[rule] * due.component, due.late, due.instalment) if due.late <= day else None

    return by_component if rule in sign else oldest


def _allocated(desk: Desk) -> Allocations:
    plans_of, receipts, by_loan = desk
    return allocate(
        due_columns(plans_of),
        receipt_columns(receipts),
        _orders(by_loan),
        effective_on=since_column(plans_of),
    )


def _book(rows: Allocations, loan: int) -> Book:
    book = Book()
    for at in np.flatnonzero(rows.loan == loan):
        if rows.component[at] == Component.ADVANCE:
            book.advance[int(rows.receipt[at])] += int(rows.amount[at])
        else:
            book.paid[int(rows.instalment[at]), int(rows.component[at])] += int(rows.amount[at])
    return book


def _some(amounts: dict[tuple[int, int], int] | dict[int, int]) -> dict[object, int]:
    return {key: amount for key, amount in amounts.items() if amount}


@given(desks(), st.lists(days, min_size=1, max_size=4))
def test_in_any_order_the_rows_up_to_any_date_are_what_a_clerk_would_have(
    desk: Desk, asked: list[date]
) -> None:
    rows = _allocated(desk)
    for as_of in asked:
        until = rows.take(rows.value_date <= np.datetime64(as_of))
        for loan, plan in desk[0].items():
            clerk = walk(plan, desk[1][loan], as_of, _rank(desk[2][loan]))
            ours = _book(until, loan)
            assert _some(ours.paid) == _some(clerk.paid)
            assert _some(ours.advance) == _some(clerk.advance)


@given(desks())
def test_in_any_order_the_rows_of_a_receipt_sum_to_it(desk: Desk) -> None:
    rows = _allocated(desk)
    for receipt in (receipt for received in desk[1].values() for receipt in received):
        mine = rows.receipt == receipt.number
        assert int(rows.amount[mine].sum()) == receipt.amount
        assert (rows.value_date[mine] >= np.datetime64(receipt.value)).all()


@given(desks())
def test_loans_of_many_orders_at_once_are_the_loans_one_by_one(desk: Desk) -> None:
    together = _allocated(desk)
    for loan in desk[0]:
        alone = _allocated(({loan: desk[0][loan]}, {loan: desk[1][loan]}, {loan: desk[2][loan]}))
        mine = together.take(together.loan == loan)
        for column in ("receipt", "instalment", "component", "value_date", "amount", "source"):
            assert getattr(mine, column).tolist() == getattr(alone, column).tolist()


@given(plans(), rules, days, st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_money_in_parts_settles_what_it_settles_at_once(
    plan: list[Due], rule: Order | Grid, day: date, parts: list[int]
) -> None:
    """Refunds aside, which take only what is left over of a receipt that came before."""
    plan = [due for due in plan if due.component != Component.REFUND]
    in_parts = [Receipt(number, day, part) for number, part in enumerate(parts, start=1)]
    at_once = [Receipt(1, day, sum(parts))]
    one, many = (
        _book(_allocated(({7: plan}, {7: received}, {7: rule})), 7) for received in (at_once, in_parts)
    )
    assert _some(one.paid) == _some(many.paid)
    assert sum(one.advance.values()) == sum(many.advance.values())


@given(plans(), rules, payments())
def test_receipts_that_arrive_in_any_order_end_in_the_same_rows(
    plan: list[Due], rule: Order | Grid, received: list[Receipt]
) -> None:
    """Each arrival is replayed: only the difference is written to what the books hold."""

    def listed(rows: Allocations) -> list[tuple[object, ...]]:
        names = ("loan", "receipt", "instalment", "component", "value_date", "amount", "source")
        return sorted(zip(*(getattr(rows, name).tolist() for name in names), strict=True), key=repr)

    final = listed(_allocated(({7: plan}, {7: received}, {7: rule})))
    for arrival in list(permutations(received))[:6]:
        books = _allocated(({7: plan}, {7: []}, {7: rule}))
        written = listed(books)
        for known in range(1, len(arrival) + 1):
            new = _allocated(({7: plan}, {7: list(arrival[:known])}, {7: rule}))
            change = difference(books, new)
            for row in listed(books.take(change.mirror)):
                written.remove(row)
            written += listed(new.take(change.add))
            books = new
        assert sorted(written, key=repr) == final


@given(plans(), rules, payments(), st.data())
def test_what_was_waived_is_never_paid_and_never_settles_more_than_is_due(
    plan: list[Due], rule: Order | Grid, received: list[Receipt], data: st.DataObject
) -> None:
    owed = [due for due in plan if due.component in OWED]
    waived = {due: data.draw(st.integers(0, due.amount)) for due in owed}
    on = {due: due.late + timedelta(days=data.draw(st.integers(0, 20))) for due in owed}
    columns = [(7, due.instalment, due.component, amount) for due, amount in waived.items() if amount]
    reduced = _settled(columns)
    rows = allocate(
        due_columns({7: plan}),
        receipt_columns({7: received}),
        _orders({7: rule}),
        reduced=reduced,
        effective_on=since_column({7: plan}),
    )
    net = [replace(due, amount=due.amount - waived.get(due, 0)) for due in plan]
    again = _allocated(({7: [due for due in net if due.amount]}, {7: received}, {7: rule}))
    assert rows.amount.tolist() == again.amount.tolist()
    for as_of in (START + timedelta(days=n) for n in range(0, 60, 7)):
        done = _book(rows.take(rows.value_date <= np.datetime64(as_of)), 7)
        paid: dict[tuple[int, int], int] = defaultdict(int, done.paid)
        for due, amount in waived.items():
            paid[due.instalment, due.component] += amount if on[due] <= as_of else 0
        settled = _settled([(7, *key, amount) for key, amount in paid.items() if amount])
        standing = measure(due_columns({7: [d for d in plan if d.since <= as_of]}), settled, as_of)
        assert not standing.fault.any()


def _settled(rows: list[tuple[int, int, int, int]]) -> Settled:
    loan, instalment, component, amount = zip(*rows, strict=True) if rows else ((),) * 4
    return Settled(
        np.array(loan, dtype=np.int64),
        np.array(instalment, dtype=np.int32),
        np.array(component, dtype=np.int8),
        np.array(amount, dtype=np.int64),
    )


def _listed(rows: Allocations) -> list[tuple[str, int, int, int, int]]:
    columns = (rows.value_date.astype(str), rows.instalment, rows.component, rows.amount, rows.source)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_key_due_on_several_dates_is_waived_from_the_oldest() -> None:
    penal = [Due(1, Component.PENAL, date(2025, 2, day), 10) for day in (1, 2, 3)]
    rows = allocate(
        due_columns({7: penal}),
        receipt_columns({7: [Receipt(5, date(2025, 2, 2), 100)]}),
        reduced=_settled([(7, 1, Component.PENAL, 15)]),
    )
    assert _listed(rows)[:2] == [
        ("2025-02-02", 0, Component.ADVANCE, 95, Source.RECEIPT),
        ("2025-02-02", 1, Component.PENAL, 5, Source.RECEIPT),
    ]


@pytest.mark.parametrize("amount", [11, -1])
def test_waiving_more_than_fell_due_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match="loan 7, instalment 1: what was waived"):
        allocate(
            due_columns({7: [Due(1, Component.PENAL, START, 10)]}),
            receipt_columns({}),
            reduced=_settled([(7, 1, Component.PENAL, amount)]),
        )


def test_a_recovery_goes_before_every_due_in_any_order() -> None:
    plan = [Due(1, Component.INTEREST, START, 50), Due(0, Component.RECOVERY, date(2025, 2, 1), 80)]
    received = {7: [Receipt(5, date(2025, 2, 3), 100)]}
    for rule in (Order.OLDEST_FIRST, Order.BY_COMPONENT, Order.PRINCIPAL_FIRST, Grid(FALLEN)):
        rows = allocate(due_columns({7: plan}), receipt_columns(received), rule)
        assert _listed(rows) == [
            ("2025-02-03", 0, Component.RECOVERY, 80, Source.RECEIPT),
            ("2025-02-03", 1, Component.INTEREST, 20, Source.RECEIPT),
        ]


def test_a_refund_is_met_by_an_advance_and_never_by_a_receipt_that_owes_a_due() -> None:
    plan = [Due(0, Component.REFUND, date(2025, 2, 1), 80), Due(1, Component.INTEREST, date(2025, 3, 1), 50)]
    received = {7: [Receipt(5, START, 100), Receipt(6, date(2025, 3, 1), 40)]}
    assert _listed(allocate(due_columns({7: plan}), receipt_columns(received))) == [
        ("2025-01-01", 0, Component.ADVANCE, 100, Source.RECEIPT),
        ("2025-02-01", 0, Component.REFUND, 80, Source.ADVANCE),
        ("2025-02-01", 0, Component.ADVANCE, -80, Source.ADVANCE),
        ("2025-03-01", 0, Component.ADVANCE, -20, Source.ADVANCE),
        ("2025-03-01", 1, Component.INTEREST, 20, Source.ADVANCE),
        ("2025-03-01", 0, Component.ADVANCE, 10, Source.RECEIPT),
        ("2025-03-01", 1, Component.INTEREST, 30, Source.RECEIPT),
    ]


def test_a_refund_whose_receipt_bounced_waits_for_what_a_later_receipt_leaves_over() -> None:
    plan = [Due(0, Component.REFUND, date(2025, 2, 1), 80), Due(1, Component.INTEREST, date(2025, 3, 1), 50)]
    received = {7: [Receipt(6, date(2025, 3, 4), 90)]}
    assert _listed(allocate(due_columns({7: plan}), receipt_columns(received))) == [
        ("2025-03-04", 0, Component.REFUND, 40, Source.ADVANCE),
        ("2025-03-04", 0, Component.ADVANCE, 40, Source.RECEIPT),
        ("2025-03-04", 0, Component.ADVANCE, -40, Source.ADVANCE),
        ("2025-03-04", 1, Component.INTEREST, 50, Source.RECEIPT),
    ]


def test_a_grid_in_advance_settles_coming_instalments_on_the_day_of_the_money() -> None:
    plan = [
        Due(n, kind, date(2025, n, 28), amount)
        for n in (1, 2, 3)
        for kind, amount in ((Component.INTEREST, 10), (Component.PRINCIPAL, 100))
    ]
    received = receipt_columns({7: [Receipt(5, date(2025, 1, 28), 350)]})
    waits = allocate(due_columns({7: plan}), received, Grid(FALLEN))
    assert (0, Component.ADVANCE, 240) in [row[1:4] for row in _listed(waits)]
    at_once = allocate(due_columns({7: plan}), received, Grid((*FALLEN, *AHEAD)))
    assert set(at_once.value_date.astype(str).tolist()) == {"2025-01-28"}
    assert _listed(at_once)[-1] == ("2025-01-28", 3, Component.PRINCIPAL, 100, Source.RECEIPT)
    assert [row[3] for row in _listed(at_once) if row[2] == Component.ADVANCE] == [20]


def test_a_due_of_a_later_version_is_not_met_in_advance_before_the_version_is_in_force() -> None:
    plan = [Due(2, Component.PRINCIPAL, date(2025, 3, 1), 100, since=date(2025, 2, 1))]
    rows = allocate(
        due_columns({7: plan}),
        receipt_columns({7: [Receipt(5, START, 100)]}),
        Grid((*FALLEN, *AHEAD)),
        effective_on=since_column({7: plan}),
    )
    assert _listed(rows) == [
        ("2025-01-01", 0, Component.ADVANCE, 100, Source.RECEIPT),
        ("2025-02-01", 0, Component.ADVANCE, -100, Source.ADVANCE),
        ("2025-02-01", 2, Component.PRINCIPAL, 100, Source.ADVANCE),
    ]


@given(grids())
def test_a_grid_is_read_as_it_is_written(grid: Grid) -> None:
    assert Grid.parse(grid.names) == grid
    assert grid.settles_in_advance == (len(grid.cells) == 12)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["past_due.fee"], "'past_due.fee' is no cell of the grid"),
        (["past_due.penal", "past_due.penal"], "past_due.penal is named twice"),
        (["past_due.penal"], r"past_due.charge, past_due.interest, .*left out"),
        ([*Grid(FALLEN).names, "in_advance.principal"], "in_advance all four cells or none"),
        ([*Grid(FALLEN).names[:-1], *Grid((*FALLEN, *AHEAD)).names[-4:]], "due.principal left out"),
    ],
)
def test_a_grid_that_names_a_cell_wrongly_twice_or_not_at_all_is_refused(
    names: list[str], reason: str
) -> None:
    with pytest.raises(CannotOrder, match=reason):
        Grid.parse(names)


def test_the_order_grid_needs_its_cells() -> None:
    with pytest.raises(CannotOrder, match="needs the cells"):
        allocate(due_columns({7: []}), receipt_columns({7: [Receipt(1, START, 1)]}), Order.GRID)
