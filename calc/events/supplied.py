"""Part-prepayment under a plan that the bank supplied: its own figures are all there is to reckon from."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from calc.events.accruing import accrued_minor
from calc.events.changing import (
    Amounts,
    Days,
    Effect,
    amounts_of,
    days_of,
    no_rest_at_all,
    refuse,
    standing_rows,
)
from calc.events.replan import Draft, Replans, assemble
from calc.events.rest import Rest, rest_of
from calc.events.running import CannotReplan, Rows, Running
from calc.money import HALF_UP, round_ratio, split_by_ratio
from calc.schedule import SuppliedRow, supplied_schedule


def prepay_supplied(
    running: Running, on: Days, *, amount: Amounts, effect: Effect, rows: Sequence[SuppliedRow] = ()
) -> Replans:
    """Principal of one loan paid before it is due, in minor units; the interest accrued falls due with it.

    `rows`: the bank's own new plan of what is left, taken as it is. Else each later instalment bears
    interest on its new balance as it did on the old one: planned interest x new / old, half up.
    Effect.INSTALMENT lowers principal in proportion, Effect.TERM keeps what each instalment comes to
    until nothing is left. CannotReplan where interest is planned on no balance: only the bank knows it.
    """
    on, amount = days_of(running, on), amounts_of(running, amount)
    rest = rest_of(running, on)
    refused = no_rest_at_all(rest)
    refuse(refused, amount <= 0, "amount", "a prepayment needs a positive amount")
    sentence = "there are {left_minor} minor units of principal not yet due; to pay them all, settle the loan"
    refuse(refused, amount >= rest.balance, "amount", sentence, left_minor=rest.balance)
    for refusal in refused.values():
        raise refusal
    standing = standing_rows(running, rest)
    left = int(rest.balance[0] - amount[0])
    new = list(rows) or _onward(running, rest, left, effect)
    numbered = [SuppliedRow(at, row.due_on, row.principal_minor, row.interest_minor)
                for at, row in enumerate(new, start=1)]  # fmt: skip
    before = rest.kept + standing.loan.size
    plan = supplied_schedule(left, on[0].item(), numbered).columns
    plan = replace(plan, instalment=plan.instalment + np.int32(before[0] + 1))
    paid = Rows(
        loan=np.zeros(1, dtype=np.int64),
        instalment=before + 1,
        nominal_on=on,
        due_on=on,
        principal=amount,
        interest=accrued_minor(running, rest),
        segments=rest.segments,
    )
    none = np.zeros(1, dtype=np.int64)
    draft = Draft(
        terms=running.terms,
        rows=Rows.join([standing, paid]),
        left=np.zeros(1, dtype=bool),
        added=none,
        transferred=none,
        capitalised=none,
        fee=none,
        rebate=none,
        refused=refused,
    )
    return assemble(running, rest, draft, plan)


def _onward(running: Running, rest: Rest, left: int, effect: Effect) -> list[SuppliedRow]:
    """The instalments after the date, on what is left."""
    plan, first = running.plan, int(rest.first[0])
    later = range(first, len(plan))
    principal = [int(plan.principal[at]) for at in later]
    interest = [Fraction(int(plan.interest[at])) for at in later]
    above, below = rest.owed()
    interest[0] -= Fraction(int(above[0]), int(below[0]))
    opening = [int(plan.opening[at]) for at in later]
    if any(owed and not held for owed, held in zip(interest, opening, strict=True)):
        raise CannotReplan(
            "rows", "interest is planned where no principal is left: ask the bank for its plan"
        )
    if effect is Effect.TERM and sum(1 for share in principal if share) < 2:
        raise CannotReplan("effect", "a loan repaid at once has no term to shorten: lower its interest")
    shares = split_by_ratio(left, principal) if effect is Effect.INSTALMENT else None
    found = []
    for place, at in enumerate(later):
        bears = interest[place] * left / opening[place] if opening[place] else Fraction(0)
        charged = round_ratio(bears.numerator, bears.denominator, HALF_UP)
        if shares is not None:
            share = shares[place]
        elif principal[place]:
            share = min(left, principal[place] + int(plan.interest[at]) - charged)
        else:
            share = 0
        if share or charged:
            found.append(SuppliedRow(0, plan.due_on[at].item(), share, charged))
        left -= share
        if not left:
            break
    return found
