"""What the maker chose, read from an event's parameters; a choice that cannot be is refused by its term."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from calc.money import from_minor
from calc.schedule import CannotSchedule
from daybook.formats import tk
from lending.term_words import say_refusal
from partners.services.refusals import Refused

Parameters = Mapping[str, Any]
Code = TypeVar("Code", bound=StrEnum)


class CannotMakeEvent(Refused):
    """The event cannot be as it was asked; ``term`` names the field to change, the sentence says why."""

    def __init__(self, term: str, sentence: str) -> None:
        self.term = term
        super().__init__(sentence)


def refused(error: CannotSchedule) -> CannotMakeEvent:
    """A refusal of calc as a refusal of the event, in the reader's language."""
    return CannotMakeEvent(error.term, say_refusal(error))


def text(parameters: Parameters, name: str) -> str:
    """A text, without its margins; empty where it was not given."""
    return str(parameters.get(name) or "").strip()


def whole(parameters: Parameters, name: str, *, least: int | None = None, default: int | None = None) -> int:
    """A whole number: a count, or money in minor units."""
    value: Any = parameters.get(name)
    if value in (None, ""):
        if default is None:
            raise CannotMakeEvent(name, _("Give this figure."))
        return default
    if isinstance(value, bool) or not str(value).lstrip("-").isdigit():
        raise CannotMakeEvent(name, _("Give a whole number."))
    number = int(value)
    if least is not None and number < least:
        raise CannotMakeEvent(
            name,
            _("The amount must be more than nothing.") if least == 1 else _("This is too small."),
        )
    return number


def percent(parameters: Parameters, name: str, default: Decimal | None = None) -> Decimal:
    """A percentage."""
    value = parameters.get(name)
    if value in (None, ""):
        if default is None:
            raise CannotMakeEvent(name, _("Give this rate."))
        return default
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise CannotMakeEvent(name, _("Give a number of percent.")) from error


def day(parameters: Parameters, name: str) -> date:
    """A date that must be given."""
    found = day_or_none(parameters, name)
    if found is None:
        raise CannotMakeEvent(name, _("Give this date."))
    return found


def day_or_none(parameters: Parameters, name: str) -> date | None:
    """A date, written 2026-11-22, or nothing."""
    value = parameters.get(name)
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise CannotMakeEvent(name, _("Give a date of the calendar.")) from error


def code(parameters: Parameters, name: str, codes: type[Code], default: Code | None = None) -> Code:
    """One of the choices there are."""
    value = parameters.get(name)
    if value in (None, "") and default is not None:
        return default
    try:
        return codes(str(value))
    except ValueError as error:
        raise CannotMakeEvent(name, _("Choose one of the choices offered.")) from error


def in_taka(minor: int) -> str:
    """An amount of minor units as a sentence says it."""
    return tk(from_minor(minor))
