"""Celery. Messages only wake a worker: long work is a row with a lease (daybook.models.LeasedWork)."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, task_postrun, task_prerun, worker_ready

from config import broker
from config.watching import logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if "celery" in {Path(sys.argv[0]).name, Path(sys.argv[0]).parent.name}:
    os.environ.setdefault("PAIKAR_PROCESS", "worker")  # `celery --app config worker`, by hand

broker.use()
app = Celery("paikar", task_cls="config.waking:WakingTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

SWEEPS = ("repayments.tasks.sweep", "reports.tasks.sweep")
_going_on: dict[str, ExitStack] = {}


@worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """Look for work whose worker died, as soon as a worker is up; beat repeats it every minute."""
    for name in SWEEPS:
        app.tasks[name].delay()


@setup_logging.connect
def log_as_the_site_does(*, loglevel: int | str | None = None, **_: Any) -> None:
    """Keep Celery from setting up lines of its own."""
    logs.set_up(loglevel=loglevel)


@task_prerun.connect
def name_the_task(*, task_id: str, task: Task, **_: Any) -> None:
    """Let the lines of a task carry its id."""
    stack = _going_on[task_id] = ExitStack()
    stack.enter_context(logs.about(task=task_id, task_name=task.name))


@task_postrun.connect
def forget_the_task(*, task_id: str, **_: Any) -> None:
    if stack := _going_on.pop(task_id, None):
        stack.close()
