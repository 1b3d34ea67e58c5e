"""A partner's session that got hold of SQL: every table tried, and the steps that are not its own."""

from __future__ import annotations

import json

import pytest

from lending.models import Application, Tranche
from partners.models import User
from repayments.models import Upload, UploadRow
from tests.conftest import set_role
from tests.database.attacks import as_partner, grant_partners, names, one, outcome, refused, run
from tests.lending.world import World

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
    "reports_reportrun",
}
MAY_UPDATE = {
    "lending_application",
    "lending_applicationline",
    "lending_tranche",
    "repayments_loanevent",
    "repayments_upload",
    "repayments_uploadrow",
}
MAY_DELETE = {"lending_applicationline"}


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
    grant_partners("lending_application, lending_applicationline")
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
    grant_partners("repayments_upload")
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
