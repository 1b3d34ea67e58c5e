"""A partner's session that got hold of SQL: every table tried, and the ways round two people."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg2.errors
import pytest
from django.db import DatabaseError, connection, transaction

from lending.models import Application, Tranche
from lending.services.application_lines import replace_lines
from partners.models import User
from repayments.models import Upload, UploadRow
from tests.conftest import set_role
from tests.database.test_lending_guards import names, one, refused, run
from tests.lending.world import CRORE, World, subloan_rows
from tests.reports.books import Book, make_book

ActingAs = Callable[..., None]

# What a partner's own pages write. Everything else a partner's session may not touch at all.
MAY_INSERT = {
    "daybook_auditentry",
    "daybook_booking",
    "lending_application",
    "lending_applicationline",
    "lending_decision",
    "lending_tranche",
    "repayments_loanevent",
    "repayments_upload",
    "reports_reportpart",
    "reports_reportrun",
}
MAY_UPDATE = {
    "lending_application",
    "lending_applicationline",
    "lending_tranche",
    "repayments_loanevent",
    "repayments_upload",
    "repayments_uploadrow",
    "reports_reportpart",
    "reports_reportrun",
}
MAY_DELETE = {"lending_applicationline", "reports_reportpart", "reports_reportrun"}


@pytest.fixture(scope="module")
def book(django_db_setup: None, django_db_blocker: Any) -> Any:
    """Closed days, receipts, sub-loans; made once, as every test here is refused or rolled back."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            set_role("paikar_worker")
            made = make_book()
            made.world.application()
            made.world.tranche(made.world.facility(), amount=CRORE)
            listed = made.world.application()
            replace_lines(application=listed, rows=subloan_rows(2), actor=made.world.people["maker"])
            yield made
            transaction.set_rollback(True)
        connection.close()  # as Django's own test cases do: a test with a database of its own opens another


@pytest.fixture
def world(book: Book, django_db_blocker: Any) -> Any:
    """The book's programme; what a test does is undone to here."""
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield book.world
            transaction.set_rollback(True)
        set_role("paikar_worker")


@pytest.fixture
def upload(world: World) -> Upload:
    made = Upload.objects.create(
        institution=world.bank, kind="repayments", state="preview", work="done", file_name="a.csv",
        content=b"x", size_bytes=1, content_sha256="0", made_by=world.people["maker"],
    )  # fmt: skip
    UploadRow.objects.create(
        upload=made, institution=world.bank, row_number=2, cells={"A": "1"}, state="ready", amount_minor=100
    )
    return made


def as_partner(institution_id: int) -> None:
    set_role("paikar_partner")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('paikar.institution', %s, true)", [str(institution_id)])


def outcome(statement: str, *values: Any) -> str:
    """``forbidden`` by rights, row-level security or a guard; ``kept`` by append-only; else ``open``."""
    try:
        with transaction.atomic():
            run(statement, *values)
    except DatabaseError as error:
        cause = error.__cause__
        if isinstance(cause, psycopg2.errors.InsufficientPrivilege):
            return "forbidden"
        if isinstance(cause, psycopg2.errors.GeneratedAlways):  # noticed before rights are looked at
            return (
                "open"
                if one("SELECT has_table_privilege(%s, 'INSERT')", statement.split()[2])
                else "forbidden"
            )
        if isinstance(cause, psycopg2.Error) and cause.diag.constraint_name == "append_only":
            return "kept"
    return "open"


def every_table() -> list[str]:
    return names(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1"
    )


def column_of(table: str) -> str:
    return str(
        one(
            "SELECT max(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attidentity = ''",
            table,
        )
    )


def still_open(table: str) -> str:
    """Of an institution's requests, those that it may still change."""
    return (
        " WHERE state IN ('draft', 'requested')"
        if table in ("lending_application", "lending_tranche")
        else ""
    )


