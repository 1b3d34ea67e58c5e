"""Plans supplied by the bank: taken as they are, once they are checked to repay the loan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn
from calc.interest import Segments
from calc.money import IntColumn, group_starts, running_sum_by, sort_order, sum_by
from calc.schedule.plan import Schedule, ScheduleColumns
from calc.schedule.terms import CannotSchedule


@dataclass(frozen=True, slots=True)
class SuppliedRow:
    """One instalment of a bank's plan, in minor units."""

    instalment: int
    due_on: date
    principal_minor: int
    interest_minor: int = 0


@dataclass(frozen=True)
class SuppliedColumns:
    """Bank-supplied instalments of loans side by side, in any order.

    loan int64, position of the loan (0 and up); instalment int32 from 1; due_on datetime64[D];
    principal and interest int64 minor units.
    """

    loan: IntColumn
    instalment: npt.NDArray[np.int32]
    due_on: DateColumn
    principal: IntColumn
    interest: IntColumn


def supplied_schedule(principal_minor: int, disbursed_on: date, rows: Sequence[SuppliedRow]) -> Schedule:
    """One bank-supplied plan; CannotSchedule if it does not repay the loan in order."""
    columns = SuppliedColumns(
        loan=np.zeros(len(rows), dtype=np.int64),
        instalment=np.array([row.instalment for row in rows], dtype=np.int32),
        due_on=np.array([row.due_on for row in rows], dtype="datetime64[D]"),
        principal=np.array([row.principal_minor for row in rows], dtype=np.int64),
        interest=np.array([row.interest_minor for row in rows], dtype=np.int64),
    )
    disbursed = np.array([disbursed_on], dtype="datetime64[D]")
    return Schedule.of(supplied_schedules(np.array([principal_minor]), disbursed, columns))


def supplied_schedules(
    principal: IntColumn, disbursed_on: DateColumn, rows: SuppliedColumns
) -> ScheduleColumns:
    """Bank-supplied plans of any number of loans, checked; due dates stand as supplied.

    `principal` and `disbursed_on` have one entry a loan. A loan whose rows do not fit stands in
    `refused` and gets no rows: no instalment at all, numbers not 1, 2, 3…, dates out of order or
    not after the disbursement, a negative amount, an instalment of nothing, or principal that does
    not add up to the loan.
    """
    order = sort_order(rows.loan, rows.instalment)
    loan, number = rows.loan[order], rows.instalment[order]
    due_on, paid, interest = rows.due_on[order], rows.principal[order], rows.interest[order]
    starts = group_starts(loan)
    place = running_sum_by(starts, np.ones(loan.size, dtype=np.int64))
    before = np.concatenate([due_on[:1], due_on[:-1]])
    total = sum_by(loan, paid, principal.size)
    count = sum_by(loan, np.ones(loan.size, dtype=np.int64), principal.size)

    refused: dict[int, CannotSchedule] = {}
    row_tests = (
        (number != place, "instalment", "instalments are not numbered 1, 2, 3 and on"),
        (np.isnat(due_on), "due_on", "a due date is missing"),
        (starts & (due_on <= disbursed_on[loan]), "due_on", "the first due date is not after disbursement"),
        (~starts & (due_on < before), "due_on", "due dates are out of order"),
        ((paid < 0) | (interest < 0), "principal", "an amount is negative"),
        (paid + interest == 0, "principal", "an instalment is of nothing"),
    )
    for position in np.flatnonzero(count == 0):
        refused[int(position)] = CannotSchedule("instalment", "the plan has no instalments")
    for contradicts, term, reason in row_tests:
        for position in np.unique(loan[contradicts]):
            refused.setdefault(int(position), CannotSchedule(term, reason))
    for position in np.flatnonzero(total != principal):
        at = int(position)
        sentence = "principal of {given_minor} does not repay the loan of {wanted_minor} minor units"
        refusal = CannotSchedule(
            "principal", sentence, given_minor=int(total[at]), wanted_minor=int(principal[at])
        )
        refused.setdefault(at, refusal)

    sound = np.ones(principal.size, dtype=bool)
    sound[list(refused)] = False
    kept = sound[loan]
    loan, number, due_on = loan[kept], number[kept], due_on[kept]
    paid, interest = paid[kept], interest[kept]
    closing = principal[loan] - running_sum_by(starts[kept], paid)
    columns = ScheduleColumns(
        loan=loan,
        period=number,
        instalment=number,
        nominal_on=due_on,
        due_on=due_on,
        opening=closing + paid,
        principal=paid,
        interest=interest,
        capitalised=np.zeros(loan.size, dtype=np.int64),
        closing=closing,
        level=np.zeros(loan.size, dtype=np.int64),
        segments=Segments.none(),
        refused=refused,
    )
    columns.prove(principal)
    return columns
