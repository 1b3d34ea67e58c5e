"""Every kind of long run, by the name its rows bear."""

from __future__ import annotations

from reports.services import bulk, what_if_runs
from reports.services.running import Job

JOBS: dict[str, Job] = {job.name: job for job in (bulk.JOB, what_if_runs.JOB)}
