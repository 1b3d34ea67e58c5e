"""The class of each loan on a date, by time overdue, by amount overdue, or the worse of both."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from calc.arrears import Arrears
from calc.calendar import months_between, to_date
from calc.classification.policies import (
    AMBIGUOUS_POLICY,
    Chosen,
    ClassificationPolicies,
    ClassTest,
    LoanClass,
)
from calc.money import IntColumn, from_minor

_BANDS = (LoanClass.SMA, LoanClass.SS, LoanClass.DF, LoanClass.BL)


class Ground(IntEnum):
    """What decided a loan's class."""

    NO_POLICY = -1
    NOTHING_DECIDES = 0
    TIME = 1
    AMOUNT = 2
    FREEZE = 3
    JUDGEMENT = 4


class Basis(IntEnum):
    """What a loan's class rests on: its figures, a freeze of its class, or a floor that people set."""

    OBJECTIVE = 0
    FROZEN = 1
    FLOOR = 2


@dataclass(frozen=True)
class Classes:
    """Classes of loans side by side, in the order of the arrears they came from.

    loan int64; loan_class and objective int8 (LoanClass; objective is before freeze and judgement);
    by_time and by_amount int8; months int64 overdue as the policy counts them; policy int64;
    ground int8 (Ground).
    """

    loan: IntColumn
    loan_class: npt.NDArray[np.int8]
    objective: npt.NDArray[np.int8]
    by_time: npt.NDArray[np.int8]
    by_amount: npt.NDArray[np.int8]
    months: IntColumn
    policy: IntColumn
    ground: npt.NDArray[np.int8]

    @property
    def basis(self) -> npt.NDArray[np.int8]:
        """The ``Basis`` of each class, int8; OBJECTIVE where there is no policy."""
        basis = np.full(self.ground.size, Basis.OBJECTIVE, dtype=np.int8)
        basis[self.ground == Ground.FREEZE] = Basis.FROZEN
        basis[self.ground == Ground.JUDGEMENT] = Basis.FLOOR
        return basis


def classify(
    arrears: Arrears,
    policies: ClassificationPolicies,
    chosen: Chosen,
    *,
    frozen: npt.NDArray[np.int8] | None = None,
    judged: npt.NDArray[np.int8] | None = None,
) -> Classes:
    """Classify every loan by its own policy.

    `frozen` names the class beyond which a freeze lets a loan not worsen, `judged` the class a
    qualitative judgement gives, which may worsen and never flatter; UNCLASSIFIED (-1) where there
    is none. `arrears` must have been measured with the windows of the policies.
    """
    has_policy = chosen.row >= 0
    row = np.where(has_policy, chosen.row, 0)
    if not policies.lag.size:
        return _without_policies(arrears, chosen)
    since = arrears.overdue_since + policies.counts_from[row].astype("timedelta64[D]")
    day = np.datetime64(arrears.as_of, "D")
    months = months_between(since, day)
    late = since <= day
    test = np.where(has_policy, policies.test[row], "")
    amount_counts = np.isin(test, (ClassTest.AMOUNT.value, ClassTest.TIME_OR_AMOUNT.value))
    by_time = np.zeros(len(arrears), dtype=np.int8)
    by_amount = np.zeros(len(arrears), dtype=np.int8)
    overdue = arrears.overdue_principal + arrears.overdue_interest
    for column, band in enumerate(_BANDS):
        bound = policies.bounds[row, column]
        reached = late & (bound >= 0) & (months >= policies.lag[row] + bound)
        by_time[reached] = band
        due = _due_in(arrears, np.where(amount_counts, bound, 0))
        by_amount[(due > 0) & (overdue > 0) & (overdue >= due)] = band
    by_time[test == ClassTest.AMOUNT.value] = LoanClass.STANDARD

    objective = np.maximum(by_time, by_amount)
    ground = np.full(len(arrears), Ground.NOTHING_DECIDES, dtype=np.int8)
    ground[by_amount > 0] = Ground.AMOUNT
    ground[(by_time > 0) & (by_time >= by_amount)] = Ground.TIME
    loan_class = objective.copy()
    if frozen is not None:
        held = (frozen >= 0) & (loan_class > frozen)
        loan_class = np.where(held, frozen, loan_class).astype(np.int8)
        ground[held] = Ground.FREEZE
    if judged is not None:
        worse = judged > loan_class
        loan_class = np.where(worse, judged, loan_class).astype(np.int8)
        ground[worse] = Ground.JUDGEMENT
    for grade in (loan_class, objective, by_time, by_amount):
        grade[~has_policy] = LoanClass.UNCLASSIFIED
    ground[~has_policy] = Ground.NO_POLICY
    return Classes(arrears.loan, loan_class, objective, by_time, by_amount, months, chosen.policy, ground)


