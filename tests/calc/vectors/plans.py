"""Plans, and plans that change: each change is a new version from the balance it finds."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from calc.allocation import allocate
from calc.calendar import Frequency, add_months_columns, dates, due_dates
from calc.daycount import DayCount
from calc.money import (
    HALF_EVEN,
    HALF_UP,
    RATE_DENOMINATOR,
    Component,
    Rounding,
    RoundingMode,
    from_minor,
    round_ratio,
    round_ratios,
    to_rate_units,
)
from calc.schedule import GraceKind, build_schedule, instalments_needed
from tests.calc.vectors.reading import (
    Case,
    assert_rows,
    day,
    expected_rows,
    go_on,
    interest_on_facts,
    loan_terms,
    minor,
    plan,
    published_terms,
)
from tests.calc.vectors.registry import case, check
from tests.calc.walker import Receipt, receipt_columns


@check("progressive", "plain")
def _plan_as_disbursed(one: Case) -> None:
    assert_rows(plan(loan_terms(one)), expected_rows(one["expected"]["checkpoints"][0]))


@case("FIN-RS04", "FIN-RS05", "FIN-RS07", "FIN-MULT-FLAT", "FIN-GL-GOODWILL", "FIN-CHARGEOFF")
def _first_plan(one: Case) -> None:
    terms = loan_terms(one)
    assert_rows(plan(terms), expected_rows(one["expected"]["checkpoints"][0]))
    accruals = [
        row for row in one["expected"]["checkpoints"][0].get("transactions", ()) if row["type"] == "Accrual"
    ]
    if one["id"] == "FIN-CHARGEOFF":
        assert len(accruals) == 2
    lent = (one["inputs"]["events"][0]["date"], one["inputs"]["events"][0]["amount"])
    for row in accruals:
        day_before = (day(row["date"]) - timedelta(days=1)).isoformat()
        accrued = interest_on_facts(terms, [lent], day_before, row["date"])
        assert accrued == Decimal(row["interest"])


@case("FRP-EMI")
def _rounded_only_at_the_end(one: Case) -> None:
    expected = one["expected"]
    terms = published_terms(
        one,
        decimals=6,
        instalment_rounding=Rounding(RoundingMode.UP, 1_000_000),
    )
    schedule = build_schedule(terms)
    assert schedule.periods[0].total_minor == minor(expected["installment_amount"], 6)
    assert _whole(schedule.interest_minor) == expected["total_interest_rounded_0"]
    assert _whole(schedule.interest_minor + schedule.principal_minor) == expected["total_payment_rounded_0"]
    for row in expected["rows_rounded_0"]:
        period = schedule.periods[row["n"] - 1]
        ours = (period.principal_minor, period.interest_minor, period.closing_minor)
        assert tuple(map(_whole, ours)) == (row["principal"], row["interest"], row["balance_after"])


def _whole(micros: int) -> str:
    return str(round_ratio(micros, 1_000_000, HALF_UP))


@case("FRP-TERM")
def _first_split(one: Case) -> None:
    inputs, expected = one["inputs"], one["expected"]
    terms = published_terms(
        one,
        instalment_rounding=Rounding(RoundingMode.UP, 100),
    )
    schedule = build_schedule(terms)
    first = schedule.periods[0]
    assert first.total_minor == minor(expected["installment_amount"])
    received = receipt_columns({1: [Receipt(1, first.due_on, minor(inputs["payment"]))]})
    rows = allocate(schedule.dues(1), received)
    rows = rows.take((rows.instalment == 1) & (rows.value_date == np.datetime64(first.due_on)))
    assert rows.component.tolist() == [Component.INTEREST, Component.PRINCIPAL]
    paid = [minor(expected[name]) for name in ("interest_paid_first", "principal_paid_first")]
    assert rows.amount.tolist() == paid


@case("FIN-FEE-INST", "FIN-PEN-PI")
def _percentage_of_the_instalment(one: Case) -> None:
    """A charge on each instalment, or a late fee on each overdue one: a named percentage, rounded."""
    rows = expected_rows(one["expected"]["checkpoints"][1])
    periods = plan(loan_terms(one))
    assert_rows(periods, rows)
    charge = one["inputs"].get("fee") or one["inputs"]["penalty"]
    amounts = np.array([period.total_minor for period in periods], dtype=np.int64)
    fees = round_ratios(amounts, to_rate_units(Decimal(charge["rate_pct"])), RATE_DENOMINATOR, HALF_EVEN)
    assert [from_minor(fee) for fee in fees] == [
        Decimal(row["fees"]) + Decimal(row["penalty"]) for row in rows
    ]


@case("FRP-ACCRUAL")
def _both_end_days(one: Case) -> None:
    inputs = one["inputs"]
    terms = published_terms(one, day_count=DayCount.ACT_365F)
    until = (day(inputs["to"]) + timedelta(days=1)).isoformat()
    accrued = interest_on_facts(terms, [(inputs["from"], inputs["principal"])], inputs["from"], until)
    assert accrued == Decimal(one["expected"]["interest"])


@check("dates")
def _due_dates(one: Case) -> None:
    inputs = one["inputs"]
    steps = np.arange(inputs["installments"], dtype=np.int64)
    due = due_dates(dates([inputs["first_due_date"]]), steps, Frequency.MONTHLY)
    assert due.nominal[0].astype(str).tolist() == one["expected"]["due_dates"]
    assert add_months_columns(dates([inputs["first_due_date"]]), 0).astype(str)[0] == inputs["first_due_date"]


@case("FIN-TR-DUE")
def _second_tranche(one: Case) -> None:
    terms = loan_terms(one)
    before, after = one["expected"]["checkpoints"]
    periods = plan(terms)
    assert_rows(periods, expected_rows(before))
    tranche = one["inputs"]["events"][1]
    rows = expected_rows(after)
    grown = periods[1].closing_minor + minor(tranche["amount"])
    assert grown == minor(rows[1]["balance_after"])
    assert_rows(go_on(terms, periods[1], principal_minor=grown, instalments=4), rows[2:])


@case("FIN-RATE-PERIOD")
def _new_rate(one: Case) -> None:
    terms = loan_terms(one)
    rows = expected_rows(one["expected"]["checkpoints"][0])
    periods = plan(terms)
    assert_rows(periods[:1], rows[:1])
    rate = Decimal(one["inputs"]["events"][1]["annual_rate_pct"])
    assert_rows(go_on(terms, periods[0], annual_rate=rate, instalments=5), rows[1:])


@case("FIN-RP16")
def _three_tranches(one: Case) -> None:
    agreed = minor(one["inputs"]["installment_amount"])
    terms = loan_terms(one, agreed_instalment_minor=agreed)
    rows = expected_rows(one["expected"]["checkpoints"][0])
    tranches = {
        event["date"]: minor(event["amount"])
        for event in one["inputs"]["events"][1:]
        if event["type"] == "disbursement"
    }
    balance, start = terms.principal_minor, terms.disbursed_on
    for number, row in enumerate(rows):
        version = replace(terms, principal_minor=balance, disbursed_on=start)
        left = min(len(rows) - number, instalments_needed(version))
        period = plan(replace(version, instalments=left))[0]
        balance, start = period.closing_minor + tranches.get(row["due_date"], 0), period.nominal_on
        assert (period.principal_minor, period.interest_minor, balance) == tuple(
            minor(row[name]) for name in ("principal", "interest", "balance_after")
        )


@case("FIN-RSCH-DATE")
def _moved_due_date(one: Case) -> None:
    terms = loan_terms(one)
    before, after = one["expected"]["checkpoints"]
    periods = plan(terms)
    assert_rows(periods, expected_rows(before))
    rows = expected_rows(after)
    moved = day(one["inputs"]["events"][1]["new_due_date"])
    assert_rows([*periods[:1], *go_on(terms, periods[0], instalments=2, first_due_on=moved)], rows)


@case("FIN-RSCH-GRACE")
def _grace_in_the_middle(one: Case) -> None:
    terms = loan_terms(one)
    before, after = one["expected"]["checkpoints"]
    periods = plan(terms)
    assert_rows(periods, expected_rows(before))
    grace = int(one["inputs"]["events"][1]["grace_principal_installments"])
    extended = go_on(
        terms, periods[0], instalments=2, grace_periods=grace, grace_kind=GraceKind.INTEREST_PAID
    )
    assert_rows([*periods[:1], *extended], expected_rows(after))


@case("FIN-REAGE")
def _re_aged(one: Case) -> None:
    rows = expected_rows(one["expected"]["checkpoints"][0])
    down_payment = minor(rows[0]["total_due"])
    terms = loan_terms(one)
    terms = replace(terms, principal_minor=terms.principal_minor - down_payment)
    periods = plan(terms)
    assert_rows(periods, rows[1:])
    event = one["inputs"]["events"][2]
    again = replace(
        terms,
        frequency=Frequency.MONTHLY,
        every_days=0,
        instalments=event["installments"],
        disbursed_on=day(event["date"]),
        first_due_on=day(event["start_date"]),
    )
    assert_rows(plan(again), expected_rows(one["expected"]["checkpoints"][2])[4:])
