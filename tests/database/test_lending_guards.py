"""One attack per guard of lending, with raw SQL as the role that would try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2.errors
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from lending.services.subloans import open_subloans
from tests.conftest import set_role
from tests.lending.world import CRORE, World, make_world, subloan_rows

ActingAs = Callable[..., None]


@pytest.fixture
def world(db: None) -> World:
    """A programme with an application, a disbursed tranche and sub-loans in it."""
    world = make_world()
    world.application()
    world.loan()
    open_subloans(rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking())
    return world


def run(statement: str, *values: Any) -> int:
    """Run SQL and what waits for the commit; return the rows touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        touched = cursor.rowcount
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return int(touched)


def one(statement: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchone()[0]


def names(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def refused(guard: str, statement: str, *values: Any) -> None:
    """The statement breaks on the named guard."""
    with pytest.raises(DatabaseError) as raised, transaction.atomic():
        run(statement, *values)
    cause = raised.value.__cause__
    assert isinstance(cause, psycopg2.Error)
    assert (cause.diag.constraint_name or str(cause)) == guard


def touched_or_forbidden(statement: str, *values: Any) -> int:
    """Rows touched; 0 as well where the role may not touch the table at all."""
    try:
        with transaction.atomic():
            return run(statement, *values)
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg2.errors.InsufficientPrivilege):
            return 0
        raise


# Sums


def copy(table: str, changes: str) -> str:
    """Insert a copy of a row with other values: pairs of a column and its value."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object('id', 999, {changes}))).*"
        f" FROM {table} t ORDER BY id LIMIT 1"
    )


def test_tranches_over_their_facility(world: World) -> None:
    changes = "'number', 'X', 'state', 'requested', 'requested_amount', 1, 'approved_amount', NULL"
    refused("within_limits", copy("lending_tranche", changes))


def test_facilities_over_their_allotment(world: World) -> None:
    free = "(SELECT id FROM lending_application WHERE state = 'draft')"
    changes = f"'number', 'X', 'application_id', {free}, 'amount', 200000000"
    refused("within_limits", copy("lending_facility", changes))


def test_allotments_over_their_agreement(world: World) -> None:
    refused("within_limits", copy("lending_allotment", "'amount', 0.01"))


# What was approved is kept


@pytest.mark.parametrize(
    "change",
    [
        '"limit" = "limit" + 1',
        "annual_rate = 0",
        "to_date = to_date + 365",
        "signed_date = signed_date - 1",
        "contract_mode = 'murabaha'",
        "method = 'bullet'",
        "instalment_count = 400",
        "grace_months = 120",
        "penal_rate = 1",
        "allocation_order = 'principal_first'",
        "approved_by_id = made_by_id",
        "state = 'draft'",
        "ended_date = '2025-01-01'",
    ],
)
def test_an_approved_agreement_is_not_edited(world: World, acting_as: ActingAs, change: str) -> None:
    for role in ("paikar_worker", "paikar_foundation"):
        acting_as(role)
        refused("active_agreement_is_kept", f"UPDATE lending_agreement SET {change}")
    refused("active_agreement_is_kept", "DELETE FROM lending_agreement")


def test_an_approved_agreement_may_end_once(world: World) -> None:
    assert run("UPDATE lending_agreement SET state = 'ended', ended_date = '2025-01-01'") == 1
    refused("active_agreement_is_kept", "UPDATE lending_agreement SET state = 'active', ended_date = NULL")
    refused("active_agreement_is_kept", "UPDATE lending_agreement SET ended_date = '2026-01-01'")


def test_a_draft_may_still_change(world: World) -> None:
    changes = "'number', 'X', 'state', 'draft', 'approved_by_id', NULL, 'booking_id', NULL"
    run(copy("lending_agreement", changes))
    assert run('UPDATE lending_agreement SET "limit" = 5 WHERE id = 999') == 1
    assert run("DELETE FROM lending_agreement WHERE id = 999") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE lending_facility SET amount = amount - 1",
        "UPDATE lending_facility SET expires_date = expires_date + 1",
        "UPDATE lending_allotment SET amount = amount - 1",
        "UPDATE lending_allotment SET to_date = to_date + 1",
        "DELETE FROM lending_facility",
        "DELETE FROM lending_allotment",
    ],
)
def test_what_was_allotted_or_sanctioned_is_kept(world: World, statement: str) -> None:
    refused("decided_amount_is_kept", statement)


def test_a_facility_may_be_shortened(world: World) -> None:
    assert run("UPDATE lending_facility SET expires_date = expires_date - 1") == 1


def test_a_proposal_is_decided_once_by_another_person(world: World) -> None:
    run(
        "INSERT INTO lending_proposal (kind, state, agreement_id, values, reason, made_by_id, made_date,"
        " decision_reason) VALUES ('end', 'proposed', %s, '{}', '', %s, '2025-01-01', '')",
        world.agreement.pk,
        world.people["officer"].pk,
    )
    refused("proposal_is_kept", "UPDATE lending_proposal SET reason = 'Other'")
    decided = "UPDATE lending_proposal SET state = 'approved', decided_date = '2025-01-01', decided_by_id = "
    still_open = " WHERE state = 'proposed'"
    refused("proposal_maker_is_not_checker", decided + "made_by_id" + still_open)
    assert run(decided + "%s" + still_open, world.people["approver"].pk) == 1
    refused("proposal_is_kept", decided + "%s", world.people["approver"].pk)
    refused("proposal_is_kept", "DELETE FROM lending_proposal")


def test_a_due_more_than_the_plans_principal(world: World) -> None:
    refused(
        "plan_adds_up",
        "INSERT INTO lending_due (loan_id, institution_id, schedule_id, instalment, component, nominal_date,"
        " late_date, effective_date, amount_minor, booking_id)"
        " SELECT loan_id, institution_id, schedule_id, 99, 4, nominal_date,"
        " late_date, effective_date, 1, booking_id FROM lending_due LIMIT 1",
    )


def test_a_schedule_without_its_dues(world: World) -> None:
    refused(
        "plan_adds_up",
        "INSERT INTO lending_schedule (loan_id, institution_id, version, cause, effective_date, terms,"
        " principal_minor, capitalised_minor, first_due_date, maturity_date, instalment_count, booking_id)"
        " SELECT loan_id, institution_id, 2, cause, effective_date, terms, 1, 0, first_due_date,"
        " maturity_date, 1, booking_id FROM lending_schedule LIMIT 1",
    )


# Maker is not checker


@pytest.mark.parametrize(
    ("guard", "statement"),
    [
        (
            "agreement_maker_is_not_checker",
            copy("lending_agreement", "'number', 'X', 'approved_by_id', t.made_by_id"),
        ),
        (
            "agreement_active_is_approved",
            copy("lending_agreement", "'number', 'X', 'approved_by_id', NULL"),
        ),
        (
            "agreement_ended_has_its_day",
            copy("lending_agreement", "'number', 'X', 'state', 'ended'"),
        ),
        (
            "allotment_maker_is_not_checker",
            copy("lending_allotment", "'amount', 1, 'made_by_id', 1, 'approved_by_id', 1"),
        ),
        (
            "application_maker_is_not_submitter",
            "UPDATE lending_application SET submitted_by_id = made_by_id",
        ),
        ("application_maker_is_not_decider", "UPDATE lending_application SET decided_by_id = made_by_id"),
        (
            "application_maker_is_not_decider",
            "UPDATE lending_application SET decided_by_id = appraised_by_id WHERE state = 'approved'",
        ),
        ("tranche_maker_is_not_checker", "UPDATE lending_tranche SET cleared_by_id = requested_by_id"),
        ("tranche_maker_is_not_checker", "UPDATE lending_tranche SET approved_by_id = cleared_by_id"),
        ("tranche_clearer_does_not_disburse", "UPDATE lending_tranche SET disbursed_by_id = cleared_by_id"),
        ("tranche_maker_is_not_checker", "UPDATE lending_tranche SET disbursed_by_id = approved_by_id"),
        ("tranche_approved_within_requested", "UPDATE lending_tranche SET requested_amount = 1"),
        ("tranche_disbursed_is_complete", "UPDATE lending_tranche SET value_date = NULL"),
        (
            "application_recommended_within_asked",
            "UPDATE lending_application SET recommended_amount = amount + 1",
        ),
    ],
)
def test_a_row_that_no_two_people_stand_behind(world: World, guard: str, statement: str) -> None:
    refused(guard, statement)


# Facts stay


FACTS = {
    "daybook_auditentry",
    "daybook_booking",
    "lending_decision",
    "lending_due",
    "lending_funding",
    "lending_loan",
    "lending_loanidentifier",
    "lending_loanprofile",
    "lending_programmeterms",
    "lending_schedule",
    "partners_approvalauthority",
    "partners_exposurelimit",
    "partners_institutionratio",
    "partners_institutionstatus",
    "repayments_allocation",
    "repayments_classificationpolicy",
    "repayments_provisionpolicy",
    "repayments_receipt",
}


def append_only_tables() -> list[str]:
    return names(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname = 'append_only' ORDER BY 1"
    )


def test_facts_are_neither_changed_nor_removed_not_even_by_the_owner(world: World) -> None:
    tables = append_only_tables()
    assert set(tables) >= FACTS
    attacked = 0
    run("SELECT 1")  # what waits for the commit would hold TRUNCATE up before the guard is reached
    for table in tables:
        set_role("paikar_owner")
        refused("append_only", f"TRUNCATE {table} CASCADE")
        if one(f"SELECT count(*) FROM {table}"):
            attacked += 1
            column = one(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 2", table
            )
            refused("append_only", f"UPDATE {table} SET {column} = {column}")
            refused("append_only", f"DELETE FROM {table}")
    assert attacked >= 10


def test_the_roles_that_work_may_not_even_try(world: World) -> None:
    for table in append_only_tables():
        for role in ("paikar_worker", "paikar_foundation", "paikar_partner"):
            allowed = one(
                "SELECT has_table_privilege(%s, %s, 'DELETE') OR has_table_privilege(%s, %s, 'TRUNCATE')",
                role, table, role, table,
            )  # fmt: skip
            assert not allowed, f"{role} may remove rows of {table}"


# One institution


def guarded() -> list[tuple[str, str]]:
    """Every table with row-level security, and the column that names the institution."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, CASE WHEN c.relname = 'partners_institution' THEN 'id' ELSE a.attname END"
            "  FROM pg_class c"
            "  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'institution_id'"
            " WHERE c.relrowsecurity AND c.relkind IN ('r', 'p') AND c.relname <> 'partners_user' ORDER BY 1"
        )
        return cursor.fetchall()


