"""A partner's session changes no account, and signs nothing with somebody else's name. docs/contributors/guards.md."""

from django.db import migrations

from daybook.guards import CURRENT_INSTITUTION

# Passwords, languages and last visits are written by the web's own role, before a partner's role is taken.
ACCOUNTS = """
DROP POLICY partner_changes_own ON partners_user;
CREATE TRIGGER partner_writes_little BEFORE INSERT OR UPDATE OR DELETE ON partners_user
    FOR EACH STATEMENT EXECUTE FUNCTION partners_partner_writes_little();
"""
ACCOUNTS_REVERSE = f"""
DROP TRIGGER partner_writes_little ON partners_user;
CREATE POLICY partner_changes_own ON partners_user FOR UPDATE TO paikar_partner USING (EXISTS (
    SELECT FROM partners_membership m
    WHERE m.user_id = partners_user.id AND m.institution_id = {CURRENT_INSTITUTION}
));
"""
# Row-level security leaves a partner's session its own people, so the subquery knows nobody else.
ACTORS = """
CREATE FUNCTION partners_partner_acts_as_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'paikar_partner'
        AND NOT EXISTS (SELECT FROM partners_user WHERE id = NEW.actor_id) THEN
        RAISE EXCEPTION '% in the name of % refused: not a person of the institution',
            TG_TABLE_NAME, coalesce(NEW.actor_id::text, 'the system')
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'partner_acts_as_itself';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER partner_acts_as_itself BEFORE INSERT ON daybook_booking
    FOR EACH ROW EXECUTE FUNCTION partners_partner_acts_as_itself();
CREATE TRIGGER partner_acts_as_itself BEFORE INSERT ON daybook_auditentry
    FOR EACH ROW EXECUTE FUNCTION partners_partner_acts_as_itself();
"""
ACTORS_REVERSE = """
DROP TRIGGER partner_acts_as_itself ON daybook_auditentry;
DROP TRIGGER partner_acts_as_itself ON daybook_booking;
DROP FUNCTION partners_partner_acts_as_itself();
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0003_partner_writes_little")]

    operations = [
        migrations.RunSQL(ACCOUNTS, ACCOUNTS_REVERSE),
        migrations.RunSQL(ACTORS, ACTORS_REVERSE),
    ]
