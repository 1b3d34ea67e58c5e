"""Values that write themselves in the language in force when they are read, for headings and details."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from daybook import formats


@dataclass(frozen=True, slots=True)
class Day:
    """A date."""

    value: date

    def __str__(self) -> str:
        return formats.day(self.value)


@dataclass(frozen=True, slots=True)
class Percent:
    """A rate in percent, up to four places."""

    value: Decimal

    def __str__(self) -> str:
        places = max(2, -int(self.value.normalize().as_tuple().exponent))
        return formats.percent(self.value, places=places)


@dataclass(frozen=True, slots=True)
class Count:
    """A count."""

    value: int

    def __str__(self) -> str:
        return formats.number(self.value)


@dataclass(frozen=True, slots=True)
class Taka:
    """An amount in minor units."""

    value: int

    def __str__(self) -> str:
        return formats.taka_minor(self.value)
