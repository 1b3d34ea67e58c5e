"""The trail is chained, and a changed, removed or added entry shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from daybook.models import AuditEntry
from daybook.services import GENESIS, Actor, deliver_audit_head, record, seal_audit, verify_audit

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    for number in range(count):
        record(actor=Actor(None, "Test"), action="test.write", after={"number": number}, reason="because")


def test_entries_are_chained_in_batches_and_the_chain_holds() -> None:
    write(5)
    first = seal_audit(at_most=3)
    second = seal_audit(at_most=3)

    assert first is not None
    assert second is not None
    assert (first.entry_count, second.entry_count) == (3, 2)
    assert first.previous_digest == GENESIS
    assert second.previous_digest == first.digest
    check = verify_audit()
    assert (check.seal_count, check.entry_count, check.unsealed_count) == (2, 5, 0)
    assert check.first_broken_seal == 0
    assert check.head == second.digest


def test_nothing_new_makes_no_seal() -> None:
    assert seal_audit() is None
    write(1)
    assert seal_audit() is not None
    assert seal_audit() is None


def test_entries_and_seals_cannot_be_edited() -> None:
    write(1)
    for statement in (
        "UPDATE daybook_auditentry SET reason = 'other'",
        "DELETE FROM daybook_auditentry",
        "TRUNCATE daybook_auditentry CASCADE",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_entry_names_its_subject() -> None:
    write(1)
    entry = AuditEntry.objects.get()
    record(actor=Actor(None, "Test"), action="entry.read", subject=entry)
    latest = AuditEntry.objects.order_by("-id").first()
    assert latest is not None
    assert (latest.subject_type, latest.subject_id) == ("daybook.auditentry", str(entry.pk))


def test_a_head_delivered_outside_must_stay_in_the_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heads = tmp_path / "heads.log"
    write(2)
    seal_audit()
    deliver_audit_head(file=heads, delivered_at="2026-07-01T00:00:00")
    write(1)
    seal_audit()
    call_command("verify_audit", heads=heads)
    assert "The chain holds." in capsys.readouterr().out

    delivered = heads.read_text().split()
    heads.write_text(" ".join([delivered[0], "3", delivered[2], delivered[3]]) + "\n")
    with pytest.raises(CommandError, match="gone from the chain"):
        call_command("verify_audit", heads=heads)
