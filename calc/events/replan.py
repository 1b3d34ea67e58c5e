"""What an event makes of a plan: the version it appends, what it takes back, and what changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np

from calc.calendar import DateColumn, to_date
from calc.events.rest import Rest
from calc.events.running import Rows, Running, add_rows
from calc.interest import Segments
from calc.money import BoolColumn, IntColumn, from_rate_units, sum_by
from calc.schedule import CannotSchedule, Period, Schedule, ScheduleColumns, Terms, TermsColumns


class Changed(StrEnum):
    """What an event changes; money in minor units, dates, numbers, and percent a year as Decimal."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    INSTALMENT = "instalment"
    INSTALMENTS = "instalments"
    FIRST_DUE = "first_due"
    MATURITY = "maturity"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was; None where there is nothing any more."""

    what: Changed
    old: int | date | Decimal | None
    new: int | date | Decimal | None


@dataclass(frozen=True)
class Replan:
    """One loan's event. Money in minor units.

    `periods` are all rows the version appends, those on its own date first (period 0); `replaced` are
    the rows it takes back. New rows are numbered from `kept` + 1. taken_back + capitalised + added +
    transferred is the principal of the rows appended; capitalised is below zero where planned
    capitalisation no longer happens. The fee belongs to instalment `fee_instalment`, at `effective_on`.
    `terms` plan the rows after that date; None: nothing is left.
    """

    effective_on: date
    kept: int
    periods: tuple[Period, ...]
    replaced: tuple[Period, ...]
    taken_back_minor: int
    capitalised_minor: int
    added_minor: int
    transferred_minor: int
    fee_minor: int
    fee_instalment: int
    rebate_minor: int
    terms: Terms | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Replans:
    """Events of loans side by side: columns with an entry a loan, named as in `Replan`.

    `plan` holds the rows each version appends. Loans the event does not fit stand in `refused` and have
    no rows. `left` tells for which loans something falls due after the event.
    """

    running: Running
    rest: Rest
    terms: TermsColumns
    plan: ScheduleColumns
    taken_back: IntColumn
    capitalised: IntColumn
    added: IntColumn
    transferred: IntColumn
    fee: IntColumn
    rebate: IntColumn
    left: BoolColumn
    refused: dict[int, CannotSchedule]

    @property
    def effective_on(self) -> DateColumn:
        """The date of each event."""
        return self.rest.on

    @property
    def kept(self) -> IntColumn:
        """The last instalment number that stands."""
        return self.rest.kept

    @property
    def replaced(self) -> BoolColumn:
        """Which rows of the running plans the versions take back."""
        sound = np.ones(len(self.running), dtype=bool)
        sound[list(self.refused)] = False
        return self.rest.back & sound[self.running.plan.loan]

    def go_on(self) -> Running:
        """The loans after the event; a loan that was refused goes on as it was only if built anew."""
        return Running(self.terms, self.plan, self.running.calendar, np.zeros(len(self.running), dtype=bool))

    def one(self) -> Replan:
        """The event of a single loan; raises its refusal if it has one."""
        for refusal in self.refused.values():
            raise refusal
        periods = Schedule.of(self.plan).periods
        replaced = tuple(
            period
            for period, back in zip(Schedule.of(self.running.plan).periods, self.replaced, strict=True)
            if back
        )
        terms = self.terms.one(0) if self.left[0] else None
        at_event = [period.instalment for period in periods if not period.period]
        return Replan(
            effective_on=to_date(self.effective_on[0]),
            kept=int(self.kept[0]),
            periods=periods,
            replaced=replaced,
            taken_back_minor=int(self.taken_back[0]),
            capitalised_minor=int(self.capitalised[0]),
            added_minor=int(self.added[0]),
            transferred_minor=int(self.transferred[0]),
            fee_minor=int(self.fee[0]),
            fee_instalment=at_event[-1] if at_event and self.fee[0] else 0,
            rebate_minor=int(self.rebate[0]),
            terms=terms,
            changes=_changes(self, replaced, periods, terms),
        )


def _changes(
    replans: Replans, replaced: Sequence[Period], periods: Sequence[Period], terms: Terms | None
) -> tuple[Change, ...]:
    """What is not as it was, of the instalments to come; those that stand on the event's date stay out."""
    standing = {
        int(number)
        for number, stands in zip(replans.running.plan.instalment, replans.rest.standing, strict=True)
        if stands
    }
    old = [row for row in replaced if row.instalment and row.instalment not in standing]
    new = [row for row in periods if row.instalment and row.period]
    rate = None if replans.running.supplied[0] else from_rate_units(int(replans.running.terms.rate[0]))
    pairs: list[tuple[Changed, int | date | Decimal | None, int | date | Decimal | None]] = [
        (Changed.PRINCIPAL, sum(p.principal_minor for p in old), sum(p.principal_minor for p in new)),
        (Changed.INTEREST, sum(p.interest_minor for p in old), sum(p.interest_minor for p in new)),
        (Changed.INSTALMENT, _usual(old), _usual(new)),
        (Changed.INSTALMENTS, len(old), len(new)),
        (Changed.FIRST_DUE, old[0].due_on if old else None, new[0].due_on if new else None),
        (Changed.MATURITY, old[-1].due_on if old else None, new[-1].due_on if new else None),
        (Changed.RATE, rate, terms.annual_rate if terms else None),
    ]
    return tuple(Change(*pair) for pair in pairs if pair[1] != pair[2])


