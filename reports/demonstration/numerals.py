"""Numbers as banks in Bangladesh write them: Bangla digits, lakh and crore grouping."""

from __future__ import annotations

from datetime import date

_BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
BANGLA_MONTHS = (
    "জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন",
    "জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর",
)  # fmt: skip


def bangla(text: str) -> str:
    """The text with Bangla digits."""
    return text.translate(_BANGLA)


def plain(amount_minor: int) -> str:
    """1234567.89"""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def grouped(amount_minor: int) -> str:
    """12,34,567.89: thousands, then lakh and crore."""
    whole, fraction = plain(abs(amount_minor)).split(".")
    head, tail = whole[:-3], whole[-3:]
    parts: list[str] = []
    while head:
        parts.insert(0, head[-2:])
        head = head[:-2]
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{','.join([*parts, tail])}.{fraction}"


def day_first(day: date) -> str:
    """31/10/2026"""
    return f"{day:%d/%m/%Y}"