def test_of_every_table_a_partner_writes_only_what_its_pages_write(world: World, upload: Upload) -> None:
    tables = every_table()
    columns = {table: column_of(table) for table in tables}
    assert len(tables) > 60
    as_partner(world.bank.pk)
    owned = json.dumps({"institution_id": world.bank.pk, "actor_id": world.people["maker"].pk,
                        "by_id": world.people["maker"].pk, "step": "submit", "outcome": "done",
                        "state": "draft"})  # fmt: skip
    requested = owned.replace("draft", "requested"), owned.replace("draft", "received")
    sub = one("SELECT min(id) FROM lending_loan WHERE tier = 'subloan'")
    proposes = json.dumps({"institution_id": world.bank.pk, "made_by_id": world.people["maker"].pk,
                           "state": "proposed", "tier": "subloan", "loan_id": sub, "decided_by_name": "",
                           "decision_reason": ""})  # fmt: skip
    inserts = {
        table
        for table in tables
        if any(
            outcome(f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb)", row)
            == "open"
            for row in (owned, proposes, *requested)
        )
    }
    assert inserts == MAY_INSERT
    updates = {
        table
        for table in tables
        if outcome(f"UPDATE {table} SET {columns[table]} = {columns[table]}{still_open(table)}") == "open"
    }
    assert updates == MAY_UPDATE
    deletes = {table for table in tables if outcome(f"DELETE FROM {table}") == "open"}
    assert deletes == MAY_DELETE
    for table in tables:
        assert outcome(f"TRUNCATE {table} CASCADE") == "forbidden", table


def test_a_partner_reads_no_sign_in_material_and_nobody_elses_people(world: World) -> None:
    as_partner(world.bank.pk)
    for table in ("django_session", "axes_accessattempt", "daybook_auditseal", "daybook_guardqueue",
                  "partners_approvalauthority", "repayments_dayrunslice"):  # fmt: skip
        assert outcome(f"SELECT * FROM {table}") == "forbidden", table
    theirs = set(User.objects.values_list("pk", flat=True))
    assert theirs == {world.people[role].pk for role in ("maker", "checker", "viewer")}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE partners_user SET password = 'known' WHERE username LIKE 'checker%%'",
        "UPDATE partners_user SET is_superuser = true",
        "UPDATE partners_membership SET role = 'checker'",
        "INSERT INTO partners_membership (user_id, role, from_date) VALUES (1, 'checker', now())",
        "INSERT INTO lending_security SELECT * FROM lending_security",
        "UPDATE lending_person SET name = 'x'",
        "UPDATE repayments_arrearssnapshot SET provision_minor = 0",
        "INSERT INTO repayments_arrearssnapshot SELECT * FROM repayments_arrearssnapshot",
        "DELETE FROM repayments_controltotal",
        "INSERT INTO repayments_uploadrow SELECT * FROM repayments_uploadrow",
    ],
)
def test_a_partner_raises_no_rights_and_betters_no_figures(world: World, statement: str) -> None:
    as_partner(world.bank.pk)
    assert outcome(statement) in ("forbidden", "kept")


# The institution's steps, and no other


def test_a_submitted_application_keeps_its_amount_and_its_list(world: World) -> None:
    listed = Application.objects.filter(lines__isnull=False).first()
    assert listed is not None
    Application.objects.filter(pk=listed.pk).update(
        state="submitted", submitted_by=world.people["checker"].pk
    )
    as_partner(world.bank.pk)
    for change in ("amount = amount * 2", "purpose = 'other'", "recommended_amount = amount",
                   "state = 'draft'", "made_by_id = submitted_by_id"):  # fmt: skip
        refused(
            "partner_keeps_to_its_steps", f"UPDATE lending_application SET {change} WHERE id = {listed.pk}"
        )
    refused("partner_keeps_to_its_steps", f"DELETE FROM lending_application WHERE id = {listed.pk}")
    for role in ("paikar_partner", "paikar_foundation", "paikar_worker"):
        as_partner(world.bank.pk) if role == "paikar_partner" else set_role(role)
        refused("submitted_list_is_kept", "UPDATE lending_applicationline SET amount = 1")
        refused("submitted_list_is_kept", "DELETE FROM lending_applicationline")
    as_partner(world.bank.pk)
    assert run(f"UPDATE lending_application SET state = 'withdrawn' WHERE id = {listed.pk}") == 1


def test_an_application_does_not_begin_half_decided(world: World) -> None:
    as_partner(world.bank.pk)
    made = Application.objects.order_by("pk").last()
    assert made is not None
    row = "SELECT * FROM jsonb_populate_record(a, %s::jsonb)"
    for begins in ({"state": "submitted"}, {"recommended_amount": 5}, {"decided_by_id": 1}):
        refused(
            "partner_keeps_to_its_steps",
            f"INSERT INTO lending_application SELECT n.* FROM lending_application a,"
            f" LATERAL ({row}) n WHERE a.id = {made.pk}",
            json.dumps({"id": 10**9, "number": "APP-X", "state": "draft"} | begins),
        )


