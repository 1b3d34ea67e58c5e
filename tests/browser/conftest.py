"""A served site and a browser: gunicorn on a copy of the database, Debian's Chromium driven by Playwright."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config import roles
from config.environment import database_url
from tests.conftest import PASSWORD, ClonedDatabase, drop_database

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STARTS_WITHIN = 30.0
PATIENCE = 15_000
"""Milliseconds a page may take where the machine is busy with other work."""

# Playwright's loop would make Django think that a test's own queries run in async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; `make system-test` installs it."""
    if not shutil.which(CHROMIUM):
        pytest.fail("Chromium is missing. Run `make system-test`.")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def served(database: ClonedDatabase, folder: Path) -> Iterator[str]:
    """The address of a gunicorn that serves a database as ``paikar_web``."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--threads",
        "4",
    ]
    environment = database.environment() | {"PAIKAR_PROCESS": "web"}
    with (folder / "site.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--no-control-socket"], cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=log
        )
        try:
            _wait_for(f"http://127.0.0.1:{port}/health/live", server, folder / "site.log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)


@contextmanager
def desk(browser: Browser) -> Iterator[Page]:
    """A page of its own that fails when its script does or the security policy refuses something."""
    context = browser.new_context(viewport={"width": 1360, "height": 850}, locale="en-GB")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on(
        "console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None
    )
    yield opened
    context.close()
    assert wrong == []


@pytest.fixture
def site(cloned_database: ClonedDatabase, tmp_path: Path) -> Iterator[str]:
    """The address of a site that serves ``cloned_database``."""
    with served(cloned_database, tmp_path) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """One person's page."""
    with desk(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def module_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[ClonedDatabase]:
    """A copy of the empty, migrated test database that all tests of a module write to, one after another."""
    template = f"{settings.DATABASES['default']['NAME']}_template"
    name = f"{template}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    admin = roles.connect(database_url("admin"), database="postgres")
    try:
        roles.create_database(admin, name, template=template)
        yield ClonedDatabase(name)
    finally:
        drop_database(admin, name)
        admin.close()


def open_as_officer(
    database: ClonedDatabase, page: Page, address: str, *, heading: str, world: str = ""
) -> Page:
    """A world (``world``: arguments of ``make_world``) made in the copy, its officer at the address."""
    made = f"""
from tests.lending.world import make_world
officer = make_world({world}).people["officer"]
officer.set_password({PASSWORD!r})
officer.save()
"""
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", made],
        cwd=settings.BASE_DIR,
        env=os.environ | database.environment(),
        check=True,
    )
    page.goto(address)
    page.get_by_label("Username").fill("officer-f")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    return page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(address: str, server: subprocess.Popen[Any], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310  (our own address)
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The site did not start:\n{log.read_text()}")
