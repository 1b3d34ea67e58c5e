"""Events after which the loan goes on under its own terms: prepayment, a new rate, a further tranche."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from calc.calendar import DateColumn
from calc.events.accruing import accrued_minor, earned, spread_evenly
from calc.events.onward import Onward, planned, terms_onward, with_needed
from calc.events.replan import Draft, Replans, assemble
from calc.events.rest import Rest, rest_of
from calc.events.running import CannotReplan, Rows, Running
from calc.interest import Segments
from calc.money import (
    HALF_UP,
    RATE_DENOMINATOR,
    BoolColumn,
    IntColumn,
    round_ratios,
    split_by_ratio,
    to_rate_units,
)
from calc.schedule import CannotSchedule, Method

Amounts = int | IntColumn
Days = date | np.datetime64 | DateColumn


class Effect(StrEnum):
    """What a prepayment or a tranche changes: the number of instalments, or their amount."""

    TERM = "term"
    INSTALMENT = "instalment"


class Accrued(StrEnum):
    """When the interest accrued until a prepayment falls due: with the next instalment, or with it."""

    CARRIED = "carried"
    DUE = "due"


def prepay(
    running: Running,
    on: Days,
    *,
    amount: Amounts,
    effect: Effect | None,
    interest: Accrued = Accrued.CARRIED,
    fee_percent: Decimal = Decimal(0),
) -> Replans:
    """Principal paid before it is due, in minor units: an instalment of its own on the date.

    Effect.TERM keeps the instalment and shortens the term, Effect.INSTALMENT keeps the term and lowers
    what is paid, None keeps both: the principal prepaid covers that of the next instalments. Flat
    interest is counted on so much less from the date on.
    """
    on, amount = days_of(running, on), amounts_of(running, amount)
    rest = rest_of(running, on)
    refused = no_rest(running, rest)
    refuse(refused, amount <= 0, "amount", "a prepayment needs a positive amount")
    sentence = "there are {left_minor} minor units of principal not yet due; to pay them all, settle the loan"
    refuse(refused, amount >= rest.balance, "amount", sentence, left_minor=rest.balance)
    keeps = effect is not Effect.INSTALMENT
    if keeps:
        bullet = running.has("method", Method.BULLET)
        refuse(refused, bullet, "effect", "a loan repaid at once has no term to shorten: lower its interest")
    if effect is None:
        flat = running.has("method", Method.FLAT)
        refuse(refused, flat, "effect", "flat instalments are not covered in advance: shorten or lower them")
    onward = Onward.of(running, rest)
    paid, segments, owed = _interest_at(running, rest, onward, interest)
    onward = replace(
        onward,
        balance=rest.balance - amount,
        flat_on=np.maximum(onward.flat_on - amount, 0),
        segments=segments,
        amount=owed,
        extra=onward.extra + 1,
        prepaid=onward.prepaid + (amount if effect is None else 0),
        agreed=onward.agreed if keeps else np.zeros_like(amount),
        amounts=_lowered(onward.amounts, amount, effect, refused),
    )
    row = Rows(
        loan=np.arange(len(running), dtype=np.int64),
        instalment=rest.kept + onward.extra,
        nominal_on=on,
        due_on=on,
        principal=amount,
        interest=paid,
        segments=earned(running, rest).segments if interest is Accrued.DUE else Segments.none(),
    )
    fee = early_fee(amount, fee_percent)
    return go_on(running, rest, onward, refused, shorten=keeps, rows=row, fee=fee)


def change_rate(running: Running, on: Days, *, annual_rate: Decimal, effect: Effect) -> Replans:
    """A new rate, percent a year, from the date on; the period it falls in is split there.

    Effect.INSTALMENT keeps the term: level instalments are worked out anew, planned principal (equal,
    irregular, at the end) stays. Effect.TERM keeps the level instalment. A loan that bears the rate
    already is refused: nothing changes.
    """
    on = days_of(running, on)
    rest = rest_of(running, on)
    rate = np.full(len(running), to_rate_units(annual_rate), dtype=np.int64)
    refused = no_rest(running, rest)
    same = running.terms.rate == rate
    refuse(refused, same, "annual_rate", "the rate is {percent} % already", percent=annual_rate)
    onward = replace(Onward.of(running, rest), rate=rate)
    levels = running.has("method", Method.EQUAL_INSTALMENT, Method.STEP_UP, Method.FLAT)
    keeps = effect is Effect.TERM
    onward = replace(onward, agreed=np.where(levels & (not keeps), 0, onward.agreed))
    return go_on(running, rest, onward, refused, shorten=levels & keeps)


def add_tranche(running: Running, on: Days, *, amount: Amounts, effect: Effect) -> Replans:
    """Money lent on top from the date on, in minor units.

    Effect.INSTALMENT keeps the number of instalments and raises them, Effect.TERM keeps the instalment
    and lengthens the term. Irregular amounts rise in proportion.
    """
    on, amount = days_of(running, on), amounts_of(running, amount)
    rest = rest_of(running, on)
    refused = no_rest(running, rest)
    refuse(refused, amount <= 0, "amount", "a tranche needs a positive amount")
    if effect is Effect.TERM:
        fixed = running.has("method", Method.BULLET, Method.IRREGULAR)
        refuse(refused, fixed, "effect", "a plan without a level instalment cannot be lengthened: raise it")
    onward = Onward.of(running, rest)
    onward = replace(
        onward,
        balance=rest.balance + amount,
        flat_on=np.where(onward.flat_on > 0, onward.flat_on + amount, 0),
        agreed=onward.agreed if effect is Effect.TERM else np.zeros_like(amount),
        amounts={
            at: split_by_ratio(sum(old) + int(amount[at]), old) if sum(old) else old
            for at, old in onward.amounts.items()
        },
    )
    return go_on(running, rest, onward, refused, shorten=effect is Effect.TERM, added=amount)


def early_fee(principal: Amounts, percent: Decimal) -> IntColumn:
    """The fee on principal paid early, rounded half up: 0.5 % of 4,00,000.00 is 2,000.00."""
    columns = np.atleast_1d(np.asarray(principal, dtype=np.int64))
    return round_ratios(columns, to_rate_units(percent), RATE_DENOMINATOR, HALF_UP)


def days_of(running: Running, on: Days) -> DateColumn:
    """A date for every loan."""
    return np.broadcast_to(np.asarray(on, dtype="datetime64[D]"), len(running)).copy()


def amounts_of(running: Running, amount: Amounts) -> IntColumn:
    """An amount for every loan."""
    return np.broadcast_to(np.asarray(amount, dtype=np.int64), len(running)).copy()


def refuse(
    refused: dict[int, CannotSchedule],
    where: npt.NDArray[np.bool_],
    term: str,
    sentence: str,
    **parameters: object,
) -> None:
    """Remember the loans an event does not fit; a column among the parameters gives each its own figure."""
    for at in np.flatnonzero(where):
        own = {
            name: value[at].item() if isinstance(value, np.ndarray) else value
            for name, value in parameters.items()
        }
        refused.setdefault(int(at), CannotReplan(term, sentence, **own))


def no_rest_at_all(rest: Rest) -> dict[int, CannotSchedule]:
    """Loans of which nothing falls due after the date."""
    found = dict(rest.refused)
    refuse(found, ~rest.alive, "effective_on", "nothing falls due after {date}", date=rest.on)
    return found


def no_rest(running: Running, rest: Rest) -> dict[int, CannotSchedule]:
    """Loans whose plan the bank gave, or of which nothing falls due after the date."""
    found = no_rest_at_all(rest)
    refuse(found, running.supplied, "plan", "the bank gave this plan: ask it for the new one")
    return found


def _interest_at(
    running: Running, rest: Rest, onward: Onward, interest: Accrued
) -> tuple[IntColumn, Segments, IntColumn]:
    """Interest that falls due on the date, and what is carried on: segments and amount.

    Flat interest is one amount for the whole term, so there what is paid is only taken off.
    """
    none = np.zeros(len(running), dtype=np.int64)
    if interest is Accrued.CARRIED:
        return none, onward.segments, onward.amount
    paid = accrued_minor(running, rest)
    flat = spread_evenly(running, rest)
    segments = onward.segments.take(flat[onward.segments.row])
    return paid, segments, np.where(flat, onward.amount - paid, 0)


def _lowered(
    amounts: dict[int, tuple[int, ...]],
    paid: IntColumn,
    effect: Effect | None,
    refused: dict[int, CannotSchedule],
) -> dict[int, tuple[int, ...]]:
    """Irregular amounts less what is prepaid: the last ones first, all in proportion, or the next ones."""
    lowered = {}
    for at, old in amounts.items():
        left = sum(old) - int(paid[at])
        if at in refused or left <= 0:
            lowered[at] = old
        elif effect is Effect.INSTALMENT:
            lowered[at] = split_by_ratio(left, old)
        elif effect is Effect.TERM:
            lowered[at] = _from_the_front(old, left)
        else:
            lowered[at] = tuple(reversed(_from_the_front(old[::-1], left)))
            lowered[at] = (0,) * (len(old) - len(lowered[at])) + lowered[at]
    return lowered


def _from_the_front(amounts: tuple[int, ...], left: int) -> tuple[int, ...]:
    """The first amounts up to so much in all."""
    kept: list[int] = []
    for amount in amounts:
        if not left:
            break
        kept.append(min(amount, left))
        left -= kept[-1]
    return tuple(kept)


def go_on(
    running: Running,
    rest: Rest,
    onward: Onward,
    refused: dict[int, CannotSchedule],
    *,
    shorten: bool | BoolColumn = False,
    rows: Rows | None = None,
    added: IntColumn | None = None,
    fee: IntColumn | None = None,
) -> Replans:
    """The version under which each loan goes on; `shorten`: as many instalments as the agreed one takes."""
    sound = np.ones(len(running), dtype=bool)
    sound[list(refused)] = False
    counts = onward.instalments.copy()
    for at, amounts in onward.amounts.items():
        counts[at] = len(amounts)
    terms = terms_onward(running, rest, replace(onward, instalments=counts))
    asked = sound & shorten & (terms.agreed() > 0)
    terms, never = with_needed(terms, running, asked)
    refused.update(never)
    sound[list(refused)] = False
    none = np.zeros(len(running), dtype=np.int64)
    draft = Draft(
        terms=terms,
        rows=Rows.join([standing_rows(running, rest), *([rows] if rows else [])]),
        left=rest.alive,
        added=none if added is None else added,
        transferred=none,
        capitalised=none,
        fee=none if fee is None else fee,
        rebate=none,
        refused=refused,
    )
    return assemble(running, rest, draft, planned(terms, running, sound))


def standing_rows(running: Running, rest: Rest) -> Rows:
    """The dues that fall due on the very date and stand: the new version repeats them."""
    plan = running.plan
    mine = rest.standing & (plan.instalment > 0)
    place = np.cumsum(mine) - 1
    working = plan.segments.take(mine[plan.segments.row])
    return Rows(
        loan=plan.loan[mine],
        instalment=plan.instalment[mine].astype(np.int64),
        nominal_on=plan.nominal_on[mine],
        due_on=plan.due_on[mine],
        principal=plan.principal[mine],
        interest=plan.interest[mine],
        segments=replace(working, row=place[working.row]),
    )