def test_a_tranche_is_only_given_up_and_never_after_it_was_sent(world: World) -> None:
    waiting = Tranche.objects.get(state="requested")
    sent = Tranche.objects.get(state="disbursed")
    as_partner(world.bank.pk)
    for change in ("requested_amount = 1", "approved_amount = 1", "cleared_by_id = requested_by_id"):
        refused("partner_keeps_to_its_steps", f"UPDATE lending_tranche SET {change} WHERE id = {waiting.pk}")
    refused(
        "partner_keeps_to_its_steps", f"UPDATE lending_tranche SET state = 'cancelled' WHERE id = {sent.pk}"
    )
    assert run(f"UPDATE lending_tranche SET state = 'cancelled' WHERE id = {waiting.pk}") == 1
    refused(
        "partner_keeps_to_its_steps",
        f"UPDATE lending_tranche SET state = 'requested' WHERE id = {waiting.pk}",
    )


@pytest.mark.parametrize("role", ["paikar_foundation", "paikar_worker", "paikar_owner"])
def test_nobody_reopens_what_is_settled(world: World, role: str) -> None:
    set_role(role)
    refused("settled_stays", "UPDATE lending_tranche SET state = 'approved' WHERE state = 'disbursed'")
    refused("settled_stays", "UPDATE lending_tranche SET state = 'cancelled' WHERE state = 'disbursed'")
    refused("settled_stays", "UPDATE lending_application SET state = 'appraised' WHERE state = 'approved'")


def test_a_partner_signs_for_nobody_else(world: World) -> None:
    columns = (
        "(institution_id, application_id, step, outcome, reason, by_id, by_name, business_date, decided_at)"
    )
    values = (
        "SELECT institution_id, id, %s, %s, '', %s, 'x', applied_date, now() FROM lending_application LIMIT 1"
    )
    maker, approver = world.people["maker"].pk, world.people["approver"].pk
    as_partner(world.bank.pk)
    for step, result, by in (("decide", "approved", maker), ("submit", "approved", maker),
                             ("submit", "done", approver), ("appraise", "done", maker)):  # fmt: skip
        refused(
            "partner_keeps_to_its_steps", f"INSERT INTO lending_decision {columns} {values}", step, result, by
        )
    for actor in (approver, world.people["other_maker"].pk, None):
        refused(
            "partner_acts_as_itself",
            "INSERT INTO daybook_auditentry (institution_id, actor_id, actor_name, action, subject_type,"
            " subject_id, subject_label, reason, address)"
            " VALUES (%s, %s, 'Approver', 'tranche.approve', '', '', '', '', '')",
            world.bank.pk,
            actor,
        )
        refused(
            "partner_acts_as_itself",
            "INSERT INTO daybook_booking"
            " (business_date, institution_id, actor_id, actor_name, purpose, reason)"
            " SELECT date, %s, %s, 'Approver', 'receipt.post', ''"
            " FROM daybook_businessday WHERE state = 'open'",
            world.bank.pk,
            actor,
        )


# A confirmed upload is what the checker saw


def test_who_changed_a_row_does_not_confirm_the_file(world: World, upload: Upload) -> None:
    checker = world.people["checker"]
    UploadRow.objects.filter(upload=upload).update(changed_by=checker)
    for role in ("paikar_worker", "paikar_foundation", "paikar_partner"):
        as_partner(world.bank.pk) if role == "paikar_partner" else set_role(role)
        refused(
            "upload_corrector_is_not_checker",
            "UPDATE repayments_upload SET state = 'confirmed', confirmed_by_id = %s WHERE id = %s",
            checker.pk,
            upload.pk,
        )


def test_confirmed_rows_stay_until_the_worker_posts_them(world: World, upload: Upload) -> None:
    as_partner(world.bank.pk)
    assert run("UPDATE repayments_uploadrow SET amount_minor = 200") == 1
    confirm = "UPDATE repayments_upload SET state = 'confirmed', confirmed_by_id = %s WHERE id = %s"
    assert run(confirm, world.people["checker"].pk, upload.pk) == 1
    refused("confirmed_rows_are_kept", "UPDATE repayments_uploadrow SET amount_minor = 999")
    refused("partner_keeps_to_its_steps", "UPDATE repayments_upload SET confirmed_by_id = made_by_id")
    refused("partner_keeps_to_its_steps", "UPDATE repayments_upload SET state = 'preview'")
    refused("partner_keeps_to_its_steps", "DELETE FROM repayments_upload")
    assert run("UPDATE repayments_upload SET state = 'discarded'") == 1
    refused("partner_keeps_to_its_steps", "UPDATE repayments_upload SET state = 'confirmed'")


