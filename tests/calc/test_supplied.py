from datetime import date

import numpy as np
import pytest

from calc.schedule import CannotSchedule, SuppliedColumns, SuppliedRow, supplied_schedule, supplied_schedules

DISBURSED = date(2025, 1, 15)
ROWS = (
    SuppliedRow(1, date(2025, 2, 15), 40_000, 500),
    SuppliedRow(2, date(2025, 3, 20), 0, 300),
    SuppliedRow(3, date(2025, 4, 15), 60_000, 250),
)


def test_a_bank_s_plan_stands_as_supplied() -> None:
    plan = supplied_schedule(100_000, DISBURSED, ROWS[::-1])
    assert [period.due_on for period in plan.instalments] == [row.due_on for row in ROWS]
    assert [period.closing_minor for period in plan.instalments] == [60_000, 60_000, 0]
    assert plan.interest_minor == 1050
    assert plan.dues(9).amount.tolist() == [500, 40_000, 300, 250, 60_000]


@pytest.mark.parametrize(
    ("rows", "term", "words"),
    [
        ((), "instalment", "no instalments"),
        (ROWS[:2], "principal", "does not repay the loan"),
        ((ROWS[0], ROWS[2]), "instalment", "numbered 1, 2, 3"),
        ((ROWS[0], ROWS[0], ROWS[2]), "instalment", "numbered 1, 2, 3"),
        ((SuppliedRow(1, DISBURSED, 100_000),), "due_on", "not after disbursement"),
        ((ROWS[0], SuppliedRow(2, date(2025, 2, 14), 60_000)), "due_on", "out of order"),
        (
            (SuppliedRow(1, date(2025, 2, 1), 100_001), SuppliedRow(2, date(2025, 3, 1), -1)),
            "principal",
            "negative",
        ),
        (
            (SuppliedRow(1, date(2025, 2, 1), 0), SuppliedRow(2, date(2025, 3, 1), 100_000)),
            "principal",
            "nothing",
        ),
    ],
)
def test_a_plan_that_does_not_fit_its_loan_is_refused(
    rows: tuple[SuppliedRow, ...], term: str, words: str
) -> None:
    with pytest.raises(CannotSchedule, match=words) as refusal:
        supplied_schedule(100_000, DISBURSED, rows)
    assert refusal.value.term == term


def test_one_loan_s_bad_plan_does_not_stop_the_others() -> None:
    rows = SuppliedColumns(
        loan=np.array([0, 2, 2, 1]),
        instalment=np.array([1, 1, 2, 1], dtype=np.int32),
        due_on=np.array(["2025-02-01", "2025-02-01", "NaT", "2025-02-01"], dtype="datetime64[D]"),
        principal=np.array([100, 50, 50, 99]),
        interest=np.array([0, 0, 0, 0]),
    )
    plans = supplied_schedules(np.array([100, 100, 100]), np.full(3, np.datetime64(DISBURSED)), rows)
    assert plans.loan.tolist() == [0]
    assert {position: refusal.term for position, refusal in plans.refused.items()} == {
        1: "principal",
        2: "due_on",
    }
