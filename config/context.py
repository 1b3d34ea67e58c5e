"""What every page's frame shows: the business date, who is signed in, the navigation."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from daybook.navigation import menu_for
from daybook.selectors import BooksNotOpen, open_business_date
from partners.access import NOBODY, Context, Role


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: cheap until a template asks, so that fragments pay nothing."""
    context: Context = getattr(request, "context", NOBODY)
    return {
        "who": context,
        "role_names": SimpleLazyObject(
            lambda: ", ".join(str(Role(role).label) for role in sorted(context.roles))
        ),
        "business_date": SimpleLazyObject(_business_date),
        "navigation": SimpleLazyObject(lambda: menu_for(context.roles, path=request.path)),
    }


def _business_date() -> Any:
    try:
        return open_business_date()
    except BooksNotOpen:
        return None
