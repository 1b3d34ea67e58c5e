"""One transaction around the whole request, and the database role a view runs under.

``OneTransaction`` is outside the session and the rendering of templates, which ATOMIC_REQUESTS is not:
a TemplateResponse renders after the view, and its queries must see the same books and the same role.
A refused request (5xx, or any exception a view lets out) leaves nothing behind.

``ActingRole`` is inside authentication. Before the view it takes ``paikar_foundation`` or
``paikar_partner`` for the rest of the view and its rendering, and tells PostgreSQL the institution; on
the way out it gives the role back, so that the session is saved by ``paikar_web``. A person who has no
role, or who is not signed in, stays ``paikar_web``, which can read nothing of the books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from config.watching import logs
from partners.access import NOBODY, Context, Side, context_of
from partners.models import User

View = TypeVar("View", bound=Callable[..., Any])
GetResponse = Callable[[HttpRequest], HttpResponseBase]
DATABASE_ROLE = {Side.FOUNDATION: "paikar_foundation", Side.PARTNER: "paikar_partner"}


class OneTransaction:
    """Commit when the finished response says all went well, roll back otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with transaction.atomic():
            response = self.get_response(request)
            if response.status_code >= 500 or getattr(request, "view_raised", False):
                transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Note that the view did not finish, also when Django turns the exception into a 403 or 404 page."""
        request.view_raised = True  # type: ignore[attr-defined]


class ActingRole:
    """Put ``request.context`` on the request and run the view as the role it deserves."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.context = context = _context(request)  # type: ignore[attr-defined]
        logs.remember(user=request.user.pk, institution=context.institution_id)
        response = self.get_response(request)
        if getattr(request, "acts_as", None) and response.status_code < 500:
            _execute("RESET ROLE")
            _execute("SELECT set_config('paikar.institution', '', true)")
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Take the role, except for views that sign people in and out (``for_anyone``).

        A zero byte is no text: PostgreSQL refuses it, so it is refused here, before any page meets it.
        """
        if any("\x00" in text for asked in (request.GET, request.POST) for text in _texts(asked)):
            raise BadRequest("a zero byte in the address or in a field")
        context: Context = request.context  # type: ignore[attr-defined]
        if getattr(view, "for_anyone", False) or not request.user.is_authenticated:
            return None
        if context.side is Side.NOBODY:
            raise PermissionDenied(_("No role is yours today. Ask your administrator for one."))
        request.acts_as = DATABASE_ROLE[context.side]  # type: ignore[attr-defined]
        act_as(context)
        return None


def _texts(asked: QueryDict) -> Iterator[str]:
    for name, values in asked.lists():
        yield name
        yield from map(str, values)


def act_as(context: Context) -> None:
    """Take the database role of a context until the transaction ends. Both values are ours, not typed."""
    _execute("SELECT set_config('paikar.institution', %s, true)", [str(context.institution_id or "")])
    _execute(f"SET LOCAL ROLE {DATABASE_ROLE[context.side]}")


def for_anyone(view: View) -> View:
    """Mark a view that works on sessions and passwords: it stays ``paikar_web``."""
    view.for_anyone = True  # type: ignore[attr-defined]
    return view


def _context(request: HttpRequest) -> Context:
    user = request.user
    if not isinstance(user, User):
        return NOBODY
    return context_of(user, on=timezone.localdate())


def _execute(statement: str, values: list[str] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
