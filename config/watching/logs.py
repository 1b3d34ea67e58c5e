"""Log lines: for people in a terminal, or one JSON object a line for machines (PAIKAR_LOG_FORMAT=json).

Whatever is logged while a request or a task goes on carries its id. Lines name people and institutions by
number, never by name; what a database quotes of a row, and passwords in addresses, are left out of every
line, whoever wrote it.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured

FACTS = (
    "request", "user", "institution", "task", "task_name", "method", "route", "status", "milliseconds",
    "run", "business_date", "slice", "loans", "carried", "without_policy", "seconds", "upload", "kind",
    "about", "count", "state",
)  # fmt: skip
"""The only facts a line may carry beside its message. All are numbers, dates or words of our own."""

_PASSWORD = re.compile(r"://[^\s/@]*@")
_BEARER = re.compile(r"(?i)(bearer|password|token|secret)(['\"]?\s*[=:]\s*|\s+)['\"]?[^\s'\",;)}]+")
# PostgreSQL quotes the offending row in these lines, names and NID numbers included.
_QUOTED_ROW = re.compile(r"(?m)^\s*(DETAIL|CONTEXT):.*$")

_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Let every line written inside carry these facts."""
    token = _about.set((_about.get() or {}) | facts)
    try:
        yield
    finally:
        _about.reset(token)


def remember(**facts: Any) -> None:
    """Add facts to what is going on: they become known only on the way, as who is signed in."""
    going_on = _about.get()
    if going_on is not None:
        going_on.update({name: fact for name, fact in facts.items() if fact is not None})


def going_on() -> dict[str, Any]:
    """The facts of the request or task that is going on."""
    return dict(_about.get() or {})


def redacted(text: str) -> str:
    """The text without passwords and without what a database quotes of its rows."""
    text = _PASSWORD.sub("://***@", text)
    text = _QUOTED_ROW.sub("", text)
    return _BEARER.sub(r"\1\2***", text)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "process": record.process,
            **_facts(record),
        }
        if record.exc_info:
            line["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class Lines(logging.Formatter):
    """A line for people: time, level, where, message, and what it is about."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={fact}" for name, fact in _facts(record).items())
        text = super().format(record)
        first, newline, rest = text.partition("\n")
        return redacted(f"{first} [{facts}]{newline}{rest}" if facts else text)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    found = going_on()
    found |= {name: record.__dict__[name] for name in FACTS if name in record.__dict__}
    return {name: found[name] for name in FACTS if name in found}


def settings(*, style: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. Raises ``ImproperlyConfigured`` for a style that is neither text nor json."""
    if style not in {"text", "json"}:
        raise ImproperlyConfigured(f"PAIKAR_LOG_FORMAT is {style!r}; it must be text or json.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"()": f"{__name__}.Lines"},
            "json": {"()": f"{__name__}.JsonLines"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": style}},
        "loggers": {
            # A refused page is an answer, not a fault: its reason is on the page.
            "django.request": {"level": "ERROR"},
            "axes": {"level": "ERROR"},
            # The folder that carries messages on one machine has no host to be named.
            "kombu.connection": {"level": "ERROR"},
            # Libraries that tell at INFO what no operator asked.
            "weasyprint": {"level": "ERROR"},
            "fontTools": {"level": "ERROR"},
            "prometheus_client": {"level": "WARNING"},
        },
        "root": {"handlers": ["console"], "level": level.upper()},
    }


def set_up(*, loglevel: int | str | None = None, **_: Any) -> None:
    """Take Celery's logging over, so that a worker's lines look as the site's do."""
    from django.conf import settings as django_settings

    logging.config.dictConfig(django_settings.LOGGING)
    if loglevel:
        logging.getLogger().setLevel(loglevel)
