"""Run the site, a Celery worker and the clock together, and take them down together."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

STOP_WITHIN = 20.0
"""Seconds that processes get to finish; then they are killed. A killed worker loses only its lease."""


class Command(BaseCommand):
    """``manage.py serve``: Ctrl-C ends everything it started.

    With ``--first COMMAND`` a manage.py command runs to its end with the worker up, before the site opens.
    """

    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address:port of the site")
        parser.add_argument("--first", default="", help="manage.py command to run before the site opens")
        parser.add_argument("--only-first", action="store_true", help="stop after that command")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        children: dict[str, subprocess.Popen[bytes]] = {}
        try:
            children["worker"] = _start(
                worker_command(), process="worker", log=settings.VAR_DIR / "worker.log"
            )
            if options["first"]:
                first = _start([sys.executable, sys.argv[0], *options["first"].split()], process="worker")
                children["first"] = first
                _watch(children, until=first)
                if first.returncode:
                    raise CommandError(f"`manage.py {options['first']}` failed", returncode=first.returncode)
                del children["first"]
            if not options["only_first"]:
                children["site"] = _start(site_command(options["bind"]), process="web")
                self.stdout.write(f"Paikar is at http://{options['bind']}/ (Ctrl-C ends it).")
                _watch(children)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping...")
        finally:
            stop_all(children)


def worker_command() -> list[str]:
    """Celery with its clock inside: one worker process of two hands is what a laptop has."""
    return [
        sys.executable, "-m", "celery", "--app", "config", "worker", "--beat", "--concurrency", "2",
        "--schedule", settings.CELERY_BEAT_SCHEDULE_FILENAME, "--loglevel", "WARNING", "--without-gossip",
        "--without-mingle",
    ]  # fmt: skip


def site_command(bind: str) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "--config", "python:config.gunicorn", "config.wsgi",
        "--bind", bind, "--workers", "2", "--threads", "4", "--log-level", "warning",
    ]  # fmt: skip


def stop_all(children: dict[str, subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, wait, and kill what is left of its group.

    Only the head of a group is asked: it lets its own children finish what they are doing.
    """
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_WITHIN
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            _kill(child)
            child.wait()


def _start(command: list[str], *, process: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own, so that Ctrl-C reaches us alone and we end it in order."""
    environment = os.environ | {"PAIKAR_PROCESS": process}
    with log.open("ab") if log else nullcontext() as output:
        return subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=environment,
            start_new_session=True,
            stdout=output,
            stderr=output,
        )


def _watch(
    children: dict[str, subprocess.Popen[bytes]], *, until: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until the process ``until`` ends (for ever when none); refuse to go on when another has ended."""
    while until is None or until.poll() is None:
        for name, child in children.items():
            if child is not until and child.poll() is not None:
                raise CommandError(f"The {name} ended by itself, exit code {child.returncode}.")
        time.sleep(0.3)


def _kill(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
