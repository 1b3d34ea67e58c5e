"""Sending messages to workers, by people who must not suffer when the broker is away."""

from __future__ import annotations

import logging
from typing import Any

from celery.contrib.django.task import DjangoTask
from celery.result import AsyncResult
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerAway

logger = logging.getLogger("paikar.messages")


class WakingTask(DjangoTask):
    """A task whose message may stay unsent.

    Messages only wake a worker: what is to be done stands in a row, and the sweeper sends again what nobody
    took. So a broker that is away costs a minute, not the request in which a person posted a file.
    """

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> AsyncResult | None:  # type: ignore[override]
        """Send, or say in the log that it could not be sent; then there is no result."""
        try:
            return super().apply_async(*args, **options)
        except (BrokerAway, KombuError, OSError) as error:
            logger.warning(
                "No message sent, the sweeper will: %s",
                type(error).__name__,
                extra={"task_name": self.name},
            )
            return None
