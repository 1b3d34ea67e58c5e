"""The facts of loans: live rows of their plan, their receipts, what settled what, and their names.

Live, as of a date and known by a booking: a row that is in force and that no mirror in force takes back.
Every frame is ordered, and its money columns are int64 minor units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from django.db import connection

from lending.models import LoanIdentifier, LoanParty, Schedule
from reports.selectors.frames import Frame


def read_frame(query: str, params: Mapping[str, Any]) -> Frame:
    """Rows of a SELECT as a frame; dates stay dates and text stays text."""
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        names = [column.name for column in cursor.description]
        return pd.DataFrame.from_records(cursor.fetchall(), columns=names)


def _params(loan_ids: Sequence[int], as_of: date, last_booking_id: int) -> dict[str, Any]:
    return {"loans": [int(pk) for pk in loan_ids], "as_of": as_of, "last": last_booking_id}


def plan(loan_ids: Sequence[int], *, as_of: date, last_booking_id: int) -> Frame:
    """What falls due on these loans, past and to come, with the booking that says so."""
    return read_frame(
        """
        SELECT d.loan_id, d.instalment, d.component, d.nominal_date, d.late_date, d.effective_date,
               d.amount_minor, s.version, coalesce(b.number, 0) AS booking_number
          FROM lending_due d
          JOIN lending_schedule s ON s.id = d.schedule_id
          JOIN daybook_booking b ON b.id = d.booking_id
         WHERE d.loan_id = ANY(%(loans)s) AND d.mirror_of_id IS NULL
           AND d.effective_date <= %(as_of)s AND d.booking_id <= %(last)s
           AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = d.id
                           AND m.effective_date <= %(as_of)s AND m.booking_id <= %(last)s)
         ORDER BY d.loan_id, d.late_date, d.instalment, d.component, d.id
        """,
        _params(loan_ids, as_of, last_booking_id),
    )


def plan_growth(loan_ids: Sequence[int], *, as_of: date, last_booking_id: int) -> Frame:
    """By how much plan versions raised the principal to be repaid: interest that joined it, money lent on
    top, overdue principal moved into the plan."""
    return read_frame(
        """
        SELECT s.loan_id, s.version, s.effective_date, s.capitalised_minor, s.added_minor,
               s.transferred_minor, coalesce(b.number, 0) AS booking_number
          FROM lending_schedule s JOIN daybook_booking b ON b.id = s.booking_id
         WHERE s.loan_id = ANY(%(loans)s) AND s.effective_date <= %(as_of)s AND s.booking_id <= %(last)s
           AND s.capitalised_minor + s.added_minor + s.transferred_minor > 0
         ORDER BY s.loan_id, s.version
        """,
        _params(loan_ids, as_of, last_booking_id),
    )


def plan_history(loan_id: int, *, as_of: date, last_booking_id: int) -> Frame:
    """Every due a loan ever had by then, those taken back too, with the version that took it back (or 0)."""
    return read_frame(
        """
        SELECT s.version, d.instalment, d.component, d.nominal_date, d.late_date, d.effective_date,
               d.amount_minor, coalesce(t.version, 0) AS taken_back_by, m.effective_date AS taken_back_on
          FROM lending_due d
          JOIN lending_schedule s ON s.id = d.schedule_id
          LEFT JOIN lending_due m ON m.mirror_of_id = d.id AND m.effective_date <= %(as_of)s
                                 AND m.booking_id <= %(last)s
          LEFT JOIN lending_schedule t ON t.id = m.schedule_id
         WHERE d.loan_id = ANY(%(loans)s) AND d.mirror_of_id IS NULL
           AND d.effective_date <= %(as_of)s AND d.booking_id <= %(last)s
         ORDER BY s.version, d.late_date, d.instalment, d.component, d.id
        """,
        _params([loan_id], as_of, last_booking_id),
    )


def receipts(loan_ids: Sequence[int], *, as_of: date, last_booking_id: int) -> Frame:
    """Money received, mirrors included; ``mirrored`` tells which rows a known mirror takes back."""
    return read_frame(
        """
        SELECT r.id, r.loan_id, r.value_date, r.amount_minor, r.external_reference, r.channel,
               r.mirror_of_id IS NOT NULL AS is_mirror,
               EXISTS (SELECT FROM repayments_receipt m
                        WHERE m.mirror_of_id = r.id AND m.booking_id <= %(last)s) AS mirrored,
               coalesce(r.mirror_of_id, 0) AS mirror_of_id,
               r.booking_id, coalesce(b.number, 0) AS booking_number, b.business_date,
               u.id AS upload_id, u.file_name, w.row_number
          FROM repayments_receipt r
          JOIN daybook_booking b ON b.id = r.booking_id
          LEFT JOIN repayments_uploadrow w ON w.id = r.upload_row_id
          LEFT JOIN repayments_upload u ON u.id = w.upload_id
         WHERE r.loan_id = ANY(%(loans)s) AND r.value_date <= %(as_of)s AND r.booking_id <= %(last)s
         ORDER BY r.loan_id, r.value_date, r.id
        """,
        _params(loan_ids, as_of, last_booking_id),
    )


def allocations(loan_ids: Sequence[int], *, as_of: date, last_booking_id: int) -> Frame:
    """What settled what, live rows only; receipt 0 for what was not money (a waiver)."""
    return read_frame(
        """
        SELECT a.id, a.loan_id, coalesce(a.receipt_id, 0) AS receipt_id, a.source, a.instalment, a.component,
               a.value_date, a.amount_minor, a.booking_id, coalesce(b.number, 0) AS booking_number
          FROM repayments_allocation a
          JOIN daybook_booking b ON b.id = a.booking_id
         WHERE a.loan_id = ANY(%(loans)s) AND a.mirror_of_id IS NULL
           AND a.value_date <= %(as_of)s AND a.booking_id <= %(last)s
           AND NOT EXISTS (SELECT FROM repayments_allocation m
                            WHERE m.mirror_of_id = a.id AND m.booking_id <= %(last)s)
         ORDER BY a.loan_id, a.value_date, a.receipt_id, a.instalment, a.component, a.id
        """,
        _params(loan_ids, as_of, last_booking_id),
    )


def loan_headers(loan_ids: Sequence[int]) -> Frame:
    """Names and terms of loans, one row each, in the order of their ids; '' where there is nothing."""
    return read_frame(
        """
        SELECT l.id AS loan_id, l.number, l.tier, l.currency, l.principal_minor, l.annual_rate,
               l.disbursed_date,
               l.purpose, l.institution_id, i.name AS institution, i.name_bn AS institution_bn,
               i.code AS institution_code,
               a.id AS agreement_id, a.number AS agreement, a.contract_mode, a.day_count,
               p.name AS programme, p.name_bn AS programme_bn, p.code AS programme_code,
               coalesce(t.number, '') AS tranche, coalesce(br.name, '') AS branch,
               coalesce(e.name, '') AS enterprise, coalesce(e.trade_licence, '') AS trade_licence,
               coalesce(who.name, '') AS borrower, coalesce(who.name_bn, '') AS borrower_bn,
               coalesce(alias.value, '') AS account, coalesce(b.number, 0) AS booking_number
          FROM lending_loan l
          JOIN partners_institution i ON i.id = l.institution_id
          JOIN lending_agreement a ON a.id = l.agreement_id
          JOIN lending_programme p ON p.id = l.programme_id
          JOIN daybook_booking b ON b.id = l.booking_id
          LEFT JOIN lending_tranche t ON t.id = l.tranche_id
          LEFT JOIN partners_branch br ON br.id = l.branch_id
          LEFT JOIN lending_enterprise e ON e.id = l.enterprise_id
          LEFT JOIN LATERAL (SELECT n.name, n.name_bn FROM lending_loanparty q
                              JOIN lending_person n ON n.id = q.person_id
                             WHERE q.loan_id = l.id
                             ORDER BY q.role = 'borrower' DESC, q.id LIMIT 1) who ON true
          LEFT JOIN LATERAL (SELECT x.value FROM lending_loanidentifier x
                             WHERE x.loan_id = l.id
                             ORDER BY x.from_date DESC, x.id DESC LIMIT 1) alias ON true
         WHERE l.id = ANY(%(loans)s)
         ORDER BY l.id
        """,
        {"loans": [int(pk) for pk in loan_ids]},
    )


def schedule_versions(loan_ids: Sequence[int], *, as_of: date, last_booking_id: int) -> list[Schedule]:
    """The numbered plans of loans in force as of the date and known, oldest first."""
    return list(
        Schedule.objects.filter(
            loan_id__in=loan_ids, effective_date__lte=as_of, booking_id__lte=last_booking_id
        )
        .select_related("booking")
        .order_by("loan_id", "version")
    )


def parties_of(loan_id: int) -> list[LoanParty]:
    """Who stands behind a loan."""
    return list(
        LoanParty.objects.filter(loan_id=loan_id).select_related("person").order_by("role", "person_id")
    )


def identifiers_of(loan_id: int) -> list[LoanIdentifier]:
    """The other names of a loan, newest first."""
    return list(
        LoanIdentifier.objects.filter(loan_id=loan_id).select_related("booking").order_by("-from_date", "-id")
    )