def explain(
    position: int,
    arrears: Arrears,
    classes: Classes,
    policies: ClassificationPolicies,
    chosen: Chosen,
    *,
    decimals: int = 2,
) -> str:
    """Why the loan at a position is in its class, in a sentence or two; money in the currency's unit."""
    if chosen.row[position] < 0:
        if chosen.policy[position] == AMBIGUOUS_POLICY:
            return f"No class: two policies fit this loan equally well on {arrears.as_of}."
        return f"No class: no policy covers this loan on {arrears.as_of}."
    row = int(chosen.row[position])
    name = LoanClass(int(classes.loan_class[position])).name
    objective = LoanClass(int(classes.objective[position]))
    reason = _objective_reason(position, objective, arrears, classes, policies, row, decimals)
    match Ground(int(classes.ground[position])):
        case Ground.FREEZE:
            return f"{name}: a freeze holds the class. Without it {objective.name}: {reason}"
        case Ground.JUDGEMENT:
            return f"{name}: by qualitative judgement. The figures alone give {objective.name}: {reason}"
        case _:
            return f"{name}: {reason}"


def _objective_reason(
    position: int,
    objective: LoanClass,
    arrears: Arrears,
    classes: Classes,
    policies: ClassificationPolicies,
    row: int,
    decimals: int,
) -> str:
    """What the figures alone say."""
    if np.isnat(arrears.overdue_since[position]):
        return "nothing is overdue."
    since = to_date(arrears.overdue_since[position])
    months, lag = int(classes.months[position]), int(policies.lag[row])
    age = f"the oldest unpaid due is of {since}, {_months(months)} overdue on {arrears.as_of}"
    if lag:
        age += f" (counted after a lag of {_months(lag)})"
    if objective is LoanClass.STANDARD:
        return f"{age}, below every bound of the policy."
    bound = int(policies.bounds[row, objective - 1])
    if classes.by_time[position] >= classes.by_amount[position]:
        return f"{age}; the bound is {_months(lag + bound)}."
    overdue = int(arrears.overdue_principal[position] + arrears.overdue_interest[position])
    due = int(arrears.window(bound)[position])
    return (
        f"{from_minor(overdue, decimals)} of principal and interest is overdue, not less than the "
        f"{from_minor(due, decimals)} due in {_months(bound)}."
    )


def _months(count: int) -> str:
    return f"{count} month" if count == 1 else f"{count} months"


def _due_in(arrears: Arrears, months: IntColumn) -> IntColumn:
    """What fell due in each loan's own number of months; 0 where none is asked for."""
    due = np.zeros(len(arrears), dtype=np.int64)
    for wanted in np.unique(months[months > 0]):
        mine = months == wanted
        due[mine] = arrears.window(int(wanted))[mine]
    return due


def _without_policies(arrears: Arrears, chosen: Chosen) -> Classes:
    """Every loan unclassified, because there are no policies at all."""
    none = np.full(len(arrears), LoanClass.UNCLASSIFIED, dtype=np.int8)
    months = np.zeros(len(arrears), dtype=np.int64)
    return Classes(arrears.loan, none, none, none, none, months, chosen.policy, none)
