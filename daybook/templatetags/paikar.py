"""Filters and tags every template has without loading: money, dates, badges, icons, query strings."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from daybook import acts, formats, icons, words
from daybook.selectors import booking_number_up_to

register = template.Library()


def _zero(option: str) -> str | None:
    return formats.NOTHING if option == "dash" else None


@register.filter
def taka(value: formats.Amount | None, option: str = "") -> str:
    """``{{ loan.principal|taka }}``; ``|taka:"dash"`` writes zero as –."""
    return formats.taka(value, zero=_zero(option))


@register.filter
def taka_minor(value: int | None, option: str = "") -> str:
    """``{{ due.principal_minor|taka_minor }}``: whole poisha."""
    return formats.taka_minor(value, zero=_zero(option))


@register.filter
def tk(value: formats.Amount | None) -> str:
    """With the currency in front."""
    return formats.tk(value)


@register.filter
def tk_minor(value: int | None) -> str:
    """Whole poisha with the currency in front."""
    return formats.tk(None if value is None else formats.from_minor(value))


@register.filter
def crore(value: formats.Amount | None, places: int = 2) -> str:
    return formats.crore(value, places=places)


@register.filter
def crore_minor(value: int | None, places: int = 2) -> str:
    return formats.crore(None if value is None else formats.from_minor(value), places=places)


@register.filter
def lakh(value: formats.Amount | None, places: int = 2) -> str:
    return formats.lakh(value, places=places)


@register.filter
def lakh_minor(value: int | None, places: int = 2) -> str:
    return formats.lakh(None if value is None else formats.from_minor(value), places=places)


@register.filter
def short(value: formats.Amount | None) -> str:
    """Crore, lakh or taka, whichever reads best."""
    return formats.short(value)


@register.filter
def short_minor(value: int | None) -> str:
    return formats.short(None if value is None else formats.from_minor(value))


@register.filter
def number(value: Decimal | int | None) -> str:
    """A count, grouped: 12,34,567."""
    return formats.number(value)


@register.filter
def named(thing: object) -> str:
    """The name of an institution, a programme or a place in the language of the page."""
    return formats.named(thing)


@register.filter
def act(kept: str) -> str:
    """What was done, in words: "Tranche: approved" for ``tranche.approve``."""
    return acts.act_words(kept)


@register.filter
def booking_number(last_booking_id: int) -> int:
    """The number people quote for the books up to a booking; one query."""
    return booking_number_up_to(last_booking_id)


@register.filter
def percent(value: Decimal | int | None, places: int = 2) -> str:
    """A share already in percent."""
    return formats.percent(value, places=places)


@register.filter
def share_of(part: int | Decimal, whole: int | Decimal) -> str:
    """``{{ women_minor|share_of:total_minor }}``: 30.0 %."""
    return formats.share(part, whole)


@register.filter
def day(value: date | datetime | None) -> str:
    """22 Nov 2026; a moment also shows Dhaka time."""
    return formats.day(value)


@register.filter
def in_words(value: formats.Amount) -> str:
    """Taka twelve lakh only."""
    return words.amount_in_words(value)


@register.filter
def in_words_minor(value: int) -> str:
    return words.amount_in_words(formats.from_minor(value))


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """``{% icon "file-upload" %}``: any of Tabler's outline icons."""
    return icons.icon(name, css=css)


# One map of colours for every status in the system: the same word looks the same on every page.
_WORDS_OF_COLOUR = {
    "green": "active approved accepted posted done disbursed standard confirmed matched settled paid cleared"
    " sanctioned current complete closed_clean",
    "azure": "ready open submitted requested queued proposed recommended sma",
    "blue": "running posting reading in_review partial",
    "yellow": "draft waiting ambiguous duplicate substandard due warning suspended preview",
    "orange": "unmatched doubtful overdue returned closed_with_exceptions",
    "red": "invalid failed rejected refused bad bad_loss late written_off",
    "secondary": "discarded cancelled closed expired reversed withdrawn",
}
BADGE_COLOURS = {word: colour for colour, words_ in _WORDS_OF_COLOUR.items() for word in words_.split()}


@register.simple_tag
def badge(value: object, label: object = "") -> SafeString:
    """``{% badge upload.state upload.get_state_display %}``: a status in its one colour."""
    colour = BADGE_COLOURS.get(str(value), "secondary")
    text = str(label) or capfirst(str(value).replace("_", " "))
    return format_html('<span class="badge bg-{}-lt text-nowrap">{}</span>', colour, text)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's query string with some values changed; an empty value takes one out."""
    values: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"?{values.urlencode()}" if values else "?"


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """``{{ totals|get:code }}``."""
    return mapping.get(key)
