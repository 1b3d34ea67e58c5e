"""Interest raised from facts by daily product, after which the plan goes on."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np

from calc.allocation import allocate
from calc.arrears import measure
from calc.events import Effect, Running, prepay, settlement_figure
from calc.money import (
    from_minor,
)
from calc.schedule import Method, build_schedule
from tests.calc.vectors.lives import Life, after, assert_life, on
from tests.calc.vectors.reading import (
    Case,
    assert_rows,
    day,
    expected_rows,
    interest_on_facts,
    loan_terms,
    minor,
    plan,
    published_terms,
)
from tests.calc.vectors.registry import case, check
from tests.calc.walker import Receipt, receipt_columns


def _raised(terms_case: Case, number: int, movements: list[tuple[str, str]]) -> None:
    """The interest of one row is what the principal really outstanding bore between its due dates."""
    terms = loan_terms(terms_case)
    rows = expected_rows(terms_case["expected"]["checkpoints"][-1])
    start = rows[number - 2]["due_date"] if number > 1 else terms.disbursed_on.isoformat()
    interest = interest_on_facts(terms, movements, start, rows[number - 1]["due_date"])
    assert interest == Decimal(rows[number - 1]["interest"])


def _goes_on(one: Case, stood: int, *, agreed: bool = True) -> None:
    """The rows after one of them are a new version from its closing balance."""
    rows = expected_rows(one["expected"]["checkpoints"][-1])
    left = len(rows) - stood
    terms = loan_terms(
        one,
        principal_minor=minor(rows[stood - 1]["balance_after"]),
        disbursed_on=day(rows[stood - 1]["due_date"]),
        instalments=left,
    )
    if not agreed:
        terms = replace(terms, agreed_instalment_minor=0)
    assert_rows(plan(terms), rows[stood:])


@case("FIN-RP03")
def _early_payment(one: Case) -> None:
    _raised(one, 1, [("2022-11-01", "5000"), ("2022-11-27", "-863")])
    _goes_on(one, 1, agreed=False)


_EFFECTS = {
    "reduce_number_of_installments": Effect.TERM,
    "reschedule_next_repayments": None,
    None: Effect.INSTALMENT,
}


@check("recalc")
def _excess_on_due_dates(one: Case) -> None:
    """What is received on a due date beyond what falls due is a prepayment, of the strategy named.

    Less than what falls due changes no plan.
    """
    effect = _EFFECTS[one["inputs"].get("prepayment_strategy")]
    life = Life.of(loan_terms(one))
    for event in after(one, "repayment"):
        due = sum(row.total_minor for row in life.periods if row.nominal_on == on(event))
        excess = minor(event["amount"]) - due
        if excess > 0:
            life.happen(prepay, on(event), amount=excess, effect=effect)
    assert_life(life, expected_rows(one["expected"]["checkpoints"][-1]))


@case("FIN-RP10")
def _late_excess(one: Case) -> None:
    _raised(one, 2, [("2022-11-01", "5000"), ("2022-12-05", "-1450.68")])
    _goes_on(one, 2)


@case("FIN-RP14")
def _rest_day_of_part_payments(one: Case) -> None:
    """The source counts the principal outstanding at the last rest day, 1 January, for all of it."""
    _raised(one, 1, [("2022-11-01", "5000")])
    _raised(one, 3, [("2023-01-01", "4849.32")])
    _goes_on(one, 3)


@case("FIN-RP15")
def _rest_day_of_a_late_payment(one: Case) -> None:
    _raised(one, 1, [("2022-11-01", "5000")])
    _raised(one, 3, [("2023-01-01", "5000")])
    _goes_on(one, 3)


@case("FIN-OVD-S1")
def _nothing_paid(one: Case) -> None:
    rows = expected_rows(one["expected"]["checkpoints"][0])
    for number in range(1, len(rows) + 1):
        _raised(one, number, [("2024-01-01", "100")])
    assert plan(loan_terms(one))[0].total_minor == minor(one["inputs"]["installment_amount"])


@case("FIN-OVD-S3")
def _overdue_in_the_month(one: Case) -> None:
    """Overdue principal bears interest to the business date, 10 March; after it the plan is assumed."""
    _raised(one, 2, [("2024-02-01", "83.57")])
    _raised(one, 3, [("2024-03-01", "83.57"), ("2024-03-10", "-16.52")])
    rows = expected_rows(one["expected"]["checkpoints"][0])
    agreed = minor(one["inputs"]["installment_amount"])
    terms = loan_terms(
        one,
        principal_minor=minor(rows[2]["balance_after"]),
        disbursed_on=day(rows[2]["due_date"]),
        instalments=3,
        agreed_instalment_minor=agreed,
    )
    assert_rows(plan(terms), rows[3:])


@check("payoff")
def _settled_early(one: Case) -> None:
    first, second, _ = one["expected"]["checkpoints"]
    terms = loan_terms(one)
    assert_rows(plan(terms), expected_rows(first))
    assert_rows(plan(terms), expected_rows(second))
    payoff = one["expected"]["checkpoints"][2]["transactions"][-1]
    outstanding = second["transactions"][-1]["principal_balance_after"]
    figure = settlement_figure(Running.of([terms]), day(payoff["date"])).one()
    assert from_minor(figure.principal_minor) == Decimal(outstanding)
    assert from_minor(figure.interest_minor) == Decimal(payoff["interest"])
    assert from_minor(figure.total_minor) == Decimal(payoff["amount"])


@check("rpk")
def _flat_settlement(one: Case) -> None:
    """Payable = principal outstanding + interest fallen due and unpaid; the rest is the rebate."""
    inputs, expected = one["inputs"], one["expected"]
    terms = published_terms(
        one,
        method=Method.FLAT,
        disbursed_on=day(inputs["start_date"]),
        first_due_on=day(inputs["first_due_date"]),
    )
    schedule = build_schedule(terms)
    received = [Receipt(1, date(2026, 2, 5), 50_00)]
    payable, rebate = [], []
    for words in inputs["as_of"]:
        on = day(words[:10])
        rows = allocate(schedule.dues(1), receipt_columns({1: received if "paying" in words else []}))
        standing = measure(schedule.dues(1), rows.settled(np.datetime64(on)), on)
        payable.append(int(standing.outstanding_principal[0] + standing.fallen_interest[0]))
        rebate.append(int(standing.outstanding_interest[0] - standing.fallen_interest[0]))
    assert [from_minor(amount) for amount in payable] == list(map(Decimal, expected["amount_payable"]))
    for ours, theirs in zip(rebate, expected["rebate"], strict=True):
        assert theirs is None or from_minor(ours) == Decimal(theirs)
