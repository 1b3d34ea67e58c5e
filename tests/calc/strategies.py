"""Terms that fit together, for property tests."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from hypothesis import strategies as st

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import GraceKind, InterestTo, LevelFrom, Method, Residue, Terms

CALENDAR = BusinessCalendar(holidays=frozenset({date(2025, 3, 26), date(2025, 4, 14), date(2026, 2, 22)}))

disbursements = st.dates(date(2024, 1, 1), date(2027, 12, 31))
roundings = st.builds(Rounding, st.sampled_from(list(RoundingMode)), st.sampled_from([1, 100, 500, 1000]))


STILL = (GraceKind.INTEREST_PAID, GraceKind.INTEREST_DEFERRED, GraceKind.INTEREST_WAIVED)
"""Kinds of grace that leave the balance as it was lent."""


@st.composite
def terms(
    draw: st.DrawFn,
    methods: Sequence[Method] = tuple(Method),
    kinds: Sequence[GraceKind] = tuple(GraceKind)[1:],
    nominal: bool = True,
) -> Terms:
    """Sound terms of any kind; a plan may still be refused because rounding exhausts a small loan."""
    frequency = draw(st.sampled_from(list(Frequency)))
    by_months = frequency.months > 0
    day_count = draw(st.sampled_from([d for d in DayCount if by_months or d is not DayCount.MONTHLY_12]))
    interest_to = InterestTo.NOMINAL
    if day_count is not DayCount.MONTHLY_12:
        interest_to = draw(st.sampled_from(list(InterestTo)))
    method = draw(st.sampled_from(methods))
    instalments = draw(st.integers(1, 20))
    principal = draw(st.integers(1_000_000, 10**11))
    grace = draw(st.integers(0, 4))
    fit = [kind for kind in kinds if kind in STILL or method is not Method.IRREGULAR]
    kind = draw(st.sampled_from(fit)) if grace else GraceKind.NONE
    quiet = 0
    if kind not in (GraceKind.NONE, GraceKind.INTEREST_PAID):
        longest = grace + instalments - 1 if kind is GraceKind.INTEREST_WAIVED else grace
        quiet = draw(st.integers(0, longest))
    level = nominal and method is Method.EQUAL_INSTALMENT and draw(st.booleans())
    steps = method is Method.STEP_UP
    return Terms(
        method=method,
        instalments=instalments,
        frequency=frequency,
        every_days=draw(st.integers(5, 45)) if frequency is Frequency.EVERY_N_DAYS else 0,
        due_day=draw(st.sampled_from([0, 1, 15, 31])) if by_months else 0,
        grace_periods=grace,
        grace_kind=kind,
        interest_grace=quiet,
        day_count=day_count,
        roll=draw(st.sampled_from([rule for rule in RollRule if rule is not RollRule.PRECEDING])),
        interest_to=interest_to,
        instalment_rounding=draw(roundings),
        interest_rounding=draw(st.builds(Rounding, st.sampled_from(list(RoundingMode)))),
        residue=Residue.LAST if steps or level else draw(st.sampled_from(list(Residue))),
        level_from=LevelFrom.NOMINAL if level else LevelFrom.PERIODS,
        amortised_over=draw(st.sampled_from([0, instalments, instalments + 12])) if level else 0,
        step_percent=Decimal(draw(st.integers(-10, 25))) if steps else Decimal(0),
        step_every=draw(st.integers(1, 6)) if steps else 0,
        amounts=_parts(draw, principal, instalments) if method is Method.IRREGULAR else (),
        principal_minor=principal,
        annual_rate=Decimal(draw(st.integers(0, 3000))) / 100,
        disbursed_on=draw(disbursements),
    )


def _parts(draw: st.DrawFn, principal: int, count: int) -> tuple[int, ...]:
    """Principal in so many uneven parts, some of them nothing."""
    cuts = sorted(draw(st.lists(st.integers(0, principal), min_size=count - 1, max_size=count - 1)))
    return tuple(after - before for before, after in pairwise([0, *cuts, principal]))
