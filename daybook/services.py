"""Open and roll the business day, write bookings, record and seal the audit trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from daybook.models import AuditEntry, AuditSeal, Booking, BusinessDay, Holiday
from daybook.selectors import BooksNotOpen, latest_booking_id, open_business_date


class CannotRollDay(Exception):
    """The books are not at the date that was to be closed."""


class CannotOpenBooks(Exception):
    """The books are open already."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user's id and name, or the system (no id)."""

    id: int | None
    name: str


CLOSE_OF_DAY = Actor(id=None, name="Close of day")


def lock_day(*, for_close: bool = False) -> None:
    """Take the lock that separates business dates, until the transaction ends.

    Postings share it; the close takes it alone. Writing a booking takes the shared lock by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT daybook_lock_day(%s)", [for_close])


def open_books(*, first_date: date) -> BusinessDay:
    """Open the first business day of empty books. Raises ``CannotOpenBooks``."""
    if BusinessDay.objects.exists():
        raise CannotOpenBooks("The books are open already; a day follows the one before by the close of day.")
    return BusinessDay.objects.create(date=first_date)


@transaction.atomic
def book(*, purpose: str, actor: Actor, institution_id: int | None = None, reason: str = "") -> Booking:
    """Write the booking that this transaction's facts will carry, on the open business date.

    Holds the shared lock of the business day until the transaction ends.
    """
    lock_day()
    return Booking.objects.create(
        business_date=open_business_date(),
        actor_id=actor.id,
        actor_name=actor.name,
        institution_id=institution_id,
        purpose=purpose,
        reason=reason,
    )


@transaction.atomic
def roll_day(*, closing: date, opening: date | None = None) -> BusinessDay:
    """Close a business date, fixing what it knew, and open the next one (tomorrow unless named).

    Returns the closed day; its ``last_booking_id`` never changes again. Raises ``CannotRollDay``.
    """
    lock_day(for_close=True)
    day = BusinessDay.objects.select_for_update().filter(state=BusinessDay.State.OPEN).first()
    if day is None:
        raise BooksNotOpen("There is no open business day to close.")
    if day.date != closing:
        raise CannotRollDay(f"The open business date is {day.date:%d %b %Y}, not {closing:%d %b %Y}.")
    following = opening or closing + timedelta(days=1)
    if following <= closing:
        raise CannotRollDay(f"The next business date must be after {closing:%d %b %Y}.")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE daybook_businessday SET state = 'closed', closed_at = clock_timestamp(),"
            " last_booking_id = %s WHERE date = %s",
            [latest_booking_id(), closing],
        )
    BusinessDay.objects.create(date=following)
    day.refresh_from_db()
    return day


@transaction.atomic
def declare_holidays(
    *, days: Iterable[tuple[date, str, str]], actor: Actor, is_holiday: bool = True, reason: str = ""
) -> list[Holiday]:
    """Declare days (date, name, Bangla name) closed, or withdraw the declaration."""
    booking = book(
        purpose="holiday.declare" if is_holiday else "holiday.withdraw", actor=actor, reason=reason
    )
    return Holiday.objects.bulk_create(
        Holiday(date=day, name=name, name_bn=name_bn, is_holiday=is_holiday, booking=booking)
        for day, name, name_bn in days
    )


def record(
    *,
    actor: Actor,
    action: str,
    subject: Any = None,
    subject_type: str = "",
    institution_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    address: str = "",
    booking: Booking | None = None,
) -> None:
    """Write one entry of the audit trail: ``noun.verb``, on what, before, after, why.

    ``subject`` is a saved model instance; values in ``before`` and ``after`` must be JSON.
    """
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                actor_id=actor.id,
                actor_name=actor.name,
                institution_id=institution_id,
                action=action,
                subject_type=subject_type or (subject._meta.label_lower if subject is not None else ""),
                subject_id=str(subject.pk) if subject is not None else "",
                subject_label=str(subject)[:200] if subject is not None else "",
                before=before,
                after=after,
                reason=reason,
                address=address,
                booking=booking,
            )
        ]
    )


_ENTRY_DIGEST = """encode(sha256(convert_to(concat_ws('|',
    e.id, to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), e.actor_id, e.actor_name,
    e.institution_id, e.action, e.subject_type, e.subject_id, e.subject_label, e.before::text, e.after::text,
    e.reason, e.address, e.booking_id), 'UTF8')), 'hex')"""

GENESIS = "0" * 64


@transaction.atomic
def seal_audit(*, at_most: int = 5000) -> AuditSeal | None:
    """Chain the entries not yet chained, oldest first, as one batch. Returns the seal, or None when all are.

    One sealer at a time; entries themselves are never locked, so no page waits for this.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7250004)")
        latest = AuditSeal.objects.order_by("-number").first()
        cursor.execute(
            f"""
            WITH batch AS (
                SELECT e.id, {_ENTRY_DIGEST} AS digest FROM daybook_auditentry e
                 WHERE NOT EXISTS (SELECT FROM daybook_auditlink l WHERE l.entry_id = e.id)
                 ORDER BY e.id LIMIT %(at_most)s
            ), seal AS (
                INSERT INTO daybook_auditseal (number, previous_digest, digest, entry_count)
                SELECT %(number)s, %(previous)s,
                       encode(sha256(convert_to(
                           %(previous)s || string_agg(digest, '' ORDER BY id), 'UTF8')), 'hex'),
                       count(*)
                  FROM batch HAVING count(*) > 0 RETURNING id
            )
            INSERT INTO daybook_auditlink (entry_id, seal_id, digest)
            SELECT batch.id, seal.id, batch.digest FROM batch, seal
            """,
            {
                "at_most": at_most,
                "number": latest.number + 1 if latest else 1,
                "previous": latest.digest if latest else GENESIS,
            },
        )
        if cursor.rowcount == 0:
            return None
    return AuditSeal.objects.order_by("-number").first()


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The outcome of walking the chain: where it breaks first (0: nowhere), and how long it is."""

    seal_count: int
    entry_count: int
    unsealed_count: int
    head: str
    first_broken_seal: int


def verify_audit() -> ChainCheck:
    """Recompute every digest of the trail from the entries as they stand and compare."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH sealed AS (
                SELECT s.number, s.previous_digest, s.digest, s.entry_count, count(l.entry_id) AS found,
                       bool_and(l.digest = {_ENTRY_DIGEST}) AS entries_true,
                       encode(sha256(convert_to(s.previous_digest
                           || string_agg(l.digest, '' ORDER BY l.entry_id), 'UTF8')), 'hex') AS recomputed,
                       lag(s.digest, 1, %(genesis)s) OVER (ORDER BY s.number) AS expected_previous
                  FROM daybook_auditseal s
                  JOIN daybook_auditlink l ON l.seal_id = s.id
                  JOIN daybook_auditentry e ON e.id = l.entry_id
                 GROUP BY s.id
            )
            SELECT count(*), coalesce(sum(found), 0),
                   (SELECT count(*) FROM daybook_auditentry e
                     WHERE NOT EXISTS (SELECT FROM daybook_auditlink l WHERE l.entry_id = e.id)),
                   coalesce((SELECT digest FROM daybook_auditseal ORDER BY number DESC LIMIT 1), %(genesis)s),
                   coalesce(min(number) FILTER (WHERE NOT entries_true OR recomputed <> digest
                       OR expected_previous <> previous_digest OR found <> entry_count), 0)
              FROM sealed
            """,
            {"genesis": GENESIS},
        )
        seals, entries, unsealed, head, broken = cursor.fetchone()
    return ChainCheck(int(seals), int(entries), int(unsealed), head, int(broken))


def deliver_audit_head(*, file: Path, delivered_at: str) -> str:
    """Append one line (when, seals, entries, head) to a file that the database's owner does not keep.

    Where the file goes from there is the operator's: a mailbox, another machine, a printer. A chain that
    is later shorter than a delivered line was cut.
    """
    check = verify_audit()
    line = f"{delivered_at} {check.seal_count} {check.entry_count} {check.head}"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="ascii") as heads:
        heads.write(line + "\n")
    return line


def heads_that_vanished(*, file: Path) -> list[str]:
    """Delivered lines whose head no longer stands in the chain: the tail was cut or rewritten."""
    if not file.exists():
        return []
    chain = dict(AuditSeal.objects.values_list("number", "digest"))
    lines = [line.split() for line in file.read_text("ascii").splitlines() if line.strip()]
    return [" ".join(line) for line in lines if int(line[1]) and chain.get(int(line[1])) != line[3]]
