"""Receipts, lateness and class of small loans as tables that can be followed with a pencil."""

from datetime import date

import numpy as np

from calc.allocation import Grid, Order, Settled, Source, allocate
from calc.arrears import measure
from calc.calendar import add_months, dates
from calc.classification import Chosen, LoanClass, classify
from calc.daycount import DayCount
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import HALF_UP, Component, from_minor, from_rate_units
from tests.calc.reference import BANK_2025, CLASSIFICATION
from tests.calc.walker import Due, Receipt, due_columns, receipt_columns


def grouped(minor: int) -> str:
    """Minor units in lakh and crore, as papers print them: 1,23,45,678.90."""
    taka, _, poisha = str(from_minor(abs(minor))).partition(".")
    head, tail = taka[:-3], taka[-3:]
    while head:
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    return f"{'-' if minor < 0 else ''}{tail}.{poisha}"


def _line(cells: tuple[str, ...], widths: tuple[int, ...]) -> str:
    return "".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def table(title: str, heads: tuple[str, ...], widths: tuple[int, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [title, "", _line(heads, widths), "-" * sum(widths), *(_line(row, widths) for row in rows)]
    return "\n".join(lines) + "\n"


_PLAN = [
    due
    for n in range(1, 5)
    for due in (
        Due(n, Component.INTEREST, add_months(date(2025, 1, 31), n - 1), 100_00),
        Due(n, Component.PRINCIPAL, add_months(date(2025, 1, 31), n - 1), 1_000_00),
    )
]
_RECEIVED = [
    Receipt(7, date(2025, 2, 10), 600_00),
    Receipt(8, date(2025, 2, 28), 2_000_00),
    Receipt(9, date(2025, 3, 31), 500_00),
]


def _oldest_first() -> str:
    rows = allocate(due_columns({1: _PLAN}), receipt_columns({1: _RECEIVED}))
    cells: list[tuple[str, ...]] = [
        (
            str(rows.value_date[at]),
            str(rows.receipt[at]),
            str(rows.instalment[at] or "-"),
            Component(int(rows.component[at])).name.lower(),
            grouped(int(rows.amount[at])),
            Source(int(rows.source[at])).name.lower(),
        )
        for at in range(len(rows))
    ]
    return table(
        "Dues of 1,000.00 and 100.00 interest at four month ends; receipts of 600.00, 2,000.00 and 500.00",
        ("value date", "receipt", "instalment", "component", "amount", "source"),
        (12, 9, 12, 12, 13, 10),
        cells,
    )


_TWO = [
    Due(1, Component.INTEREST, date(2025, 1, 31), 100_00),
    Due(1, Component.PRINCIPAL, date(2025, 1, 31), 1_000_00),
    Due(1, Component.PENAL, date(2025, 2, 15), 20_00),
    Due(2, Component.INTEREST, date(2025, 2, 28), 90_00),
    Due(2, Component.PRINCIPAL, date(2025, 2, 28), 1_000_00),
    Due(3, Component.INTEREST, date(2025, 3, 31), 80_00),
    Due(3, Component.PRINCIPAL, date(2025, 3, 31), 1_000_00),
]
_INTEREST_FIRST = Grid.parse(
    [
        *("past_due.interest", "due.interest", "past_due.principal", "due.principal"),
        *("past_due.penal", "due.penal", "past_due.charge", "due.charge"),
        *("in_advance.principal", "in_advance.interest", "in_advance.penal", "in_advance.charge"),
    ]
)
_ORDERS: tuple[tuple[str, Order | Grid], ...] = (
    ("oldest first", Order.OLDEST_FIRST),
    ("by component", Order.BY_COMPONENT),
    ("principal first", Order.PRINCIPAL_FIRST),
    ("grid", _INTEREST_FIRST),
)


def _orders(amount: int) -> str:
    """One receipt of 28 February in four orders, side by side."""
    received = receipt_columns({1: [Receipt(7, date(2025, 2, 28), amount)]})
    columns = []
    for _name, order in _ORDERS:
        rows = allocate(due_columns({1: _TWO}), received, order)
        rows = rows.take(rows.value_date == np.datetime64("2025-02-28"))
        keys = zip(rows.instalment.tolist(), rows.component.tolist(), strict=True)
        columns.append(dict(zip(keys, rows.amount.tolist(), strict=True)))
    cells: list[tuple[str, ...]] = [
        (
            str(due.instalment),
            Component(due.component).name.lower(),
            str(due.late),
            grouped(due.amount),
            *(grouped(column.get((due.instalment, due.component), 0)) for column in columns),
        )
        for due in _TWO
    ]
    held = (grouped(column.get((0, int(Component.ADVANCE)), 0)) for column in columns)
    return table(
        f"A receipt of {grouped(amount)} on 28 February, in four orders",
        ("instalment", "component", "due on", "due", *(name for name, _order in _ORDERS)),
        (12, 12, 12, 12, 16, 16, 18, 12),
        [*cells, ("-", "advance", "", "", *held)],
    )


def _apart() -> str:
    """A waiver, an advance paid back, a write-off and what is recovered after it, on one loan."""
    plan = [
        Due(1, Component.INTEREST, date(2025, 1, 31), 100_00),
        Due(1, Component.PRINCIPAL, date(2025, 1, 31), 1_000_00),
        Due(0, Component.REFUND, date(2025, 2, 10), 50_00),
        Due(2, Component.PRINCIPAL, date(2025, 2, 28), 900_00),
        Due(0, Component.RECOVERY, date(2025, 6, 30), 900_00),
    ]
    reduced = Settled(
        np.array([1, 1]),
        np.array([1, 2], dtype=np.int32),
        np.array([Component.INTEREST, Component.PRINCIPAL], dtype=np.int8),
        np.array([30_00, 900_00]),
    )
    received = [Receipt(7, date(2025, 1, 31), 1_120_00), Receipt(8, date(2025, 7, 15), 400_00)]
    rows = allocate(due_columns({1: plan}), receipt_columns({1: received}), reduced=reduced)
    cells: list[tuple[str, ...]] = [
        (
            str(rows.value_date[at]),
            str(rows.receipt[at]),
            str(rows.instalment[at] or "-"),
            Component(int(rows.component[at])).name.lower(),
            grouped(int(rows.amount[at])),
            Source(int(rows.source[at])).name.lower(),
        )
        for at in range(len(rows))
    ]
    return table(
        "30.00 of interest waived, 50.00 of advance paid back, 900.00 written off; received 1,120.00, 400.00",
        ("value date", "receipt", "instalment", "component", "amount", "source"),
        (12, 9, 12, 12, 13, 10),
        cells,
    )


def _lateness() -> str:
    dues = due_columns({1: _PLAN})
    rows = allocate(dues, receipt_columns({1: _RECEIVED[:1]}))
    cells: list[tuple[str, ...]] = []
    for as_of in _DAYS:
        arrears = measure(dues, rows.settled(np.datetime64(as_of)), as_of, windows=CLASSIFICATION.windows)
        chosen = Chosen(np.array([BANK_2025]), np.array([BANK_2025 - 1]))
        classes = classify(arrears, CLASSIFICATION, chosen)
        cells.append(
            (
                str(as_of),
                grouped(int(arrears.overdue_total[0])),
                "" if np.isnat(arrears.overdue_since[0]) else str(arrears.overdue_since[0]),
                str(arrears.days_past_due[0]),
                str(arrears.months_overdue[0]),
                LoanClass(int(classes.by_time[0])).name,
                grouped(int(arrears.overdue_principal[0] + arrears.overdue_interest[0])),
                grouped(int(arrears.window(3)[0])),
                LoanClass(int(classes.by_amount[0])).name,
                LoanClass(int(classes.loan_class[0])).name,
            )
        )
    return table(
        "The same dues with receipt 7 alone, under bounds of 2, 3, 6 and 12 months, time or amount",
        (
            "as of",
            "overdue",
            "since",
            "days",
            "months",
            "by time",
            "P+I",
            "in 3 months",
            "by amount",
            "class",
        ),
        (10, 12, 12, 6, 8, 10, 13, 12, 11, 10),
        cells,
    )


_DAYS = (
    date(2025, 1, 31), date(2025, 2, 1), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 29),
    date(2025, 4, 30), date(2025, 7, 30), date(2025, 7, 31), date(2026, 1, 30), date(2026, 1, 31),
)  # fmt: skip


def _daily_product() -> str:
    lent, repaid, drawn = 50_00_000_00, -5_00_000_00, 10_00_000_00
    moved = [(date(2025, 1, 15), lent), (date(2025, 2, 10), repaid), (date(2025, 3, 20), drawn)]
    one = np.ones(len(moved), dtype=np.int64)
    interest, segments = daily_product(
        Movements(one, dates(on for on, _ in moved), np.array([amount for _, amount in moved])),
        Rates(one[:2], dates(["2025-01-15", "2025-03-01"]), np.array([2_000_000, 2_500_000])),
        Spans(one[:1], dates(["2025-01-15"]), dates(["2025-04-15"])),
        DayCount.ACT_360,
        HALF_UP,
    )
    cells: list[tuple[str, ...]] = [
        (
            str(segments.from_on[at]),
            str(segments.to_on[at]),
            str(segments.days[at]),
            grouped(int(segments.balance[at])),
            f"{from_rate_units(int(segments.rate[at]))} %",
            f"{segments.numerator[at]}/{segments.denominator[at]}",
        )
        for at in range(segments.row.size)
    ]
    shown = table(
        "Wholesale loan of 50,00,000.00 at 2 %, 2.5 % from 1 March; 5,00,000.00 repaid, 10,00,000.00 drawn",
        ("from", "to", "days", "balance", "rate", "part of a year"),
        (12, 12, 6, 16, 8, 16),
        cells,
    )
    return f"{shown}\ninterest of the span, rounded once: {grouped(int(interest[0]))}\n"


STORIES = {
    "allocation_oldest_first": _oldest_first(),
    "allocation_orders_short": _orders(1_150_00),
    "allocation_orders_over": _orders(2_400_00),
    "allocation_waived_refunded_written_off": _apart(),
    "lateness_and_class": _lateness(),
    "daily_product": _daily_product(),
}
