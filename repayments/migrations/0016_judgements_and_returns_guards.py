"""What was judged, reported and decided stays. docs/contributors/guards.md explains each guard."""

from django.db import migrations

from daybook.guards import append_only, own_institution, row_security

APPEND_ONLY = [
    "repayments_classfloor",
    "repayments_classfloorrelease",
    "repayments_classfreeze",
    "repayments_reportedposition",
]
CHILDREN = [
    ("repayments_classfloor", "loan_id", "lending_loan"),
    ("repayments_classfloorrelease", "floor_id", "repayments_classfloor"),
    ("repayments_reportedposition", "loan_id", "lending_loan"),
    ("repayments_rulingproposal", "loan_id", "lending_loan"),
]
OWN = ["repayments_classfloor", "repayments_classfloorrelease", "repayments_reportedposition"]
OWN += ["repayments_returnline"]
OWN_OR_NOBODYS = ["repayments_classfreeze", "repayments_classificationreturn", "repayments_rulingproposal"]

KEPT = """
-- A decided proposal, and what was proposed, never change.
CREATE FUNCTION repayments_ruling_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE allowed text[] := ARRAY['state', 'decided_by_id', 'decided_at', 'decision_reason', 'booking_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'proposed'
        AND to_jsonb(NEW) - allowed = to_jsonb(OLD) - allowed THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of proposal % refused: what was proposed or decided stays', TG_OP, OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ruling_is_kept';
END $$;
CREATE TRIGGER ruling_is_kept BEFORE UPDATE OR DELETE ON repayments_rulingproposal
    FOR EACH ROW EXECUTE FUNCTION repayments_ruling_is_kept();

-- A return keeps its coordinates; only a draft is decided; locked, it adds up and never changes.
CREATE FUNCTION repayments_return_is_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE fixed text[] := ARRAY['tier', 'institution_id', 'as_of', 'known_by', 'last_booking_id', 'made_by_id'];
        name text; found bigint; provided bigint;
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'draft' THEN
        RAISE EXCEPTION '% of return % refused: it is % and stays', TG_OP, OLD.id, OLD.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'return_is_kept';
    END IF;
    FOREACH name IN ARRAY fixed LOOP
        IF to_jsonb(NEW) -> name IS DISTINCT FROM to_jsonb(OLD) -> name THEN
            RAISE EXCEPTION '% of return % is fixed', name, OLD.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'return_is_kept';
        END IF;
    END LOOP;
    IF NEW.state = 'locked' THEN
        SELECT count(*), coalesce(sum(provision_minor), 0) INTO found, provided
          FROM repayments_returnline WHERE classification_return_id = OLD.id;
        IF found <> NEW.loan_count OR provided <> NEW.provision_minor THEN
            RAISE EXCEPTION 'return % says % loans and a provision of %, its lines say % and %',
                OLD.id, NEW.loan_count, NEW.provision_minor, found, provided
                USING ERRCODE = 'check_violation', CONSTRAINT = 'return_adds_up';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER return_is_kept BEFORE UPDATE OR DELETE ON repayments_classificationreturn
    FOR EACH ROW EXECUTE FUNCTION repayments_return_is_kept();

-- Lines are added to drafts, about real loans of the return's tier and institution; a draft's lines may be
-- dropped to be drafted anew. The share lock makes whoever locks the return wait.
CREATE FUNCTION repayments_return_lines_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    PERFORM FROM repayments_classificationreturn
      WHERE id IN (SELECT classification_return_id FROM new_rows) ORDER BY id FOR SHARE;
    SELECT n.loan_id INTO bad FROM new_rows n
      LEFT JOIN repayments_classificationreturn r ON r.id = n.classification_return_id AND r.state = 'draft'
      LEFT JOIN lending_loan l ON l.id = n.loan_id AND l.institution_id = n.institution_id AND l.tier = r.tier
       AND (r.institution_id IS NULL OR r.institution_id = l.institution_id)
     WHERE l.id IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'line of loan % refused: no draft return of its tier and institution', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'return_lines_are_kept';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER return_lines_are_kept AFTER INSERT ON repayments_returnline
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION repayments_return_lines_added();

CREATE FUNCTION repayments_return_lines_dropped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    PERFORM FROM repayments_classificationreturn
      WHERE id IN (SELECT classification_return_id FROM old_rows) ORDER BY id FOR SHARE;
    SELECT r.id INTO bad FROM repayments_classificationreturn r
     WHERE r.id IN (SELECT classification_return_id FROM old_rows) AND r.state <> 'draft' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'lines of return % stay', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'return_lines_are_kept';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER return_lines_dropped AFTER DELETE ON repayments_returnline
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION repayments_return_lines_dropped();
CREATE TRIGGER return_line_is_kept BEFORE UPDATE ON repayments_returnline
    FOR EACH ROW EXECUTE FUNCTION daybook_refuse_change();
CREATE TRIGGER return_line_is_kept_truncate BEFORE TRUNCATE ON repayments_returnline
    FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_change();
"""
KEPT_REVERSE = """
DROP TRIGGER return_line_is_kept_truncate ON repayments_returnline;
DROP TRIGGER return_line_is_kept ON repayments_returnline;
DROP TRIGGER return_lines_dropped ON repayments_returnline;
DROP FUNCTION repayments_return_lines_dropped();
DROP TRIGGER return_lines_are_kept ON repayments_returnline;
DROP FUNCTION repayments_return_lines_added();
DROP TRIGGER return_is_kept ON repayments_classificationreturn;
DROP FUNCTION repayments_return_is_kept();
DROP TRIGGER ruling_is_kept ON repayments_rulingproposal;
DROP FUNCTION repayments_ruling_is_kept();
"""


def _little(table: str) -> migrations.RunSQL:
    """The foundation, or the worker that posts a file, writes here and a partner never does."""
    return migrations.RunSQL(
        f"CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION lending_partner_writes_little();",
        f"DROP TRIGGER partner_writes_little ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("repayments", "0015_judgements_and_returns")]

    operations = [
        *[own_institution(child, column, parent) for child, column, parent in CHILDREN],
        *[row_security(table) for table in OWN],
        *[row_security(table, or_nobodys=True) for table in OWN_OR_NOBODYS],
        *[append_only(table) for table in APPEND_ONLY],
        *[_little(table) for table in (*OWN, *OWN_OR_NOBODYS)],
        migrations.RunSQL(KEPT, KEPT_REVERSE),
    ]
