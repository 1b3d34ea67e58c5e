"""Late charges, days past due and portfolio at risk."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from calc.allocation import allocate
from calc.arrears import Bucket, buckets, measure
from calc.calendar import dates
from calc.classification import (
    Chosen,
    LoanClass,
    ProvisionPolicies,
    ProvisionPolicy,
    Tier,
    provision,
)
from calc.daycount import DayCount
from calc.interest import penal_interest
from calc.money import (
    HALF_UP,
    RATE_DENOMINATOR,
    Component,
    from_minor,
    round_ratio,
    round_ratios,
    to_rate_units,
)
from calc.portfolio import everything, portfolio_at_risk
from tests.calc.vectors.reading import (
    Case,
    day,
    minor,
)
from tests.calc.vectors.registry import check
from tests.calc.walker import Due, due_columns, receipt_columns


@check("rpk_late")
def _late_charges(one: Case) -> None:
    overdue = np.array([minor(one["inputs"]["overdue"])], dtype=np.int64)
    for late, expected in zip(one["inputs"]["cases"], one["expected"]["charges"], strict=True):
        free_until = day(late["due"]) + timedelta(days=late["grace_days"])
        as_of = max(day(late["as_of"]), free_until)
        rate = to_rate_units(Decimal(late["rate_pct"]))
        if late["basis"] == "daily":  # a percentage a day is 365 of them a year of 365 days
            span = dates([free_until]), dates([as_of])
            rates = np.array([rate * 365], dtype=np.int64)
            charge = int(penal_interest(overdue, rates, *span, DayCount.ACT_365F, HALF_UP)[0])
        else:
            charge = int(round_ratios(overdue, rate, RATE_DENOMINATOR, HALF_UP)[0]) * (as_of > free_until)
        assert from_minor(charge) == Decimal(expected)


def _instalments_as_loans(one: Case) -> list[Due]:
    rows = one["inputs"]["schedule_due"]
    return [Due(1, Component.PRINCIPAL, day(row["due_date"]), minor(row["amount"])) for row in rows]


@check("dqinst")
def _bands_by_instalment(one: Case) -> None:
    """Each instalment on its own: a loan of one due, on the source's ladder."""
    ranges = one["inputs"]["delinquency_ranges"]
    starts = np.array([band["min_days"] for band in ranges], dtype=np.int64)
    dues = due_columns({n: [due] for n, due in enumerate(_instalments_as_loans(one), start=1)})
    nothing = allocate(dues, receipt_columns({})).settled(np.datetime64("1970-01-01"))
    for checkpoint in one["expected"]["checkpoints"]:
        standing = measure(dues, nothing, day(checkpoint["as_of"]))
        rung = buckets(standing.days_past_due, starts)
        ours = {
            ranges[number - 1]["name"]: from_minor(int(standing.overdue_total[rung == number].sum()))
            for number in np.unique(rung[rung > 0]).tolist()
        }
        assert ours == {
            row["range"]: Decimal(row["amount"]) for row in checkpoint["delinquency_installments"]
        }


@check("dqpause")
def _past_due_days(one: Case) -> None:
    dues = due_columns(
        {1: [replace(due, instalment=n) for n, due in enumerate(_instalments_as_loans(one), start=1)]}
    )
    nothing = allocate(dues, receipt_columns({})).settled(np.datetime64("1970-01-01"))
    for checkpoint in one["expected"]["checkpoints"]:
        standing = measure(dues, nothing, day(checkpoint["as_of"]))
        expected = checkpoint["delinquency_loan"]
        assert standing.days_past_due.tolist() == [expected["past_due_days"]]
        assert from_minor(int(standing.overdue_total[0])) == Decimal(expected["delinquent_amount"])


@check("par")
def _par_of_bands(one: Case) -> None:
    bands, expected = one["inputs"]["bands"], one["expected"]
    outstanding = np.array([minor(band["outstanding"]) for band in bands], dtype=np.int64)
    days = np.array([band["max_days"] or band["min_days"] for band in bands], dtype=np.int64)
    assert buckets(days).tolist() == list(Bucket)
    assert buckets(np.array([band["min_days"] for band in bands])).tolist() == list(Bucket)
    risk = portfolio_at_risk(outstanding, days, everything(len(bands)))
    assert from_minor(int(risk.gross[0])) == Decimal(expected["total_outstanding"])
    for bound, name in ((1, "par_1_pct"), (30, "par_30_pct")):
        ratio = risk.ratio(0, bound)
        assert ratio is not None
        percent = round_ratio(ratio.numerator * 10_000, ratio.denominator, HALF_UP)
        assert from_minor(percent) == Decimal(expected[name])
    rates = np.array([to_rate_units(Decimal(band["provision_pct"])) for band in bands], dtype=np.int64)
    provisions = round_ratios(outstanding, rates, RATE_DENOMINATOR, HALF_UP)
    assert [from_minor(amount) for amount in provisions] == list(map(Decimal, expected["provision_by_band"]))
    assert from_minor(int(provisions.sum())) == Decimal(expected["provision_total"])


@check("frp_coll")
def _not_covered_by_security(one: Case) -> None:
    """The base for provision of a classified loan: what is owed beyond security less its haircut."""
    inputs, expected = one["inputs"], one["expected"]
    value = int(inputs["qty"]) * minor(inputs["price"])
    assert from_minor(value) == Decimal(expected["security_value"])
    kept = RATE_DENOMINATOR - to_rate_units(Decimal(inputs["haircut_pct"]))
    eligible = round_ratios(np.array([value], dtype=np.int64), kept, RATE_DENOMINATOR, HALF_UP)
    whole = Decimal(100)
    policy = ProvisionPolicy(
        policy=1,
        tier=Tier.WHOLESALE,
        effective_from=date(2009, 7, 1),
        standard=whole,
        sma=whole,
        ss=whole,
        df=whole,
        bl=whole,
    )
    provisions = provision(
        outstanding=np.array([minor(inputs["loan_outstanding"])], dtype=np.int64),
        suspense=np.zeros(1, dtype=np.int64),
        security=eligible,
        loan_class=np.array([LoanClass.SS], dtype=np.int8),
        policies=ProvisionPolicies.of([policy]),
        chosen=Chosen(np.array([1]), np.array([0])),
    )
    assert from_minor(int(provisions.base[0])) == Decimal(expected["shortfall"])


@check("ladder")
def _rung_on_each_day(one: Case) -> None:
    """The rung a loan stands on by days past due; below the first it is the one before."""
    inputs = one["inputs"]
    due = Due(1, Component.PRINCIPAL, day(inputs["due_date"]), minor(inputs["amount"]))
    dues = due_columns({1: [due]})
    nothing = allocate(dues, receipt_columns({})).settled(np.datetime64("1970-01-01"))
    starts = np.array([rung["from_days"] for rung in inputs["rungs"]], dtype=np.int64)
    names = [one["expected"]["rungs"][0], *(rung["name"] for rung in inputs["rungs"])]
    days = np.array(
        [int(measure(dues, nothing, day(as_of)).days_past_due[0]) for as_of in inputs["as_of"]],
        dtype=np.int64,
    )
    assert [names[rung] for rung in buckets(days, starts)] == one["expected"]["rungs"]
