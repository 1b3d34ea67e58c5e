"""A plan version takes back exactly what it replaces. docs/contributors/guards.md explains it."""

from django.db import migrations

# Of version 1: the principal dues come to what was lent and capitalised. Of a later one: its own dues come to
# what it opens with and what came on top, and with the mirrors it wrote the loan grows by what came on top.
PLAN = """
CREATE OR REPLACE FUNCTION lending_plan_check(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad record;
BEGIN
    EXECUTE $q$
    SELECT s.id, s.loan_id, s.principal_minor + s.growth AS expected, coalesce(d.own, 0) AS found,
           CASE WHEN s.version = 1 THEN 0 ELSE s.principal_minor END AS expected_back, coalesce(d.back, 0) AS back
      FROM (SELECT id, loan_id, version, principal_minor,
                   capitalised_minor + added_minor + transferred_minor AS growth
              FROM lending_schedule WHERE loan_id = ANY ($1)) s
      LEFT JOIN (SELECT schedule_id, sum(amount_minor) FILTER (WHERE mirror_of_id IS NULL) AS own,
                        -sum(amount_minor) FILTER (WHERE mirror_of_id IS NOT NULL) AS back
                   FROM lending_due WHERE loan_id = ANY ($1) AND component = 4 GROUP BY schedule_id) d
        ON d.schedule_id = s.id
     WHERE s.principal_minor + s.growth <> coalesce(d.own, 0)
        OR coalesce(d.back, 0) <> CASE WHEN s.version = 1 THEN 0 ELSE s.principal_minor END
     LIMIT 1
    $q$ INTO bad USING ids;
    IF bad.id IS NOT NULL THEN
        RAISE EXCEPTION 'schedule % of loan % plans % of principal and takes back %, its terms say % and %',
            bad.id, bad.loan_id, bad.found, bad.back, bad.expected, bad.expected_back
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_adds_up';
    END IF;
END $$;
"""
# A due is taken back in whole, by a row like it, not before it counted.
MIRROR = """
CREATE FUNCTION lending_due_mirror_is_exact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE bad bigint;
BEGIN
    EXECUTE 'SELECT n.id FROM new_rows n JOIN lending_due o ON o.id = n.mirror_of_id
        WHERE n.mirror_of_id IS NOT NULL
          AND NOT (n.loan_id = o.loan_id AND n.instalment = o.instalment AND n.component = o.component
                   AND n.nominal_date = o.nominal_date AND n.late_date = o.late_date
                   AND n.effective_date >= o.effective_date
                   AND n.amount_minor = -o.amount_minor AND o.mirror_of_id IS NULL) LIMIT 1' INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'row % of lending_due refused: it is not the exact opposite of the row it takes back', bad
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mirror_is_exact', TABLE = 'lending_due';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mirror_is_exact AFTER INSERT ON lending_due REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION lending_due_mirror_is_exact();
"""


class Migration(migrations.Migration):
    dependencies = [("lending", "0008_terms_and_versions")]

    operations = [
        migrations.RunSQL(PLAN, migrations.RunSQL.noop),
        migrations.RunSQL(
            MIRROR,
            "DROP TRIGGER mirror_is_exact ON lending_due; DROP FUNCTION lending_due_mirror_is_exact();",
        ),
    ]
