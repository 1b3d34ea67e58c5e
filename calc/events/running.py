"""Loans in the middle of their plans, and rows that a plan has on the date of its event."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np

from calc.calendar import EVERY_DAY, BusinessCalendar, DateColumn
from calc.daycount import DayCount
from calc.interest import Segments
from calc.money import RATE_DENOMINATOR, BoolColumn, IntColumn, sort_order
from calc.schedule import (
    CannotSchedule,
    InterestTo,
    Method,
    ScheduleColumns,
    SuppliedRow,
    Terms,
    TermsColumns,
    build_schedules,
    supplied_schedule,
)


class CannotReplan(CannotSchedule):
    """The event does not fit the loan's plan. `term` names what to change, `reason` says why."""


@dataclass(frozen=True, slots=True)
class AtEvent:
    """A due that a version has on its own date and that its terms do not plan; `loan` is the position."""

    loan: int
    instalment: int
    nominal_on: date
    due_on: date
    principal_minor: int
    interest_minor: int = 0


@dataclass(frozen=True)
class Running:
    """Loans side by side, each with the plan in force: the latest version's terms and its rows.

    Rows of period 0 are those the version has on its own date. `supplied` marks loans whose bank gave
    the plan; their terms say nothing but the principal and the date it runs from.
    """

    terms: TermsColumns
    plan: ScheduleColumns
    calendar: BusinessCalendar
    supplied: BoolColumn

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def ends(self) -> DateColumn:
        """The day to which each row's interest runs."""
        to_due = self.has("interest_to", InterestTo.ADJUSTED)[self.plan.loan] & (self.plan.period > 0)
        return np.where(to_due, self.plan.due_on, self.plan.nominal_on)

    def number(self, name: str) -> IntColumn:
        """One of the rules' numbers, as a column with an entry a loan."""
        values = np.array([getattr(rules, name) for rules in self.terms.rules], dtype=np.int64)
        return values[self.terms.rule]

    def has(self, name: str, *choices: StrEnum) -> BoolColumn:
        """Which loans have one of these choices for a term."""
        values = np.array([getattr(rules, name) in choices for rules in self.terms.rules], dtype=bool)
        return values[self.terms.rule]

    @classmethod
    def of(
        cls,
        terms: Sequence[Terms] | TermsColumns,
        calendar: BusinessCalendar = EVERY_DAY,
        at_event: Sequence[AtEvent] = (),
    ) -> "Running":
        """Loans from the terms of their latest versions, and the dues those have on their own dates."""
        columns = terms if isinstance(terms, TermsColumns) else TermsColumns.of(terms)
        plan = add_rows(build_schedules(columns, calendar), rows_at_event(at_event))
        return cls(columns, plan, calendar, np.zeros(len(columns), dtype=bool))

    @classmethod
    def of_supplied(
        cls,
        principal_minor: int,
        disbursed_on: date,
        rows: Sequence[SuppliedRow],
        calendar: BusinessCalendar = EVERY_DAY,
    ) -> "Running":
        """A loan whose bank gave the plan; each period's interest is taken to accrue evenly over its days."""
        plan = supplied_schedule(principal_minor, disbursed_on, rows).columns
        starts = np.concatenate([np.array([disbursed_on], dtype="datetime64[D]"), plan.nominal_on[:-1]])
        days = (plan.nominal_on - starts).astype(np.int64)
        rate = np.full(len(plan), RATE_DENOMINATOR, dtype=np.int64)
        numbers = np.arange(len(plan), dtype=np.int64)
        even = Segments(numbers, starts, plan.nominal_on, days, plan.interest, rate, days, days)
        terms = Terms(
            method=Method.BULLET,
            instalments=len(plan),
            day_count=DayCount.ACT_365F,
            principal_minor=principal_minor,
            annual_rate=Decimal(0),
            disbursed_on=disbursed_on,
        )
        columns = TermsColumns.of([terms])
        return cls(columns, replace(plan, segments=even), calendar, np.ones(1, dtype=bool))


