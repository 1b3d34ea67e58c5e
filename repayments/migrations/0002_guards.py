"""What the database enforces about repayments. docs/contributors/guards.md explains each guard."""

from django.db import migrations

from daybook.guards import append_only, checked_at_commit, own_institution, row_security

GUARDED = ["upload", "uploadrow", "receipt", "allocation", "receiptproposal", "controltotal"]
CHILDREN = [
    ("repayments_upload", "application_id", "lending_application"),
    ("repayments_uploadrow", "upload_id", "repayments_upload"),
    ("repayments_uploadrow", "loan_id", "lending_loan"),
    ("repayments_receipt", "loan_id", "lending_loan"),
    ("repayments_allocation", "loan_id", "lending_loan"),
    ("repayments_allocation", "receipt_id", "repayments_receipt"),
    ("repayments_receiptproposal", "loan_id", "lending_loan"),
    ("repayments_receiptproposal", "receipt_id", "repayments_receipt"),
]
FACTS = ["receipt", "allocation", "classificationpolicy", "provisionpolicy"]

SNAPSHOT = """
CREATE TABLE repayments_arrearssnapshot (
    business_date date NOT NULL,
    loan_id bigint NOT NULL,
    run_id bigint NOT NULL,
    institution_id bigint NOT NULL,
    agreement_id bigint NOT NULL,
    programme_id bigint NOT NULL,
    cluster_id bigint NOT NULL,
    tier varchar(9) NOT NULL,
    currency varchar(3) NOT NULL,
    state varchar(8) NOT NULL,
    disbursed_minor bigint NOT NULL,
    outstanding_minor bigint NOT NULL,
    interest_due_minor bigint NOT NULL,
    overdue_charge_minor bigint NOT NULL,
    overdue_penal_minor bigint NOT NULL,
    overdue_interest_minor bigint NOT NULL,
    overdue_principal_minor bigint NOT NULL,
    advance_minor bigint NOT NULL,
    overdue_since date,
    days_past_due integer NOT NULL,
    months_overdue integer NOT NULL,
    bucket smallint NOT NULL,
    loan_class smallint NOT NULL,
    classification_policy_id bigint NOT NULL,
    provision_policy_id bigint NOT NULL,
    suspense_minor bigint NOT NULL,
    security_minor bigint NOT NULL,
    base_minor bigint NOT NULL,
    provision_minor bigint NOT NULL,
    PRIMARY KEY (business_date, loan_id),
    CONSTRAINT snapshot_amounts_not_negative CHECK (
        outstanding_minor >= 0 AND advance_minor >= 0 AND overdue_principal_minor >= 0
        AND overdue_interest_minor >= 0 AND overdue_charge_minor >= 0 AND overdue_penal_minor >= 0
        AND provision_minor >= 0),
    CONSTRAINT snapshot_lateness_agrees CHECK ((overdue_since IS NULL) = (days_past_due = 0))
) PARTITION BY RANGE (business_date);
CREATE INDEX arrears_snapshot_institution ON repayments_arrearssnapshot (institution_id, business_date);

-- Partitions are made by the close, one per month, never written directly: no role is granted anything on them.
CREATE FUNCTION repayments_snapshot_partition(day date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE first date := date_trunc('month', day)::date; name text := to_char(day, '"repayments_arrearssnapshot_"YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(7250003);
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF repayments_arrearssnapshot FOR VALUES FROM (%L) TO (%L)',
            name, first, (first + interval '1 month')::date);
    END IF;
END $$;

-- Statement guard instead of foreign keys: a snapshot's loans exist and their institution is true.
CREATE FUNCTION repayments_snapshot_loans_real() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    SELECT n.loan_id INTO bad FROM new_rows n
      LEFT JOIN lending_loan l ON l.id = n.loan_id AND l.institution_id = n.institution_id
     WHERE l.id IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'snapshot of loan % refused: no such loan at that institution', bad
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'snapshot_loans_real';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER snapshot_loans_real AFTER INSERT ON repayments_arrearssnapshot
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION repayments_snapshot_loans_real();
"""
SNAPSHOT_REVERSE = """
DROP TABLE repayments_arrearssnapshot;
DROP FUNCTION repayments_snapshot_loans_real();
DROP FUNCTION repayments_snapshot_partition(date);
"""

SETTLEMENT = """
-- Checked as a set at commit, for the loans a transaction touched:
-- a receipt's allocations sum to it; no component is settled beyond its due or below nothing;
-- advances never go below nothing; a reference stands once per loan among unreversed receipts.
CREATE FUNCTION repayments_settlement_check(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad record;
BEGIN
    PERFORM FROM lending_loan WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;  -- two payers queue here

    SELECT r.id, r.amount_minor AS expected, coalesce(a.total, 0) AS found INTO bad
      FROM (SELECT coalesce(mirror_of_id, id) AS id, sum(amount_minor) AS amount_minor
              FROM repayments_receipt WHERE loan_id = ANY (ids) GROUP BY 1) r
      LEFT JOIN (SELECT receipt_id, sum(amount_minor) AS total
                   FROM repayments_allocation WHERE loan_id = ANY (ids) GROUP BY 1) a ON a.receipt_id = r.id
     WHERE r.amount_minor <> coalesce(a.total, 0) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'receipt % stands at % but its allocations come to %', bad.id, bad.expected, bad.found
            USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_fully_allocated';
    END IF;

    SELECT a.loan_id, a.instalment, a.component, a.total AS settled, coalesce(d.total, 0) AS due INTO bad
      FROM (SELECT loan_id, instalment, component, sum(amount_minor) AS total
              FROM repayments_allocation WHERE loan_id = ANY (ids) GROUP BY 1, 2, 3) a
      LEFT JOIN (SELECT loan_id, instalment, component, sum(amount_minor) AS total
                   FROM lending_due WHERE loan_id = ANY (ids) GROUP BY 1, 2, 3) d
        USING (loan_id, instalment, component)
     WHERE a.total < 0 OR (a.component < 8 AND a.total > coalesce(d.total, 0)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'loan % instalment % component %: settled %, due %',
            bad.loan_id, bad.instalment, bad.component, bad.settled, bad.due
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allocation_within_due';
    END IF;

    SELECT loan_id, external_reference INTO bad FROM repayments_receipt WHERE loan_id = ANY (ids)
     GROUP BY 1, 2 HAVING sum(CASE WHEN mirror_of_id IS NULL THEN 1 ELSE -1 END) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'reference % already stands on loan %', bad.external_reference, bad.loan_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'receipt_reference_once';
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0001_initial"), ("lending", "0003_guards")]

    operations = [
        *[own_institution(child, column, parent) for child, column, parent in CHILDREN],
        migrations.RunSQL(SNAPSHOT, SNAPSHOT_REVERSE),
        *[row_security(f"repayments_{name}") for name in GUARDED],
        row_security("repayments_arrearssnapshot"),
        *[append_only(f"repayments_{name}") for name in FACTS],
        append_only("repayments_arrearssnapshot"),
        migrations.RunSQL(SETTLEMENT, "DROP FUNCTION repayments_settlement_check(bigint[]);"),
        checked_at_commit("repayments_receipt", topic="repayments_settlement", column="loan_id"),
        checked_at_commit("repayments_allocation", topic="repayments_settlement", column="loan_id"),
        checked_at_commit("lending_due", topic="repayments_settlement", column="loan_id"),
    ]