def test_every_table_that_names_an_institution_is_guarded(world: World) -> None:
    bare = names(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'institution_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
        "   AND NOT c.relispartition AND NOT c.relrowsecurity AND c.relnamespace = 'public'::regnamespace"
    )
    for table in bare:
        assert not one("SELECT has_table_privilege('paikar_partner', %s, 'SELECT')", table), table


def test_a_partner_sees_nothing_of_another_institution(world: World, acting_as: ActingAs) -> None:
    theirs = f"{world.bank.pk}"
    full = [
        (table, column)
        for table, column in guarded()
        if one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs)
    ]
    assert len(full) >= 20, "the attack needs something to find"
    for table, column in full:
        acting_as("paikar_partner", institution_id=world.bank.pk)
        own = one(f"SELECT count(*) FROM {table}")
        acting_as("paikar_partner", institution_id=world.other_bank.pk)
        if own:
            assert one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs) == 0, table
        acting_as("paikar_partner")
        assert one(f"SELECT count(*) FROM {table} WHERE {column} = %s", theirs) == 0, table


def test_a_partner_writes_nothing_of_another_institution(world: World, acting_as: ActingAs) -> None:
    acting_as("paikar_partner", institution_id=world.other_bank.pk)
    for table, column in guarded():
        with pytest.raises(DatabaseError) as raised, transaction.atomic():
            run(
                f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb)",
                f'{{"{column}": {world.bank.pk}}}',
            )
        cause = raised.value.__cause__
        # Row-level security or a missing right; a booking may also fail on its date before it gets there.
        assert isinstance(cause, psycopg2.errors.InsufficientPrivilege | psycopg2.errors.CheckViolation), (
            table,
            cause,
        )
        for attack in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            assert touched_or_forbidden(f"{attack} WHERE {column} = %s", world.bank.pk) == 0, table


