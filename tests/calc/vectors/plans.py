"""Plans, and plans that change: each change is a new version from the balance it finds."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from calc.allocation import allocate
from calc.calendar import Frequency
from calc.daycount import DayCount
from calc.events import Effect, Moved, Running, add_tranche, change_rate, moratorium, reschedule
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
from calc.schedule import (
    GraceKind,
    Method,
    Part,
    build_schedule,
    instalments_needed,
    nearest_instalment,
)
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
from tests.calc.vectors.registry import check
from tests.calc.walker import Receipt, receipt_columns


@check("plain")
def _plan_as_disbursed(one: Case) -> None:
    assert_rows(plan(loan_terms(one)), expected_rows(one["expected"]["checkpoints"][0]))


@check("gl", "accr")
def _first_plan(one: Case) -> None:
    """The plan as disbursed, and what was accrued for a day until anything else happened."""
    terms = loan_terms(one)
    first = one["expected"]["checkpoints"][0]
    assert_rows(plan(terms), expected_rows(first))
    lent = (one["inputs"]["events"][0]["date"], one["inputs"]["events"][0]["amount"])
    for row in first.get("transactions", ()):
        if row["type"] == "Accrual":
            day_before = (day(row["date"]) - timedelta(days=1)).isoformat()
            accrued = interest_on_facts(terms, [lent], day_before, row["date"])
            assert accrued == Decimal(row["interest"])


@check("frp_emi")
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


@check("frp_term")
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


@check("pen")
def _percentage_of_the_instalment(one: Case) -> None:
    """A charge on each instalment, or a late fee on each overdue one: a named percentage, rounded."""
    rows = next(expected_rows(state) for state in one["expected"]["checkpoints"] if "schedule" in state)
    periods = plan(loan_terms(one))
    assert_rows(periods, rows)
    charge = one["inputs"].get("fee") or one["inputs"]["penalty"]
    parts = ("principal" in charge["base"], "interest" in charge["base"])
    amounts = np.array(
        [row.principal_minor * parts[0] + row.interest_minor * parts[1] for row in periods], dtype=np.int64
    )
    fees = round_ratios(amounts, to_rate_units(Decimal(charge["rate_pct"])), RATE_DENOMINATOR, HALF_EVEN)
    assert [from_minor(fee) for fee in fees] == [
        Decimal(row["fees"]) + Decimal(row["penalty"]) for row in rows
    ]


@check("frp_accr")
def _both_end_days(one: Case) -> None:
    inputs = one["inputs"]
    terms = published_terms(one, day_count=DayCount.ACT_365F)
    until = (day(inputs["to"]) + timedelta(days=1)).isoformat()
    accrued = interest_on_facts(terms, [(inputs["from"], inputs["principal"])], inputs["from"], until)
    assert accrued == Decimal(one["expected"]["interest"])


def _happen(life: Life, event: Case) -> None:
    """What an event of a progressive loan does to its plan; money received on its due date does nothing."""
    match event["type"]:
        case "disbursement":
            amount = minor(event["amount"])
            life.happen(add_tranche, on(event), amount=amount, effect=Effect.INSTALMENT)
        case "rate_change":
            rate, before = Decimal(event["annual_rate_pct"]), on(event) - timedelta(days=1)
            life.happen(change_rate, before, annual_rate=rate, effect=Effect.INSTALMENT)


@check("progressive")
def _replanned(one: Case) -> None:
    """Later tranches keep the number of instalments; a new rate counts from the end of the day before."""
    life = _begun(one)
    happened = 1
    for checkpoint in one["expected"]["checkpoints"]:
        for event in one["inputs"]["events"][happened : checkpoint["after_event"]]:
            _happen(life, event)
        happened = checkpoint["after_event"]
        assert_life(life, expected_rows(checkpoint))


def _begun(one: Case) -> Life:
    """The plan as disbursed; of dates given, one moved off the plan's own still counts as a whole month."""
    given = [day(period["due_date"]) for period in one["inputs"].get("periods", ())]
    terms = loan_terms(one, first_due_on=given[0] if given else None)
    level = nearest_instalment(terms)  # the source spreads what the last instalment would differ by
    if level != plan(terms)[0].total_minor:
        terms = replace(terms, agreed_instalment_minor=level)
    life = Life.of(terms)
    same = [row.nominal_on == due for row, due in zip(life.periods, given, strict=False)]
    if all(same):
        return life
    moved = same.index(False)
    days = one["inputs"]["days_in_month"]
    again = replace(
        terms,
        principal_minor=life.periods[moved - 1].closing_minor,
        instalments=len(given) - moved,
        disbursed_on=life.periods[moved - 1].nominal_on,
        first_due_on=given[moved],
        rest=Part(days, days, one["inputs"]["days_in_year"]),
        numbered_after=moved,
    )
    return Life(life.periods[:moved], list(plan(again)), again)


