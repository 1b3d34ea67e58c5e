"""Routing numbers: bank 3 digits, district 2, branch 3, check digit 1. Text, for zeros in front count."""

from __future__ import annotations

WEIGHTS = (5, 7, 1, 5, 7, 1, 5, 7)


def check_digit(first_eight: str) -> int:
    """The ninth digit that belongs to the first eight: 08526072 gives 8 (Dhaka Bank, Banasree)."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first_eight, strict=True))
    return (10 - total % 10) % 10


def is_routing_number(text: str) -> bool:
    """Nine ASCII digits."""
    return len(text) == 9 and text.isascii() and text.isdigit()


def check_digit_fits(number: str) -> bool:
    """Whether the check digit fits. A real number may fail (125474199 does): warn, do not refuse."""
    return is_routing_number(number) and check_digit(number[:8]) == int(number[8])
