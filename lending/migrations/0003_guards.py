"""What the database enforces about lending. docs/contributors/guards.md explains each guard."""

from django.db import migrations

from daybook.guards import append_only, checked_at_commit, institution_key, own_institution, row_security

GUARDED = [
    "person",
    "enterprise",
    "ownership",
    "loanparty",
    "security",
    "agreement",
    "allotment",
    "application",
    "applicationline",
    "decision",
    "facility",
    "tranche",
    "trancheline",
    "loan",
    "loanidentifier",
    "loanprofile",
    "funding",
    "schedule",
    "due",
    "standing",
]
PARENTS = [
    "person",
    "enterprise",
    "agreement",
    "allotment",
    "application",
    "facility",
    "tranche",
    "schedule",
]
CHILDREN = [
    ("ownership", "person_id", "person"),
    ("ownership", "enterprise_id", "enterprise"),
    ("loanparty", "loan_id", "loan"),
    ("loanparty", "person_id", "person"),
    ("security", "loan_id", "loan"),
    ("allotment", "agreement_id", "agreement"),
    ("application", "allotment_id", "allotment"),
    ("applicationline", "application_id", "application"),
    ("decision", "agreement_id", "agreement"),
    ("decision", "application_id", "application"),
    ("decision", "tranche_id", "tranche"),
    ("facility", "application_id", "application"),
    ("facility", "allotment_id", "allotment"),
    ("tranche", "facility_id", "facility"),
    ("tranche", "agreement_id", "agreement"),
    ("trancheline", "tranche_id", "tranche"),
    ("trancheline", "allotment_id", "allotment"),
    ("loan", "agreement_id", "agreement"),
    ("loan", "tranche_id", "tranche"),
    ("loan", "enterprise_id", "enterprise"),
    ("loanidentifier", "loan_id", "loan"),
    ("loanprofile", "loan_id", "loan"),
    ("funding", "loan_id", "loan"),
    ("funding", "tranche_id", "tranche"),
    ("schedule", "loan_id", "loan"),
    ("due", "loan_id", "loan"),
    ("due", "schedule_id", "schedule"),
    ("standing", "agreement_id", "agreement"),
    ("standing", "tranche_id", "tranche"),
]
FACTS = ["loan", "loanidentifier", "loanprofile", "funding", "schedule", "due", "decision", "programmeterms"]

CHECKS = """
-- A plan's principal is what it opens with plus what it capitalises, to the poisha.
CREATE FUNCTION lending_plan_check(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad record;
BEGIN
    SELECT s.id, s.loan_id, s.principal_minor + s.capitalised_minor AS expected,
           coalesce(sum(d.amount_minor) FILTER (WHERE d.component = 4 AND d.mirror_of_id IS NULL), 0) AS found
      INTO bad
      FROM lending_schedule s LEFT JOIN lending_due d ON d.schedule_id = s.id AND d.loan_id = s.loan_id
     WHERE s.loan_id = ANY (ids)
     GROUP BY s.id
    HAVING s.principal_minor + s.capitalised_minor
           <> coalesce(sum(d.amount_minor) FILTER (WHERE d.component = 4 AND d.mirror_of_id IS NULL), 0)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schedule % of loan % plans % of principal, its terms say %',
            bad.id, bad.loan_id, bad.found, bad.expected
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_adds_up';
    END IF;
END $$;

-- What tranches draw stays within the facility, facilities within the allotment, allotments within the agreement.
CREATE FUNCTION lending_within_limits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE limit_amount numeric; used numeric; what text;
BEGIN
    IF TG_TABLE_NAME = 'lending_tranche' THEN
        SELECT amount INTO limit_amount FROM lending_facility WHERE id = NEW.facility_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(coalesce(approved_amount, requested_amount)), 0) INTO used
          FROM lending_tranche WHERE facility_id = NEW.facility_id AND state <> 'cancelled';
        what := 'tranches of facility ' || NEW.facility_id;
    ELSIF TG_TABLE_NAME = 'lending_facility' THEN
        SELECT amount INTO limit_amount FROM lending_allotment WHERE id = NEW.allotment_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount), 0) INTO used FROM lending_facility WHERE allotment_id = NEW.allotment_id;
        what := 'facilities under allotment ' || NEW.allotment_id;
    ELSE
        SELECT a."limit" INTO limit_amount FROM lending_agreement a WHERE id = NEW.agreement_id FOR NO KEY UPDATE;
        SELECT coalesce(sum(amount), 0) INTO used FROM lending_allotment WHERE agreement_id = NEW.agreement_id;
        what := 'allotments of agreement ' || NEW.agreement_id;
    END IF;
    IF used > limit_amount THEN
        RAISE EXCEPTION '% come to %, over their limit of %', what, used, limit_amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'within_limits';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER within_limits AFTER INSERT OR UPDATE ON lending_tranche
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lending_within_limits();
CREATE CONSTRAINT TRIGGER within_limits AFTER INSERT OR UPDATE ON lending_facility
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lending_within_limits();
CREATE CONSTRAINT TRIGGER within_limits AFTER INSERT OR UPDATE ON lending_allotment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lending_within_limits();

-- Only the foundation decides: a partner may draft, submit, request, withdraw and cancel.
CREATE FUNCTION lending_partner_does_not_decide() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'paikar_partner' AND NEW.state IN ('appraised', 'approved', 'rejected', 'returned',
        'cleared', 'disbursed') THEN
        RAISE EXCEPTION 'state % of % refused: only the foundation decides', NEW.state, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_does_not_decide';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER partner_does_not_decide BEFORE INSERT OR UPDATE OF state ON lending_application
    FOR EACH ROW EXECUTE FUNCTION lending_partner_does_not_decide();
CREATE TRIGGER partner_does_not_decide BEFORE INSERT OR UPDATE OF state ON lending_tranche
    FOR EACH ROW EXECUTE FUNCTION lending_partner_does_not_decide();
"""
CHECKS_REVERSE = """
DROP TRIGGER partner_does_not_decide ON lending_application;
DROP TRIGGER partner_does_not_decide ON lending_tranche;
DROP FUNCTION lending_partner_does_not_decide();
DROP TRIGGER within_limits ON lending_tranche;
DROP TRIGGER within_limits ON lending_facility;
DROP TRIGGER within_limits ON lending_allotment;
DROP FUNCTION lending_within_limits();
DROP FUNCTION lending_plan_check(bigint[]);
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0002_initial"), ("partners", "0002_guards")]

    operations = [
        *[institution_key(f"lending_{name}") for name in PARENTS],
        *[
            own_institution(f"lending_{child}", column, f"lending_{parent}")
            for child, column, parent in CHILDREN
        ],
        *[row_security(f"lending_{name}") for name in GUARDED],
        *[append_only(f"lending_{name}") for name in FACTS],
        migrations.RunSQL(CHECKS, CHECKS_REVERSE),
        checked_at_commit("lending_due", topic="lending_plan", column="loan_id"),
        checked_at_commit("lending_schedule", topic="lending_plan", column="loan_id"),
    ]
