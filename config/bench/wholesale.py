"""The wholesale tier of a generated book: tranches, the sub-loans they fund, penal rates.

One loan in a hundred is wholesale, opened by a tranche of its own a month before the sub-loans it
funds: of each two thousand loans the twenty tranches, one an institution, fund the sub-loans of their
institution; one sub-loan in ten is funded half by the tranche of the two thousand before. Every tenth
tranche has paid nothing for four months and bears penal interest by the day, which the first close raises.

A book kept by an older release has wholesale loans without tranches, all with one institution. They are
made anew here, and the closes of that book, which counted them, are taken out: the sub-loans, 99 parts
of a book in 100, stay as they are.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from config.bench.shape import (
    FIRST_DATE,
    INSTALMENTS,
    INSTITUTIONS,
    INTEREST_MINOR,
    PAID_INSTALMENTS,
    PRINCIPAL_MINOR,
    WHOLESALE_TIMES,
)

LOANS_A_GROUP = 100 * INSTITUTIONS
"""Loans among which each institution has one tranche."""

_TAKE_OUT = """
DELETE FROM repayments_allocation WHERE loan_id IN (SELECT id FROM lending_loan WHERE tier = 'wholesale');
DELETE FROM repayments_receipt WHERE loan_id IN (SELECT id FROM lending_loan WHERE tier = 'wholesale');
DELETE FROM lending_due WHERE loan_id IN (SELECT id FROM lending_loan WHERE tier = 'wholesale');
DELETE FROM lending_schedule WHERE loan_id IN (SELECT id FROM lending_loan WHERE tier = 'wholesale');
DELETE FROM lending_loan WHERE tier = 'wholesale';
TRUNCATE repayments_arrearssnapshot, repayments_monthendsnapshot, repayments_standingbase,
    repayments_controltotal, repayments_dayrunslice, repayments_dayrun, lending_standing;
"""

_PAPERS = """
INSERT INTO partners_user (id, username, full_name, full_name_bn, language, password, is_superuser,
    first_name, last_name, email, is_staff, is_active, date_joined)
  SELECT n, 'person' || n, 'Person ' || n, '', 'en', '!', false, '', '', '', false, true, now()
    FROM generate_series(3, 4) n;
INSERT INTO lending_cluster (id, code, name, name_bn, kind, sector, place, status)
  VALUES (1, 'C-1', 'Cluster 1', '', 'cluster', 'Light engineering', '', 'confirmed');
UPDATE lending_agreement SET penal_rate = 2;
INSERT INTO lending_penalrate (agreement_id, institution_id, effective_date, annual_rate, reason, state,
    proposed_by_id, proposed_by_name, proposed_date, decided_by_id, decided_by_name, decision_reason,
    booking_id)
  SELECT id, institution_id, '2026-05-01', 1.25, 'Generated', 'approved', 1, 'Person 1', '2026-04-15',
         2, 'Person 2', '', 1
    FROM lending_agreement;
INSERT INTO lending_allotment (id, agreement_id, institution_id, cluster_id, fund_source_id, amount_currency,
    amount, from_date, to_date, made_by_id, approved_by_id)
  SELECT id, id, institution_id, 1, 1, 'BDT', 999999999999, '2024-01-01', '2030-12-31', 1, 2
    FROM lending_agreement;
INSERT INTO lending_application (id, number, state, allotment_id, institution_id, cluster_id,
    amount_currency, amount, purpose, applied_date, made_by_id, submitted_by_id, appraised_by_id,
    decided_by_id)
  SELECT id, 'AP-' || id, 'approved', id, institution_id, 1, 'BDT', 999999999999, '', '2024-01-01', 1, 2, 3,
         4
    FROM lending_agreement;
INSERT INTO lending_facility (id, number, application_id, allotment_id, institution_id, amount_currency,
    amount, sanctioned_date, expires_date)
  SELECT id, 'F-' || id, id, id, institution_id, 'BDT', 999999999999, '2024-01-01', '2030-12-31'
    FROM lending_agreement;
