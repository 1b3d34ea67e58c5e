"""How money, dates and shares are written for people: lakh and crore grouping, Bangla digits.

Money comes in as ``Money`` or ``Decimal`` in taka, or as whole poisha through the functions that end in
``_minor``. Nothing here rounds to fewer than two places but ``lakh``, ``crore`` and ``short``, which are
for reading at a glance and round half up.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from django.utils import timezone
from django.utils.translation import get_language
from djmoney.money import Money

Amount: TypeAlias = Money | Decimal | int

NOTHING = "–"
MINUS = "−"
CENT = Decimal("0.01")
LAKH = Decimal(100_000)
CRORE = Decimal(10_000_000)
BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
SYMBOL = {"BDT": {"en": "Tk", "bn": "৳"}}
SCALE_WORD = {
    LAKH: {"en": "lakh", "bn": "লাখ"},
    CRORE: {"en": "crore", "bn": "কোটি"},
}


def language() -> str:
    """The language of this page: ``bn`` or ``en``."""
    return "bn" if (get_language() or "en").startswith("bn") else "en"


def named(thing: object) -> str:
    """What a thing with a name in both languages is called on this page; another thing, as it calls itself.

    A programme is known by its code, which stands before either name.
    """
    shown, bangla = str(thing), str(getattr(thing, "name_bn", "") or "")
    if language() != "bn" or not bangla:
        return shown
    return shown.replace(str(getattr(thing, "name", shown)), bangla)


def name_column(alias: str) -> str:
    """The SQL of the name of a row with ``name`` and ``name_bn`` in the language of this page."""
    return f"coalesce(nullif({alias}.name_bn, ''), {alias}.name)" if language() == "bn" else f"{alias}.name"


def digits(text: str) -> str:
    """Write Latin digits in Bangla when the page is in Bangla."""
    return text.translate(BANGLA_DIGITS) if language() == "bn" else text


def taka(value: Amount | None, *, zero: str | None = None) -> str:
    """12345678.9 is 1,23,45,678.90. ``zero`` replaces a zero amount; no amount at all is a dash.

    Raises ``ValueError`` when the amount is finer than a poisha: that would be hidden by the format.
    """
    if value is None:
        return NOTHING
    amount = _decimal(value)
    if amount == 0 and zero is not None:
        return zero
    if amount != amount.quantize(CENT, rounding=ROUND_HALF_UP):
        raise ValueError(f"{amount} is finer than a poisha")
    return _grouped(amount, "#,##,##0.00")


def taka_minor(poisha: int | None, *, zero: str | None = None) -> str:
    """1234567890 poisha is 1,23,45,678.90."""
    return taka(None if poisha is None else from_minor(poisha), zero=zero)


def tk(value: Amount | None) -> str:
    """With the currency in front: Tk 1,23,45,678.90, or ৳ ১,২৩,৪৫,৬৭৮.৯০; other currencies by their code."""
    if value is None:
        return NOTHING
    code = str(value.currency) if isinstance(value, Money) else "BDT"
    symbol = SYMBOL.get(code, {}).get(language(), code)
    return f"{symbol}\u00a0{taka(value)}"


def lakh(value: Amount | None, *, places: int = 2) -> str:
    """23.46 lakh."""
    return _scaled(value, LAKH, places)


def crore(value: Amount | None, *, places: int = 2) -> str:
    """185.00 crore."""
    return _scaled(value, CRORE, places)


def short(value: Amount | None) -> str:
    """Crore from a crore up, lakh from a lakh up, whole taka below."""
    if value is None:
        return NOTHING
    size = abs(_decimal(value))
    if size >= CRORE:
        return crore(value)
    if size >= LAKH:
        return lakh(value)
    return _grouped(_decimal(value).quantize(Decimal(1), rounding=ROUND_HALF_UP), "#,##,##0")


def number(value: Decimal | int | None) -> str:
    """A count or a plain number, grouped."""
    if value is None:
        return NOTHING
    return _grouped(Decimal(value), "#,##,##0.######")


def percent(value: Decimal | int | None, *, places: int = 2) -> str:
    """A share given in percent: 4.567 is 4.57 %."""
    if value is None:
        return NOTHING
    quantum = Decimal(1).scaleb(-places)
    rounded = Decimal(value).quantize(quantum, rounding=ROUND_HALF_UP)
    return f"{_grouped(rounded, '#,##,##0' + ('.' + '0' * places if places else ''))}\u00a0%"


def share(part: int | Decimal, whole: int | Decimal, *, places: int = 1) -> str:
    """What part is of whole, in percent; a dash when there is no whole."""
    return percent(Decimal(part) * 100 / Decimal(whole), places=places) if whole else NOTHING


def day(value: date | datetime | None) -> str:
    """22 Nov 2026; a moment also shows the time in Dhaka."""
    if value is None:
        return NOTHING
    # Bangla's short month names are not in use; the full ones are short enough.
    locale, pattern = ("bn_BD", "d MMMM y") if language() == "bn" else ("en_US", "d MMM y")
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return digits(format_datetime(local, f"{pattern}, HH:mm", locale=locale))
    return digits(format_date(value, pattern, locale=locale))


def from_minor(poisha: int) -> Decimal:
    """Poisha to taka, exactly."""
    return Decimal(int(poisha)).scaleb(-2)


def _scaled(value: Amount | None, unit: Decimal, places: int) -> str:
    if value is None:
        return NOTHING
    quantum = Decimal(1).scaleb(-places)
    scaled = (_decimal(value) / unit).quantize(quantum, rounding=ROUND_HALF_UP)
    pattern = "#,##,##0" + ("." + "0" * places if places else "")
    return f"{_grouped(scaled, pattern)}\u00a0{SCALE_WORD[unit][language()]}"


def _decimal(value: Amount) -> Decimal:
    if isinstance(value, float):
        raise TypeError("money is never a float")
    return value.amount if isinstance(value, Money) else Decimal(value)


def _grouped(value: Decimal, pattern: str) -> str:
    text = format_decimal(abs(value), format=pattern, locale="en_IN", decimal_quantization=False)
    return digits(f"{MINUS}{text}" if value < 0 else text)
