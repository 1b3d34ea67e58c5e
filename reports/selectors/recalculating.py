"""Raw rows for the auditor's workbook: every due a loan ever had, and up to which day closes have raised."""

from __future__ import annotations

from datetime import date

from daybook.models import BusinessDay
from repayments.selectors.raising import RAISES
from reports.selectors.facts import read_frame
from reports.selectors.frames import Frame


def every_due(loan_id: int, *, last_booking_id: int) -> Frame:
    """Dues of all versions, whenever they count from: planned or raised, and from when they were taken back.

    ``taken_back_by`` is the version that did (0: none); ``taken_back_on`` is None where none did.
    """
    return read_frame(
        """
        SELECT s.version, d.instalment, d.component, d.nominal_date, d.late_date, d.effective_date,
               d.amount_minor, b.purpose = %(raises)s AS is_raised, coalesce(b.number, 0) AS booking_number,
               coalesce(t.version, 0) AS taken_back_by, m.effective_date AS taken_back_on
          FROM lending_due d
          JOIN lending_schedule s ON s.id = d.schedule_id
          JOIN daybook_booking b ON b.id = d.booking_id
          LEFT JOIN lending_due m ON m.mirror_of_id = d.id AND m.booking_id <= %(last)s
          LEFT JOIN lending_schedule t ON t.id = m.schedule_id
         WHERE d.loan_id = %(loan)s AND d.mirror_of_id IS NULL AND d.booking_id <= %(last)s
         ORDER BY d.late_date, d.instalment, d.component, d.effective_date, d.id
        """,
        {"loan": int(loan_id), "last": last_booking_id, "raises": RAISES},
    )


def closed_up_to(last_booking_id: int) -> date | None:
    """The last day whose close is among these bookings; None before the first."""
    return (
        BusinessDay.objects.filter(state=BusinessDay.State.CLOSED, last_booking_id__lte=last_booking_id)
        .order_by("-date")
        .values_list("date", flat=True)
        .first()
    )
