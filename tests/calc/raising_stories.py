"""What closes raise, as tables to follow with a pencil: penal interest, and interest by daily product."""

from __future__ import annotations

from datetime import date

import numpy as np

from calc.calendar import dates
from calc.interest import Movements, Rates, Spans, daily_product
from calc.money import Component, from_rate_units
from calc.raising import empty_dues, overdue_items, penal_working, rates_by_item
from tests.calc.raising_book import Book
from tests.calc.stories import grouped, table

PENAL, INTEREST, PRINCIPAL = (int(Component[name]) for name in ("PENAL", "INTEREST", "PRINCIPAL"))
_LATE, _UNTIL = date(2026, 1, 31), date(2026, 3, 12)


def _late() -> Book:
    """26,456.22 due on 31 January at 1.5 %, from 25 February 2 %; 10,000.00 come on 15 February."""
    book = Book()
    book.dues.append((1, 1, PRINCIPAL, _LATE, date(2025, 7, 31), 26_456_22))
    book.penal += [(1, date(2025, 1, 1), 1_500_000), (1, date(2026, 2, 25), 2_000_000)]
    book.receipts.append((1, 1, date(2026, 2, 15), 10_000_00))
    return book


def _penal() -> str:
    book, until = _late(), np.datetime64(_UNTIL, "D")
    rows = book.raised(_UNTIL)
    facts = book.facts()
    items, overdue = overdue_items(facts, empty_dues(), book.settle(rows), until)
    parts = penal_working(items, overdue, rates_by_item(facts.penal_rates, items), facts.day_count)
    stretches: list[tuple[str, ...]] = [
        (
            str(parts.from_on[at]),
            str(parts.to_on[at]),
            str(parts.days[at]),
            grouped(int(parts.balance[at])),
            f"{from_rate_units(int(parts.rate[at]))} %",
            f"{parts.numerator[at]}/{parts.denominator[at]}",
        )
        for at in range(parts.row.size)
    ]
    shown = table(
        "Instalment of 26,456.22 due 31 January, 10,000.00 received 15 February; 2 % from 25 February",
        ("from", "to", "days", "overdue", "rate", "part of a year"),
        (12, 12, 6, 14, 8, 16),
        stretches,
    )
    totals = np.cumsum(rows.amount)
    picked = [0, 1, 2, 14, 15, 24, 25, rows.amount.size - 1]
    nights: list[tuple[str, ...]] = [
        (str(rows.late_date[at]), grouped(int(totals[at])), grouped(int(rows.amount[at]))) for at in picked
    ]
    return (
        shown
        + "\n"
        + table(
            "Raised at some of the closes: the rounded total to the day, less that of the day before",
            ("close of", "total to it", "raised"),
            (12, 14, 10),
            nights,
        )
    )


def _turned_up() -> str:
    """A receipt of 5 February becomes known on the 20th: what is taken back, and what stands."""
    book = Book()
    book.dues.append((1, 1, PRINCIPAL, _LATE, date(2025, 7, 31), 24_000_00))
    book.penal.append((1, date(2025, 1, 1), 1_500_000))
    before = book.raised(date(2026, 2, 20))
    book.receipts.append((1, 1, date(2026, 2, 5), 24_000_00))
    after = book.raised(date(2026, 2, 20), before)
    stands = set(after.late_date.tolist())
    cells: list[tuple[str, ...]] = [
        (str(day), grouped(int(amount)), "stands" if day in stands else "taken back")
        for day, amount in zip(before.late_date.tolist(), before.amount.tolist(), strict=True)
        if day.day in (1, 4, 5, 6, 7, 20)
    ]
    return table(
        "24,000.00 late since 31 January at 1.5 %; on 20 February a receipt of 5 February is booked",
        ("close of", "raised", "after the receipt"),
        (12, 10, 20),
        cells,
    )


def _daily() -> str:
    """1,00,00,000.00 at 6 %, four quarters; the first instalment is paid ten days late."""
    book = Book()
    ends = [date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1)]
    for number in range(1, 5):
        book.dues.append((1, number, PRINCIPAL, ends[number], ends[0], 25_00_000_00))
        book.accruals.append((1, number, ends[number - 1], ends[number], ends[number]))
    book.rates.append((1, ends[0], 6_000_000))
    book.receipts += [(1, 1, date(2025, 4, 11), 26_50_000_00), (1, 2, ends[2], 26_17_916_67)]
    rows = book.raised(ends[3])
    settled = book.settle(rows)
    paid = settled.take(settled.component == PRINCIPAL)
    facts = book.facts()
    spans = facts.accruals.take(facts.accruals.to_on <= np.datetime64(ends[3]))
    _, parts = daily_product(
        Movements(
            np.concatenate([facts.planned.loan, paid.loan]),
            np.concatenate([facts.planned.effective_on, paid.value_date]),
            np.concatenate([facts.planned.amount, -paid.amount]),
        ),
        Rates(np.ones(1, dtype=np.int64), dates([ends[0]]), np.array([6_000_000])),
        Spans(spans.loan, spans.from_on, spans.to_on),
        facts.day_count,
        facts.rounding,
    )
    raised = dict(zip(rows.instalment.tolist(), rows.amount.tolist(), strict=True))
    cells: list[tuple[str, ...]] = []
    for at in range(parts.row.size):
        ends_here = at + 1 == parts.row.size or parts.row[at + 1] != parts.row[at]
        cells.append(
            (
                str(parts.row[at] + 1),
                str(parts.from_on[at]),
                str(parts.to_on[at]),
                str(parts.days[at]),
                grouped(int(parts.balance[at])),
                grouped(raised[int(parts.row[at]) + 1]) if ends_here else "",
            )
        )
    return table(
        "1,00,00,000.00 at 6 % over 360, equal principal; the first instalment is paid on 11 April",
        ("instalment", "from", "to", "days", "outstanding", "interest raised"),
        (11, 12, 12, 6, 18, 18),
        cells,
    )


RAISED = {
    "penal_nights": _penal(),
    "penal_receipt_turns_up": _turned_up(),
    "daily_product_raised": _daily(),
}
