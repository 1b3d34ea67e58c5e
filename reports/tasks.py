"""The carrier of long runs. Messages only wake a worker; the run's row says what is left."""

from __future__ import annotations

import os
import socket

from celery import shared_task
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from daybook import heartbeats
from reports.models import ReportRun
from reports.services.jobs import JOBS
from reports.services.running import do_all, fail_run, lapsed_runs

HELPERS = 2


@shared_task
def work_on(run_id: int) -> None:
    """Help with a run until no chunk is free. Sent several times, so that several workers share it."""
    job = JOBS[ReportRun.objects.values_list("name", flat=True).get(pk=run_id)]
    try:
        do_all(job, run_id, claimed_by=f"{socket.gethostname()}:{os.getpid()}")
    except (OperationalError, InterfaceError):
        raise  # the database went away: the lease lapses and the sweeper sends the run again
    except Exception as error:
        fail_run(run_id, error=f"{type(error).__name__}: {error}")
        raise


@shared_task
def sweep() -> None:
    """Wake workers for runs whose worker died or whose message was lost. By beat and at a worker's start."""
    lapsed = lapsed_runs(now=timezone.now())
    for run_id in lapsed:
        work_on.delay(run_id)
    heartbeats.beat("reports", found=len(lapsed))


def enqueue(run_id: int) -> None:
    """Wake as many workers as share a run well, after commit."""
    for _helper in range(HELPERS):
        transaction.on_commit(lambda: work_on.delay(run_id))
