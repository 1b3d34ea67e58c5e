"""A worker killed in the middle of a slice costs the night seconds, not a lease, and not a poisha."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import roles
from config.environment import database_url
from tests.conftest import ClonedDatabase, drop_database
from tests.flows.sites import BLOCKED, FIGURES, HOLD_THE_RUN, LOANS, MAKE_BOOKS, Site, wait_until

LOANS_A_SLICE = 2
SECONDS = 60.0
"""The clock looks every ten, the server misses a client within two; the rest is a busy machine's."""


@pytest.fixture
def site(cloned_database: ClonedDatabase, tmp_path: Path) -> Iterator[Site]:
    site = Site(cloned_database, tmp_path)
    try:
        site.run(MAKE_BOOKS)
        yield site
    finally:
        site.kill_all()


@pytest.fixture
def undisturbed(site: Site, tmp_path: Path) -> Iterator[Site]:
    """A copy of the same books, closed by one process that nobody disturbs."""
    admin = roles.connect(database_url("admin"), database="postgres")
    name = f"{site.database.name}_calm"
    try:
        roles.create_database(admin, name, template=site.database.name)
        calm = Site(ClonedDatabase(name), tmp_path)
        calm.run("from repayments.services.close import close_day\nclose_day()")
        yield calm
    finally:
        drop_database(admin, name)
        admin.close()


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_of_a_slice_costs_seconds(site: Site, undisturbed: Site) -> None:
    doomed, survivor = site.start_worker(), site.start_worker()
    site.start_clock()
    site.begin_close(loans_a_slice=LOANS_A_SLICE)
    lock = site.database.connect("worker")
    with lock.cursor() as cursor:
        cursor.execute(HOLD_THE_RUN)
    site.send_slices()
    wait_until(lambda: site.ask(BLOCKED) == 2, site.logs)

    site.kill(doomed)
    killed_at = time.monotonic()
    lock.close()
    wait_until(lambda: site.ask("SELECT state FROM repayments_dayrun") != "running", site.logs)
    took = time.monotonic() - killed_at

    assert took < SECONDS, f"{took:.0f} s\n{site.logs()}"
    assert survivor.poll() is None
    assert site.ask("SELECT state FROM repayments_dayrun") == "closed"
    assert site.ask("SELECT count(*) FROM repayments_dayrunslice WHERE attempts > 1") >= 1
    assert site.ask("SELECT count(*) FROM repayments_arrearssnapshot") == LOANS
    for question in (FIGURES, "SELECT checksum FROM repayments_dayrun"):
        assert site.ask(question) == undisturbed.ask(question)
    assert site.verify().split()[:2] == [str(LOANS), "0"]
