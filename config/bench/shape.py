"""How big and how old the loans of a generated book are."""

from __future__ import annotations

from datetime import date

FIRST_DATE = date(2026, 6, 29)
INSTITUTIONS = 20
INSTALMENTS = 24
PAID_INSTALMENTS = 12
PRINCIPAL_MINOR = 10_000_00
INTEREST_MINOR = 500_00
WHOLESALE_TIMES = 105
"""A wholesale loan is so many times a sub-loan: the hundred its tranche funds, and some not yet on-lent."""
