"""Generated books: two tiers, twenty institutions, loans of 24 monthly instalments, a year of receipts.

Everything is written by ``INSERT … SELECT`` in one session with triggers off
(``session_replication_role = replica``, which only the administrator's login may set): the guards
check what people and files bring, and these rows are made to hold what the guards demand. Loan i
is disbursed a year and 0 to 27 days before the second business date, so that one loan in 28 has an
instalment due each day; one in ten has paid nothing for four months, one in seven is part-paid.
"""

from __future__ import annotations

from datetime import date
from typing import Any

FIRST_DATE = date(2026, 6, 29)
SECOND_DATE = date(2026, 6, 30)
INSTITUTIONS = 20
INSTALMENTS = 24
PAID_INSTALMENTS = 12
PRINCIPAL_MINOR = 10_000_00
INTEREST_MINOR = 500_00

BASE = f"""
SET session_replication_role = replica;
SET synchronous_commit = off;
INSERT INTO partners_user (id, username, full_name, full_name_bn, language, password, is_superuser,
    first_name, last_name, email, is_staff, is_active, date_joined)
  SELECT n, 'person' || n, 'Person ' || n, '', 'en', '!', false, '', '', '', false, true, now()
    FROM generate_series(1, 2) n;
INSERT INTO daybook_businessday (date, state) VALUES ('{FIRST_DATE}', 'open');
INSERT INTO daybook_booking (id, number, business_date, actor_name, purpose, reason)
  VALUES (1, 1, '{FIRST_DATE}', 'Generator', 'bench', '');
SELECT setval(pg_get_serial_sequence('daybook_booking', 'id'), 1);
INSERT INTO partners_institution (id, code, name, name_bn, bank_code, address)
  SELECT n, 'B' || n, 'Institution ' || n, '', '', '' FROM generate_series(1, {INSTITUTIONS}) n;
INSERT INTO partners_institutionstatus (institution_id, effective_date, kind, ownership, is_islamic, status,
    booking_id)
  SELECT n, '2010-01-01', CASE WHEN n % 5 = 0 THEN 'finance_company' ELSE 'bank' END, 'private', false,
         'active', 1
    FROM generate_series(1, {INSTITUTIONS}) n;
INSERT INTO lending_fundsource (id, code, name, is_liability) VALUES (1, 'RF', 'Revolving fund', false);
INSERT INTO lending_programme (id, code, name, name_bn, fund_source_id, from_date)
  VALUES (1, 'RF-2', 'Round 2', '', 1, '2024-01-01');
INSERT INTO lending_agreement (id, number, institution_id, programme_id, state, signed_date, from_date,
    to_date, "limit", limit_currency, is_revolving, contract_mode, annual_rate, method, frequency,
    instalment_count, grace_months, grace_kind, day_count, roll_rule, allocation_order, penal_rate,
    interest_basis, interest_to, instalment_quantum_minor, instalment_rounding, residue, step_percent,
    step_every, early_fee_percent, allocation_grid, made_by_id, approved_by_id, booking_id)
  SELECT n, 'AG-' || n, n, 1, 'active', '2024-01-01', '2024-01-01', '2030-12-31', 999999999999, 'BDT', false,
         'interest', 2, 'equal_principal', 'monthly', {INSTALMENTS}, 0, 'none', 'ACT/360', 'following',
         'oldest_first', 0, 'scheduled', 'nominal', 1, 'half_up', 'last', 0, 0, 0, '{{}}', 1, 2, 1
    FROM generate_series(1, {INSTITUTIONS}) n;
"""

LOANS = f"""
INSERT INTO lending_loan (id, number, tier, origin, institution_id, agreement_id, programme_id, currency,
    principal_minor, annual_rate, disbursed_date, purpose, booking_id)
  SELECT i, 'B-' || i, CASE WHEN i % 100 = 0 THEN 'wholesale' ELSE 'subloan' END, 'import',
         1 + i % {INSTITUTIONS}, 1 + i % {INSTITUTIONS}, 1, 'BDT', {INSTALMENTS * PRINCIPAL_MINOR}, 6,
         date '{SECOND_DATE}' - interval '{PAID_INSTALMENTS} months' - (i % 28) * interval '1 day', '', 1
    FROM generate_series(1, %(loans)s) i;
INSERT INTO lending_loanprofile (loan_id, institution_id, effective_date, size_tier, activity, gender,
    is_woman_owned, sector, booking_id)
  SELECT id, institution_id, disbursed_date, (ARRAY['cottage', 'micro', 'small', 'medium'])[1 + id % 4],
         'manufacturing', CASE WHEN id % 3 = 0 THEN 'female' ELSE 'male' END, id % 3 = 0, '', 1
    FROM lending_loan WHERE tier = 'subloan';
INSERT INTO lending_schedule (id, loan_id, institution_id, version, cause, effective_date, terms,
    principal_minor, capitalised_minor, first_due_date, maturity_date, instalment_count, booking_id)
  SELECT id, id, institution_id, 1, 'supplied', disbursed_date, '{{}}', principal_minor, 0,
         disbursed_date + interval '1 month', disbursed_date + interval '{INSTALMENTS} months', {INSTALMENTS},
         1
    FROM lending_loan;
INSERT INTO lending_due (loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date,
    effective_date, amount_minor, booking_id)
  SELECT l.id, l.institution_id, l.id, n, c.component, l.disbursed_date + n * interval '1 month',
         l.disbursed_date + n * interval '1 month', l.disbursed_date, c.amount, 1
    FROM lending_loan l CROSS JOIN generate_series(1, {INSTALMENTS}) n
   CROSS JOIN (VALUES (4, {PRINCIPAL_MINOR}), (3, {INTEREST_MINOR})) c (component, amount)
   ORDER BY l.id, n, c.component;
"""

