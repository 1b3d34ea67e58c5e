"""What each process counts by itself, for /metrics. Gunicorn's processes share files (config/gunicorn.py)."""

from __future__ import annotations

from prometheus_client import Histogram

REQUEST_SECONDS = Histogram(
    "paikar_request_seconds",
    "Time from a request's arrival to its answer, by page.",
    ["method", "route", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
