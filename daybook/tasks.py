"""Show that the clock goes; seal the audit trail, now and then and after hours."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from daybook import heartbeats, services


@shared_task(name="daybook.tasks.beat")
def beat() -> None:
    """Leave a mark: the clock, the broker and a worker live."""
    heartbeats.beat(heartbeats.CLOCK)


@shared_task(name="daybook.tasks.seal_audit")
def seal_audit() -> int:
    """Chain what has not been chained, batch by batch; return how many batches."""
    batches = 0
    while services.seal_audit() is not None:
        batches += 1
    return batches


@shared_task(name="daybook.tasks.deliver_audit_head")
def deliver_audit_head() -> str:
    """Write the chain's head and count outside the database, so that a cut tail shows."""
    seal_audit()
    return services.deliver_audit_head(
        file=Path(settings.PAIKAR_AUDIT_HEADS), delivered_at=timezone.now().isoformat(timespec="seconds")
    )
