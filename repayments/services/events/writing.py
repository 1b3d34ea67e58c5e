"""Put an event's outcome in the books, in one booking: versions, memo dues, what is settled, the receipt."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from calc.classification import LoanClass
from daybook.columns import insert_columns
from daybook.models import Booking
from daybook.services import book
from lending.models import Schedule
from lending.services.dues import take_back
from lending.services.schedules import append_versions
from partners.access import actor_of
from partners.models import User
from repayments.models import ClassFloor, LoanEvent, Receipt
from repayments.selectors.raising import RAISES
from repayments.services.events.facts import Facts
from repayments.services.events.outcome import Outcome
from repayments.services.events.raised import COLUMNS
from repayments.services.events.standing import standing_of
from repayments.services.judgements import hold_class
from repayments.services.posting import RECEIPT_COLUMNS, post_receipts, reallocate


def write_outcome(
    event: LoanEvent, facts: Facts, outcome: Outcome, *, booking: Booking, decided_by: User
) -> None:
    """Write it all, settle the loans afresh, and leave a line for each. Loans are locked by the caller."""
    stood = standing_of(facts, facts.business_date) if outcome.holds_class else None
    schedules: dict[int, int] = {}
    if len(outcome.versions):
        ids = append_versions(versions=outcome.versions, dues=outcome.dues, booking=booking)
        schedules = dict(zip(outcome.versions["loan_id"].tolist(), ids.tolist(), strict=True))
    _write_raised(event, facts, outcome, schedules)
    _write_memo(facts, outcome, schedules, booking)
    _write_settling(outcome, booking)
    receipt_id = _write_receipt(facts, outcome, booking)
    changed = outcome.versions["loan_id"].tolist() if len(outcome.versions) else facts.ids.tolist()
    if receipt_id is None:
        reallocate(loan_ids=np.asarray(changed, dtype=np.int64), booking=booking)
    if stood is not None and stood.loan_class > LoanClass.STANDARD:
        hold_class(
            loan_ids=[facts.loan.pk],
            at_least=stood.loan_class,
            from_date=outcome.effective_on,
            kind=ClassFloor.Kind.RESCHEDULED,
            reason=event.reason,
            booking=booking,
            made_by=event.made_by,
            approved_by=decided_by,
        )
    _write_lines(event, facts, outcome, schedules, receipt_id)


def _write_memo(facts: Facts, outcome: Outcome, schedules: dict[int, int], booking: Booking) -> None:
    """Refunds and recoveries: dues of their own, attached to the version in force."""
    for row in outcome.memo:
        loan_id, on = int(row["loan_id"]), date.fromisoformat(row["date"])
        schedule = schedules.get(loan_id) or _newest(loan_id)
        insert_columns(
            "lending_due",
            {
                "loan_id": [loan_id],
                "institution_id": [int(facts.loans["institution_id"].iloc[0])],
                "schedule_id": [schedule],
                "instalment": [0],
                "component": [int(row["component"])],
                "nominal_date": [on],
                "late_date": [on],
                "effective_date": [on],
                "amount_minor": [int(row["amount_minor"])],
                "booking_id": [booking.pk],
            },
        )


def _write_raised(event: LoanEvent, facts: Facts, outcome: Outcome, schedules: dict[int, int]) -> None:
    """What a close would have raised by the day, booked as a close books it; mirrors first."""
    rows, gone = outcome.raised.rows, outcome.raised.gone
    if not len(rows) and not gone.size:
        return
    loan_id = int(facts.ids[0])
    booking = book(purpose=RAISES, actor=actor_of(event.made_by), institution_id=event.institution_id)
    old = facts.dues[np.isin(facts.dues["id"], gone)]
    take_back(old, booking=booking)
    if len(rows):
        own = {name: rows[name].to_numpy() for name in COLUMNS}
        days = {
            name: own[name].astype("datetime64[D]")
            for name in ("nominal_date", "late_date", "effective_date")
        }
        insert_columns(
            "lending_due",
            {
                **own,
                **days,
                "loan_id": np.full(len(rows), loan_id, dtype=np.int64),
                "institution_id": np.full(len(rows), facts.loan.institution_id, dtype=np.int64),
                "schedule_id": np.full(len(rows), schedules.get(loan_id) or _newest(loan_id), dtype=np.int64),
                "booking_id": np.full(len(rows), booking.pk, dtype=np.int64),
            },
        )


def _newest(loan_id: int) -> int:
    return int(Schedule.objects.filter(loan_id=loan_id).order_by("-version").values_list("pk", flat=True)[0])


def _write_settling(outcome: Outcome, booking: Booking) -> None:
    if not outcome.settling:
        return
    names = ("loan_id", "institution_id", "source", "instalment", "component", "value_date", "amount_minor")
    columns: dict[str, list[Any]] = {name: [row[name] for row in outcome.settling] for name in names}
    columns["booking_id"] = [booking.pk] * len(outcome.settling)
    insert_columns("repayments_allocation", columns)


def _write_receipt(facts: Facts, outcome: Outcome, booking: Booking) -> int | None:
    money = outcome.receipt
    if money is None:
        return None
    row = {
        "loan_id": int(facts.ids[0]),
        "institution_id": int(facts.loans["institution_id"].iloc[0]),
        "tier": facts.loans["tier"].iloc[0],
        "channel": Receipt.Channel.SCREEN.value,
        "value_date": date.fromisoformat(money["value_date"]),
        "amount_minor": int(money["amount_minor"]),
        "external_reference": money["reference"],
        "reported_principal_minor": None,
        "reported_interest_minor": None,
        "reported_charge_minor": None,
        "upload_row_id": None,
    }
    posted = post_receipts(receipts=pd.DataFrame([row], columns=list(RECEIPT_COLUMNS)), booking=booking)
    return int(posted.receipt_ids[0])


def _write_lines(
    event: LoanEvent, facts: Facts, outcome: Outcome, schedules: dict[int, int], receipt_id: int | None
) -> None:
    loans = facts.loans.set_index("id")
    touched = sorted(outcome.amounts)
    insert_columns(
        "repayments_loaneventline",
        {
            "event_id": [event.pk] * len(touched),
            "loan_id": touched,
            "institution_id": loans["institution_id"].reindex(touched).tolist(),
            "schedule_id": [schedules.get(loan_id) for loan_id in touched],
            "receipt_id": [receipt_id] * len(touched),
            "amount_minor": [outcome.amounts[loan_id] for loan_id in touched],
        },
    )
