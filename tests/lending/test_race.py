"""Two deciders at once, on two connections with real commits: the second waits and finds the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction

from lending.models import Application, Facility
from lending.services.applications import CannotDecideApplication, decide_application
from tests.conftest import ClonedDatabase
from tests.lending.world import CRORE, World, make_world

QUEUES_FOR = 0.5
"""Seconds that are ample to decide, and so show that the second decider is waiting."""


@pytest.fixture
def committed(cloned_database: ClonedDatabase, django_db_blocker: Any) -> Iterator[World]:
    """The world, committed in a database of its own that every thread's connection goes to."""
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        settings["NAME"] = cloned_database.name
        try:
            with transaction.atomic():
                world = make_world()
            yield world
        finally:
            connection.close()
            settings["NAME"] = before


class Decider(threading.Thread):
    """Decides in a transaction of its own and holds it open until told to commit."""

    def __init__(self, deed: Callable[[], Application]) -> None:
        super().__init__(daemon=True)
        self.deed = deed
        self.acted, self.may_commit = threading.Event(), threading.Event()
        self.refusal: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                self.deed()
                self.acted.set()
                self.may_commit.wait(10)
        except CannotDecideApplication as refusal:
            self.refusal = refusal
        finally:
            self.acted.set()
            connection.close()


def run_both(first: Decider, second: Decider) -> None:
    """Let the second decide while the first has decided and not yet committed."""
    first.start()
    assert first.acted.wait(10)
    second.may_commit.set()
    second.start()
    second.join(QUEUES_FOR)
    assert second.is_alive(), "the second decider did not wait for the first"
    first.may_commit.set()
    first.join(10)
    second.join(10)


def decider(world: World, application: Application, role: str) -> Decider:
    return Decider(
        lambda: decide_application(application=application, outcome="approved", reason="", **world.act(role))
    )


def test_two_approvers_of_one_application_sanction_it_once(committed: World) -> None:
    with transaction.atomic():
        application = committed.application(upto="appraise")
    first = decider(committed, application, "approver")
    second = decider(committed, application, "finance_head")
    run_both(first, second)
    assert first.refusal is None
    assert "is approved" in str(second.refusal)
    assert Facility.objects.count() == 1


def test_two_applications_do_not_share_the_same_room(committed: World) -> None:
    with transaction.atomic():
        applications = [committed.application(amount=Decimal(6) * CRORE, upto="appraise") for _ in range(2)]
    first, second = (decider(committed, found, "finance_head") for found in applications)
    run_both(first, second)
    assert first.refusal is None
    assert "still free" in str(second.refusal)
    assert Facility.objects.count() == 1
