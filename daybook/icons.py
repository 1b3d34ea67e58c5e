"""Tabler's line icons as inline SVG, so that a page needs no icon font and CSP no exception."""

from __future__ import annotations

import json
from functools import lru_cache

from django.conf import settings
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe


@lru_cache(maxsize=1)
def _drawings() -> dict[str, list[tuple[str, dict[str, str]]]]:
    with settings.ICONS_FILE.open(encoding="utf-8") as file:
        return json.load(file)


@lru_cache(maxsize=512)
def icon(name: str, *, css: str = "") -> SafeString:
    """Draw an icon by Tabler's name. Raises ``LookupError`` for a name Tabler does not have."""
    nodes = _drawings().get(name)
    if nodes is None:
        raise LookupError(f"Tabler has no outline icon {name!r}")
    drawing = "".join(
        f"<{tag} " + " ".join(f'{key}="{escape(value)}"' for key, value in attributes.items()) + "/>"
        for tag, attributes in nodes
    )
    return mark_safe(  # noqa: S308  (drawn from Tabler's own file; values escaped)
        f'<svg class="icon {escape(css)}" width="20" height="20" viewBox="0 0 24 24" fill="none"'
        ' stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
        f' aria-hidden="true">{drawing}</svg>'
    )
