"""Full settlement: what it takes to end a loan on a day, and the version with that one instalment."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from calc.calendar import DateColumn
from calc.events.accruing import accrued_minor, earned
from calc.events.changing import Days, days_of, early_fee, refuse, standing_rows
from calc.events.onward import planned
from calc.events.replan import Draft, Replans, assemble
from calc.events.rest import Rest, rest_of
from calc.events.running import Rows, Running
from calc.interest import Movements, Rates, Segment, Segments, Spans, daily_product
from calc.money import IntColumn, sum_by
from calc.schedule import CannotSchedule


@dataclass(frozen=True)
class SettlementFigure:
    """What ends one loan on a day, in minor units; `segments` is the working of the interest accrued.

    Principal and interest that fell due before the day and are unpaid come on top. With unearned
    interest asked for, interest holds all that was planned and rebate the part not earned.
    """

    principal_minor: int
    interest_minor: int
    fee_minor: int
    rebate_minor: int
    segments: tuple[Segment, ...]

    @property
    def total_minor(self) -> int:
        """What is to be paid: a rebate is not."""
        return self.principal_minor + self.interest_minor + self.fee_minor - self.rebate_minor


@dataclass(frozen=True)
class SettlementFigures:
    """`SettlementFigure` in columns, an entry a loan; loans that cannot be settled stand in `refused`."""

    rest: Rest
    principal: IntColumn
    interest: IntColumn
    fee: IntColumn
    rebate: IntColumn
    segments: Segments
    refused: dict[int, CannotSchedule]

    def one(self) -> SettlementFigure:
        """The figure of a single loan; raises its refusal if it has one."""
        for refusal in self.refused.values():
            raise refusal
        return SettlementFigure(
            principal_minor=int(self.principal[0]),
            interest_minor=int(self.interest[0]),
            fee_minor=int(self.fee[0]),
            rebate_minor=int(self.rebate[0]),
            segments=self.segments.of_row(0),
        )


def settlement_figure(
    running: Running,
    on: Days,
    *,
    fee_percent: Decimal = Decimal(0),
    unearned: bool = False,
    movements: Movements | None = None,
) -> SettlementFigures:
    """Principal not yet due, interest accrued to the day, and the fee on that principal.

    A due that falls on the very day is part of it. `movements` of principal (loan = position) make the
    interest that on what was outstanding each day, by daily product. `unearned`: a sale at a fixed
    price owes all planned profit, and what is not yet earned is a rebate.
    """
    days = days_of(running, on)
    rest, plan = rest_of(running, days), running.plan
    refused = dict(rest.refused)
    loans = len(running)
    falls = sum_by(plan.loan, rest.back.astype(np.int64), loans)
    refuse(refused, falls == 0, "effective_on", "nothing falls due on {date} or after", date=days)
    standing = standing_rows(running, rest)
    accrued, segments = accrued_minor(running, rest), earned(running, rest).segments
    if movements is not None:
        accrued, segments = _on_facts(running, rest, movements)
    interest = accrued + sum_by(standing.loan, standing.interest, loans)
    planned_interest = sum_by(plan.loan, np.where(rest.back, plan.interest, 0), loans)
    rebate = np.maximum(planned_interest - interest, 0) if unearned else np.zeros(loans, dtype=np.int64)
    working = Segments.join([_by_loan(standing), segments])
    return SettlementFigures(
        rest=rest,
        principal=rest.balance + sum_by(standing.loan, standing.principal, loans),
        interest=interest + rebate,
        fee=early_fee(rest.balance, fee_percent),
        rebate=rebate,
        segments=working,
        refused=refused,
    )


def settle(
    running: Running,
    on: Days,
    *,
    fee_percent: Decimal = Decimal(0),
    unearned: bool = False,
    movements: Movements | None = None,
) -> Replans:
    """The whole loan in one instalment on the day; `settlement_figure` says what it holds.

    A write-off in whole is the same version: it brings everything forward, with no interest to come.
    """
    figures = settlement_figure(running, on, fee_percent=fee_percent, unearned=unearned, movements=movements)
    loans, rest = len(running), figures.rest
    none = np.zeros(loans, dtype=np.int64)
    row = Rows(
        loan=np.arange(loans, dtype=np.int64),
        instalment=rest.kept + 1,
        nominal_on=rest.on,
        due_on=rest.on,
        principal=figures.principal,
        interest=figures.interest,
        segments=figures.segments,
    )
    draft = Draft(
        terms=running.terms,
        rows=row,
        left=np.zeros(loans, dtype=bool),
        added=none,
        transferred=none,
        capitalised=none,
        fee=figures.fee,
        rebate=figures.rebate,
        refused=figures.refused,
    )
    return assemble(running, rest, draft, planned(running.terms, running, np.zeros(loans, dtype=bool)))


def _by_loan(rows: Rows) -> Segments:
    """The working of rows, numbered by loan."""
    parts = rows.segments
    names = ("from_on", "to_on", "days", "balance", "rate", "numerator", "denominator")
    return Segments(rows.loan[parts.row], *(getattr(parts, name) for name in names))


def _on_facts(running: Running, rest: Rest, movements: Movements) -> tuple[IntColumn, Segments]:
    """Interest since the last due on the principal really outstanding, rounded once, and its working."""
    loans = np.arange(len(running), dtype=np.int64)
    since = rest.on.copy()
    np.minimum.at(since, rest.segments.row, rest.segments.from_on)
    rates = _rates(running, rest, since)
    interest, parts = np.zeros(len(running), dtype=np.int64), []
    for number, rules in enumerate(running.terms.rules):
        mine = loans[running.terms.rule == number]
        spans = Spans(mine, since[mine], rest.on[mine])
        found, segments = daily_product(movements, rates, spans, rules.day_count, rules.interest_rounding)
        interest[mine] = found
        names = ("from_on", "to_on", "days", "balance", "rate", "numerator", "denominator")
        parts.append(Segments(mine[segments.row], *(getattr(segments, name) for name in names)))
    return interest + rest.amount, Segments.join(parts)


def _rates(running: Running, rest: Rest, since: DateColumn) -> Rates:
    """The rates in force since the last due: those of the stretches carried, else the terms' own."""
    has = np.zeros(len(running), dtype=bool)
    has[rest.segments.row] = True
    others = np.flatnonzero(~has)
    return Rates(
        np.concatenate([rest.segments.row, others]),
        np.concatenate([rest.segments.from_on, since[others]]),
        np.concatenate([rest.segments.rate, running.terms.rate[others]]),
    )
