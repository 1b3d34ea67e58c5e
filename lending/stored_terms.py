"""A plan's terms as a schedule version keeps them: JSON of texts and numbers, and back without loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from calc.calendar import Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import GraceKind, InterestTo, LevelFrom, Method, Residue, Terms

_CODES: dict[str, type[StrEnum]] = {
    "method": Method,
    "frequency": Frequency,
    "grace_kind": GraceKind,
    "day_count": DayCount,
    "roll": RollRule,
    "interest_to": InterestTo,
    "residue": Residue,
    "level_from": LevelFrom,
}
_ROUNDINGS = ("instalment_rounding", "interest_rounding")
_DECIMALS = ("annual_rate", "step_percent")
_DATES = ("disbursed_on", "first_due_on")


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Every term: codes, decimals and dates as text, roundings as “half_up 100”, amounts as a list."""
    kept: dict[str, Any] = {}
    for field in fields(terms):
        value = getattr(terms, field.name)
        if isinstance(value, Rounding):
            kept[field.name] = f"{value.mode.value} {value.quantum_minor}"
        elif isinstance(value, StrEnum):
            kept[field.name] = value.value
        elif isinstance(value, Decimal):
            kept[field.name] = str(value)
        elif isinstance(value, date):
            kept[field.name] = value.isoformat()
        elif isinstance(value, tuple):
            kept[field.name] = list(value)
        elif value is not None:
            kept[field.name] = value
    return kept


def terms_from_json(kept: Mapping[str, Any]) -> Terms:
    """The terms again. ValueError or TypeError where something else was kept."""
    known = {field.name for field in fields(Terms)}
    values: dict[str, Any] = {name: value for name, value in kept.items() if name in known}
    for name, code in _CODES.items():
        if name in values:
            values[name] = code(values[name])
    for name in _ROUNDINGS:
        if name in values:
            mode, quantum = str(values[name]).split()
            values[name] = Rounding(mode=RoundingMode(mode), quantum_minor=int(quantum))
    values |= {name: Decimal(values[name]) for name in _DECIMALS if name in values}
    values |= {name: date.fromisoformat(values[name]) for name in _DATES if name in values}
    if "amounts" in values:
        values["amounts"] = tuple(values["amounts"])
    return Terms(**values)
