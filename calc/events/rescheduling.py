"""Rescheduling and restructuring under new terms, and plans that the bank gives anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from calc.calendar import NO_DATE
from calc.events.accruing import accrued_minor, earned
from calc.events.changing import (
    Amounts,
    Days,
    amounts_of,
    days_of,
    no_rest_at_all,
    refuse,
    standing_rows,
)
from calc.events.onward import planned
from calc.events.replan import Draft, Replans, assemble
from calc.events.rest import Rest, rest_of
from calc.events.running import CannotReplan, Rows, Running
from calc.interest import Segments
from calc.money import IntColumn, to_rate_units
from calc.schedule import Rules, SuppliedRow, TakenOver, TermsColumns, supplied_schedule


@dataclass(frozen=True)
class Moved:
    """What a new plan takes in besides the principal not yet due, in minor units.

    principal and interest (with charges) of earlier instalments, overdue; down_payment falls due on the
    event's date. With `capitalise` the interest moved and the interest accrued become principal, else
    they fall due with the first interest of the new plan and bear nothing. `accrued` is the interest
    accrued where it comes from facts, by daily product: it falls due on the date, in an instalment there.
    """

    principal: Amounts = 0
    interest: Amounts = 0
    down_payment: Amounts = 0
    capitalise: bool = True
    accrued: Amounts | None = None


NOTHING_MOVED = Moved()


def reschedule(
    running: Running,
    on: Days,
    *,
    rules: Rules,
    annual_rate: Decimal,
    first_due_on: date | None = None,
    agreed_instalment: int = 0,
    moved: Moved = NOTHING_MOVED,
    keep_due: bool = False,
) -> Replans:
    """New terms from the date on: method, number, rate, dates and grace as the rules say.

    Without a first due date periods are counted from the event. A due on the very date goes into the
    new plan, unless it is kept.
    """
    on = days_of(running, on)
    loans = len(running)
    rest = rest_of(running, on, absorb=not keep_due)
    principal, interest, down = (
        amounts_of(running, one) for one in (moved.principal, moved.interest, moved.down_payment)
    )
    refused = dict(rest.refused)
    for name, amounts in (("principal", principal), ("interest", interest), ("down_payment", down)):
        refuse(refused, amounts < 0, name, "an amount is negative")
    none = np.zeros(loans, dtype=np.int64)
    capitalised = none
    on_facts = None if moved.accrued is None else amounts_of(running, moved.accrued)
    if moved.capitalise:
        capitalised = (accrued_minor(running, rest) if on_facts is None else on_facts) + interest
    taken = rest.balance + principal + capitalised
    refuse(refused, taken <= 0, "effective_on", "there is no principal for a new plan")
    sentence = "a down payment of {paid_minor} leaves nothing of {left_minor} minor units to reschedule"
    refuse(refused, (down >= taken) & (down > 0), "down_payment", sentence, paid_minor=down, left_minor=taken)
    standing = standing_rows(running, rest)
    before = np.bincount(standing.loan, minlength=loans)
    rows = Rows.join([standing, _at_once(rest, down, before, none if on_facts is None else on_facts)])
    terms = TermsColumns(
        rules=(rules,),
        rule=np.zeros(loans, dtype=np.int64),
        principal=taken - down,
        rate=np.full(loans, to_rate_units(annual_rate), dtype=np.int64),
        disbursed_on=on,
        first_due_on=np.full(loans, first_due_on or NO_DATE, dtype="datetime64[D]"),
        agreed_instalment=np.full(loans, agreed_instalment, dtype=np.int64),
        taken_over=_carried(
            earned(running, rest)
            if on_facts is None
            else replace(rest, segments=Segments.none(), amount=none),
            interest,
            rows,
            loans,
            capitalise=moved.capitalise,
        ),
    )
    sound = np.ones(loans, dtype=bool)
    sound[list(refused)] = False
    draft = Draft(
        terms=terms,
        rows=rows,
        left=np.ones(loans, dtype=bool),
        added=none,
        transferred=principal,
        capitalised=capitalised,
        fee=none,
        rebate=none,
        refused=refused,
    )
    return assemble(running, rest, draft, planned(terms, running, sound))


def resupply(
    running: Running, on: Days, rows: Sequence[SuppliedRow], *, moved: Moved = NOTHING_MOVED
) -> Replans:
    """The bank's own new plan of one loan: rows after the date that repay what was not yet due.

    What is moved in is to be repaid, too, less a down payment; of interest what becomes principal is, the
    rest must stand in the rows' own interest. They are numbered on from what stands, in the order given.
    CannotSchedule if they do not repay the loan in order.
    """
    on = days_of(running, on)
    rest = rest_of(running, on)
    refused = no_rest_at_all(rest)
    for refusal in refused.values():
        raise refusal
    none = np.zeros(1, dtype=np.int64)
    principal, interest, down = (
        amounts_of(running, one) for one in (moved.principal, moved.interest, moved.down_payment)
    )
    standing = standing_rows(running, rest)
    at_once = _at_once(rest, down, np.array([standing.loan.size]), none)
    capitalised = interest if moved.capitalise else none
    planned_interest = sum(row.interest_minor for row in rows)
    if not moved.capitalise and planned_interest < interest[0]:
        sentence = "{moved_minor} of interest moves in, the plan holds {given_minor} minor units of it"
        raise CannotReplan("rows", sentence, moved_minor=int(interest[0]), given_minor=planned_interest)
    owed = int((rest.balance + principal + capitalised - down)[0])
    numbered = [replace(row, instalment=number) for number, row in enumerate(rows, start=1)]
    plan = supplied_schedule(owed, on[0].item(), numbered).columns
    before = int(rest.kept[0]) + standing.loan.size + at_once.loan.size
    plan = replace(plan, instalment=plan.instalment + np.int32(before))
    draft = Draft(
        terms=running.terms,
        rows=Rows.join([standing, at_once]),
        left=np.zeros(1, dtype=bool),
        added=none,
        transferred=principal,
        capitalised=capitalised,
        fee=none,
        rebate=none,
        refused=refused,
    )
    return assemble(running, rest, draft, plan)


def _at_once(rest: Rest, down: IntColumn, before: IntColumn, accrued: IntColumn) -> Rows:
    """Down payments and interest accrued, an instalment a loan on the event's date after those before it."""
    mine = np.flatnonzero((down > 0) | (accrued > 0)).astype(np.int64)
    return Rows(
        loan=mine,
        instalment=rest.kept[mine] + before[mine] + 1,
        nominal_on=rest.on[mine],
        due_on=rest.on[mine],
        principal=down[mine],
        interest=accrued[mine],
        segments=Segments.none(),
    )


def _carried(rest: Rest, interest: IntColumn, rows: Rows, loans: int, *, capitalise: bool) -> TakenOver:
    """What the new plans take over: nothing that became principal."""
    begun = TakenOver.nothing(loans)
    numbered = rest.kept + np.bincount(rows.loan, minlength=loans).astype(np.int64)
    if capitalise:
        return replace(begun, numbered_after=numbered)
    return replace(begun, segments=rest.segments, amount=rest.amount + interest, numbered_after=numbered)
