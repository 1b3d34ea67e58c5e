"""What the auditor's workbook is made of: raw rows of the books and terms of the contract, no figure of ours
but those that are reported and those that are booked. Money in minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from calc.allocation import Grid, Order
from calc.daycount import DayCount
from calc.interest import Segment
from calc.money import Component, Rounding
from calc.schedule import Schedule, Terms
from lending.contract_words import ContractWords

INTEREST, PRINCIPAL, PENAL = int(Component.INTEREST), int(Component.PRINCIPAL), int(Component.PENAL)
REFUND, RECOVERY, ADVANCE = int(Component.REFUND), int(Component.RECOVERY), int(Component.ADVANCE)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A due as booked. ``back_on`` is the date from which it no longer counts, ``back_by`` the version that
    took it back; ``is_raised``: by a close, not planned by its version."""

    version: int
    instalment: int
    component: int
    nominal_on: date
    late_on: date
    from_on: date
    minor: int
    booking: int
    back_on: date | None
    back_by: int
    is_raised: bool


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """Money received. ``stands``: neither a reversal nor reversed."""

    pk: int
    on: date
    minor: int
    reference: str
    booking: int
    stands: bool


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """What settled what, as booked; rows alike in all but their booking are one. ``receipt`` 0: no money."""

    on: date
    receipt: int
    source: int
    source_words: str
    instalment: int
    component: int
    minor: int
    bookings: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One numbered plan. ``principal_minor``: of version 1 what was lent. ``terms`` and ``plan`` (its dates)
    are None where the institution supplied the plan or all of it fell due on the day of the event.

    ``accrued`` are the stretches of the plan before it that had run by its own date, ``accrued_minor`` what
    was owed besides, ``falls_due_minor`` the interest due on that very day: of these the interest is made
    that the version itself asks for on its date. ``owes_all``: a sale at a fixed price, which owes all that
    was planned.
    """

    number: int
    cause: str
    from_on: date
    principal_minor: int
    capitalised_minor: int
    added_minor: int
    transferred_minor: int
    booking: int
    terms: Terms | None
    plan: Schedule | None
    is_supplied: bool = False
    accrued: tuple[Segment, ...] = ()
    accrued_minor: int = 0
    accrued_terms: Terms | None = None
    falls_due_minor: int = 0
    owes_all: bool = False

    @property
    def accrued_rounding(self) -> Rounding | None:
        """How what had accrued is rounded; None where nothing is known of it."""
        return self.accrued_terms.interest_rounding if self.accrued_terms else None


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """A period whose interest a close raises when it has ended."""

    instalment: int
    from_on: date
    to_on: date
    late_on: date


@dataclass(frozen=True, slots=True)
class PenalRow:
    """What late money bears from a date: the contract's rate, and the limit (None: none in force)."""

    from_on: date
    agreed: Decimal
    cap: Decimal | None


@dataclass(frozen=True, slots=True)
class Recalculation:
    """What the workbook is made of.

    ``rule`` is the order in which money settles; ``labels`` name the components. ``rates`` are those of the
    versions by date, ``raised_to`` the last day whose close has raised what is raised by the day (None:
    none). ``is_daily``: interest by daily product. ``reported`` are our own figures, to be subtracted.
    """

    number: str
    said: ContractWords
    as_of: date
    parameters: Sequence[tuple[str, str]]
    rule: Order | Grid
    labels: Mapping[int, str]
    plan: Sequence[PlanRow]
    receipts: Sequence[ReceiptRow]
    allocations: Sequence[AllocationRow]
    versions: Sequence[VersionRow]
    is_daily: bool
    periods: Sequence[PeriodRow]
    rates: Sequence[tuple[date, Decimal]]
    penal: Sequence[PenalRow]
    day_count: DayCount
    rounding: Rounding
    raised_to: date | None
    reported: Mapping[str, int]
    checksum: str
