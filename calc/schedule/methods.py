"""How each method repays: the paying periods of loans that share their rules, after the grace."""

from fractions import Fraction

import numpy as np

from calc.interest import level_instalments, weighted_instalments
from calc.interest.level import Carried
from calc.money import HALF_UP, BoolColumn, IntColumn, ObjectColumn, Rounding, round_quotients, round_ratios
from calc.schedule.terms import LevelFrom, Method, Residue
from calc.schedule.walk import BELOW_INTEREST, EXHAUSTED, NOT_REPAID, Walk

_BEYOND_ANY = 2**61
"""More than any plan repays at once, in minor units."""


def _equal_instalment(walk: Walk) -> None:
    """One level instalment; the residue of rounding goes to the last, or is moved to the first.

    A poisha more at first is more than a poisha less at last, by the interest between; what cannot
    be moved so (a few minor units) stays in the last.
    """
    rules, rounding = walk.rules, walk.rules.instalment_rounding
    if rules.level_from is LevelFrom.NOMINAL:
        shape = (walk.balance.size, rules.amortised_over or rules.instalments)
        ratios = (
            np.broadcast_to(walk.nominal_above[:, None], shape),
            np.broadcast_to(walk.nominal_below[:, None], shape),
        )
    else:
        ratios = walk.numerators[:, rules.grace_periods :], walk.denominators[:, rules.grace_periods :]
    level = walk.agreed
    if not level.all():
        found = level_instalments(walk.balance, *ratios, rounding, _carried_into_level(walk))
        level = np.where(level > 0, level, found)
    payments = np.repeat(level[:, None], rules.instalments, axis=1)
    last = _pay(walk, payments)
    if rules.residue is Residue.FIRST and rules.instalments > 1:
        shrink, grow = _growth_after_first(walk)
        for _ in range(3):
            payments[:, 0] += round_quotients((last - level).astype(object) * shrink, grow, HALF_UP)
            last = _pay(walk, payments)
    walk.level[:, rules.grace_periods :] = level[:, None]


def _carried_into_level(walk: Walk) -> Carried | None:
    """Carried interest, where the first paying instalment is the one it falls due with."""
    rules = walk.rules
    waits = rules.grace_periods or rules.quiet_periods or rules.level_from is LevelFrom.NOMINAL
    return None if waits else walk.carried


def _growth_after_first(walk: Walk) -> tuple[ObjectColumn, ObjectColumn]:
    """What a unit paid with the first instalment grows to by the last, as a fraction (below, above)."""
    below = np.full(walk.balance.size, 1, dtype=object)
    above = below.copy()
    for period in range(walk.rules.grace_periods + 1, walk.rules.periods):
        below = below * walk.denominators[:, period]
        above = above * (walk.denominators[:, period] + walk.numerators[:, period])
    return below, above


