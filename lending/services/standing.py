"""Where institutions, agreements and tranches stand: written by postings and closes, locked by decisions.

A row names an institution, and an agreement or a tranche or neither. Money in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from django.db import connection, transaction

from lending.models import Standing

SCOPE = ("institution_id", "agreement_id", "tranche_id", "currency")
FIGURES = (
    "drawn_minor",
    "principal_repaid_minor",
    "exposure_minor",
    "overdue_minor",
    "days_past_due",
    "on_lent_minor",
    "subloan_collected_minor",
    "subloan_outstanding_minor",
    "subloan_par30_minor",
)

_UPSERT = """
INSERT INTO lending_standing (institution_id, agreement_id, tranche_id, currency, {figures}, as_of)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::varchar[], {arrays}, %s::date[])
ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST, 4
ON CONFLICT ON CONSTRAINT standing_one_per_scope DO UPDATE SET {assignments}, as_of = excluded.as_of
"""


@transaction.atomic
def write_standings(*, rows: pd.DataFrame, as_of: date) -> int:
    """Set the standing of each scope named; return how many. Columns: SCOPE and FIGURES.

    A scope not named keeps its figures; figures left out count as nothing.
    """
    return _write(rows, as_of, "{name} = excluded.{name}")


@transaction.atomic
def add_to_standings(*, rows: pd.DataFrame, as_of: date) -> int:
    """Add to the standing of each scope named, as a disbursement does; days past due are left alone."""
    added = rows.drop(columns="days_past_due", errors="ignore")
    return _write(added, as_of, "{name} = lending_standing.{name} + excluded.{name}")


def _write(rows: pd.DataFrame, as_of: date, assignment: str) -> int:
    if rows.empty:
        return 0
    scopes: list[list[object]] = [
        [None if pd.isna(value) else int(value) for value in _column(rows, name)] for name in SCOPE[:3]
    ]
    currency = [str(value) for value in rows["currency"]] if "currency" in rows else ["BDT"] * len(rows)
    figures = [rows[name].astype("int64").tolist() if name in rows else [0] * len(rows) for name in FIGURES]
    statement = _UPSERT.format(
        figures=", ".join(FIGURES),
        arrays=", ".join(["%s::bigint[]"] * len(FIGURES)),
        assignments=", ".join(assignment.format(name=name) for name in FIGURES),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*scopes, currency, *figures, [as_of] * len(rows)])
        return int(cursor.rowcount)


def _column(rows: pd.DataFrame, name: str) -> list[Any]:
    return list(rows[name]) if name in rows else [None] * len(rows)


@dataclass(frozen=True, slots=True)
class Locked:
    """An institution's and an agreement's standing, held until the transaction ends."""

    institution: Standing
    agreement: Standing


def lock_standing(*, institution_id: int, agreement_id: int, as_of: date, currency: str = "BDT") -> Locked:
    """Lock both rows, institution first, making them where nothing has happened yet.

    Decisions on one institution queue here, so that two of them never share the same room.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO lending_standing (institution_id, agreement_id, currency, as_of, {", ".join(FIGURES)})
            SELECT %s, agreement, %s, %s{", 0" * len(FIGURES)}
              FROM unnest(ARRAY[NULL, %s]::bigint[]) AS agreement
            ON CONFLICT ON CONSTRAINT standing_one_per_scope DO NOTHING
            """,
            [institution_id, currency, as_of, agreement_id],
        )
    institution = Standing.objects.select_for_update(no_key=True).get(
        institution_id=institution_id, agreement__isnull=True, tranche__isnull=True, currency=currency
    )
    agreement = Standing.objects.select_for_update(no_key=True).get(
        institution_id=institution_id, agreement_id=agreement_id, tranche__isnull=True, currency=currency
    )
    return Locked(institution, agreement)
