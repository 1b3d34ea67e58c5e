"""Read the facts of a set of loans once and part them by loan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calc.classification import LoanClass
from repayments.frames import Scope
from repayments.selectors import standings
from reports.builders.account import Account
from reports.builders.objects import Asked
from reports.selectors import facts
from reports.selectors.frames import Frame


def read_accounts(loan_ids: Sequence[int], asked: Asked) -> list[Account]:
    """The accounts of loans disbursed by the date and known then, in the order of their ids.

    Seven queries whatever the number of loans.
    """
    ids = sorted({int(pk) for pk in loan_ids})
    standing = standings(as_of=asked.as_of, knowledge=asked.knowledge, scope=Scope.of_loans(ids))
    standing["loan_class"] = known_class(standing)
    rows: Frame = standing
    stand: dict[int, Mapping[str, Any]] = {int(row["loan_id"]): row for row in rows.to_dict("records")}
    headers = {int(row["loan_id"]): row for row in facts.loan_headers(list(stand)).to_dict("records")}
    when: dict[str, Any] = {"as_of": asked.as_of, "last_booking_id": asked.last_booking_id}
    plans = parted(facts.plan(list(stand), **when))
    growth = parted(facts.plan_growth(list(stand), **when))
    receipts = parted(facts.receipts(list(stand), **when))
    settled = parted(facts.allocations(list(stand), **when))
    return [
        Account(
            as_of=asked.as_of,
            header=headers[pk],
            plan=plans.part(pk),
            growth=growth.part(pk),
            receipts=receipts.part(pk),
            allocations=settled.part(pk),
            standing=stand[pk],
        )
        for pk in ids
        if pk in stand
    ]


def known_class(standing: Frame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The class of each loan, UNCLASSIFIED where no policy applied."""
    policy = standing["classification_policy_id"].to_numpy(np.int64)
    return np.where(policy > 0, standing["loan_class"].to_numpy(np.int64), int(LoanClass.UNCLASSIFIED))


class Parts:
    """A frame parted by loan; a loan without rows has an empty frame with the same columns."""

    def __init__(self, frame: Frame) -> None:
        self._empty = frame.iloc[:0]
        self._parts = dict(iter(frame.groupby("loan_id"))) if len(frame) else {}

    def part(self, loan_id: int) -> Frame:
        """The rows of one loan."""
        return self._parts.get(loan_id, self._empty)


def parted(frame: Frame) -> Parts:
    """Part a frame that has a column ``loan_id``."""
    return Parts(frame)
