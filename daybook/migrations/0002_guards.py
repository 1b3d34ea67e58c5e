"""What the database enforces about the daybook. docs/contributors/guards.md explains each guard."""

from django.db import migrations

from daybook.guards import append_only, row_security

FUNCTIONS = """
CREATE FUNCTION daybook_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: facts are append-only, take a mistake back with a mirror',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;

-- The lock that splits bookings by business date: shared by postings, exclusive for the close.
CREATE FUNCTION daybook_lock_day(for_close boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF for_close THEN
        PERFORM pg_advisory_xact_lock(7250001);
    ELSE
        PERFORM pg_advisory_xact_lock_shared(7250001);
    END IF;
END $$;

-- A booking takes its id after the shared lock, so ids of a closed date are all below those of later dates.
CREATE FUNCTION daybook_open_booking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE open_date date;
BEGIN
    PERFORM daybook_lock_day(false);
    SELECT date INTO open_date FROM daybook_businessday WHERE state = 'open';
    IF open_date IS DISTINCT FROM NEW.business_date THEN
        RAISE EXCEPTION 'booking for % refused: the open business date is %', NEW.business_date, open_date
            USING ERRCODE = 'check_violation', CONSTRAINT = 'booking_on_open_day';
    END IF;
    NEW.id := nextval(pg_get_serial_sequence('daybook_booking', 'id'));
    NEW.number := NULL;
    NEW.recorded_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER booking_on_open_day BEFORE INSERT ON daybook_booking
    FOR EACH ROW EXECUTE FUNCTION daybook_open_booking();

-- The highest booking id, the same for everyone (row-level security would hide other institutions' bookings).
CREATE FUNCTION daybook_latest_booking() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public AS 'SELECT coalesce(max(id), 0) FROM daybook_booking';

-- The number is the transaction's last act, under a lock held to commit: numbers follow commit order.
CREATE FUNCTION daybook_number_booking() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7250002);
    UPDATE daybook_booking SET number = (SELECT coalesce(max(number), 0) + 1 FROM daybook_booking)
     WHERE id = NEW.id AND number IS NULL;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER booking_number AFTER INSERT ON daybook_booking
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION daybook_number_booking();

CREATE FUNCTION daybook_booking_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
        AND (to_jsonb(OLD) - 'number') = (to_jsonb(NEW) - 'number') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on a booking refused: only its number is written, once', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON daybook_booking
    FOR EACH ROW EXECUTE FUNCTION daybook_booking_is_fixed();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON daybook_booking
    FOR EACH STATEMENT EXECUTE FUNCTION daybook_refuse_change();

-- A closed day stays closed, and days are neither removed nor renamed.
CREATE FUNCTION daybook_day_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR OLD.state = 'closed' OR NEW.date <> OLD.date THEN
        RAISE EXCEPTION '% of business day % refused: a day is closed once and kept', TG_OP, OLD.date
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'business_day_stays_closed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER business_day_stays_closed BEFORE UPDATE OR DELETE ON daybook_businessday
    FOR EACH ROW EXECUTE FUNCTION daybook_day_stays_closed();

-- Days follow each other: a new day is later than every other.
CREATE FUNCTION daybook_day_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM daybook_businessday WHERE date >= NEW.date) THEN
        RAISE EXCEPTION 'business day % refused: the books are already at or past it', NEW.date
            USING ERRCODE = 'check_violation', CONSTRAINT = 'business_day_follows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER business_day_follows BEFORE INSERT ON daybook_businessday
    FOR EACH ROW EXECUTE FUNCTION daybook_day_follows();

-- Touched ids wait here until commit, when the set is checked at once (daybook/guards.py).
CREATE TABLE daybook_guardqueue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    ids bigint[] NOT NULL
);
CREATE FUNCTION daybook_run_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
DECLARE touched bigint[];
BEGIN
    -- One check for all rows this transaction queued under the topic; the others find the queue empty.
    WITH taken AS (DELETE FROM daybook_guardqueue WHERE topic = NEW.topic RETURNING ids)
    SELECT array_agg(DISTINCT id ORDER BY id) INTO touched FROM taken, unnest(taken.ids) AS id;
    IF touched IS NOT NULL THEN
        EXECUTE format('SELECT %I($1)', NEW.topic || '_check') USING touched;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER run_guard AFTER INSERT ON daybook_guardqueue
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION daybook_run_guard();
"""

FUNCTIONS_REVERSE = """
DROP TABLE daybook_guardqueue;
DROP FUNCTION daybook_run_guard();
DROP TRIGGER business_day_follows ON daybook_businessday;
DROP FUNCTION daybook_day_follows();
DROP TRIGGER business_day_stays_closed ON daybook_businessday;
DROP FUNCTION daybook_day_stays_closed();
DROP TRIGGER append_only_truncate ON daybook_booking;
DROP TRIGGER append_only ON daybook_booking;
DROP FUNCTION daybook_booking_is_fixed();
DROP TRIGGER booking_number ON daybook_booking;
DROP FUNCTION daybook_number_booking();
DROP TRIGGER booking_on_open_day ON daybook_booking;
DROP FUNCTION daybook_open_booking();
DROP FUNCTION daybook_latest_booking();
DROP FUNCTION daybook_lock_day(boolean);
DROP FUNCTION daybook_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("daybook", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_REVERSE),
        append_only("daybook_holiday"),
        append_only("daybook_auditentry"),
        append_only("daybook_auditseal"),
        append_only("daybook_auditlink"),
        row_security("daybook_booking", or_nobodys=True),
        row_security("daybook_auditentry"),
    ]
