"""Let a posting lock the loans it touches. docs/contributors/guards.md explains it."""

from django.db import migrations

# Row locks need the right to UPDATE, which nobody has on append-only loans; so the owner takes them.
# In id order, so that two postings over the same loans queue instead of meeting head on.
LOCK = """
CREATE FUNCTION repayments_lock_loans(ids bigint[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
BEGIN
    PERFORM FROM lending_loan WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("repayments", "0002_guards")]

    operations = [migrations.RunSQL(LOCK, "DROP FUNCTION repayments_lock_loans(bigint[]);")]
