"""A moratorium: instalments that fall due within a stretch of dates are not asked for."""

from dataclasses import replace
from enum import StrEnum

import numpy as np

from calc.events.changing import Days, days_of, go_on, no_rest, refuse
from calc.events.onward import KINDS, Onward
from calc.events.replan import Replans
from calc.events.rest import rest_of
from calc.events.running import Running
from calc.money import sum_by
from calc.schedule import GraceKind, Method

_GROWING = (GraceKind.INTEREST_ADDED, GraceKind.INTEREST_CAPITALISED)


class Dates(StrEnum):
    """Whether the instalments not asked for move the later ones on, or make them larger."""

    SHIFTED = "shifted"
    KEPT = "kept"


def moratorium(
    running: Running, on: Days, *, until: Days, kind: GraceKind, dates: Dates = Dates.SHIFTED
) -> Replans:
    """No principal falls due from `on` to `until`, both included; interest goes as the kind says.

    The kind covers the periods that end in the stretch, from `on`: what accrued before stays owed.
    SHIFTED keeps the instalment where the balance does not grow, and ends as much later; KEPT ends on
    the same day with larger instalments. A stretch in which nothing falls due is refused: nothing changes.
    """
    on, until = days_of(running, on), days_of(running, until)
    rest, plan = rest_of(running, on, absorb=True), running.plan
    refused = no_rest(running, rest)
    refuse(refused, until < on, "until", "the moratorium ends before it begins")
    rows = np.arange(len(plan))
    within = (plan.period > 0) & (rows >= rest.first[plan.loan]) & (plan.nominal_on <= until[plan.loan])
    paused = np.where(rest.alive, sum_by(plan.loan, within.astype(np.int64), len(running)), 0)
    sentence = "nothing falls due from {date} to {until}: nothing would change"
    refuse(refused, paused == 0, "until", sentence, date=on, until=until)
    onward = Onward.of(running, rest)
    place = KINDS.index(kind)
    other = (rest.quiet > 0) & (onward.kind != place)
    sentence = "the interest of the grace still running goes another way; choose the same"
    refuse(refused, other, "kind", sentence)
    grows, irregular = kind in _GROWING, running.has("method", Method.IRREGULAR)
    if grows:
        sentence = "amounts agreed one by one do not repay interest that is added: reschedule the loan"
        refuse(refused, irregular, "kind", sentence)
    if kind is GraceKind.INTEREST_CAPITALISED:
        flat = running.has("method", Method.FLAT)
        refuse(refused, flat, "kind", "flat interest bears no interest: add it, or let it wait")
    shifted = dates is Dates.SHIFTED
    skipped = np.maximum(paused - rest.grace, 0)
    quiet = kind is not GraceKind.INTEREST_PAID
    if not shifted:
        sentence = "every instalment left falls into the moratorium: shift the dates"
        refuse(refused, skipped >= rest.instalments, "dates", sentence)
        sentence = "amounts agreed one by one cannot be made larger: shift the dates"
        refuse(refused, irregular & (skipped > 0), "dates", sentence)
    onward = replace(
        onward,
        instalments=rest.instalments if shifted else np.maximum(rest.instalments - skipped, 1),
        grace=paused + rest.grace if shifted else np.maximum(paused, rest.grace),
        quiet=(paused + rest.quiet if shifted else np.maximum(paused, rest.quiet)) * quiet,
        kind=np.full_like(onward.kind, place),
        agreed=onward.agreed if shifted and not grows else np.zeros_like(onward.agreed),
    )
    return go_on(running, rest, onward, refused)
