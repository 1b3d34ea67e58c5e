"""Compare what was known of a date at two business dates."""

from __future__ import annotations

from reports.builders.comparison import Comparison, build_comparison
from reports.builders.objects import Asked
from reports.builders.questions import filters_of
from reports.selectors.differences import bookings_between
from reports.selectors.portfolio import read_standings
from reports.services.making import Facts

BOOKINGS_AT_MOST = 10_000
"""Bookings listed between two states of knowledge: years of them."""


def compare_portfolios(one: Asked, other: Asked, facts: Facts) -> Comparison:
    """The two states of knowledge in order, whichever was named first."""
    earlier, later = sorted((one, other), key=lambda asked: asked.last_booking_id)
    currency = facts.get("currency", "BDT")
    then, now = (
        read_standings(
            as_of=asked.as_of, knowledge=asked.knowledge, currency=currency, filters=filters_of(facts)
        )
        for asked in (earlier, later)
    )
    bookings = bookings_between(
        first_id=earlier.last_booking_id,
        last_id=later.last_booking_id,
        as_of=later.as_of,
        currency=currency,
        limit=BOOKINGS_AT_MOST,
    )
    return build_comparison(earlier=earlier, later=later, then=then, now=now, bookings=bookings)
