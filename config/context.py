"""What every page's frame shows: the business date, who is signed in, the navigation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from daybook.navigation import Shown, menu_for
from daybook.selectors import BooksNotOpen, open_business_date
from lending.selectors.contracts import words_of
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
        "navigation": SimpleLazyObject(lambda: _menu(context, request.path)),
    }


def _menu(context: Context, path: str) -> list[tuple[object, list[Shown]]]:
    """The menu; that of an institution without contracts at interest does not say the word."""
    tell = words_of(context.institution_id).tell
    return [
        (label, [replace(entry, label=tell(entry.label)) for entry in entries])
        for label, entries in menu_for(context.roles, path=path)
    ]


def _business_date() -> Any:
    try:
        return open_business_date()
    except BooksNotOpen:
        return None
