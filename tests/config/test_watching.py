"""What operators see: probes answering in one word, figures for who knows the word, lines without names."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.utils import timezone

from config.environment import broker_options
from config.settings import CELERY_BEAT_SCHEDULE
from config.watching import logs, measures, probes
from config.watching.middleware import Watched
from daybook import heartbeats
from daybook.models import BusinessDay, Heartbeat, Notice
from partners.models import Membership, User
from repayments import tasks
from repayments.models import CloseRequest, DayRun, Upload
from repayments.selectors.nightly import due_moment, is_late, late_moment
from repayments.services import notices
from tests.conftest import ActingClient
from tests.repayments.posting.books import make_books

WORD = {"authorization": "Bearer open-sesame"}
A_DAY = 86_400.0
with_word = override_settings(PAIKAR_WATCH_TOKEN="open-sesame")


def a_run(state: str, **values: Any) -> DayRun:
    given = {"business_date": date(2026, 3, 1), "last_booking_id": 1, "started_by": "Close of day"}
    return DayRun.objects.create(**{**given, "state": state, "started_at": timezone.now(), **values})


def ended(state: str, **values: Any) -> DayRun:
    return a_run(state, finished_at=timezone.now() + timedelta(seconds=4), **values)


class TestProbes:
    def test_alive_is_said_without_asking_the_database(self) -> None:
        """No fixture opens the database to this test, so that a query would fail it."""
        answer = Watched(lambda _request: HttpResponse(status=500))(RequestFactory().get("/health/live"))
        assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ok"})  # type: ignore[attr-defined]

    def test_a_stranger_learns_one_word(self, client: ActingClient) -> None:
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "degraded"})  # the clock is silent

    @with_word
    def test_a_wrong_word_opens_nothing(self, client: ActingClient) -> None:
        wrong = {"authorization": "Bearer open sesame"}
        assert client.get("/health/ready", headers=wrong).json().keys() == {"status"}
        assert client.get("/metrics", headers=wrong).status_code == 404

    def test_without_a_word_in_the_settings_nobody_knows_it(self, client: ActingClient) -> None:
        assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404

    @with_word
    def test_all_well(self, client: ActingClient) -> None:
        heartbeats.beat(heartbeats.CLOCK)
        answer = client.get("/health/ready", headers=WORD).json()
        assert answer["status"] == "ok", answer
        assert set(answer["checks"]) == {"broker", "database", "migrations", "close", "clock", "queues"}

    @with_word
    def test_each_trouble_is_named(self, client: ActingClient) -> None:
        heartbeats.beat(heartbeats.CLOCK)
        Heartbeat.objects.update(beaten_at=timezone.now() - timedelta(minutes=10))
        a_run("failed")
        bank = make_books().institution
        sender = User.objects.create(username="sender")
        Upload.objects.create(
            institution=bank, kind="repayments", file_name="x.csv", content=b"x", size_bytes=1,
            content_sha256="0" * 64, made_by=sender, queued_at=timezone.now() - timedelta(hours=1),
        )  # fmt: skip
        answer = client.get("/health/ready", headers=WORD)
        bad = {name for name, check in answer.json()["checks"].items() if not check["ok"]}
        assert bad == {"clock", "close", "queues"}
        assert answer.status_code == 200, "pages still work"

    @with_word
    def test_a_database_behind_the_release_takes_no_visitors(
        self, client: ActingClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        on_disk = measures._migrations_on_disk() | {("lending", "9999_of_tomorrow")}
        monkeypatch.setattr(measures, "_migrations_on_disk", lambda: on_disk)
        answer = client.get("/health/ready", headers=WORD)
        assert answer.status_code == 503
        assert answer.json()["checks"]["migrations"] == {"ok": False, "said": "1 not applied"}

    def test_only_reading_is_answered(self, client: ActingClient) -> None:
        assert {client.post(path).status_code for path in probes.BY_PATH} == {405}


class TestFigures:
    @with_word
    def test_closes_queues_and_hearts_are_told(self, client: ActingClient) -> None:
        ended("closed", loan_count=100, computed_count=97, carried_count=3)
        heartbeats.beat("uploads", found=2)
        heartbeats.beat("uploads", found=3)
        lines = client.get("/metrics", headers=WORD).text.splitlines()
        figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        assert float(figures["paikar_close_last_loans"]) == 100
        assert float(figures["paikar_close_last_carried_loans"]) == 3
        assert 24 < float(figures["paikar_close_last_loans_a_second"]) < 26
        assert float(figures['paikar_close_runs{state="closed"}']) == 1
        assert float(figures['paikar_swept_total{sweeper="uploads"}']) == 5
        assert float(figures['paikar_work_rows{kind="repayments.upload",state="queued"}']) == 0
        assert float(figures["paikar_broker_up"]) == 1

    @with_word
    def test_requests_are_timed_by_page_and_not_by_address(self, as_foundation: Any) -> None:
        person = as_foundation()
        person.get("/repayments/closes/?q=Rahima")
        told = person.get("/metrics", headers=WORD).text
        assert 'paikar_request_seconds_count{method="GET",route="repayments:closes",status="2xx"}' in told
        assert "Rahima" not in told

    @with_word
    def test_a_made_up_method_is_not_counted_by_its_name(self, client: ActingClient) -> None:
        for number in range(3):
            client.generic(f"FORGED{number}", "/sign-in/")
        told = client.get("/metrics", headers=WORD).text
        assert "FORGED" not in told
        assert 'method="other"' in told

    def test_an_answer_carries_the_proxys_id_or_a_new_one(self, client: ActingClient) -> None:
        given = client.get("/sign-in/", headers={"x-request-id": "proxy-0123456789"})
        assert given["X-Request-ID"] == "proxy-0123456789"
        assert len(client.get("/sign-in/", headers={"x-request-id": "a b"})["X-Request-ID"]) == 32


class TestLines:
    def line(self, **extra: Any) -> dict[str, Any]:
        record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": "m", **extra})
        parsed: dict[str, Any] = json.loads(logs.JsonLines().format(record))
        return parsed

    def test_a_line_carries_what_is_going_on_and_only_known_facts(self) -> None:
        with logs.about(request="r1"):
            logs.remember(user=7, institution=None)
            line = self.line(run=5, borrower="Rahima Khatun")
        assert (line["request"], line["user"], line["run"]) == ("r1", 7, 5)
        assert "institution" not in line
        assert "Rahima" not in json.dumps(line)
        assert "request" not in self.line()

    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ("amqp://paikar:hunter2@mq:5672// is away", "hunter2"),
            ("redis://:hunter2@host/0", "hunter2"),
            ("Authorization: Bearer hunter2", "hunter2"),
            ("password=hunter2 host=x", "hunter2"),
            ("duplicate key\nDETAIL:  Key (nid)=(1990123456789) already exists.", "1990123456789"),
        ],
    )
    def test_secrets_and_quoted_rows_are_left_out(self, text: str, secret: str) -> None:
        assert secret not in self.line(msg=text)["message"]
        record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": text})
        assert secret not in logs.Lines().format(record)

    def test_a_traceback_quotes_no_row(self) -> None:
        quoted = "Failing row contains (1, Rahima)."
        try:
            raise ValueError(f"no\nDETAIL:  {quoted}")
        except ValueError as error:
            line = self.line(exc_info=(type(error), error, error.__traceback__))
        assert "ValueError" in line["error"]
        assert "Rahima" not in line["error"]


class TestTheClock:
    @override_settings(CLOSE_AFTER_HOUR=2, CLOSE_LATE_AFTER_HOURS=4, CLOSE_DAYS_BY_CLOCK=True)
    def test_a_date_is_due_at_its_hour_in_dhaka_and_late_some_hours_after(self) -> None:
        day = date(2026, 3, 5)
        assert due_moment(day).isoformat() == "2026-03-06T02:00:00+06:00"
        assert not is_late(day, now=late_moment(day))
        assert is_late(day, now=late_moment(day) + timedelta(seconds=1))
        with override_settings(CLOSE_DAYS_BY_CLOCK=False):
            assert not is_late(day, now=late_moment(day) + timedelta(days=9))

    def test_missed_days_are_caught_up_oldest_first(self, db: None, settings: Any) -> None:
        today = timezone.localdate()
        settings.CLOSE_AFTER_HOUR = 0
        settings.CELERY_TASK_ALWAYS_EAGER = True
        BusinessDay.objects.create(date=today - timedelta(days=9))
        with eagerly():
            tasks.close_due_days()
        closed = list(DayRun.objects.order_by("pk").values_list("business_date", flat=True))
        assert closed == sorted(closed)
        assert closed[0] == today - timedelta(days=9)
        assert BusinessDay.objects.get(state="open").date >= today

    def test_what_the_clock_sends_exists_and_does_not_pile_up(self) -> None:
        from config.celery import app

        app.loader.import_default_modules()
        for entry in CELERY_BEAT_SCHEDULE.values():
            assert entry["task"] in app.tasks
            period = entry["schedule"] if isinstance(entry["schedule"], float) else A_DAY
            assert entry["options"]["expires"] <= period

    def test_a_broker_away_is_tried_twice_and_no_more(self) -> None:
        for url in ("redis://h/0", "amqp://h//"):
            assert broker_options(url)["max_retries"] == 1
        assert "data_folder_in" in broker_options("filesystem://")


class eagerly:  # noqa: N801  # reads as a word
    """Let tasks run where they are sent, in the test's own transaction."""

    def __enter__(self) -> None:
        from config.celery import app

        app.conf.task_always_eager = app.conf.task_eager_propagates = True

    def __exit__(self, *_: object) -> None:
        from config.celery import app

        app.conf.task_always_eager = app.conf.task_eager_propagates = False


