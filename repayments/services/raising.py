"""What the close of day raises on the wholesale tier: penal interest, and interest by daily product.

Under the exclusive lock of the day, before its booking number is fixed: what should stand raised is reckoned
from the facts (``calc.raising``) and only what differs from the books is written, a mirror at the date of the
row for each that no longer holds, and the rows that now do. A second run finds nothing to write. Nothing is
ever raised on the sub-loan tier: what a bank charges, the bank reports.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from calc.allocation import Allocations, Source
from calc.allocation.rows import joined
from calc.arrears import Fault, measure
from calc.calendar import DateColumn
from calc.money import Component, IntColumn
from calc.raising import DatedDues, Facts, reckon, settle_to_rest, unmatched
from daybook.columns import insert_columns
from daybook.models import Booking, BusinessDay
from daybook.selectors import open_business_date
from daybook.services import CLOSE_OF_DAY, book, lock_day, record
from lending.services.dues import take_back
from repayments.frames import Table
from repayments.selectors.raising import RAISES, Books, dated, facts_of, loans_to_raise, read_books
from repayments.selectors.settling import SettlingFacts, settling_facts
from repayments.services.posting import reallocate


@dataclass(frozen=True, slots=True)
class Raised:
    """Loans looked at, rows appended, rows taken back, loans left out because their facts disagree."""

    loan_count: int = 0
    added_count: int = 0
    mirrored_count: int = 0
    faulty_count: int = 0


def raise_day(*, business_date: date) -> Raised:
    """Raise what the open business date brings, in the transaction that is about to close it.

    Takes the exclusive lock of the day. Loans whose facts contradict each other are left as they are: the
    close carries and discloses them. Does nothing when another date is open (the roll then refuses).
    """
    lock_day(for_close=True)
    if open_business_date() != business_date:
        return Raised()
    before = (
        BusinessDay.objects.filter(state=BusinessDay.State.CLOSED, date__lt=business_date)
        .order_by("-date")
        .first()
    )
    since = before.date if before else None
    loans = loans_to_raise(
        business_date,
        day_before=since,
        known_before=(before.last_booking_id or 0) if before else 0,
    )
    if not len(loans):
        return Raised()
    books, faulty = _without_faults(read_books(loans, business_date), business_date)
    old, new = _what_changes(books, business_date, since)
    if not len(old) and not len(new):
        return Raised(len(loans), faulty_count=faulty)
    booking = book(purpose=RAISES, actor=CLOSE_OF_DAY)
    _write(books, old, new, booking)
    moved = _may_move(books, old, new, business_date)
    if moved.size:
        reallocate(loan_ids=moved, booking=booking, with_standings=False)
    raised = Raised(len(loans), len(new), len(old), faulty)
    record(
        actor=CLOSE_OF_DAY,
        action="day.raise",
        subject=booking,
        after={
            "business_date": business_date.isoformat(),
            "loans": raised.loan_count,
            "raised": raised.added_count,
            "taken_back": raised.mirrored_count,
            "left_out": raised.faulty_count,
        },
        booking=booking,
    )
    return raised


def _without_faults(books: Books, day: date) -> tuple[Books, int]:
    """The loans whose facts agree, and how many do not."""
    ids = books.loans["loan_id"]
    measured = measure(dated(books.dues).dues, books.settled.settled(np.datetime64(day, "D")), day, loans=ids)
    sound = measured.fault == Fault.NONE
    return (books, 0) if bool(sound.all()) else (books.of(ids[sound]), int((~sound).sum()))


def _what_changes(books: Books, day: date, since: date | None) -> tuple[Table, DatedDues]:
    """Rows of the books to take back, and rows to append."""
    until = np.datetime64(day, "D")
    old: list[Table] = []
    new: list[DatedDues] = []
    for facts in facts_of(books, day, since=since):
        standing = books.standing
        standing = standing[np.isin(standing["loan_id"], facts.loans[np.isnat(facts.since)])]
        found = reckon(facts, books.settled, until)
        differ = unmatched(dated(standing), found)
        turned = _may_move(books, standing[differ.old], found.take(differ.new), day)
        if turned.size:
            few = books.of(turned)
            found = at_rest(facts.of(turned), few.standing, few.settled, settling_facts(turned), until).and_(
                found.take(~np.isin(found.loan, turned))
            )
            differ = unmatched(dated(standing), found)
        old.append(standing[differ.old])
        new.append(found.take(differ.new))
    return np.concatenate(old), new[0].and_(*new[1:])


def at_rest(
    facts: Facts, standing: Table, settled: Allocations, settling: SettlingFacts, until: np.datetime64
) -> DatedDues:
    """What should stand raised by a day once receipts have met it, in the order of each loan's agreement.

    ``standing`` is what does stand raised, ``settled`` what the books say is settled of all dues.
    """
    fixed = settled.take(~np.isin(settled.source, (Source.RECEIPT, Source.ADVANCE)))
    return settle_to_rest(
        facts,
        dated(standing),
        settled,
        lambda raised: _settled(facts, settling, fixed, raised),
        until,
    )


def _settled(facts: Facts, settling: SettlingFacts, fixed: Allocations, raised: DatedDues) -> Allocations:
    dues = facts.planned.and_(raised)
    rows = replace(settling, dues=dues.dues, effective_on=dues.effective_on).afresh()
    return joined(rows, fixed)


def _may_move(books: Books, old: Table, new: DatedDues, day: date) -> IntColumn:
    """Loans whose money may settle otherwise: it was settled on or after a changed due, or waits."""
    loan = np.concatenate([old["loan_id"], new.loan])
    if not loan.size:
        return loan
    ids, place = np.unique(loan, return_inverse=True)
    late = np.concatenate([old["late_date"], new.late_date])
    first = _least(place, late, ids.size)
    money = books.settled.take(np.isin(books.settled.loan, ids) & (books.settled.receipt > 0))
    at = np.searchsorted(ids, money.loan)
    moved = (money.value_date >= first[at]) & (money.amount != 0)
    waits = (money.component == Component.ADVANCE) & (money.value_date <= np.datetime64(day, "D"))
    held = np.zeros(ids.size, dtype=np.int64)
    np.add.at(held, at[waits], money.amount[waits])
    return ids[(held > 0) | np.isin(np.arange(ids.size), at[moved])]


def _least(place: IntColumn, days: DateColumn, size: int) -> DateColumn:
    least = np.full(size, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(least, place, days.astype(np.int64))
    return least.astype("datetime64[D]")


def _write(books: Books, old: Table, new: DatedDues, booking: Booking) -> None:
    """Mirrors first, so that at no time two rows of one key stand."""
    take_back(old, booking=booking)
    if len(new):
        owner = books.loans[np.searchsorted(books.loans["loan_id"], new.loan)]
        insert_columns(
            "lending_due",
            {
                "loan_id": new.loan,
                "institution_id": owner["institution_id"],
                "schedule_id": owner["schedule_id"],
                "instalment": new.instalment,
                "component": new.component,
                "nominal_date": new.effective_on,
                "late_date": new.late_date,
                "effective_date": new.effective_on,
                "amount_minor": new.amount,
                "booking_id": np.full(len(new), booking.pk, dtype=np.int64),
            },
        )
