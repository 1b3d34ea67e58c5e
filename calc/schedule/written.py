"""Terms as plain values that JSON holds without loss, and back."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from calc.interest import Segment
from calc.money import Rounding, RoundingMode
from calc.schedule.carried import Part
from calc.schedule.terms import (
    CHOICES,
    DAYS,
    PERCENTS,
    ROUNDINGS,
    CannotSchedule,
    Terms,
)


def write_terms(terms: Terms) -> dict[str, Any]:
    """Terms as texts and whole numbers; what stands at its default is left out."""
    return {
        field.name: _written(getattr(terms, field.name))
        for field in fields(Terms)
        if getattr(terms, field.name) != _default(field)
    }


def read_terms(stored: Mapping[str, Any]) -> Terms:
    """Terms as `write_terms` wrote them. CannotSchedule names the first term it cannot read."""
    values: dict[str, Any] = {}
    for field in fields(Terms):
        name = field.name
        if name not in stored:
            if _default(field) is MISSING:
                raise CannotSchedule(name, "the term is missing")
            continue
        try:
            values[name] = _read(name, stored[name])
        except (ValueError, TypeError, KeyError, InvalidOperation) as error:
            raise CannotSchedule(name, "the term cannot be read: {value}", value=stored[name]) from error
    return Terms(**values)


def _default(field: "Field[Any]") -> object:
    return field.default


def _written(value: Any) -> Any:
    match value:
        case Rounding():
            return [str(value.mode), value.quantum_minor]
        case Part():
            return [value.days, value.numerator, value.denominator]
        case Segment():
            numbers = (value.days, value.balance_minor, value.rate_units, value.numerator, value.denominator)
            return [value.from_on.isoformat(), value.to_on.isoformat(), *numbers]
        case tuple():
            return [_written(one) for one in value]
        case date():
            return value.isoformat()
        case Decimal() | StrEnum():
            return str(value)
    return value


def _read(name: str, value: Any) -> Any:
    if name in CHOICES:
        return CHOICES[name](value)
    if name in PERCENTS:
        return Decimal(value)
    if name in DAYS:
        return date.fromisoformat(value)
    if name in ROUNDINGS:
        return Rounding(RoundingMode(value[0]), int(value[1]))
    if name == "rest":
        return Part(*value)
    if name == "carried":
        days = (
            ((date.fromisoformat(from_on), date.fromisoformat(to_on)), numbers)
            for from_on, to_on, *numbers in value
        )
        return tuple(Segment(*ends, *numbers) for ends, numbers in days)
    if name == "amounts":
        return tuple(int(amount) for amount in value)
    return int(value)
