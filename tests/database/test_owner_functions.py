"""Functions that run as the owner: who calls them, and whose tables they read."""

from __future__ import annotations

from tests.database.attacks import as_partner, names, one, outcome, refused, run
from tests.lending.world import World


def test_a_partner_calls_four_functions_and_no_other(world: World) -> None:
    callable_by = (
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
        " AND has_function_privilege('{role}', p.oid, 'EXECUTE') ORDER BY 1"
    )
    assert names(callable_by.format(role="paikar_partner")) == [
        "daybook_booking_number_up_to", "daybook_latest_booking", "daybook_lock_day",
        "partners_password",
    ]  # fmt: skip
    assert names(callable_by.format(role="paikar_web")) == ["partners_password"]
    as_partner(world.bank.pk)
    for call in (
        "SELECT repayments_snapshot_partition('2199-01-01')",
        "SELECT repayments_settlement_check(ARRAY[1]::bigint[])",
        "SELECT lending_plan_check(ARRAY[1]::bigint[])",
        "SELECT repayments_lock_loans(ARRAY[1]::bigint[])",
    ):
        assert outcome(call) == "forbidden", call


def test_no_temporary_table_stands_in_for_a_real_one(world: World) -> None:
    loose = names(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        " AND NOT ('search_path=public, pg_temp' = ANY (coalesce(proconfig, '{}')))"
    )
    assert loose == []
    assert one("SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace") >= 8
    as_partner(world.bank.pk)
    assert outcome("CREATE TEMP TABLE daybook_businessday (date date, state text)") == "forbidden"
    assert outcome("CREATE TABLE mine (id int)") == "forbidden"


def test_the_books_close_over_a_temporary_table_of_the_worker(world: World) -> None:
    """The worker may make temporary tables; a guard must still read the real business day."""
    run("CREATE TEMP TABLE daybook_businessday (date date, state text)")
    run("INSERT INTO pg_temp.daybook_businessday VALUES ('1999-01-01', 'open')")
    run("GRANT SELECT ON pg_temp.daybook_businessday TO paikar_owner")
    refused(
        "booking_on_open_day",
        "INSERT INTO daybook_booking (business_date, actor_name, purpose, reason)"
        " VALUES ('1999-01-01', 'Worker', 'test', '')",
    )
