"""Interest raised from facts by daily product, after which the plan goes on."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

import numpy as np

from calc.allocation import allocate
from calc.arrears import measure
from calc.events import Effect, Running, prepay, settlement_figure
from calc.money import (
    from_minor,
)
from calc.schedule import Method, Terms, build_schedule
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


def _effect(strategy: str) -> Effect | None:
    """What a source's strategy keeps: the instalment, the instalment and the term, or the term."""
    if strategy.startswith("reduce_number"):
        return Effect.TERM
    return None if strategy.startswith("reschedule_next") else Effect.INSTALMENT


@check("recalc")
def _recalculated(one: Case) -> None:
    """Interest follows the money day by day; money beyond what is due on its date prepays."""
    if "prepayment_strategy" in one["inputs"]:
        _excess_on_due_dates(one)
    else:
        _follow_the_money(one)


def _excess_on_due_dates(one: Case) -> None:
    """What is received on a due date beyond what falls due is a prepayment, of the strategy named."""
    effect = _effect(one["inputs"]["prepayment_strategy"])
    life = Life.of(loan_terms(one))
    for event in after(one, "repayment"):
        due = sum(row.total_minor for row in life.periods if row.nominal_on == on(event))
        excess = minor(event["amount"]) - due
        if excess > 0:
            life.happen(prepay, on(event), amount=excess, effect=effect)
    assert_life(life, expected_rows(one["expected"]["checkpoints"][-1]))


@check("ovd")
def _follow_the_money(one: Case) -> None:
    """Principal overdue bears interest to the business date; what falls due later is assumed paid."""
    last = one["inputs"]["events"][-1]
    desk = Recalculation(loan_terms(one), date.fromisoformat(last.get("business_date") or last["date"]))
    for event in after(one, "repayment"):
        desk.received.append((on(event), minor(event["amount"])))
    rows = expected_rows(one["expected"]["checkpoints"][-1])
    names = ("principal", "interest", "balance_after")
    theirs = [(row["due_date"], *(Decimal(row[name]) for name in names)) for row in rows]
    assert desk.rows() == theirs


@dataclass
class Recalculation:
    """A plan whose interest is that of the principal really outstanding, due date after due date.

    Money settles what is due, the oldest first, interest before principal; the rest is principal in
    advance. An instalment stays what it was unless more principal than its own is paid in advance or
    with it: then the ones after it are levelled anew.
    """

    terms: Terms
    as_of: date
    received: list[tuple[date, int]] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    unpaid: list[list[int]] = field(default_factory=list)

    def rows(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """Due date, principal, interest and balance of every instalment."""
        dues = [row.nominal_on for row in plan(self.terms)]
        level = self.terms.agreed_instalment_minor or plan(self.terms)[0].total_minor
        self._move(self.terms.disbursed_on, -self.terms.principal_minor)
        balance, found, start = self.terms.principal_minor, [], self.terms.disbursed_on
        for number, due in enumerate(dues, start=1):
            ahead = sum(self._pay(day, money) for day, money in self.received if start < day < due)
            if start <= self.as_of < due:
                self._move(self.as_of, sum(row[1] for row in self.unpaid))
                self.unpaid.clear()
            interest = minor(str(interest_on_facts(self.terms, self.moved, str(start), str(due))))
            planned = balance if number == len(dues) else level - interest
            principal = max(planned, ahead)
            self.unpaid.append([interest, principal - ahead])
            beyond = sum(self._pay(day, money) for day, money in self.received if day == due)
            if due > self.as_of:
                self._move(due, sum(row[1] for row in self.unpaid))
                self.unpaid.clear()
            balance -= principal + beyond
            found.append((due, principal + beyond, interest, balance))
            if principal > planned or beyond:
                level = self._anew(due, balance, len(dues) - number)
            start = due
        return [(str(due), from_minor(p), from_minor(i), from_minor(b)) for due, p, i, b in found]

    def _pay(self, day: date, money: int) -> int:
        """Settle what is due; what is left moves the principal in advance, and is given back."""
        principal = 0
        for row in self.unpaid:
            for part in (0, 1):
                used = min(row[part], money)
                row[part], money = row[part] - used, money - used
                principal += used * part
        self._move(day, principal + money)
        return money

    def _move(self, day: date, principal: int) -> None:
        if principal:
            self.moved.append((str(day), str(from_minor(-principal))))

    def _anew(self, day: date, balance: int, left: int) -> int:
        """The level instalment of what is left."""
        terms = replace(
            self.terms,
            principal_minor=balance,
            disbursed_on=day,
            instalments=left,
            agreed_instalment_minor=0,
        )
        return plan(terms)[0].total_minor


@check("recalc15")
def _by_rest_days(one: Case) -> None:
    """Of what is overdue the source counts the principal outstanding at the last rest (due) day only."""
    terms = loan_terms(one)
    periods, schedule = plan(terms), build_schedule(terms)
    as_of = on(one["inputs"]["events"][-1])
    stood = max(number for number, row in enumerate(periods, start=1) if row.nominal_on < as_of)
    rest, broken = periods[stood - 1], periods[stood]
    received = [
        Receipt(number, on(event), minor(event["amount"]))
        for number, event in enumerate(after(one, "repayment"), start=1)
    ]
    settled = allocate(schedule.dues(1), receipt_columns({1: received})).settled(
        np.datetime64(rest.nominal_on)
    )
    left = measure(schedule.dues(1), settled, rest.nominal_on).outstanding_principal
    interest = interest_on_facts(
        terms,
        [(str(rest.nominal_on), str(from_minor(int(left[0]))))],
        str(rest.nominal_on),
        str(broken.nominal_on),
    )
    principal = from_minor(terms.agreed_instalment_minor) - interest
    published = expected_rows(one["expected"]["checkpoints"][-1])
    assert_rows(periods[:stood], published[:stood])
    row = published[stood]
    assert (interest, principal) == (Decimal(row["interest"]), Decimal(row["principal"]))
    onward = replace(
        terms,
        principal_minor=rest.closing_minor - minor(str(principal)),
        disbursed_on=broken.nominal_on,
        instalments=len(published) - stood - 1,
    )
    assert_rows(plan(onward), published[stood + 1 :])


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