def _usual(rows: Sequence[Period]) -> int | None:
    """The instalment in the middle of those that repay principal: the level one where there is one."""
    paying = [row.total_minor for row in rows if row.principal_minor]
    return paying[(len(paying) - 1) // 2] if paying else None


@dataclass(frozen=True)
class Draft:
    """An event worked out but for its rows, columns with an entry a loan.

    terms: of the plans to come; rows: dues on the event's date; left: whether a plan comes after;
    planned_anew: principal that was capitalised by the event itself.
    """

    terms: TermsColumns
    rows: Rows
    left: BoolColumn
    added: IntColumn
    transferred: IntColumn
    capitalised: IntColumn
    fee: IntColumn
    rebate: IntColumn
    refused: dict[int, CannotSchedule]


def assemble(running: Running, rest: Rest, draft: Draft, plan: ScheduleColumns) -> Replans:
    """The version of every loan, proved: own principal = taken back + capitalised + added + transferred.

    ArithmeticError if one does not add up.
    """
    loans, old = len(running), running.plan
    refused = {**rest.refused, **draft.refused, **plan.refused}
    sound = np.ones(loans, dtype=bool)
    sound[list(refused)] = False
    rows = draft.rows
    mine = sound[rows.loan]
    place = np.cumsum(mine) - 1
    working = rows.segments.take(mine[rows.segments.row])
    kept = Rows(
        rows.loan[mine],
        rows.instalment[mine],
        rows.nominal_on[mine],
        rows.due_on[mine],
        rows.principal[mine],
        rows.interest[mine],
        Segments(place[working.row], *(getattr(working, name) for name in _WORKING)),
    )
    whole = add_rows(_only(plan, sound), kept, draft.added)
    back = rest.back & sound[old.loan]
    taken_back = sum_by(old.loan[back], old.principal[back], loans)
    planned = back & ~rest.standing
    capitalised = sum_by(whole.loan, whole.capitalised, loans) + draft.capitalised
    capitalised = capitalised - sum_by(old.loan[planned], old.capitalised[planned], loans)
    own = sum_by(whole.loan, whole.principal, loans)
    wrong = sound & (own != taken_back + capitalised + draft.added + draft.transferred)
    if bool(wrong.any()):
        at = int(np.flatnonzero(wrong)[0])
        raise ArithmeticError(f"the new plan of the loan at position {at} does not add up")
    return Replans(
        running=running,
        rest=rest,
        terms=draft.terms,
        plan=whole,
        taken_back=taken_back,
        capitalised=capitalised,
        added=draft.added,
        transferred=draft.transferred,
        fee=draft.fee,
        rebate=draft.rebate,
        left=draft.left & sound,
        refused=refused,
    )


_WORKING = ("from_on", "to_on", "days", "balance", "rate", "numerator", "denominator")


def _only(plan: ScheduleColumns, sound: BoolColumn) -> ScheduleColumns:
    """The rows of the loans that are sound."""
    kept = sound[plan.loan]
    if bool(kept.all()):
        return plan
    place = np.cumsum(kept) - 1
    working = plan.segments.take(kept[plan.segments.row])
    return ScheduleColumns(
        plan.loan[kept],
        plan.period[kept],
        plan.instalment[kept],
        plan.nominal_on[kept],
        plan.due_on[kept],
        plan.opening[kept],
        plan.principal[kept],
        plan.interest[kept],
        plan.capitalised[kept],
        plan.closing[kept],
        plan.level[kept],
        Segments(place[working.row], *(getattr(working, name) for name in _WORKING)),
        plan.refused,
    )
