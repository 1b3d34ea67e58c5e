"""A finished plan: columns of many, or one loan's periods with their working."""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn, to_date
from calc.interest import Segment, Segments
from calc.money import Component, IntColumn, sum_by
from calc.schedule.dues import Dues
from calc.schedule.terms import CannotSchedule


@dataclass(frozen=True)
class ScheduleColumns:
    """Plans of loans side by side: one row a period, ordered by loan and period.

    loan int64, position of the loan in the terms (0 and up); period int32 from 1; instalment int32
    from 1, 0 for a grace period in which nothing falls due; nominal_on and due_on datetime64[D]
    (due_on is the holiday-adjusted, "late" date); opening, principal, interest, capitalised and
    closing int64 minor units; level int64, the level instalment (equal principal: the share of
    principal) a row's amount follows from, 0 for none. `refused` tells by position which loans have no
    plan, and why.
    """

    loan: IntColumn
    period: npt.NDArray[np.int32]
    instalment: npt.NDArray[np.int32]
    nominal_on: DateColumn
    due_on: DateColumn
    opening: IntColumn
    principal: IntColumn
    interest: IntColumn
    capitalised: IntColumn
    closing: IntColumn
    level: IntColumn
    segments: Segments
    refused: dict[int, CannotSchedule]

    def __len__(self) -> int:
        return int(self.loan.size)

    def dues(self, loan_ids: IntColumn) -> Dues:
        """What the plans say falls due, interest before principal; `loan_ids` by position."""
        kinds = ((Component.INTEREST, self.interest), (Component.PRINCIPAL, self.principal))
        rows = np.concatenate([np.flatnonzero(amount > 0) for _, amount in kinds])
        component = np.concatenate([np.full(np.count_nonzero(amount > 0), kind) for kind, amount in kinds])
        amount = np.concatenate([amount[amount > 0] for _, amount in kinds])
        order = np.lexsort((component, rows))
        rows = rows[order]
        return Dues(
            loan=loan_ids[self.loan[rows]],
            instalment=self.instalment[rows],
            component=component[order].astype(np.int8),
            late_date=self.due_on[rows],
            amount=amount[order],
        )

    def prove(self, principal: IntColumn) -> None:
        """Raise ArithmeticError unless every plan repays exactly what was lent and capitalised."""
        size = principal.size
        planned = np.ones(size, dtype=bool)
        planned[list(self.refused)] = False
        repaid = sum_by(self.loan, self.principal, size) - sum_by(self.loan, self.capitalised, size)
        wrong = planned & (repaid != principal)
        rows = self.opening + self.capitalised - self.principal != self.closing
        negative = (self.principal < 0) | (self.interest < 0) | (self.closing < 0) | (self.capitalised < 0)
        if bool(wrong.any() | rows.any() | negative.any()):
            at = np.concatenate([np.flatnonzero(wrong), self.loan[rows | negative]])
            raise ArithmeticError(f"the plan of the loan at position {at[0]} does not add up")


@dataclass(frozen=True, slots=True)
class Period:
    """One period of one loan's plan; money in minor units, `segments` is its working."""

    period: int
    instalment: int
    nominal_on: date
    due_on: date
    opening_minor: int
    principal_minor: int
    interest_minor: int
    capitalised_minor: int
    closing_minor: int
    segments: tuple[Segment, ...]

    @property
    def total_minor(self) -> int:
        """Principal and interest falling due."""
        return self.principal_minor + self.interest_minor


@dataclass(frozen=True)
class Schedule:
    """One loan's plan, and the columns it came from."""

    periods: tuple[Period, ...]
    columns: ScheduleColumns

    @property
    def instalments(self) -> tuple[Period, ...]:
        """The periods at whose end something falls due."""
        return tuple(period for period in self.periods if period.instalment)

    @property
    def principal_minor(self) -> int:
        """All principal falling due, capitalised interest included."""
        return sum(period.principal_minor for period in self.periods)

    @property
    def interest_minor(self) -> int:
        """All interest falling due as interest."""
        return sum(period.interest_minor for period in self.periods)

    @property
    def capitalised_minor(self) -> int:
        """Interest that was added to the balance."""
        return sum(period.capitalised_minor for period in self.periods)

    def dues(self, loan_id: int) -> Dues:
        """What falls due, as columns for allocation and arrears."""
        return self.columns.dues(np.array([loan_id], dtype=np.int64))

    @classmethod
    def of(cls, columns: ScheduleColumns) -> "Schedule":
        """The single plan in columns of one loan; raises its refusal if it has none."""
        for refusal in columns.refused.values():
            raise refusal
        periods = tuple(
            Period(
                period=int(columns.period[row]),
                instalment=int(columns.instalment[row]),
                nominal_on=to_date(columns.nominal_on[row]),
                due_on=to_date(columns.due_on[row]),
                opening_minor=int(columns.opening[row]),
                principal_minor=int(columns.principal[row]),
                interest_minor=int(columns.interest[row]),
                capitalised_minor=int(columns.capitalised[row]),
                closing_minor=int(columns.closing[row]),
                segments=columns.segments.of_row(row),
            )
            for row in range(len(columns))
        )
        return cls(periods=periods, columns=columns)


def join_plans(parts: list[ScheduleColumns], refused: dict[int, CannotSchedule]) -> ScheduleColumns:
    """Plans of several groups of loans put together, in order of loan and period."""
    names = [field.name for field in fields(ScheduleColumns) if field.name not in ("segments", "refused")]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    offset = np.cumsum([0] + [len(part) for part in parts])
    segments = {
        field.name: np.concatenate([getattr(part.segments, field.name) for part in parts])
        for field in fields(Segments)
    }
    segments["row"] = np.concatenate([part.segments.row + offset[at] for at, part in enumerate(parts)])
    if len(parts) > 1:
        order = np.lexsort((joined["period"], joined["loan"]))
        place = np.empty(order.size, dtype=np.int64)
        place[order] = np.arange(order.size)
        joined = {name: column[order] for name, column in joined.items()}
        segments["row"] = place[segments["row"]]
        by_row = np.argsort(segments["row"], kind="stable")
        segments = {name: column[by_row] for name, column in segments.items()}
    return ScheduleColumns(**joined, segments=Segments(**segments), refused=refused)
