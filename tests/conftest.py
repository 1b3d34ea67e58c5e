"""The test database, and people to act as.

The database is built once by the owner: migrations, then the grants of config/grants.py. Tests then act
as ``paikar_worker``, so a missing grant shows; a request through ``client`` starts as ``paikar_web`` and
takes the foundation's or a partner's role in the middleware, as in real life.

Every test runs in a transaction that is rolled back. Append-only tables refuse TRUNCATE, so pytest-django's
``transaction=True`` is not to be used: a test that needs commits, several connections or real processes
takes ``cloned_database``, a copy of its own that is dropped afterwards.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.utils import translation
from psycopg2 import sql

from config import grants, roles
from config.environment import Process, database_url
from partners.models import Institution, Membership, User

MEMBERS_SINCE = date(2015, 1, 1)
PASSWORD = "a-long-enough-passphrase"


class ActingClient(Client):
    """Django's test client: a request begins as the web's login role and leaves the test's behind it."""

    def request(self, **request: Any) -> Any:
        set_role("paikar_web")
        try:
            return super().request(**request)
        finally:
            if not connection.needs_rollback:
                set_role("paikar_worker")


def set_role(name: str) -> None:
    """Take a database role until the test ends or takes another."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {name}")
        cursor.execute("SELECT set_config('paikar.institution', '', true)")


@pytest.fixture(scope="session")
def django_db_setup(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """Build the test database as the owner (kept by --reuse-db, dropped otherwise)."""
    name = settings.DATABASES["default"]["NAME"]
    keep = request.config.getvalue("reuse_db") and not request.config.getvalue("create_db")
    roles.prepare()
    with django_db_blocker.unblock():
        admin = roles.connect(database_url("admin"), database="postgres")
        if not keep:
            drop_database(admin, name)
        roles.create_database(admin, name)
        _log_in_acting_as("paikar_owner")
        call_command("migrate", interactive=False, verbosity=0)
        grants.apply()
        _log_in_acting_as("paikar_worker")
        drop_database(admin, f"{name}_template")
        roles.create_database(admin, f"{name}_template", template=name)
    yield
    with django_db_blocker.unblock():
        connection.close()
        drop_database(admin, f"{name}_template")
        if not keep:
            drop_database(admin, name)
        admin.close()


def _log_in_acting_as(role: str) -> None:
    connection.close()
    connections["default"].settings_dict["OPTIONS"]["options"] = f"-c role={role}"


def drop_database(admin: Any, name: str) -> None:
    with admin.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@dataclass(frozen=True)
class ClonedDatabase:
    """A copy of the empty, migrated test database that other processes and connections may commit to."""

    name: str

    def url(self, kind: Process) -> str:
        """Its address for a kind of process, as that process's own login."""
        base, _, query = database_url(kind).partition("?")
        return base.rpartition("/")[0] + f"/{self.name}" + (f"?{query}" if query else "")

    def connect(self, kind: Process) -> Any:
        """A connection that commits only when told to."""
        opened = roles.connect(self.url(kind), database=self.name)
        opened.autocommit = False
        return opened

    def environment(self) -> dict[str, str]:
        """Variables under which manage.py, gunicorn or a Celery worker use this copy."""
        return os.environ | {
            "DATABASE_URL": self.url("web"),
            "DATABASE_WORKER_URL": self.url("worker"),
            "DATABASE_OWNER_URL": self.url("owner"),
            "DATABASE_ADMIN_URL": self.url("admin"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PAIKAR_PROCESS": "worker",
        }


_clone_numbers = itertools.count(1)


@pytest.fixture
def cloned_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[ClonedDatabase]:
    """CREATE DATABASE … TEMPLATE: a second or less, and real commits."""
    template = f"{settings.DATABASES['default']['NAME']}_template"  # without visitors, so it can be copied
    name = f"{template}_{os.getpid()}_{next(_clone_numbers)}"
    admin = roles.connect(database_url("admin"), database="postgres")
    try:
        roles.create_database(admin, name, template=template)
        yield ClonedDatabase(name)
    finally:
        drop_database(admin, name)
        admin.close()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page shown in Bangla leaves its language to the thread; sentences are asserted in English."""
    with translation.override("en"):
        yield


@pytest.fixture
def client(db: None) -> ActingClient:
    """Nobody, not signed in."""
    return ActingClient()


_user_numbers = itertools.count(1)


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """``make_user("officer")`` or ``make_user("maker", institution=bank)``."""

    def make(*held: str, institution: Institution | None = None, name: str = "") -> User:
        number = next(_user_numbers)
        user = User(username=f"user{number}", full_name=name or f"{held[0] if held else 'nobody'} {number}")
        user.set_unusable_password()
        user.save()
        for role in held:
            Membership.objects.create(user=user, institution=institution, role=role, from_date=MEMBERS_SINCE)
        return user

    return make


@pytest.fixture
def sign_in(make_user: Callable[..., User]) -> Callable[[User], ActingClient]:
    """A client signed in as a user; the user is its attribute ``user``."""

    def enter(user: User) -> ActingClient:
        client = ActingClient()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        client.user = user  # type: ignore[attr-defined]
        return client

    return enter


@pytest.fixture
def institution(db: None) -> Institution:
    """A partner institution."""
    return Institution.objects.create(code="TST", name="Test Bank", bank_code="999")


@pytest.fixture
def as_foundation(
    make_user: Callable[..., User], sign_in: Callable[[User], ActingClient]
) -> Callable[..., ActingClient]:
    """``as_foundation()`` is an officer; ``as_foundation("approver")``, ``as_foundation("auditor")``."""
    return lambda *held: sign_in(make_user(*(held or ("officer",))))


@pytest.fixture
def as_partner(
    make_user: Callable[..., User], sign_in: Callable[[User], ActingClient]
) -> Callable[..., ActingClient]:
    """``as_partner(bank)`` is a maker; ``as_partner(bank, "checker")``."""
    return lambda institution, *held: sign_in(make_user(*(held or ("maker",)), institution=institution))


@pytest.fixture
def acting_as(db: None) -> Iterator[Callable[..., None]]:
    """``acting_as("paikar_partner", institution_id=7)``: the rest of the test's own SQL runs as that role."""

    def act(role: str, *, institution_id: int | None = None) -> None:
        set_role(role)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('paikar.institution', %s, true)", [str(institution_id or "")])

    yield act
    if not connection.needs_rollback:
        with suppress(DatabaseError):  # an attack that broke the transaction, which is rolled back next
            set_role("paikar_worker")
