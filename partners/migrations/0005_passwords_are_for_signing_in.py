"""Hashes of passwords are read by whoever signs people in, and by no page. config/grants.py says which roles."""

from django.db import migrations

import partners.models

# Runs as its caller. A statement of PL/pgSQL asks for rights only when it is reached, so a role without the
# column gets an empty text instead of a refusal.
READ = """
CREATE FUNCTION partners_password(person bigint) RETURNS varchar LANGUAGE plpgsql STABLE
    SET search_path = public, pg_temp AS $$
BEGIN
    IF has_column_privilege('public.partners_user', 'password', 'SELECT') THEN
        RETURN (SELECT password FROM partners_user WHERE id = person);
    END IF;
    RETURN '';
END $$;
"""
# A row read without its hash and saved whole would shut the person out.
KEEP = """
CREATE FUNCTION partners_password_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a password is changed, never emptied' USING CONSTRAINT = 'password_is_kept',
        ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER password_is_kept BEFORE UPDATE ON partners_user FOR EACH ROW
    WHEN (NEW.password = '' AND OLD.password <> '') EXECUTE FUNCTION partners_password_is_kept();
"""
KEEP_REVERSE = """
DROP TRIGGER password_is_kept ON partners_user;
DROP FUNCTION partners_password_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_partner_acts_as_itself")]

    operations = [
        migrations.RunSQL(READ, "DROP FUNCTION partners_password(bigint);"),
        migrations.RunSQL(KEEP, KEEP_REVERSE),
        migrations.AlterField(
            model_name="user",
            name="password",
            field=partners.models.PasswordField(max_length=128),
        ),
    ]
