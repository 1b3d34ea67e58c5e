"""The number people quote for "the books up to here", whoever asks."""

from django.db import migrations

FUNCTIONS = """
-- Row-level security hides other institutions' bookings, but every report says up to which one it knew.
-- Backwards along the numbers: the first booking that is not younger ends the search.
CREATE FUNCTION daybook_booking_number_up_to(bigint) RETURNS bigint LANGUAGE sql STABLE STRICT SECURITY DEFINER
    SET search_path = public AS
    'SELECT coalesce((SELECT number FROM daybook_booking WHERE id <= $1 AND number IS NOT NULL
                       ORDER BY number DESC LIMIT 1), 0)';
"""
REVERSE = "DROP FUNCTION daybook_booking_number_up_to(bigint);"


class Migration(migrations.Migration):
    dependencies = [("daybook", "0003_heartbeats_and_notices")]

    operations = [migrations.RunSQL(FUNCTIONS, REVERSE)]