@check("multitranche")
def _tranches_on_due_dates(one: Case) -> None:
    """The agreed instalment stays, and each tranche lengthens the term."""
    terms = loan_terms(one, agreed_instalment_minor=minor(one["inputs"]["installment_amount"]))
    life = Life.of(replace(terms, instalments=instalments_needed(terms)))
    for event in after(one, "disbursement"):
        life.happen(add_tranche, on(event), amount=minor(event["amount"]), effect=Effect.TERM)
    assert_life(life, expected_rows(one["expected"]["checkpoints"][-1]))


@check("resched")
def _rescheduled(one: Case) -> None:
    """From a due date on: all dates moved, more instalments, a new rate, or a grace on principal."""
    terms = loan_terms(one)
    before, after_it = one["expected"]["checkpoints"]
    life = Life.of(terms)
    assert_life(life, expected_rows(before))
    for event in after(one, "reschedule"):
        moved = day(event["from_due_date"])
        start = life.due_on_or_before(moved - timedelta(days=1))
        left = [row.nominal_on for row in life.periods if row.nominal_on >= moved]
        assert "grace_interest_installments" not in event, "interest put off while principal is repaid"
        if grace := int(event.get("grace_principal_installments", 0)):
            life.happen(moratorium, moved, until=left[grace - 1], kind=GraceKind.INTEREST_PAID)
        if rate := event.get("new_annual_rate_pct"):
            life.happen(change_rate, start, annual_rate=Decimal(rate), effect=Effect.INSTALMENT)
        extra = int(event.get("extra_installments", 0))
        if extra or "new_due_date" in event:
            new = event.get("new_due_date")
            life.happen(
                reschedule,
                start,
                rules=replace(terms.rules(), instalments=len(left) + extra),
                annual_rate=terms.annual_rate,
                first_due_on=day(new) if new else moved,
                keep_due=True,
            )
    assert_life(life, expected_rows(after_it))


@check("reage")
def _re_aged(one: Case) -> None:
    """What is overdue moves into a plan of its own count and dates; the down payment came off at first."""
    rows = expected_rows(one["expected"]["checkpoints"][0])
    terms = loan_terms(one)
    terms = replace(terms, principal_minor=terms.principal_minor - minor(rows[0]["total_due"]))
    periods = plan(terms)
    assert_rows(periods, rows[1:])
    (event,) = after(one, "re_age")
    overdue = sum(row.principal_minor for row in periods if row.nominal_on < on(event))
    again = reschedule(
        Running.of([terms]),
        on(event),
        rules=replace(
            terms.rules(), frequency=Frequency.MONTHLY, every_days=0, instalments=event["installments"]
        ),
        annual_rate=terms.annual_rate,
        first_due_on=day(event["start_date"]),
        moved=Moved(principal=overdue),
    ).one()
    assert_rows(again.periods, expected_rows(one["expected"]["checkpoints"][2])[4:])


@check("reamort", "reamortise", "re_amortise")
def _re_amortised(one: Case) -> None:
    """What is overdue is spread, rounded, over the instalments to come; a down payment came off at first."""
    inputs = one["inputs"]
    lent = minor(inputs["events"][0]["amount"])
    down = lent * int(inputs.get("down_payment_pct_at_disbursement", 0)) // 100
    terms = loan_terms(one, principal_minor=lent - down)
    periods = plan(terms)
    (event,) = after(one, "re_amortise")
    left = [row for row in periods if row.nominal_on > on(event)]
    overdue = sum(row.principal_minor for row in periods if row.nominal_on <= on(event))
    agreed = left[0].total_minor + round_ratio(overdue, len(left), terms.instalment_rounding)
    again = reschedule(
        Running.of([terms]),
        on(event),
        rules=replace(terms.rules(), method=Method.EQUAL_INSTALMENT, instalments=len(left)),
        annual_rate=terms.annual_rate,
        first_due_on=left[0].nominal_on,
        agreed_instalment=agreed,
        moved=Moved(principal=overdue),
    ).one()
    rows = expected_rows(one["expected"]["checkpoints"][-1])
    assert_rows(again.periods, [row for row in rows if day(row["due_date"]) > on(event)])