# Two people, whatever SQL says


def test_every_two_person_table_has_its_guard(world: World) -> None:
    """The steps that need two people, as the database calls them; a new one is added here with an attack."""
    assert set(
        names("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname ~ 'maker_is_not' ORDER BY 1")
    ) == {
        "agreement_maker_is_not_checker",
        "allotment_maker_is_not_checker",
        "application_maker_is_not_decider",
        "application_maker_is_not_submitter",
        "charge_policy_maker_is_not_checker",
        "classfloor_maker_is_not_checker",
        "classfloorrelease_maker_is_not_checker",
        "classfreeze_maker_is_not_checker",
        "classification_policy_maker_is_not_checker",
        "classification_return_maker_is_not_checker",
        "facility_cancellation_maker_is_not_checker",
        "loan_event_maker_is_not_checker",
        "penal_rate_maker_is_not_checker",
        "proposal_maker_is_not_checker",
        "provision_policy_maker_is_not_checker",
        "receipt_proposal_maker_is_not_checker",
        "reschedule_policy_maker_is_not_checker",
        "ruling_maker_is_not_checker",
        "security_maker_is_not_checker",
        "tranche_maker_is_not_checker",
        "upload_maker_is_not_checker",
        "write_off_policy_maker_is_not_checker",
    }


@pytest.mark.parametrize("kind", ["classification", "provision"])
@pytest.mark.parametrize("role", ["paikar_foundation", "paikar_worker", "paikar_owner"])
def test_nobody_approves_a_policy_of_their_own(world: World, kind: str, role: str) -> None:
    set_role(role)
    refused(
        f"{kind}_policy_maker_is_not_checker",
        f"INSERT INTO repayments_{kind}policy SELECT n.* FROM repayments_{kind}policy p,"
        " LATERAL jsonb_populate_record(p, jsonb_build_object('id', 1000000000, 'code', 'mine',"
        " 'approved_by_id', p.proposed_by_id)) n LIMIT 1",
    )


def test_nobody_changes_a_plan_alone(world: World) -> None:
    made_by = world.people["officer"].pk
    for role in ("paikar_foundation", "paikar_worker", "paikar_owner"):
        set_role(role)
        refused(
            "loan_event_maker_is_not_checker",
            "INSERT INTO repayments_loanevent (kind, state, tier, institution_id, loan_id, effective_date,"
            " parameters, preview, preview_digest, reason, made_by_id, made_at, decided_by_id,"
            " decision_reason, amount_minor, made_by_name, decided_by_name)"
            " SELECT 'write_off', 'rejected', tier,"
            " institution_id, id, disbursed_date, '{}', '{}', '', 'r', %s, now(), %s, '', 0, '', ''"
            " FROM lending_loan LIMIT 1",
            made_by,
            made_by,
        )


def test_nobody_posts_or_reverses_money_alone(world: World) -> None:
    made_by = world.people["officer"].pk
    for role in ("paikar_foundation", "paikar_worker", "paikar_owner"):
        set_role(role)
        refused(
            "receipt_proposal_maker_is_not_checker",
            "INSERT INTO repayments_receiptproposal (kind, state, institution_id, loan_id, amount,"
            " amount_currency, value_date, external_reference, reason, made_by_id, decided_by_id,"
            " decision_reason, made_at) SELECT 'post', 'approved', institution_id, id, 1, 'BDT',"
            " disbursed_date, 'R', '', %s, %s, '', now() FROM lending_loan LIMIT 1",
            made_by,
            made_by,
        )


# Functions that run as the owner


def test_a_partner_calls_three_functions_and_no_other(world: World) -> None:
    callable_by = (
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace"
        " AND has_function_privilege('{role}', p.oid, 'EXECUTE') ORDER BY 1"
    )
    assert names(callable_by.format(role="paikar_partner")) == [
        "daybook_booking_number_up_to", "daybook_latest_booking", "daybook_lock_day",
    ]  # fmt: skip
    assert names(callable_by.format(role="paikar_web")) == []
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
