"""Celery. Messages only wake a worker: long work is a row with a lease (daybook.models.LeasedWork)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from config import broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if "celery" in {Path(sys.argv[0]).name, Path(sys.argv[0]).parent.name}:
    os.environ.setdefault("PAIKAR_PROCESS", "worker")  # `celery --app config worker`, by hand

broker.use()
app = Celery("paikar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

SWEEPS = ("repayments.tasks.sweep", "reports.tasks.sweep")


@worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """Look for work whose worker died, as soon as a worker is up; beat repeats it every minute."""
    for name in SWEEPS:
        app.send_task(name)
