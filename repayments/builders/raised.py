"""How what a close raised on one loan came about, and what interest a daily-product loan may still bring.

The same facts and arithmetic as the close (``calc.raising``), as of a date and as known by a booking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction

import numpy as np

from calc.calendar import to_date
from calc.interest import Movements, Segment, Segments, Spans, daily_product
from calc.money import HALF_UP, Component, round_ratio
from calc.raising import Facts, empty_dues, overdue_items, penal_working, rates_by_item
from lending.builders.workings import Stretch
from repayments.models import ChargePolicy
from repayments.selectors.penal import PenalTerm, penal_terms
from repayments.selectors.raising import Books, dated, facts_of, loans_named, read_books


@dataclass(frozen=True, slots=True)
class LateStretch:
    """Days of one overdue amount and one rate, and what limits the rate (empty: the agreement's own)."""

    part: Stretch
    limit: str


@dataclass(frozen=True, slots=True)
class PenalWorking:
    """One late instalment: its stretches, what they come to rounded, and what stands raised, night by night.

    ``nights`` are day, amount and booking id. ``raised_minor`` may lag behind ``total_minor`` by the days
    since the last close.
    """

    instalment: int
    late_date: date
    stretches: tuple[LateStretch, ...]
    total_minor: int
    nights: tuple[tuple[date, int, int], ...]

    @property
    def raised_minor(self) -> int:
        return sum(amount for _day, amount, _booking in self.nights)


@dataclass(frozen=True, slots=True)
class InterestWorking:
    """One interest period of a daily-product loan. ``is_forecast``: it has not ended, nothing is due yet."""

    instalment: int
    late_date: date
    stretches: tuple[Stretch, ...]
    interest_minor: int
    is_forecast: bool


@dataclass(frozen=True, slots=True)
class Raised:
    """Everything that is raised on a loan, with its working."""

    penal: tuple[PenalWorking, ...]
    interest: tuple[InterestWorking, ...]

    @property
    def forecast_minor(self) -> int:
        """Interest still to come if everything is paid when it falls due."""
        return sum(row.interest_minor for row in self.interest if row.is_forecast)


def raised_on(*, loan_id: int, agreement_id: int, as_of: date, last_booking_id: int) -> Raised:
    """What stands raised on a wholesale loan and why."""
    loans = loans_named(np.array([loan_id], dtype=np.int64))
    books = read_books(loans, as_of, last_booking_id=last_booking_id)
    (facts,) = facts_of(books, as_of, since=None, last_booking_id=last_booking_id)
    standing = books.standing
    facts = replace(facts, kept=dated(standing[standing["component"] == Component.INTEREST]))
    terms = penal_terms([agreement_id], as_of, last_booking_id=last_booking_id)[agreement_id]
    return Raised(
        penal=tuple(_penal(facts, books, terms, as_of)), interest=tuple(_interest(facts, books, as_of))
    )


def _penal(facts: Facts, books: Books, terms: list[PenalTerm], as_of: date) -> Iterator[PenalWorking]:
    until = np.datetime64(as_of, "D")
    items, overdue = overdue_items(facts, empty_dues(), books.settled, until)
    segments = penal_working(items, overdue, rates_by_item(facts.penal_rates, items), facts.day_count)
    codes = dict(ChargePolicy.objects.values_list("pk", "code"))
    rows = books.standing[books.standing["component"] == Component.PENAL]
    for at, instalment in enumerate(items.instalment.tolist()):
        nights = rows[rows["instalment"] == instalment]
        stretches = tuple(
            LateStretch(Stretch.of(segment), _limit(terms, segment.from_on, codes))
            for segment in single(segments, at)
            if segment.rate_units
        )
        if not stretches and not len(nights):
            continue
        exact = sum((stretch.part.exact_minor for stretch in stretches), Fraction(0))
        yield PenalWorking(
            instalment=instalment,
            late_date=to_date(items.late_date[at]),
            stretches=stretches,
            total_minor=round_ratio(exact.numerator, exact.denominator, HALF_UP),
            nights=tuple(
                zip(
                    nights["late_date"].tolist(),
                    nights["amount_minor"].tolist(),
                    nights["booking_id"].tolist(),
                    strict=True,
                )
            ),
        )


def _limit(terms: list[PenalTerm], on: date, codes: dict[int, str]) -> str:
    """The policy that holds the rate down on a day, if one does."""
    term = [term for term in terms if term.from_date <= on][-1]
    return codes.get(term.policy_id, "") if term.cap < term.agreed else ""


def _interest(facts: Facts, books: Books, as_of: date) -> Iterator[InterestWorking]:
    """Periods that ended as they were raised; those to come as if every due were paid on its date."""
    if not facts.accruals.loan.size:
        return
    until = np.datetime64(as_of, "D")
    spans = facts.accruals
    dues = facts.planned.take(facts.planned.component == Component.PRINCIPAL)
    paid = books.settled.take(
        (books.settled.component == Component.PRINCIPAL) & (books.settled.value_date <= until)
    )
    later = _still_to_pay(facts, books, until)
    amount, segments = daily_product(
        Movements(
            np.concatenate([dues.loan, paid.loan, later.loan]),
            np.concatenate([dues.effective_on, paid.value_date, later.on]),
            np.concatenate([dues.amount, -paid.amount, -later.amount]),
        ),
        facts.rates,
        Spans(spans.loan, spans.from_on, spans.to_on),
        facts.day_count,
        facts.rounding,
    )
    rows = books.standing[books.standing["component"] == Component.INTEREST]
    for at, instalment in enumerate(spans.instalment.tolist()):
        raised = int(rows["amount_minor"][rows["instalment"] == instalment].sum())
        yield InterestWorking(
            instalment=instalment,
            late_date=to_date(spans.late_date[at]),
            stretches=tuple(Stretch.of(part) for part in single(segments, at)),
            interest_minor=raised or int(amount[at]),
            is_forecast=not raised,
        )


def _still_to_pay(facts: Facts, books: Books, until: np.datetime64) -> Movements:
    """Unpaid principal by instalment, as if paid on its late date, or now if that has passed."""
    plan = facts.planned.dues.take(facts.planned.component == Component.PRINCIPAL).netted()
    paid = books.settled.take(
        (books.settled.component == Component.PRINCIPAL) & (books.settled.value_date <= until)
    )
    settled = np.zeros(len(plan), dtype=np.int64)
    for at, instalment in enumerate(plan.instalment.tolist()):
        settled[at] = min(int(paid.amount[paid.instalment == instalment].sum()), int(plan.amount[at]))
    return Movements(plan.loan, np.maximum(plan.late_date, until), plan.amount - settled)


def single(segments: Segments, row: int) -> Iterator[Segment]:
    """The stretches of one item, one by one."""
    for at in np.flatnonzero(segments.row == row).tolist():
        yield Segment(
            from_on=to_date(segments.from_on[at]),
            to_on=to_date(segments.to_on[at]),
            days=int(segments.days[at]),
            balance_minor=int(segments.balance[at]),
            rate_units=int(segments.rate[at]),
            numerator=int(segments.numerator[at]),
            denominator=int(segments.denominator[at]),
        )
