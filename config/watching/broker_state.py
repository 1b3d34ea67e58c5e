"""Does the broker answer? Asked by the probe, within two seconds."""

from __future__ import annotations

import os
from pathlib import Path

from celery import current_app
from django.conf import settings
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerAway


def trouble() -> str:
    """What is wrong with the broker, in a word; empty when it answers."""
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    if folder := options.get("data_folder_out"):
        return "" if os.access(Path(folder), os.W_OK) else "its folder cannot be written"
    try:
        with current_app.connection_for_write(connect_timeout=2.0) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=2)
    except (BrokerAway, KombuError, OSError) as error:
        return f"away ({type(error).__name__})"
    return ""
