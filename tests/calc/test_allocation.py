"""Allocation against the walker, and what must hold for any dues and receipts."""

from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calc.allocation import Allocations, Dues, Order, Source, allocate, difference
from calc.allocation.by_priority import by_priority
from calc.allocation.owed import left_to_pay
from calc.allocation.rows import in_order
from calc.money import Component
from tests.calc.walker import Due, Rank, Receipt, due_columns, receipt_columns, walk

START = date(2025, 1, 1)
days = st.integers(0, 40).map(lambda n: START + timedelta(days=n))


@st.composite
def plans(draw: st.DrawFn) -> list[Due]:
    lates = draw(st.lists(days, max_size=5))
    keys = draw(
        st.lists(st.tuples(st.integers(1, 5), st.sampled_from([1, 2, 3, 4])), max_size=8, unique=True)
    )
    return [
        Due(number, component, lates[number % len(lates)], draw(st.integers(1, 300)))
        for number, component in keys
        if lates
    ]


@st.composite
def payments(draw: st.DrawFn, first_number: int = 1) -> list[Receipt]:
    amounts = draw(st.lists(st.integers(1, 500), max_size=5))
    order = draw(st.permutations(range(len(amounts))))
    return [Receipt(first_number + at, draw(days), amount) for at, amount in zip(order, amounts, strict=True)]


@st.composite
def books(draw: st.DrawFn) -> tuple[dict[int, list[Due]], dict[int, list[Receipt]]]:
    loans = draw(st.lists(st.integers(1, 50), min_size=1, max_size=5, unique=True))
    return (
        {loan: draw(plans()) for loan in loans},
        {loan: draw(payments(first_number=100 * loan)) for loan in loans},
    )


def _sums(rows: Allocations, loan: int) -> tuple[dict[tuple[int, int], int], dict[int, int]]:
    """Settled by (instalment, component), and advance held by receipt, of one loan."""
    settled: dict[tuple[int, int], int] = defaultdict(int)
    advance: dict[int, int] = defaultdict(int)
    for at in np.flatnonzero(rows.loan == loan):
        if rows.component[at] == Component.ADVANCE:
            advance[int(rows.receipt[at])] += int(rows.amount[at])
        else:
            settled[int(rows.instalment[at]), int(rows.component[at])] += int(rows.amount[at])
    return dict(settled), {number: held for number, held in advance.items() if held}


@given(books(), st.lists(days, min_size=1, max_size=4))
def test_the_sum_of_rows_up_to_any_date_is_what_a_clerk_would_have(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]], asked: list[date]
) -> None:
    dues, receipts = book
    rows = allocate(due_columns(dues), receipt_columns(receipts))
    for as_of in asked:
        until = rows.take(rows.value_date <= np.datetime64(as_of))
        for loan, plan in dues.items():
            desk = walk(plan, receipts[loan], as_of)
            settled, advance = _sums(until, loan)
            assert settled == {key: paid for key, paid in desk.paid.items() if paid}
            assert advance == {number: held for number, held in desk.advance.items() if held}


@given(books())
def test_the_rows_of_a_receipt_always_sum_to_it(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
) -> None:
    dues, receipts = book
    rows = allocate(due_columns(dues), receipt_columns(receipts))
    for payments_of_loan in receipts.values():
        for receipt in payments_of_loan:
            mine = rows.receipt == receipt.number
            assert int(rows.amount[mine].sum()) == receipt.amount
            assert (rows.value_date[mine] >= np.datetime64(receipt.value)).all()


@given(books())
def test_no_due_is_settled_twice_and_none_before_it_falls_due(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
) -> None:
    dues, receipts = book
    rows = allocate(due_columns(dues), receipt_columns(receipts))
    for loan, plan in dues.items():
        for due in plan:
            mine = (
                (rows.loan == loan) & (rows.instalment == due.instalment) & (rows.component == due.component)
            )
            assert int(rows.amount[mine].sum()) <= due.amount
            assert (rows.amount[mine] > 0).all()
            assert (rows.value_date[mine] >= np.datetime64(due.late)).all()


@given(books())
def test_many_loans_at_once_are_the_loans_one_by_one(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
) -> None:
    dues, receipts = book
    together = allocate(due_columns(dues), receipt_columns(receipts))
    for loan in dues:
        alone = allocate(due_columns({loan: dues[loan]}), receipt_columns({loan: receipts[loan]}))
        mine = together.take(together.loan == loan)
        for column in ("receipt", "instalment", "component", "value_date", "amount", "source"):
            assert getattr(mine, column).tolist() == getattr(alone, column).tolist()


