"""A plan as a page shows it: the first rows and the last, what lies between told by its number, totals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from calc.interest import effective_apr
from calc.schedule import Period, Schedule
from lending.contract_words import ContractWords, contract_words

FIRST_ROWS = 12
"""Rows shown before the rest is folded; a year of months."""


@dataclass(frozen=True)
class PlanShown:
    """Money in minor units; ``hidden_count`` rows lie between ``rows`` and ``last``."""

    words: ContractWords
    rows: tuple[Period, ...]
    hidden_count: int
    last: Period | None
    principal_minor: int
    interest_minor: int
    capitalised_minor: int
    instalment_count: int
    matures_on: date
    apr: Decimal

    @property
    def total_minor(self) -> int:
        """All that is paid."""
        return self.principal_minor + self.capitalised_minor + self.interest_minor


def show_plan(plan: Schedule, *, contract_mode: str, disbursed_on: date) -> PlanShown:
    """A plan in the words of its contract."""
    rows = plan.instalments
    is_long = len(rows) > FIRST_ROWS + 2
    return PlanShown(
        words=contract_words(contract_mode),
        rows=rows[:FIRST_ROWS] if is_long else rows,
        hidden_count=len(rows) - FIRST_ROWS - 1 if is_long else 0,
        last=rows[-1] if is_long else None,
        principal_minor=plan.principal_minor,
        interest_minor=plan.interest_minor,
        capitalised_minor=plan.capitalised_minor,
        instalment_count=len(rows),
        matures_on=rows[-1].due_on,
        apr=effective_apr(
            [(disbursed_on, plan.principal_minor)], [(row.due_on, row.total_minor) for row in rows]
        ),
    )