class TestLetters:
    @pytest.fixture(autouse=True)
    def _open_books(self, db: None) -> None:
        BusinessDay.objects.create(date=date(2026, 3, 2))

    @pytest.fixture
    def head(self, make_user: Callable[..., User]) -> User:
        head = make_user("finance_head")
        User.objects.filter(pk=head.pk).update(email="head@foundation.example", language="bn")
        return head

    def test_each_event_is_told_once_in_the_readers_language(
        self, head: User, make_user: Callable[..., User]
    ) -> None:
        admin = make_user("administrator")
        User.objects.filter(pk=admin.pk).update(email="admin@foundation.example")
        make_user("auditor")
        ended("exceptions", loan_count=5, computed_count=4, carried_count=1)
        for _ in range(3):
            tasks.tell_of_closes()
        assert {letter.to[0] for letter in mail.outbox} == {
            "head@foundation.example",
            "admin@foundation.example",
        }
        by_reader = {letter.to[0]: letter for letter in mail.outbox}
        assert by_reader["admin@foundation.example"].subject == "The close of 1 Mar 2026 has exceptions"
        assert "Of 5 loans, 1 kept the figures" in by_reader["admin@foundation.example"].body
        assert "ব্যতিক্রম" in by_reader["head@foundation.example"].subject
        assert Notice.objects.get().told_count == 2

    def test_another_error_is_another_event(self, settings: Any) -> None:
        settings.PAIKAR_ALERT_TO = ["desk@foundation.example"]
        run = a_run("failed", error="Slice 1 failed 3 times")
        tasks.tell_of_closes()
        tasks.tell_of_closes()
        assert [letter.to for letter in mail.outbox] == [["desk@foundation.example"]]
        assert "Slice 1 failed 3 times" in mail.outbox[0].body
        assert "close_day --retry --date 2026-03-01" in mail.outbox[0].body
        DayRun.objects.filter(pk=run.pk).update(error="The totals differ")
        tasks.tell_of_closes()
        assert len(mail.outbox) == 2

    def test_a_late_close_is_told(self, settings: Any, head: User) -> None:
        settings.CLOSE_DAYS_BY_CLOCK = True
        notices.notice_closes(now=late_moment(date(2026, 3, 2)))
        assert not Notice.objects.exists()
        notices.notice_closes(now=late_moment(date(2026, 3, 2)) + timedelta(minutes=1))
        assert notices.untold()
        assert notices.tell(notice_id=notices.untold()[0], on=date(2026, 3, 3))
        assert Notice.objects.get().kind == "close.late"

    def test_a_mail_server_that_refuses_is_asked_again(self, settings: Any, head: User) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
        ended("exceptions")
        tasks.tell_of_closes()
        notice = Notice.objects.get()
        assert (notice.told_at, notice.attempts) == (None, 1)
        assert "ConnectionRefusedError" in notice.error
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        tasks.tell_of_closes()
        assert len(mail.outbox) == 1

    def test_a_role_that_has_ended_gets_no_letter(self, head: User) -> None:
        Membership.objects.filter(user=head).update(to_date=date(2020, 1, 1))
        ended("exceptions")
        tasks.tell_of_closes()
        assert not mail.outbox
        assert Notice.objects.get().told_count == 0


class TestAskingForAClose:
    def test_the_wish_is_a_row_and_the_page_says_so(
        self, as_foundation: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        BusinessDay.objects.create(date=date(2026, 3, 2))
        officer = as_foundation("officer")
        for _ in range(2):
            officer.post("/repayments/closes/start/", {"date": "2026-03-02"})
        asked = CloseRequest.objects.get()
        page = officer.get("/repayments/closes/").text
        assert f"{asked.asked_by} asked for the close of 2 Mar 2026" in page
        assert "close of this date is asked for already" in page
        with eagerly():
            tasks.answer_close_request(asked.pk)
            tasks.answer_close_request(asked.pk)
        assert DayRun.objects.get().business_date == date(2026, 3, 2)
        asked.refresh_from_db()
        assert asked.answered_at is not None
        assert asked.refusal == ""