@given(plans(), days, st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_money_in_parts_settles_what_it_settles_at_once(plan: list[Due], day: date, parts: list[int]) -> None:
    in_parts = [Receipt(number, day, part) for number, part in enumerate(parts, start=1)]
    at_once = [Receipt(1, day, sum(parts))]
    one = _sums(allocate(due_columns({7: plan}), receipt_columns({7: at_once})), 7)
    many = _sums(allocate(due_columns({7: plan}), receipt_columns({7: in_parts})), 7)
    assert one[0] == many[0]
    assert sum(one[1].values()) == sum(many[1].values())


@given(plans(), payments())
def test_the_order_in_which_rows_are_handed_over_does_not_matter(
    plan: list[Due], received: list[Receipt]
) -> None:
    forward = allocate(due_columns({7: plan}), receipt_columns({7: received}))
    backward = allocate(due_columns({7: plan[::-1]}), receipt_columns({7: received[::-1]}))
    assert not difference(forward, backward).mirror.size
    assert not difference(forward, backward).add.size


@given(plans(), payments())
def test_a_due_and_its_mirror_leave_no_trace(plan: list[Due], received: list[Receipt]) -> None:
    columns = due_columns({7: plan})
    replaced = Due(9, Component.PRINCIPAL, START, 77)
    extra = due_columns({7: [replaced, Due(9, Component.PRINCIPAL, START, -77)]})
    both = Dues(
        *(
            np.concatenate([getattr(columns, name), getattr(extra, name)])
            for name in ("loan", "instalment", "component", "late_date", "amount")
        )
    )
    without = allocate(columns, receipt_columns({7: received}))
    with_mirror = allocate(both, receipt_columns({7: received}))
    assert without.amount.tolist() == with_mirror.amount.tolist()


def test_interest_is_settled_before_principal_and_the_older_instalment_first() -> None:
    plan = [
        Due(2, Component.INTEREST, date(2025, 2, 28), 40),
        Due(2, Component.PRINCIPAL, date(2025, 2, 28), 900),
        Due(1, Component.PRINCIPAL, date(2025, 1, 31), 900),
        Due(1, Component.INTEREST, date(2025, 1, 31), 50),
    ]
    rows = allocate(due_columns({1: plan}), receipt_columns({1: [Receipt(5, date(2025, 3, 1), 1000)]}))
    assert list(
        zip(rows.instalment.tolist(), rows.component.tolist(), rows.amount.tolist(), strict=True)
    ) == [
        (1, Component.INTEREST, 50),
        (1, Component.PRINCIPAL, 900),
        (2, Component.INTEREST, 40),
        (2, Component.PRINCIPAL, 10),
    ]


def _by_component(due: Due, day: date) -> tuple[object, ...] | None:
    return (due.component, due.late, due.instalment) if due.late <= day else None


def _principal_first(due: Due, day: date) -> tuple[object, ...] | None:
    return (-due.component, due.late, due.instalment) if due.late <= day else None


@pytest.mark.parametrize(
    ("order", "first"), [(Order.BY_COMPONENT, _by_component), (Order.PRINCIPAL_FIRST, _principal_first)]
)
@given(book=books(), asked=st.lists(days, min_size=1, max_size=4))
def test_other_orders_too_are_what_a_clerk_would_have_on_any_date(
    order: Order,
    first: Rank,
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
    asked: list[date],
) -> None:
    dues, receipts = book
    rows = allocate(due_columns(dues), receipt_columns(receipts), order)
    for as_of in asked:
        until = rows.take(rows.value_date <= np.datetime64(as_of))
        for loan, plan in dues.items():
            desk = walk(plan, receipts[loan], as_of, first)
            settled, advance = _sums(until, loan)
            assert settled == {key: paid for key, paid in desk.paid.items() if paid}
            assert advance == {number: held for number, held in desk.advance.items() if held}
    for payments_of_loan in receipts.values():
        for receipt in payments_of_loan:
            assert int(rows.amount[rows.receipt == receipt.number].sum()) == receipt.amount


@given(books())
def test_walking_event_by_event_is_merging_the_rulers(
    book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
) -> None:
    dues, receipts = due_columns(book[0]), receipt_columns(book[1])
    net, in_force = left_to_pay(dues, None, None)
    rule = np.zeros(len(net), dtype=np.int64)
    walked = by_priority(net, in_order(receipts), (Order.OLDEST_FIRST,), rule, in_force)
    change = difference(allocate(dues, receipts), walked)
    assert not change.mirror.size
    assert not change.add.size


def test_by_component_interest_of_a_younger_instalment_goes_before_older_principal() -> None:
    plan = [
        Due(n, kind, date(2025, n, 28), amount)
        for n in (1, 2)
        for kind, amount in ((Component.INTEREST, 100), (Component.PRINCIPAL, 1000))
    ]
    received = receipt_columns({1: [Receipt(5, date(2025, 3, 1), 250)]})
    for order, expected in (
        (Order.OLDEST_FIRST, [(1, Component.INTEREST, 100), (1, Component.PRINCIPAL, 150)]),
        (
            Order.BY_COMPONENT,
            [(1, Component.INTEREST, 100), (1, Component.PRINCIPAL, 50), (2, Component.INTEREST, 100)],
        ),
        (Order.PRINCIPAL_FIRST, [(1, Component.PRINCIPAL, 250)]),
    ):
        rows = allocate(due_columns({1: plan}), received, order)
        columns = (rows.instalment.tolist(), rows.component.tolist(), rows.amount.tolist())
        assert list(zip(*columns, strict=True)) == expected


def test_an_advance_meets_its_due_in_a_pair_of_rows_on_the_due_date() -> None:
    plan = [
        Due(1, Component.PRINCIPAL, date(2025, 2, 1), 100),
        Due(2, Component.PRINCIPAL, date(2025, 3, 1), 100),
    ]
    rows = allocate(due_columns({1: plan}), receipt_columns({1: [Receipt(5, date(2025, 2, 1), 130)]}))
    listed = list(
        zip(
            rows.value_date.astype(str).tolist(),
            rows.instalment.tolist(),
            rows.component.tolist(),
            rows.amount.tolist(),
            rows.source.tolist(),
            strict=True,
        )
    )
    assert listed == [
        ("2025-02-01", 0, Component.ADVANCE, 30, Source.RECEIPT),
        ("2025-02-01", 1, Component.PRINCIPAL, 100, Source.RECEIPT),
        ("2025-03-01", 0, Component.ADVANCE, -30, Source.ADVANCE),
        ("2025-03-01", 2, Component.PRINCIPAL, 30, Source.ADVANCE),
    ]


def test_a_receipt_before_the_first_due_waits_as_an_advance() -> None:
    rows = allocate(due_columns({1: []}), receipt_columns({1: [Receipt(5, date(2025, 1, 1), 70)]}))
    assert rows.component.tolist() == [Component.ADVANCE]
    assert rows.amount.tolist() == [70]


def test_a_late_arrival_changes_only_the_rows_it_moves() -> None:
    plan = [Due(n, Component.PRINCIPAL, date(2025, n, 1), 100) for n in range(1, 5)]
    before = [Receipt(1, date(2025, 1, 1), 100), Receipt(3, date(2025, 3, 1), 100)]
    old = allocate(due_columns({1: plan}), receipt_columns({1: before}))
    late = [*before, Receipt(2, date(2025, 2, 1), 100)]
    new = allocate(due_columns({1: plan}), receipt_columns({1: late}))
    change = difference(old, new)
    taken_back = old.take(change.mirror)
    written = new.take(change.add)
    assert taken_back.receipt.tolist() == [3]
    assert taken_back.instalment.tolist() == [2]
    assert sorted(zip(written.receipt.tolist(), written.instalment.tolist(), strict=True)) == [(2, 2), (3, 3)]


@given(books(), books())
def test_taking_back_and_adding_the_difference_gives_the_new_rows(
    old_book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
    new_book: tuple[dict[int, list[Due]], dict[int, list[Receipt]]],
) -> None:
    old = allocate(due_columns(old_book[0]), receipt_columns(old_book[1]))
    new = allocate(due_columns(new_book[0]), receipt_columns(new_book[1]))
    change = difference(old, new)

    def listed(rows: Allocations) -> list[tuple[object, ...]]:
        names = ("loan", "receipt", "instalment", "component", "value_date", "amount", "source")
        return list(zip(*(getattr(rows, name).tolist() for name in names), strict=True))

    kept = np.ones(len(old), dtype=bool)
    kept[change.mirror] = False
    assert sorted(listed(old.take(kept)) + listed(new.take(change.add)), key=repr) == sorted(
        listed(new), key=repr
    )
    assert not set(listed(old.take(change.mirror))) & set(listed(new.take(change.add)))


def test_a_receipt_of_nothing_and_dues_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="receipt 5 of 0 is not positive"):
        allocate(due_columns({1: []}), receipt_columns({1: [Receipt(5, START, 0)]}))
    taken_back = [Due(1, Component.PRINCIPAL, START, -5)]
    with pytest.raises(ValueError, match="more was taken back than fell due"):
        allocate(due_columns({1: taken_back}), receipt_columns({1: []}))


def test_more_money_than_the_rulers_can_hold_is_refused_rather_than_wrapped() -> None:
    plan = [Due(1, Component.PRINCIPAL, START, 2**61)]
    with pytest.raises(OverflowError, match="in slices"):
        allocate(due_columns({1: plan, 2: plan}), receipt_columns({1: []}))
