"""Workers over real brokers: killed, cut off from broker and database, told twice. The books stay right.

One story for each broker, since starting processes is what takes the time.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import roles
from config.environment import database_url
from tests.conftest import ClonedDatabase
from tests.flows.brokers import Broker, RabbitMQ, Redis
from tests.flows.sites import BLOCKED, HOLD_THE_RUN, LOANS, MAKE_BOOKS, PATIENCE, Site, wait_until

LOANS_A_SLICE = 2


class BrokerSite(Site):
    """An installation with a broker of its own."""

    def __init__(self, database: ClonedDatabase, broker: Broker, folder: Path) -> None:
        super().__init__(database, folder, broker_url=broker.url)
        self.broker = broker

    def cut_off_the_database(self, seconds: float) -> None:
        """As a restart looks from outside: every connection ends, none is taken for a while."""
        admin = roles.connect(database_url("admin"), database="postgres")
        name = self.database.name
        try:
            with admin.cursor() as cursor:
                cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
                time.sleep(seconds)
                cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        finally:
            admin.close()


@pytest.fixture(params=[Redis, RabbitMQ])
def site(
    request: pytest.FixtureRequest, cloned_database: ClonedDatabase, tmp_path: Path
) -> Iterator[BrokerSite]:
    if missing := request.param.missing():
        pytest.skip(missing)
    broker = request.param(tmp_path / "broker")
    site = BrokerSite(cloned_database, broker, tmp_path)
    try:
        broker.start()
        site.run(MAKE_BOOKS)
        yield site
    finally:
        site.kill_all()
        broker.kill()


@pytest.mark.slow
def test_a_close_outlives_workers_broker_and_database(site: BrokerSite) -> None:
    doomed, survivor = site.start_worker(hands=2), site.start_worker()
    site.begin_close(loans_a_slice=LOANS_A_SLICE)
    lock = site.database.connect("worker")
    with lock.cursor() as cursor:  # every slice is written, and then waits for the run's row
        cursor.execute(HOLD_THE_RUN)
    site.send_slices(times=2)  # told twice
    wait_until(lambda: site.ask(BLOCKED) == 3, site.logs)  # both workers, all three hands
    site.kill(doomed)
    site.broker.kill()
    lock.rollback()
    lock.close()
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_dayrunslice WHERE work = 'done'") >= 1, site.logs
    )
    assert site.ask("SELECT state FROM repayments_dayrun") == "running"

    site.broker.start()
    lock = site.database.connect("worker")
    with lock.cursor() as cursor:
        cursor.execute(HOLD_THE_RUN)
    second = site.start_worker(hands=2)  # it sweeps as it starts; the survivor has found the broker again
    wait_until(lambda: site.ask(BLOCKED) == 3, site.logs)
    site.cut_off_the_database(seconds=3)
    lock.close()

    wait_until(lambda: site.ask(BLOCKED) == 0, site.logs)
    site.run("from repayments import tasks\ntasks.sweep.delay()")
    wait_until(lambda: site.ask("SELECT state FROM repayments_dayrun") != "running", site.logs)
    assert survivor.poll() is None, site.logs()
    assert second.poll() is None, site.logs()
    assert site.ask("SELECT state FROM repayments_dayrun") == "closed", site.ask(
        "SELECT error FROM repayments_dayrun"
    )
    assert site.ask("SELECT computed_count FROM repayments_dayrun") == LOANS
    assert site.ask("SELECT count(*) FROM repayments_arrearssnapshot") == LOANS
    assert site.ask("SELECT count(DISTINCT loan_id) FROM repayments_arrearssnapshot") == LOANS
    assert site.verify().split()[:2] == [str(LOANS), "0"]


POSTING = """
from datetime import date
from django.test import Client
from django.urls import reverse
from partners.models import Membership, User
person = User.objects.create(username="head", full_name="Head")
Membership.objects.create(user=person, role="finance_head", from_date=date(2020, 1, 1))
client = Client()
client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
answer = client.post(reverse("repayments:close-start"), {"date": "2025-12-31"})
print(answer.status_code, answer["Location"], client.get("/health/ready").json()["status"])
"""


@pytest.mark.slow
def test_a_wish_made_while_the_broker_is_away_is_carried_out(site: BrokerSite) -> None:
    site.broker.kill()
    begun = time.monotonic()
    said = site.run(POSTING, process="admin")
    took = time.monotonic() - begun
    assert said.split() == ["302", "/repayments/closes/", "degraded"]
    assert took < 60, "the request waited for the broker"
    assert site.ask("SELECT count(*) FROM repayments_closerequest WHERE answered_at IS NULL") == 1
    assert site.ask("SELECT count(*) FROM repayments_dayrun") == 0

    site.broker.start()
    site.start_worker(hands=2)
    site.run(  # two more messages for the same wish, and the clock's at the same moment
        "from repayments import tasks\n"
        "from repayments.models import CloseRequest\n"
        "for _ in range(2):\n    tasks.answer_close_request.delay(CloseRequest.objects.get().pk)\n"
        "tasks.close_due_days.delay()\n"
    )
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_dayrun WHERE state = 'closed'") >= 1, site.logs
    )
    wait_until(
        lambda: site.ask("SELECT count(*) FROM repayments_closerequest WHERE answered_at IS NULL") == 0
    )
    assert site.ask("SELECT refusal FROM repayments_closerequest") == ""
    assert site.ask("SELECT count(*) FROM repayments_dayrun WHERE business_date = '2025-12-31'") == 1
    assert (
        site.ask("SELECT count(*) FROM repayments_arrearssnapshot WHERE business_date = '2025-12-31'")
        == LOANS
    )


@pytest.mark.slow
def test_a_worker_asked_to_stop_finishes_and_ends(cloned_database: ClonedDatabase, tmp_path: Path) -> None:
    site = Site(cloned_database, tmp_path)
    site.run("from repayments import tasks\nfor _ in range(50):\n    tasks.sweep.delay()")
    worker = site.start_worker(hands=2)
    try:
        worker.send_signal(signal.SIGTERM)  # the head alone, as systemd with KillMode=mixed and `serve` do
        assert worker.wait(timeout=PATIENCE) == 0, site.logs()
    finally:
        site.kill_all()
