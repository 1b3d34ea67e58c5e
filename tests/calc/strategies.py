"""Terms that fit together, for property tests."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import GraceKind, InterestTo, Method, Residue, Terms

CALENDAR = BusinessCalendar(holidays=frozenset({date(2025, 3, 26), date(2025, 4, 14), date(2026, 2, 22)}))

disbursements = st.dates(date(2024, 1, 1), date(2027, 12, 31))
roundings = st.builds(Rounding, st.sampled_from(list(RoundingMode)), st.sampled_from([1, 100, 500, 1000]))


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Sound terms of any kind; a plan may still be refused because rounding exhausts a small loan."""
    frequency = draw(st.sampled_from(list(Frequency)))
    by_months = frequency.months > 0
    day_count = draw(st.sampled_from([d for d in DayCount if by_months or d is not DayCount.MONTHLY_12]))
    grace = draw(st.integers(0, 4))
    interest_to = InterestTo.NOMINAL
    if day_count is not DayCount.MONTHLY_12:
        interest_to = draw(st.sampled_from(list(InterestTo)))
    return Terms(
        method=draw(st.sampled_from(list(Method))),
        instalments=draw(st.integers(1, 20)),
        frequency=frequency,
        every_days=draw(st.integers(5, 45)) if frequency is Frequency.EVERY_N_DAYS else 0,
        due_day=draw(st.sampled_from([0, 1, 15, 31])) if by_months else 0,
        grace_periods=grace,
        grace_kind=draw(st.sampled_from(list(GraceKind)[1:])) if grace else GraceKind.NONE,
        day_count=day_count,
        roll=draw(st.sampled_from([rule for rule in RollRule if rule is not RollRule.PRECEDING])),
        interest_to=interest_to,
        instalment_rounding=draw(roundings),
        interest_rounding=draw(st.builds(Rounding, st.sampled_from(list(RoundingMode)))),
        residue=draw(st.sampled_from(list(Residue))),
        principal_minor=draw(st.integers(1_000_000, 10**11)),
        annual_rate=Decimal(draw(st.integers(0, 3000))) / 100,
        disbursed_on=draw(disbursements),
    )
