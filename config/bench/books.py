"""Generated books: two tiers, twenty institutions, loans of 24 monthly instalments, a year of receipts.

Sub-loan i is disbursed a year and 0 to 27 days before the first business date, so that one loan in 28 has an
instalment due each day; one in ten has paid nothing for four months, one in seven is part-paid. Dues stand
loan by loan as a disbursement writes them, receipts and settlements day by day as a year brings them. The
wholesale tier, and what funds the sub-loans, is in ``wholesale``.

Everything is written by ``INSERT … SELECT`` with triggers off (``session_replication_role = replica``,
which only the administrator's login may set): the guards check what people and files bring, one
posting at a time. What they demand is checked over the whole book instead, once it is made (``CHECKS``).
Each step commits by itself and the next is found from what stands in the tables, so a generation that
was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from config.bench import wholesale
from config.bench.shape import (
    FIRST_DATE,
    INSTALMENTS,
    INSTITUTIONS,
    INTEREST_MINOR,
    PAID_INSTALMENTS,
    PRINCIPAL_MINOR,
)

LOANS_A_STEP = 50_000
FIRST_RECEIPT_DATE = date(2025, 6, 1)

BASE = f"""
INSERT INTO partners_user (id, username, full_name, full_name_bn, language, password, is_superuser,
    first_name, last_name, email, is_staff, is_active, date_joined)
  SELECT n, 'person' || n, 'Person ' || n, '', 'en', '!', false, '', '', '', false, true, now()
    FROM generate_series(1, 2) n;
INSERT INTO daybook_businessday (date, state) VALUES ('{FIRST_DATE}', 'open');
INSERT INTO daybook_booking (id, number, business_date, actor_name, purpose, reason)
  VALUES (1, 1, '{FIRST_DATE}', 'Generator', 'bench', '');
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
  SELECT i, 'B-' || i, 'subloan', 'import', 1 + i % {INSTITUTIONS}, 1 + i % {INSTITUTIONS}, 1, 'BDT',
         {INSTALMENTS * PRINCIPAL_MINOR}, 6,
         date '{FIRST_DATE}' - interval '{PAID_INSTALMENTS} months' - (i % 28) * interval '1 day', '', 1
    FROM generate_series(%(first)s, %(last)s) i WHERE i % 100 <> 0;
INSERT INTO lending_loanprofile (loan_id, institution_id, effective_date, size_tier, activity, gender,
    is_woman_owned, sector, booking_id)
  SELECT id, institution_id, disbursed_date, (ARRAY['cottage', 'micro', 'small', 'medium'])[1 + id % 4],
         'manufacturing', CASE WHEN id % 3 = 0 THEN 'female' ELSE 'male' END, id % 3 = 0, '', 1
    FROM lending_loan WHERE id BETWEEN %(first)s AND %(last)s;
INSERT INTO lending_schedule (id, loan_id, institution_id, version, cause, effective_date, terms,
    principal_minor, capitalised_minor, added_minor, transferred_minor, first_due_date, maturity_date,
    instalment_count, booking_id)
  SELECT id, id, institution_id, 1, 'supplied', disbursed_date, '{{}}', principal_minor, 0, 0, 0,
         disbursed_date + interval '1 month', disbursed_date + interval '{INSTALMENTS} months', {INSTALMENTS},
         1
    FROM lending_loan WHERE id BETWEEN %(first)s AND %(last)s;
INSERT INTO lending_due (loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date,
    effective_date, amount_minor, booking_id)
  SELECT l.id, l.institution_id, l.id, n, c.component, l.disbursed_date + n * interval '1 month',
         l.disbursed_date + n * interval '1 month', l.disbursed_date, c.amount, 1
    FROM lending_loan l CROSS JOIN generate_series(1, {INSTALMENTS}) n
   CROSS JOIN (VALUES (3, {INTEREST_MINOR}), (4, {PRINCIPAL_MINOR})) c (component, amount)
   WHERE l.id BETWEEN %(first)s AND %(last)s
   ORDER BY l.id, n, c.component;
