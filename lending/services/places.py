"""Districts and branches by what a bank writes of them."""

from __future__ import annotations

import pandas as pd

from partners.models import Branch, District


def district_ids(names: pd.Series) -> pd.Series:
    """District codes by name in either language, other spelling, or code; None where unknown."""
    known: dict[str, str] = {}
    for district in District.objects.all():
        for name in (district.name, district.name_bn, district.code, *district.aliases.split(";")):
            if name:
                known.setdefault(_plain(name), district.code)
    return names.map(lambda name: known.get(_plain(name))).astype("object")


def branch_ids(routing_numbers: pd.Series, *, institution_id: int) -> pd.Series:
    """Ids of the institution's branches by routing number; None where unknown."""
    known = dict(
        Branch.objects.filter(institution_id=institution_id)
        .exclude(routing_number="")
        .values_list("routing_number", "pk")
    )
    return routing_numbers.map(known.get).astype("object")


def _plain(name: str) -> str:
    return "".join(letter for letter in str(name).casefold() if letter.isalnum())
