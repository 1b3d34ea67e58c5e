"""The class of each loan against the plainest possible reading of docs/arithmetic.md, sections 10 and 11."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calc.allocation import allocate
from calc.arrears import measure
from calc.classification import (
    Chosen,
    ClassificationPolicies,
    ClassificationPolicy,
    ClassTest,
    LoanClass,
    Tier,
    classify,
)
from calc.money import Component
from tests.calc.plain_plan import in_months
from tests.calc.walker import Due, Receipt, due_columns, receipt_columns, walk

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)
START = date(2024, 1, 31)
days = st.one_of(
    st.integers(0, 900).map(lambda number: START + timedelta(days=number)),
    st.integers(0, 30).map(lambda number: in_months(START, number, 31)),
)


@st.composite
def policies(draw: st.DrawFn) -> ClassificationPolicy:
    bounds = sorted(draw(st.lists(st.integers(0, 18), min_size=4, max_size=4)))
    test = draw(st.sampled_from(list(ClassTest)))
    return ClassificationPolicy(
        policy=1,
        tier=Tier.SUBLOAN,
        effective_from=date(2020, 1, 1),
        test=test,
        sma=draw(st.sampled_from([None, bounds[0]])),
        ss=bounds[1],
        df=bounds[2],
        bl=bounds[3],
        lag=draw(st.sampled_from([0, 6])) if test is ClassTest.TIME else 0,
        counts_from=draw(st.sampled_from([0, 0, 1, 30])),
    )


@st.composite
def loans(draw: st.DrawFn) -> tuple[list[Due], list[Receipt]]:
    dues = [
        Due(number, component, late, draw(st.integers(1, 500)))
        for number, late in enumerate(sorted(draw(st.lists(days, min_size=1, max_size=8))), start=1)
        for component in draw(st.sampled_from([(INTEREST, PRINCIPAL), (PRINCIPAL,), (1, PRINCIPAL), (2,)]))
    ]
    received = [
        Receipt(number, draw(days), draw(st.integers(1, 900)))
        for number in range(1, 1 + draw(st.integers(0, 3)))
    ]
    return dues, received


def plain_class(
    dues: list[Due], received: list[Receipt], policy: ClassificationPolicy, on: date
) -> LoanClass:
    """Read off the papers: what is unpaid, since when, and what fell due in the months of each bound."""
    desk = walk(dues, received, on)
    late = [due for due in dues if due.late < on and due.amount > desk.paid[due.instalment, due.component]]
    if not late:
        return LoanClass.STANDARD
    since = min(due.late for due in late) + timedelta(days=policy.counts_from)
    months = 0
    while in_months(since, months + 1, since.day) <= on:
        months += 1
    counted = [due for due in dues if due.component in (INTEREST, PRINCIPAL)]
    overdue = sum(due.amount - desk.paid[due.instalment, due.component] for due in late if due in counted)
    first = min((due.late for due in counted), default=on)
    found = LoanClass.STANDARD
    for grade, bound in ((1, policy.sma), (2, policy.ss), (3, policy.df), (4, policy.bl)):
        if bound is None:
            continue
        by_time = policy.test is not ClassTest.AMOUNT and months >= bound + policy.lag and since <= on
        by_amount = False
        if policy.test is not ClassTest.TIME and bound > 0:
            opens = in_months(on, -bound, on.day)
            if first > opens:  # a young loan: the first so many months of it
                window = [due for due in counted if due.late < in_months(first, bound, first.day)]
            else:
                window = [due for due in counted if opens < due.late <= on]
            due_then = sum(due.amount for due in window)
            by_amount = 0 < due_then <= overdue
        if by_time or by_amount:
            found = LoanClass(grade)
    return found


@settings(max_examples=250)
@given(loans(), policies(), days)
def test_a_class_is_what_can_be_read_off_the_papers(
    loan: tuple[list[Due], list[Receipt]], policy: ClassificationPolicy, on: date
) -> None:
    dues, received = loan
    table = ClassificationPolicies.of([policy])
    columns = due_columns({1: dues})
    settled = allocate(columns, receipt_columns({1: received})).settled(np.datetime64(on))
    standing = measure(columns, settled, on, loans=np.array([1]), windows=table.windows)
    ours = classify(standing, table, Chosen(np.array([1]), np.array([0])))
    assert LoanClass(int(ours.loan_class[0])) is plain_class(dues, received, policy, on)