# One receipt for each instalment fallen due by the first date; late payers stopped four months ago,
# part-payers owe half of the last.
RECEIPTS = f"""
INSERT INTO repayments_receipt (id, loan_id, institution_id, tier, channel, value_date, amount_minor,
    external_reference, booking_id)
  SELECT (l.id - 1) * {PAID_INSTALMENTS} + n, l.id, l.institution_id, l.tier, 'import',
         l.disbursed_date + n * interval '1 month',
         CASE WHEN l.id % 7 = 0 AND n = {PAID_INSTALMENTS} THEN {INTEREST_MINOR + PRINCIPAL_MINOR // 2}
              ELSE {INTEREST_MINOR + PRINCIPAL_MINOR} END, 'R' || n, 1
    FROM lending_loan l CROSS JOIN generate_series(1, {PAID_INSTALMENTS}) n
   WHERE NOT (l.id % 10 = 0 AND n > {PAID_INSTALMENTS - 4})
     AND l.disbursed_date + n * interval '1 month' <= '{FIRST_DATE}';
INSERT INTO repayments_allocation (loan_id, institution_id, receipt_id, source, instalment, component,
    value_date, amount_minor, booking_id)
  SELECT r.loan_id, r.institution_id, r.id, 1, 1 + (r.id - 1) % {PAID_INSTALMENTS}, c.component, r.value_date,
         CASE c.component WHEN 3 THEN {INTEREST_MINOR} ELSE r.amount_minor - {INTEREST_MINOR} END, 1
    FROM repayments_receipt r CROSS JOIN (VALUES (3), (4)) c (component)
   ORDER BY r.loan_id, r.id, c.component;
SELECT setval(pg_get_serial_sequence('repayments_receipt', 'id'), %(loans)s * {PAID_INSTALMENTS});
"""

# A day's business on the second date: one loan in 28 pays what falls due that day, under one booking.
DAY = f"""
SET session_replication_role = replica;
INSERT INTO daybook_booking (id, number, business_date, actor_name, purpose, reason)
  VALUES (nextval(pg_get_serial_sequence('daybook_booking', 'id')),
      (SELECT coalesce(max(number), 0) + 1 FROM daybook_booking),
      '{SECOND_DATE}', 'Generator', 'bench', '');
WITH made AS (
  INSERT INTO repayments_receipt (loan_id, institution_id, tier, channel, value_date, amount_minor,
      external_reference, booking_id)
    SELECT l.id, l.institution_id, l.tier, 'import', '{SECOND_DATE}', {INTEREST_MINOR + PRINCIPAL_MINOR},
           'R-day', currval(pg_get_serial_sequence('daybook_booking', 'id'))
      FROM lending_loan l
     WHERE l.id % 10 <> 0 AND l.id % 7 <> 0
       AND EXISTS (SELECT FROM lending_due d WHERE d.loan_id = l.id AND d.late_date = '{SECOND_DATE}')
  RETURNING id, loan_id, institution_id, booking_id
)
INSERT INTO repayments_allocation (loan_id, institution_id, receipt_id, source, instalment, component,
    value_date, amount_minor, booking_id)
  SELECT r.loan_id, r.institution_id, r.id, 1, d.instalment, d.component, '{SECOND_DATE}', d.amount_minor,
         r.booking_id
    FROM made r JOIN lending_due d ON d.loan_id = r.loan_id AND d.late_date = '{SECOND_DATE}';
SET session_replication_role = DEFAULT;
"""


def generate(admin: Any, *, loans: int) -> None:
    """Write the books of the first date into an empty, migrated database over the administrator's login."""
    with admin.cursor() as cursor:
        for statements in (BASE, LOANS, RECEIPTS):
            cursor.execute(statements.replace("%(loans)s", str(loans)))
        cursor.execute("SET session_replication_role = DEFAULT")
        for table in ("daybook_booking", "lending_loan", "lending_schedule", "partners_user"):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
        cursor.execute("VACUUM ANALYZE")


def generate_second_day(admin: Any) -> None:
    """Add the second date's receipts; the books must be open on it."""
    with admin.cursor() as cursor:
        cursor.execute(DAY)
