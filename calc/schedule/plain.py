"""Terms from plain values, for whoever wants to try a case: texts, numbers and amounts in currency."""

from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from calc.money import Rounding, RoundingMode, to_minor
from calc.schedule.terms import (
    CHOICES,
    DAYS,
    PERCENTS,
    ROUNDINGS,
    CannotSchedule,
    Method,
    Rules,
    Terms,
)

_AMOUNTS = ("principal", "agreed_instalment")
NAMES = (*(field.name for field in fields(Rules)), *_AMOUNTS, "annual_rate", *DAYS)
"""Every term `terms_of` knows."""


def terms_of(*, decimals: int = 2, **plain: Any) -> Terms:
    """Terms of one loan from plain values, named as in `Terms` but for the amounts.

    principal, agreed_instalment and amounts are in the currency (of so many decimals); rates are
    percent a year; dates are ISO texts; a choice is its text ("step_up", "30E/360"), a rounding a mode
    and a quantum in the currency ("up 5.00"). Left out, the method is the equal instalment and the rest
    as in `Rules`. CannotSchedule names a term that is unknown, missing or unreadable; a float is.
    """
    values: dict[str, Any] = {"method": Method.EQUAL_INSTALMENT}
    for name, value in plain.items():
        if name not in NAMES:
            raise CannotSchedule(
                name, "there is no term of this name; the terms are {names}", names=", ".join(sorted(NAMES))
            )
        try:
            values[name + "_minor" if name in _AMOUNTS else name] = _read(name, value, decimals)
        except (ValueError, TypeError, AttributeError, InvalidOperation) as error:
            raise CannotSchedule(name, _unreadable(name), value=value, choices=_choices(name)) from error
    for name in ("principal_minor", "annual_rate", "disbursed_on", "instalments"):
        if name not in values:
            raise CannotSchedule(name.removesuffix("_minor"), "the term is missing")
    return Terms(**values)


def _unreadable(name: str) -> str:
    sentence = "the term cannot be read: {value}"
    if name in CHOICES:
        sentence = "the term cannot be read: {value}; choose one of {choices}"
    return sentence


def _choices(name: str) -> str:
    return ", ".join(map(str, CHOICES.get(name, ())))


def _read(name: str, value: Any, decimals: int) -> Any:
    if isinstance(value, float):
        raise TypeError(f"{value} is a float, which money and rates never are")
    if name == "amounts" and isinstance(value, str):
        raise TypeError(f"{value} is one text; amounts are a list")
    if name in CHOICES:
        return CHOICES[name](value)
    if name in _AMOUNTS:
        return to_minor(Decimal(value), decimals)
    if name == "amounts":
        return tuple(to_minor(Decimal(amount), decimals) for amount in value)
    if name in PERCENTS:
        return Decimal(value)
    if name in DAYS:
        return value if value is None or isinstance(value, date) else date.fromisoformat(value)
    if name in ROUNDINGS:
        return value if isinstance(value, Rounding) else _rounding(value, decimals)
    if not isinstance(value, int):
        raise TypeError(f"{value} is not a whole number")
    return value


def _rounding(words: str, decimals: int) -> Rounding:
    """A mode and, where it is not the smallest unit, a quantum: "half_even", "up 5.00"."""
    mode, _, quantum = words.partition(" ")
    return Rounding(RoundingMode(mode), to_minor(Decimal(quantum), decimals) if quantum else 1)