"""

# A receipt for each instalment on the day it falls due. Late payers have paid nothing for four months;
# part-payers paid half of the last instalment before the first business date. Interest is a twentieth.
RECEIPTS = f"""
WITH made AS (
  INSERT INTO repayments_receipt (loan_id, institution_id, tier, channel, value_date, amount_minor,
      external_reference, booking_id)
    SELECT d.loan_id, d.institution_id, p.tier, 'import', d.late_date,
           d.amount_minor / {PRINCIPAL_MINOR // INTEREST_MINOR}
               + CASE WHEN p.number %% 7 = 0 AND d.instalment = p.paid THEN d.amount_minor / 2
                      ELSE d.amount_minor END,
           'R' || d.instalment, %(booking)s
      FROM lending_due d
     CROSS JOIN LATERAL (
         SELECT CASE WHEN is_ours THEN 'wholesale' ELSE 'subloan' END AS tier,
                CASE WHEN is_ours THEN d.loan_id / 100 + d.loan_id / {100 * INSTITUTIONS}
                     ELSE d.loan_id END AS number,
                CASE WHEN is_ours THEN {PAID_INSTALMENTS + 1} ELSE {PAID_INSTALMENTS} END AS paid
           FROM (SELECT d.loan_id %% 100 = 0 AS is_ours) whose) p
     WHERE d.component = 4 AND d.late_date BETWEEN %(from)s AND %(to)s AND p.tier = ANY (%(tiers)s)
       AND NOT (p.number %% 10 = 0 AND d.instalment > p.paid - 4)
       AND NOT (p.number %% 7 = 0 AND d.instalment > p.paid)
     ORDER BY d.late_date, d.loan_id
  RETURNING id, loan_id, institution_id, value_date, amount_minor, external_reference, booking_id
)
INSERT INTO repayments_allocation (loan_id, institution_id, receipt_id, source, instalment, component,
    value_date, amount_minor, booking_id)
  SELECT r.loan_id, r.institution_id, r.id, 1, d.instalment, d.component, r.value_date,
         CASE d.component WHEN 3 THEN d.amount_minor
              ELSE r.amount_minor - d.amount_minor / {PRINCIPAL_MINOR // INTEREST_MINOR} END,
         r.booking_id
    FROM made r JOIN lending_due d ON d.loan_id = r.loan_id AND d.component IN (3, 4)
         AND d.instalment = substr(r.external_reference, 2)::integer
   ORDER BY r.value_date, r.loan_id, d.component;
"""
NEW_BOOKING = """
INSERT INTO daybook_booking (id, number, business_date, actor_name, purpose, reason)
  SELECT nextval(pg_get_serial_sequence('daybook_booking', 'id')), max(number) + 1,
         (SELECT date FROM daybook_businessday WHERE state = 'open'), 'Generator', 'bench', ''
    FROM daybook_booking RETURNING id
"""

# What the guards on long tables demand of a book, asked of all of it at once: rows that break it.
CHECKS = {
    "a plan's principal is the loan's": """
        SELECT count(*) FROM (SELECT loan_id, sum(amount_minor) FILTER (WHERE component = 4) AS principal
            FROM lending_due GROUP BY loan_id) d FULL JOIN lending_loan l ON l.id = d.loan_id
         WHERE l.principal_minor IS DISTINCT FROM d.principal""",
    "a receipt's allocations sum to it": """
        SELECT count(*) FROM (SELECT receipt_id, sum(amount_minor) AS total
            FROM repayments_allocation GROUP BY receipt_id) a FULL JOIN repayments_receipt r
            ON r.id = a.receipt_id WHERE r.amount_minor IS DISTINCT FROM a.total""",
    "nothing is settled beyond its due": """
        SELECT count(*) FROM (SELECT loan_id, instalment, component, sum(amount_minor) AS paid
            FROM repayments_allocation GROUP BY 1, 2, 3) a LEFT JOIN lending_due d
            USING (loan_id, instalment, component) WHERE d.amount_minor IS NULL OR a.paid > d.amount_minor""",
}


def generate(admin: Any, *, loans: int, say: Callable[[str], None]) -> None:
    """Write the books of the first date into a migrated database over the administrator's login, or go on."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM repayments_dayrun)")
        if cursor.fetchone()[0] and wholesale.has_tranches(cursor):
            return  # made, checked and closed for the first time before
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SELECT count(*) FROM daybook_booking")
        if not cursor.fetchone()[0]:
            cursor.execute(BASE)
            _settle_sequences(cursor)
        cursor.execute("SELECT coalesce(max(id), 0) FROM lending_schedule")
        for first in range(int(cursor.fetchone()[0]) + 1, loans + 1, LOANS_A_STEP):
            last = min(first + LOANS_A_STEP - 1, loans)
            cursor.execute("BEGIN;" + _filled(LOANS, first=first, last=last) + "COMMIT")
            say(f"{last:,} loans")
        _tranches(cursor, loans, say)
        _settle_sequences(cursor)
        _receipts_of_the_year(cursor, say)
        _check(cursor, say)
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def generate_day(admin: Any, *, after: date, day: date) -> None:
    """Add the receipts of the business date the books are open on: what fell due since the one before."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM repayments_receipt WHERE value_date > %s", [after])
        if cursor.fetchone()[0]:
            return  # made before the bench was stopped
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("BEGIN")
        _receive(cursor, first=after + timedelta(days=1), last=day, booking=_new_booking(cursor))
        cursor.execute("COMMIT")
        cursor.execute("SET session_replication_role = DEFAULT")


def _tranches(cursor: Any, loans: int, say: Callable[[str], None]) -> None:
    """The wholesale tier in one transaction, then what funds the sub-loans, a step a transaction."""
    if not wholesale.has_tranches(cursor):
        until = wholesale.latest_receipt(cursor)
        cursor.execute("BEGIN")
        wholesale.make_tranches(cursor, loans=loans)
        if until:  # the book of an older release: its sub-loans have receipts to that day
            booking = _new_booking(cursor)
            _receive(cursor, first=FIRST_RECEIPT_DATE, last=until, booking=booking, tiers=["wholesale"])
        cursor.execute("COMMIT")
        cursor.execute("ANALYZE lending_tranche")
        say("tranches and their loans")
    for first in range(wholesale.latest_funded(cursor) + 1, loans + 1, LOANS_A_STEP):
        last = min(first + LOANS_A_STEP - 1, loans)
        wholesale.fund(cursor, first=first, last=last)
        say(f"{last:,} loans funded")


def _receipts_of_the_year(cursor: Any, say: Callable[[str], None]) -> None:
    """Receipts to the open date, a month a transaction, from the day after the last that stands."""
    cursor.execute("SELECT max(value_date) FROM repayments_receipt")
    latest = cursor.fetchone()[0]
    cursor.execute("SELECT date FROM daybook_businessday WHERE state = 'open'")
    open_date = cursor.fetchone()[0]
    start = latest + timedelta(days=1) if latest else FIRST_RECEIPT_DATE
    cursor.execute("ANALYZE lending_due")
    while start <= open_date:
        end = min((start + timedelta(days=31)).replace(day=1) - timedelta(days=1), open_date)
        cursor.execute("BEGIN")
        booking = 1 if open_date == FIRST_DATE else _new_booking(cursor)
        _receive(cursor, first=start, last=end, booking=booking)
        cursor.execute("COMMIT")
        say(f"receipts to {end:%d %b %Y}")
        start = end + timedelta(days=1)


def _receive(
    cursor: Any, *, first: date, last: date, booking: int, tiers: Sequence[str] = ("wholesale", "subloan")
) -> None:
    cursor.execute(RECEIPTS, {"from": first, "to": last, "booking": booking, "tiers": list(tiers)})


def _new_booking(cursor: Any) -> int:
    """A booking on the open date, after all there are."""
    cursor.execute(NEW_BOOKING)
    return int(cursor.fetchone()[0])


def _check(cursor: Any, say: Callable[[str], None]) -> None:
    for rule, broken in (CHECKS | wholesale.CHECKS).items():
        cursor.execute(broken)
        count = int(cursor.fetchone()[0])
        if count:
            raise ArithmeticError(f"The generated book breaks a guard: {rule}, {count} times.")
        say(f"checked: {rule}")


def _settle_sequences(cursor: Any) -> None:
    for table in (
        "daybook_booking",
        "lending_loan",
        "lending_schedule",
        "lending_tranche",
        "lending_facility",
        "lending_application",
        "lending_allotment",
        "lending_cluster",
        "partners_user",
    ):
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), greatest(max(id), 1)) FROM {table}"
        )


def _filled(statements: str, **numbers: int) -> str:
    """Several statements at once take no parameters; these are our own whole numbers."""
    for name, number in numbers.items():
        statements = statements.replace(f"%({name})s", str(int(number)))
    return statements
