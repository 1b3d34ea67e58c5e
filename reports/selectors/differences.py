"""Bookings that lie between two states of knowledge and touch what counts by a date."""

from __future__ import annotations

from datetime import date

from reports.selectors.facts import read_frame
from reports.selectors.frames import Frame


def bookings_between(*, first_id: int, last_id: int, as_of: date, currency: str, limit: int) -> Frame:
    """Bookings after the first up to the last whose facts count by the date, newest first.

    Columns: id, number, business_date, purpose, actor_name, loans, received_minor, reversed_minor,
    disbursed_minor, earliest (the earliest value date among its facts).
    """
    return read_frame(
        """
        WITH touched AS (
            SELECT r.booking_id, r.loan_id, r.value_date AS on_date,
                   CASE WHEN r.amount_minor > 0 THEN r.amount_minor ELSE 0 END AS received,
                   CASE WHEN r.amount_minor < 0 THEN -r.amount_minor ELSE 0 END AS reversed,
                   0::bigint AS disbursed
              FROM repayments_receipt r
             WHERE r.booking_id > %(first)s AND r.booking_id <= %(last)s AND r.value_date <= %(as_of)s
            UNION ALL
            SELECT l.booking_id, l.id, l.disbursed_date, 0, 0, l.principal_minor
              FROM lending_loan l
             WHERE l.booking_id > %(first)s AND l.booking_id <= %(last)s AND l.disbursed_date <= %(as_of)s
            UNION ALL
            SELECT d.booking_id, d.loan_id, min(d.effective_date), 0, 0, 0
              FROM lending_due d
             WHERE d.booking_id > %(first)s AND d.booking_id <= %(last)s AND d.effective_date <= %(as_of)s
             GROUP BY d.booking_id, d.loan_id
            UNION ALL
            SELECT a.booking_id, a.loan_id, min(a.value_date), 0, 0, 0
              FROM repayments_allocation a
             WHERE a.booking_id > %(first)s AND a.booking_id <= %(last)s AND a.value_date <= %(as_of)s
             GROUP BY a.booking_id, a.loan_id
        )
        SELECT b.id, coalesce(b.number, 0) AS number, b.business_date, b.purpose, b.actor_name,
               count(DISTINCT t.loan_id) AS loans, sum(t.received)::bigint AS received_minor,
               sum(t.reversed)::bigint AS reversed_minor, sum(t.disbursed)::bigint AS disbursed_minor,
               min(t.on_date) AS earliest
          FROM touched t
          JOIN daybook_booking b ON b.id = t.booking_id
          JOIN lending_loan l ON l.id = t.loan_id AND l.currency = %(currency)s
         GROUP BY b.id ORDER BY b.id DESC LIMIT %(limit)s
        """,
        {"first": first_id, "last": last_id, "as_of": as_of, "currency": currency, "limit": limit},
    )
