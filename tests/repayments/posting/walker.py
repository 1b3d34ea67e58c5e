"""Settlement by hand: walk a loan's days one by one, in plain Python, sharing nothing with calc."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

ADVANCE = 8


@dataclass(frozen=True)
class KnownReceipt:
    """A receipt, the booking that posted it, and the one that took it back (0: none)."""

    number: int
    value_date: date
    amount: int
    posted: int
    reversed: int = 0


@dataclass(frozen=True)
class KnownDue:
    """A due and the booking that raised it."""

    instalment: int
    component: int
    late_date: date
    amount: int
    raised: int


def settled(
    dues: Iterable[KnownDue], receipts: Iterable[KnownReceipt], *, as_of: date, known_by: int
) -> Counter[tuple[int, int, int]]:
    """What each receipt had settled as of a date, as known by a booking: (receipt, instalment, component)."""
    plan = sorted(
        (due for due in dues if due.raised <= known_by and due.late_date <= as_of),
        key=lambda due: (due.late_date, due.instalment, due.component),
    )
    money = sorted(
        (
            receipt
            for receipt in receipts
            if receipt.posted <= known_by
            and not 0 < receipt.reversed <= known_by
            and receipt.value_date <= as_of
        ),
        key=lambda receipt: (receipt.value_date, receipt.number),
    )
    left = {receipt.number: receipt.amount for receipt in money}
    unpaid = [due.amount for due in plan]
    answer: Counter[tuple[int, int, int]] = Counter()
    for day in sorted({due.late_date for due in plan} | {receipt.value_date for receipt in money}):
        for receipt in money:
            if receipt.value_date > day:
                break
            for place, due in enumerate(plan):
                if due.late_date > day:
                    break
                piece = min(unpaid[place], left[receipt.number])
                if piece:
                    unpaid[place] -= piece
                    left[receipt.number] -= piece
                    answer[receipt.number, due.instalment, due.component] += piece
    for number, amount in left.items():
        if amount:
            answer[number, 0, ADVANCE] = amount
    return answer
