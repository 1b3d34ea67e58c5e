"""The plans of running loans as they stand: the version in force and the dues nobody has taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection

from daybook.columns import read_columns

DUE_COLUMNS = [
    ("id", "i8"),
    ("loan_id", "i8"),
    ("institution_id", "i8"),
    ("schedule_id", "i8"),
    ("instalment", "i4"),
    ("component", "i2"),
    ("nominal_date", "M8[D]"),
    ("late_date", "M8[D]"),
    ("effective_date", "M8[D]"),
    ("amount_minor", "i8"),
]
LIVE_DUES = np.dtype(DUE_COLUMNS)
VERSION_FACTS = (
    "loan_id",
    "institution_id",
    "schedule_id",
    "version",
    "cause",
    "effective_date",
    "latest_effective_date",
    "terms",
    "number",
    "tier",
    "disbursed_date",
)


def live_dues(loan_ids: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Dues that no mirror took back (``LIVE_DUES``), by loan, late date, instalment and component."""
    return read_columns(
        """
        SELECT d.id, d.loan_id, d.institution_id, d.schedule_id, d.instalment, d.component,
               d.nominal_date, d.late_date, d.effective_date, d.amount_minor
          FROM lending_due d
         WHERE d.loan_id = ANY (%s::bigint[]) AND d.mirror_of_id IS NULL
           AND NOT EXISTS (SELECT FROM lending_due m WHERE m.mirror_of_id = d.id)
         ORDER BY d.loan_id, d.late_date, d.instalment, d.component, d.id
        """,
        [[int(loan_id) for loan_id in loan_ids]],
        LIVE_DUES,
    )


def versions_in_force(loan_ids: Sequence[int] | npt.NDArray[np.int64]) -> pd.DataFrame:
    """The newest plan version of each loan with its loan's number, tier and dates, by loan id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.id, l.institution_id, s.id, s.version, s.cause, s.effective_date,
                   max(s.effective_date) OVER (PARTITION BY l.id), s.terms::text, l.number, l.tier,
                   l.disbursed_date
              FROM lending_loan l JOIN lending_schedule s ON s.loan_id = l.id
             WHERE l.id = ANY (%s::bigint[]) ORDER BY l.id, s.version
            """,
            [[int(loan_id) for loan_id in loan_ids]],
        )
        rows = pd.DataFrame(cursor.fetchall(), columns=list(VERSION_FACTS))
    return rows.drop_duplicates("loan_id", keep="last").reset_index(drop=True)
