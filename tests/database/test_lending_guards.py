"""One attack per guard of lending, with raw SQL as the role that would try."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lending.services.subloans import open_subloans
from tests.conftest import set_role
from tests.database.attacks import names, one, refused, run
from tests.lending.world import World, make_world, subloan_rows

ActingAs = Callable[..., None]


@pytest.fixture
def world(db: None) -> World:
    """A programme with an application, a disbursed tranche and sub-loans in it."""
    world = make_world()
    world.application()
    world.loan()
    open_subloans(rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking())
    return world


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
