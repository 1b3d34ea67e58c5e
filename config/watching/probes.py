"""The three addresses machines ask: is the process alive, should it get visitors, what are the figures.

Anybody may ask the first two and learns one word. Reasons and figures are for whoever shows
PAIKAR_WATCH_TOKEN (``Authorization: Bearer …``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from config.watching import broker_state, measures
from config.watching.exposition import CONTENT_TYPE, exposition

BEAT_SILENT_AFTER = 180.0
QUEUE_SLOW_AFTER = 900.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``is_needed``: without it no page can be answered."""

    name: str
    is_good: bool
    said: str
    is_needed: bool = False


def live(_request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nobody else, so that a slow database restarts no process."""
    return _plain(JsonResponse({"status": "ok"}))


def ready(request: HttpRequest) -> HttpResponse:
    """Should visitors come here? 503 only when no page would work; other troubles are "degraded"."""
    found = findings()
    answer: dict[str, object] = {"status": "ok" if all(one.is_good for one in found) else "degraded"}
    if _knows_the_word(request):
        answer["checks"] = {one.name: {"ok": one.is_good, "said": one.said} for one in found}
    is_usable = all(one.is_good for one in found if one.is_needed)
    status = HTTPStatus.OK if is_usable else HTTPStatus.SERVICE_UNAVAILABLE
    return _plain(JsonResponse(answer, status=status))


def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus, for who shows the token; for others there is no such page."""
    if not _knows_the_word(request):
        return _plain(HttpResponse(status=HTTPStatus.NOT_FOUND))
    return _plain(HttpResponse(exposition(now=timezone.now()), content_type=CONTENT_TYPE))


def _get_only(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def asked(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return answer(request)

    return asked


BY_PATH: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/health/live": _get_only(live),
    "/health/ready": _get_only(ready),
    "/metrics": _get_only(metrics),
}


def findings() -> list[Finding]:
    """Look at everything that work depends on."""
    found = [_broker()]
    try:
        books = measures.look(now=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        return [Finding("database", is_good=False, said=type(error).__name__, is_needed=True), *found]
    found.append(Finding("database", is_good=True, said="answers", is_needed=True))
    found.append(
        Finding(
            "migrations", books.unapplied == 0, f"{books.unapplied} not applied", is_needed=True
        )  # the pages are written for them
    )
    found.append(_close(books))
    found.append(_beat(books))
    slow = [queue.kind for queue in books.queues if queue.oldest_seconds > QUEUE_SLOW_AFTER]
    found.append(Finding("queues", not slow, f"waiting too long: {', '.join(slow)}" if slow else "moving"))
    return found


def _broker() -> Finding:
    trouble = broker_state.trouble()
    return Finding("broker", is_good=not trouble, said=trouble or "answers")


def _close(books: measures.Books) -> Finding:
    last = books.last_close
    said = f"last closed {last.business_date}" if last else "no date closed yet"
    if books.runs.get("failed"):
        return Finding("close", is_good=False, said=f"a close has failed; {said}")
    if books.is_late:
        return Finding("close", is_good=False, said=f"late: {books.open_date} is still open; {said}")
    return Finding("close", is_good=True, said=f"{said}; {books.lag_days} days behind the calendar")


def _beat(books: measures.Books) -> Finding:
    age = books.beat_age()
    if age is None:
        return Finding("clock", is_good=False, said="never heard")
    return Finding("clock", is_good=age < BEAT_SILENT_AFTER, said=f"heard {age:.0f} s ago")


def _knows_the_word(request: HttpRequest) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    word = settings.PAIKAR_WATCH_TOKEN
    return bool(word) and scheme.lower() == "bearer" and secrets.compare_digest(shown.encode(), word.encode())


def _plain(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