@dataclass(frozen=True)
class Rows:
    """Dues on the date of an event, side by side: what `AtEvent` says, and the working of the interest."""

    loan: IntColumn
    instalment: IntColumn
    nominal_on: DateColumn
    due_on: DateColumn
    principal: IntColumn
    interest: IntColumn
    segments: Segments

    @classmethod
    def join(cls, parts: "Sequence[Rows]") -> "Rows":
        """Rows of several lists by loan and instalment."""
        names = [field.name for field in fields(cls) if field.name != "segments"]
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        offsets = np.cumsum([0, *(part.loan.size for part in parts)])
        order = sort_order(joined["loan"], joined["instalment"])
        place = np.empty(order.size, dtype=np.int64)
        place[order] = np.arange(order.size)
        working = [
            replace(part.segments, row=place[part.segments.row + offset])
            for part, offset in zip(parts, offsets, strict=False)
        ]
        ordered = {name: column[order] for name, column in joined.items()}
        return cls(**ordered, segments=Segments.join(working))


def rows_at_event(given: Sequence[AtEvent]) -> Rows:
    """Columns of single dues."""

    def whole(name: str) -> IntColumn:
        return np.array([getattr(one, name) for one in given], dtype=np.int64)

    return Rows(
        loan=whole("loan"),
        instalment=whole("instalment"),
        nominal_on=np.array([one.nominal_on for one in given], dtype="datetime64[D]"),
        due_on=np.array([one.due_on for one in given], dtype="datetime64[D]"),
        principal=whole("principal_minor"),
        interest=whole("interest_minor"),
        segments=Segments.none(),
    )


def add_rows(plan: ScheduleColumns, rows: Rows, added: IntColumn | None = None) -> ScheduleColumns:
    """A plan with rows of its event's date before it; each row opens with what falls due from it on.

    Money `added` on that date (an entry a loan) is in the closing balance of a loan's last such row.
    """
    if not rows.loan.size:
        return plan
    small = np.int32
    after = np.zeros(int(max(rows.loan.max(), plan.loan.max(initial=0))) + 1, dtype=np.int64)
    first = plan.period == 1
    after[plan.loan[first]] = plan.opening[first]
    total = np.cumsum(rows.principal[::-1])[::-1]
    later = total - rows.principal
    last = np.append(rows.loan[1:] != rows.loan[:-1], True)
    behind = later[last][np.cumsum(np.concatenate([[0], last[:-1]]).astype(np.int64))]
    lent = np.zeros(rows.loan.size, dtype=np.int64) if added is None else added[rows.loan]
    closing = later - behind + after[rows.loan] - lent
    none = np.zeros(rows.loan.size, dtype=np.int64)
    parts = ScheduleColumns(
        loan=rows.loan,
        period=none.astype(small),
        instalment=rows.instalment.astype(small),
        nominal_on=rows.nominal_on,
        due_on=rows.due_on,
        opening=closing + rows.principal,
        principal=rows.principal,
        interest=rows.interest,
        capitalised=none,
        closing=closing + np.where(last, lent, 0),
        level=none,
        segments=rows.segments,
        refused={},
    )
    return _merged(parts, plan)


def _merged(first: ScheduleColumns, second: ScheduleColumns) -> ScheduleColumns:
    """Rows of two plans by loan, those of the first in front."""
    names = [field.name for field in fields(ScheduleColumns) if field.name not in ("segments", "refused")]
    joined = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in names}
    order = sort_order(joined["loan"])
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    working = [
        replace(first.segments, row=place[first.segments.row]),
        replace(second.segments, row=place[second.segments.row + len(first)]),
    ]
    return ScheduleColumns(
        **{name: column[order] for name, column in joined.items()},
        segments=Segments.join(working),
        refused=second.refused,
    )