def test_a_partner_does_not_hand_a_row_to_another_institution(world: World, acting_as: ActingAs) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        run("UPDATE lending_application SET institution_id = %s", world.other_bank.pk)


def test_a_rows_institution_is_its_parents(world: World) -> None:
    keys = names("SELECT conname FROM pg_constraint WHERE conname LIKE '%%_own_institution' ORDER BY 1")
    assert len(keys) >= 30
    for table in ("lending_application", "lending_tranche", "lending_standing"):
        with pytest.raises(IntegrityError, match=r"own_institution|id_institution"), transaction.atomic():
            run(f"UPDATE {table} SET institution_id = %s", world.other_bank.pk)


# Who decides


@pytest.mark.parametrize("state", ["appraised", "approved", "rejected", "returned"])
def test_a_partner_does_not_decide_its_application(world: World, acting_as: ActingAs, state: str) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused("partner_does_not_decide", "UPDATE lending_application SET state = %s", state)


def test_a_partner_does_not_send_itself_money(world: World, acting_as: ActingAs) -> None:
    world.tranche(world.facility(), amount=CRORE)
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused(
        "partner_does_not_decide", "UPDATE lending_tranche SET state = 'cleared' WHERE state = 'requested'"
    )


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE lending_agreement SET "limit" = "limit" * 2',
        "UPDATE lending_facility SET amount = amount * 2",
        "UPDATE lending_standing SET exposure_minor = 0",
        "UPDATE lending_allotment SET to_date = '2030-01-01'",
        "UPDATE partners_membership SET role = 'checker'",
        "UPDATE partners_institution SET name = 'Other'",
        "DELETE FROM partners_branch",
    ],
)
def test_a_partner_does_not_change_its_limits_or_roles(
    world: World, acting_as: ActingAs, statement: str
) -> None:
    acting_as("paikar_partner", institution_id=world.bank.pk)
    refused("partner_writes_little", statement)
