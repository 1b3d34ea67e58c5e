"""The words of a statement's line, written when they are read, so in the language then in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext

from daybook import formats


@dataclass(frozen=True, slots=True)
class Particulars:
    """What happened, with which number or reference, and how the amount divides."""

    what: object
    parts: tuple[tuple[object, int], ...] = ()
    number: int | None = None
    reference: str = ""
    nominal: date | None = None

    @property
    def headline(self) -> str:
        """Instalment 3, or Receipt BFT-00012."""
        after = formats.number(self.number) if self.number is not None else self.reference
        return f"{self.what} {after}".rstrip()

    @property
    def detail(self) -> str:
        """Interest 12,000.00 · Principal 88,000.00; and the nominal date where a holiday moved it."""
        pieces = [f"{label}\u00a0{formats.taka_minor(minor)}" for label, minor in self.parts]
        if self.nominal is not None:
            pieces.append(gettext("nominally %(date)s") % {"date": formats.day(self.nominal)})
        return " · ".join(pieces)

    def __str__(self) -> str:
        return f"{self.headline} ({self.detail})" if self.detail else self.headline
