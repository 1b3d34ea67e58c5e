"""Taking dues back: by mirrors, never by an edit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from daybook.columns import insert_columns
from daybook.models import Booking

_KEPT = (
    "loan_id",
    "institution_id",
    "schedule_id",
    "instalment",
    "component",
    "nominal_date",
    "late_date",
    "effective_date",
)


def take_back(rows: npt.NDArray[Any], *, booking: Booking, **instead: npt.NDArray[Any]) -> None:
    """Mirror dues (rows of ``lending.selectors.plans.LIVE_DUES``, or wider) as they stand.

    ``instead`` replaces columns of the mirrors: a new version puts its own ``schedule_id`` and
    ``effective_date`` on what it takes back. The guard ``mirror_is_exact`` holds the rest.
    """
    if not rows.size:
        return
    insert_columns(
        "lending_due",
        {name: rows[name] for name in _KEPT}
        | instead
        | {
            "amount_minor": -rows["amount_minor"],
            "mirror_of_id": rows["id"],
            "booking_id": np.full(rows.size, booking.pk, dtype=np.int64),
        },
    )