def _step_up(walk: Walk) -> None:
    """Instalments that grow by a percentage after every few; the last takes the residue."""
    rules = walk.rules
    growth = 1 + Fraction(rules.step_percent) / 100
    done = rules.steps_done
    reached = [(done + number) // rules.step_every for number in range(rules.instalments)]
    weights = [growth ** (step - reached[0]) for step in reached]
    payments = np.stack(
        [_grown(walk.agreed, weight, rules.instalment_rounding) for weight in weights], axis=1
    )
    if not walk.agreed.all():
        above, below = walk.numerators[:, rules.grace_periods :], walk.denominators[:, rules.grace_periods :]
        carried = _carried_into_level(walk)
        found = weighted_instalments(walk.balance, above, below, weights, rules.instalment_rounding, carried)
        payments = np.where(walk.agreed[:, None] > 0, payments, found)
    _pay(walk, payments)


def _grown(amount: IntColumn, weight: Fraction, rounding: Rounding) -> IntColumn:
    """Amounts times a weight, rounded; one beyond any principal repays whatever is left, so that will do."""
    above, below = (
        amount.astype(object) * weight.numerator,
        np.full(amount.size, weight.denominator, dtype=object),
    )
    above = np.minimum(above, below * _BEYOND_ANY)
    return round_quotients(above, below * rounding.quantum_minor, rounding)


def _pay(walk: Walk, payments: IntColumn) -> IntColumn:
    """Walk the paying periods with these instalments; the last pays whatever is left, and is given back."""
    grace, periods = walk.rules.grace_periods, walk.rules.periods
    start, prepaid = walk.balance, walk.prepaid
    walk.faults.clear()
    walk.level[:, grace:] = payments
    below, exhausted = np.zeros(start.size, dtype=bool), np.zeros(start.size, dtype=bool)
    try:
        for period in range(grace, periods):
            interest = walk.accrued(period)
            principal = walk.balance
            if period < periods - 1:
                principal = payments[:, period - grace] - interest
                below |= principal < 0
                covered = np.clip(principal, 0, prepaid)
                principal, prepaid = principal - covered, prepaid - covered
                exhausted |= principal >= walk.balance
            walk.record(period, principal, interest)
    finally:  # a balance that ran away overflows; the reason is known by then
        _flag_payments(walk, below, exhausted)
    walk.balance = start
    return walk.principal[:, -1] + walk.interest[:, -1]


def _flag_payments(walk: Walk, below: BoolColumn, exhausted: BoolColumn) -> None:
    """Remember loans whose instalments miss their interest, or repay them before the last."""
    agreed = walk.agreed > 0
    walk.flag("agreed_instalment", BELOW_INTEREST, below & agreed)
    walk.flag("agreed_instalment", EXHAUSTED, exhausted & agreed)
    steps = walk.rules.method is Method.STEP_UP
    walk.flag("step_percent" if steps else "first_due_on", BELOW_INTEREST, below & ~agreed)
    walk.flag("instalment_rounding", EXHAUSTED, exhausted & ~agreed)


def _equal_principal(walk: Walk) -> None:
    """The same principal each time, interest on what is left; what is prepaid covers the first of them."""
    shares = _shares(walk, walk.balance + walk.prepaid, walk.rules.instalment_rounding)
    before = np.cumsum(shares, axis=1) - shares
    _repay(walk, shares - np.clip(walk.prepaid[:, None] - before, 0, shares))


def _irregular(walk: Walk) -> None:
    """The principal the contract lists, interest on what is left."""
    amounts = np.array(walk.rules.amounts, dtype=np.int64)
    walk.flag("amounts", NOT_REPAID, walk.balance != amounts.sum())
    _repay(walk, np.broadcast_to(amounts, (walk.balance.size, amounts.size)))


def _bullet(walk: Walk) -> None:
    """Interest each period, the whole principal with the last."""
    principals = np.zeros((walk.balance.size, walk.rules.instalments), dtype=np.int64)
    principals[:, -1] = walk.balance
    _repay(walk, principals)


def _repay(walk: Walk, principals: IntColumn) -> None:
    """Given principals, interest on the running balance."""
    for period in range(walk.rules.grace_periods, walk.rules.periods):
        interest = walk.accrued(period)
        walk.record(period, principals[:, period - walk.rules.grace_periods], interest)


def _flat(walk: Walk) -> None:
    """Interest on the whole amount for the whole term, spread evenly like the principal."""
    grace, rules = walk.rules.grace_periods, walk.rules
    interest = walk.simple_interest(walk.interest_base(walk.balance), grace, rules.periods)
    interests = _interest_shares(walk, interest)
    principals = _shares(walk, walk.balance + interest, rules.instalment_rounding) - interests
    agreed = walk.agreed > 0
    walk.flag("agreed_instalment", BELOW_INTEREST, agreed & np.any(principals[:, :-1] < 0, axis=1))
    walk.flag("agreed_instalment", EXHAUSTED, agreed & (principals[:, -1] < 0))
    walk.flag("instalment_rounding", EXHAUSTED, ~agreed & np.any(principals < 0, axis=1))
    for period in range(grace, rules.periods):
        walk.record(period, principals[:, period - grace], interests[:, period - grace])


def _shares(walk: Walk, amount: IntColumn, rounding: Rounding) -> IntColumn:
    """An amount in equal parts, loans x instalments; flags loans whose last part rounding makes negative."""
    agreed = walk.agreed > 0
    share = np.where(agreed, walk.agreed, round_ratios(amount, 1, walk.rules.instalments, rounding))
    shares = _parts(walk, amount, share)
    walk.level[:, walk.rules.grace_periods :] = share[:, None]
    exhausted = np.any(shares < 0, axis=1)
    walk.flag("agreed_instalment", EXHAUSTED, exhausted & agreed)
    walk.flag("instalment_rounding", EXHAUSTED, exhausted & ~agreed)
    return shares


def _interest_shares(walk: Walk, interest: IntColumn) -> IntColumn:
    """Interest in equal parts; a few poisha over many instalments never make the last part negative."""
    count = walk.rules.instalments
    share = round_ratios(interest, 1, count, walk.rules.interest_rounding)
    return _parts(walk, interest, np.minimum(share, interest // max(count - 1, 1)))


def _parts(walk: Walk, amount: IntColumn, share: IntColumn) -> IntColumn:
    """The same share for every instalment but the last or first, which takes the residue."""
    count = walk.rules.instalments
    shares = np.repeat(share[:, None], count, axis=1)
    shares[:, -1 if walk.rules.residue is Residue.LAST else 0] = amount - share * (count - 1)
    return shares


METHODS = {
    Method.EQUAL_INSTALMENT: _equal_instalment,
    Method.EQUAL_PRINCIPAL: _equal_principal,
    Method.FLAT: _flat,
    Method.BULLET: _bullet,
    Method.STEP_UP: _step_up,
    Method.IRREGULAR: _irregular,
}
