"""What the database enforces about who takes part. docs/contributors/guards.md explains each guard."""

from django.db import migrations

from daybook.guards import CURRENT_INSTITUTION, append_only, row_security

ACTORS = """
ALTER TABLE daybook_booking ADD CONSTRAINT booking_actor FOREIGN KEY (actor_id) REFERENCES partners_user (id);
ALTER TABLE daybook_booking ADD CONSTRAINT booking_institution
    FOREIGN KEY (institution_id) REFERENCES partners_institution (id);
ALTER TABLE daybook_auditentry ADD CONSTRAINT audit_entry_actor
    FOREIGN KEY (actor_id) REFERENCES partners_user (id);
"""
ACTORS_REVERSE = """
ALTER TABLE daybook_booking DROP CONSTRAINT booking_actor;
ALTER TABLE daybook_booking DROP CONSTRAINT booking_institution;
ALTER TABLE daybook_auditentry DROP CONSTRAINT audit_entry_actor;
"""

# A partner reads the people of its own institution; the web's own role reads all, to let them sign in.
PEOPLE = f"""
ALTER TABLE partners_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY web_signs_in ON partners_user TO paikar_web USING (true) WITH CHECK (true);
CREATE POLICY foundation_all ON partners_user TO paikar_foundation USING (true) WITH CHECK (true);
CREATE POLICY partner_sees_own ON partners_user FOR SELECT TO paikar_partner USING (EXISTS (
    SELECT FROM partners_membership m
    WHERE m.user_id = partners_user.id AND m.institution_id = {CURRENT_INSTITUTION}
));
CREATE POLICY partner_changes_own ON partners_user FOR UPDATE TO paikar_partner USING (EXISTS (
    SELECT FROM partners_membership m
    WHERE m.user_id = partners_user.id AND m.institution_id = {CURRENT_INSTITUTION}
));
CREATE POLICY web_signs_in ON partners_membership FOR SELECT TO paikar_web USING (true);
CREATE POLICY web_signs_in ON partners_institution FOR SELECT TO paikar_web USING (true);
"""
PEOPLE_REVERSE = """
DROP POLICY web_signs_in ON partners_institution;
DROP POLICY web_signs_in ON partners_membership;
DROP POLICY web_signs_in ON partners_user;
DROP POLICY foundation_all ON partners_user;
DROP POLICY partner_sees_own ON partners_user;
DROP POLICY partner_changes_own ON partners_user;
ALTER TABLE partners_user DISABLE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_initial"), ("daybook", "0002_guards")]

    operations = [
        migrations.RunSQL(ACTORS, ACTORS_REVERSE),
        append_only("partners_institutionstatus"),
        append_only("partners_exposurelimit"),
        append_only("partners_institutionratio"),
        append_only("partners_approvalauthority"),
        row_security("partners_institution", column="id"),
        row_security("partners_institutionstatus"),
        row_security("partners_branch"),
        row_security("partners_exposurelimit"),
        row_security("partners_institutionratio"),
        row_security("partners_membership"),
        migrations.RunSQL(PEOPLE, PEOPLE_REVERSE),
    ]