"""

# Tranche and loan w, a multiple of a hundred, are one: its institution goes round with every hundred.
_TRANCHES = f"""
INSERT INTO lending_tranche (id, number, state, agreement_id, institution_id, facility_id,
    requested_amount_currency, requested_amount, approved_amount_currency, approved_amount, requested_date,
    value_date, bank_reference, instalment_amounts, requested_by_id, cleared_by_id, approved_by_id,
    disbursed_by_id, booking_id)
  SELECT w, 'T-' || w, 'disbursed', n, n, n, 'BDT', amount, 'BDT', amount, day - 7, day, '', '{{}}',
         1, 2, 3, 4, 1
    FROM (SELECT w, 1 + (w / 100) %% {INSTITUTIONS} AS n,
                 {INSTALMENTS * PRINCIPAL_MINOR // 100 * WHOLESALE_TIMES}::numeric AS amount,
                 (date '{FIRST_DATE}' - interval '{PAID_INSTALMENTS + 1} months')::date
                     - (w / 100 %% 28)::integer AS day
            FROM generate_series(100, %(loans)s, 100) w) made;
INSERT INTO lending_trancheline (tranche_id, institution_id, allotment_id, fund_source_id, amount_currency,
    amount)
  SELECT id, institution_id, facility_id, 1, 'BDT', approved_amount FROM lending_tranche ORDER BY id;
INSERT INTO lending_loan (id, number, tier, origin, institution_id, agreement_id, programme_id, currency,
    principal_minor, annual_rate, disbursed_date, purpose, booking_id, tranche_id)
  SELECT id, 'B-' || id, 'wholesale', 'tranche', institution_id, agreement_id, 1, 'BDT',
         (approved_amount * 100)::bigint, 2, value_date, '', 1, id
    FROM lending_tranche ORDER BY id;
INSERT INTO lending_schedule (id, loan_id, institution_id, version, cause, effective_date, terms,
    principal_minor, capitalised_minor, added_minor, transferred_minor, first_due_date, maturity_date,
    instalment_count, booking_id)
  SELECT id, id, institution_id, 1, 'disbursement', disbursed_date, '{{}}', principal_minor, 0, 0, 0,
         disbursed_date + interval '1 month', disbursed_date + interval '{INSTALMENTS} months', {INSTALMENTS},
         1
    FROM lending_loan WHERE tier = 'wholesale' ORDER BY id;
INSERT INTO lending_due (loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date,
    effective_date, amount_minor, booking_id)
  SELECT l.id, l.institution_id, l.id, n, c.component, l.disbursed_date + n * interval '1 month',
         l.disbursed_date + n * interval '1 month', l.disbursed_date, c.amount * {WHOLESALE_TIMES}, 1
    FROM lending_loan l CROSS JOIN generate_series(1, {INSTALMENTS}) n
   CROSS JOIN (VALUES (3, {INTEREST_MINOR}), (4, {PRINCIPAL_MINOR})) c (component, amount)
   WHERE l.tier = 'wholesale'
   ORDER BY l.id, n, c.component;
"""

# A sub-loan's group is the two thousand it is among; its tranche there is the one of its institution. The
# last group may lack some: those sub-loans are lent from the institution's own funds.
_FUNDING = f"""
WITH subloans AS (
    SELECT id, institution_id, principal_minor, disbursed_date, (id - 1) / {LOANS_A_GROUP} AS place,
           CASE WHEN id / {INSTITUTIONS} %% 10 = 3 AND id > {LOANS_A_GROUP} THEN 2 ELSE 1 END AS parts
      FROM lending_loan WHERE id BETWEEN %(first)s AND %(last)s AND tier = 'subloan'
), parts AS (
    SELECT s.*, part,
           100 * (1 + (s.institution_id + {INSTITUTIONS - 2}) %% {INSTITUTIONS})
               + {LOANS_A_GROUP} * (s.place - part) AS wanted
      FROM subloans s CROSS JOIN generate_series(0, s.parts - 1) part
)
INSERT INTO lending_funding (loan_id, institution_id, tranche_id, kind, amount_minor, value_date, booking_id)
  SELECT p.id, p.institution_id, t.id, CASE WHEN t.id IS NULL THEN 'own_funds' ELSE 'first_use' END,
         p.principal_minor / p.parts, p.disbursed_date, 1
    FROM parts p LEFT JOIN lending_tranche t ON t.id = p.wanted
   ORDER BY p.id, p.part;
"""

CHECKS = {
    "a tranche is drawn by one loan of its amount": """
        SELECT count(*) FROM lending_tranche t FULL JOIN lending_loan l ON l.tranche_id = t.id
         WHERE (l.tier IS NULL OR l.tier = 'wholesale')
           AND (t.approved_amount * 100, t.institution_id)
               IS DISTINCT FROM (l.principal_minor::numeric, l.institution_id)""",
    "a sub-loan's funding is its principal": """
        SELECT count(*) FROM (SELECT loan_id, sum(amount_minor) AS amount FROM lending_funding GROUP BY 1) f
          FULL JOIN (SELECT id, principal_minor FROM lending_loan WHERE tier = 'subloan') l
            ON l.id = f.loan_id
         WHERE f.amount IS DISTINCT FROM l.principal_minor""",
    "a tranche funds sub-loans of its institution, within its amount": """
        SELECT count(*) FROM (SELECT tranche_id, institution_id, sum(amount_minor) AS amount
            FROM lending_funding WHERE tranche_id IS NOT NULL GROUP BY 1, 2) f
          JOIN lending_tranche t ON t.id = f.tranche_id
         WHERE f.institution_id <> t.institution_id OR f.amount > t.approved_amount * 100""",
}
"""What guards demand of this part of the book: rows that break it."""


def has_tranches(cursor: Any) -> bool:
    """Whether the book has this part, which is made in one transaction."""
    cursor.execute("SELECT EXISTS (SELECT FROM lending_tranche)")
    return bool(cursor.fetchone()[0])


def make_tranches(cursor: Any, *, loans: int) -> None:
    """Make the wholesale tier, in place of the one of an older release. The caller commits."""
    cursor.execute(_TAKE_OUT)
    cursor.execute(_PAPERS)
    cursor.execute(_TRANCHES, {"loans": loans})


def latest_funded(cursor: Any) -> int:
    """The last loan whose funding stands; they are made in the order of their ids."""
    cursor.execute("SELECT coalesce(max(loan_id), 0) FROM lending_funding")
    return int(cursor.fetchone()[0])


def fund(cursor: Any, *, first: int, last: int) -> None:
    """Fund the sub-loans of a range of ids. The caller commits."""
    cursor.execute(_FUNDING, {"first": first, "last": last})


def latest_receipt(cursor: Any) -> date | None:
    """Until when the sub-loans have their receipts."""
    cursor.execute("SELECT max(value_date) FROM repayments_receipt WHERE tier = 'subloan'")
    found: date | None = cursor.fetchone()[0]
    return found
