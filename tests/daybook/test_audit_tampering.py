"""Someone who owns the tables can switch the guards off. The chain still shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from daybook.services import seal_audit, verify_audit


@pytest.fixture
def on_clone(cloned_database: Any, django_db_blocker: Any) -> Callable[[], Any]:
    """Let Django work, and commit, in the cloned database for a while."""

    @contextmanager
    def enter() -> Iterator[None]:
        original = connection.settings_dict["NAME"]
        with django_db_blocker.unblock():
            connection.close()
            connection.settings_dict["NAME"] = cloned_database.name
            try:
                yield
            finally:
                connection.close()
                connection.settings_dict["NAME"] = original

    return enter


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE daybook_auditentry SET reason = '' WHERE id = (SELECT min(id) FROM daybook_auditentry)",
        (
            "UPDATE daybook_auditentry SET recorded_at = recorded_at - interval '1 second'"
            " WHERE id = (SELECT min(id) FROM daybook_auditentry)"
        ),
        "DELETE FROM daybook_auditlink WHERE entry_id = (SELECT min(entry_id) FROM daybook_auditlink)",
        "UPDATE daybook_auditseal SET digest = repeat('a', 64) WHERE number = 1",
    ],
)
def test_tampering_by_the_owner_shows(
    cloned_database: Any, on_clone: Callable[[], Any], tampering: str
) -> None:
    """The owner of the tables can disable triggers; the chain still tells which seal broke first."""
    owner = cloned_database.connect("owner")
    with owner, owner.cursor() as cursor:
        cursor.execute(
            "INSERT INTO daybook_auditentry"
            " (actor_name, action, subject_type, subject_id, subject_label, reason, address)"
            " SELECT 'x', 'test.write', '', '', '', 'because', '' FROM generate_series(1, 4)"
        )
    with on_clone():
        assert seal_audit(at_most=2)
        assert seal_audit(at_most=2)
        assert verify_audit().first_broken_seal == 0
    with owner, owner.cursor() as cursor:
        for table in ("auditentry", "auditlink", "auditseal"):
            cursor.execute(f"ALTER TABLE daybook_{table} DISABLE TRIGGER USER")
        cursor.execute(tampering)
    with on_clone():
        assert verify_audit().first_broken_seal in (1, 2)
    owner.close()
