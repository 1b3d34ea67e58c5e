"""Around every request: its id, its line in the log, its time, and the three probes.

It is the outermost, and the probes go no further: a load balancer asks them by address, without a
session, and most urgently when the database is away, whose transaction every page begins with.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from config.watching import logs, probes
from config.watching.counting import REQUEST_SECONDS

logger = logging.getLogger("paikar.requests")
STATIC = "static"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""What HTTP knows. Anybody may send other words, without end, and each would be counted for ever."""
GetResponse = Callable[[HttpRequest], HttpResponseBase]
_PROXY_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Watched:
    """Give the request an id, answer it, say how it went."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if probe := probes.BY_PATH.get(request.path_info):
            return probe(request)
        begun = time.perf_counter()
        with logs.about(request=request_id(request)):
            response = self.get_response(request)
            seconds = time.perf_counter() - begun
            route = route_of(request)
            method = request.method if request.method in METHODS else "other"
            REQUEST_SECONDS.labels(method, route, f"{response.status_code // 100}xx").observe(seconds)
            if route != STATIC:
                logger.info(
                    "%s %s %s",
                    method,
                    route,
                    response.status_code,
                    extra={
                        "method": method,
                        "route": route,
                        "status": response.status_code,
                        "milliseconds": round(seconds * 1000),
                    },
                )
            response["X-Request-ID"] = logs.going_on()["request"]
        return response


def request_id(request: HttpRequest) -> str:
    """The proxy's X-Request-ID when it is one, so that its log and ours can be joined; else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if _PROXY_ID.fullmatch(given) else uuid.uuid4().hex


def route_of(request: HttpRequest) -> str:
    """The page's name, not its address: addresses carry numbers and search words, and have no end."""
    match = request.resolver_match
    if match is not None:
        return match.view_name or "unnamed"
    return STATIC if request.path_info.startswith("/static/") else "none"
