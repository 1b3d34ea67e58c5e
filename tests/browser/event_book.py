"""A book with a loan for every kind of event, written into the database that the environment names.

Run as a program it prints the keys of what it made, as JSON. The books stand open on 10 November 2026:
loans that pay are paid up to that day, the bad ones were never paid since January 2025.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

TODAY = date(2026, 11, 10)
YESTERDAY = date(2026, 11, 9)
GOOD = (
    "prepaid_term",
    "prepaid_instalment",
    "settled",
    "repriced",
    "restructured",
    "refunded",
    "grown",
    "listed",
)
BAD = ("rescheduled", "written_off", "written_off_in_part", "waived")
PAUSED = ("paused_1", "paused_2")
ADVANCE_MINOR = 7_000_000


def make_book(password: str) -> dict[str, int]:
    """Loans by name, the facility that will not be drawn whole and the tranche for a running loan."""
    from repayments.services.events.steps import propose
    from repayments.services.policies import load_policies
    from repayments.services.raising import raise_day
    from tests.lending.world import CRORE, make_world
    from tests.repayments.events.books import go_to, made, pay, pay_all_due, wanted
    from tests.repayments.events.test_partners import lend_on

    world = make_world(instalment_count=14, penal_rate=Decimal("1.5"))
    officer, approver = world.people["officer"], world.people["approver"]
    load_policies(booking=world.booking(), proposed_by=officer, approved_by=approver)
    _limits(world)
    other = _of_other_bank(world)
    half = CRORE / 2
    loans = {name: world.loan(amount=half) for name in (*GOOD, *BAD)}
    loans |= {name: other.loan(amount=half) for name in PAUSED}
    loans["of_the_bank"] = lend_on(world, world.bank, "S-1", date(2026, 12, 1), date(2027, 1, 1))
    undrawn = world.facility(amount=half)
    further = world.tranche(world.facility(amount=half), amount=half, upto="approve")
    go_to(YESTERDAY)
    for name in (*GOOD, *PAUSED):
        pay_all_due(world, loans[name], YESTERDAY)
    raise_day(business_date=YESTERDAY)
    go_to(TODAY)
    pay(world, loans["refunded"], TODAY, ADVANCE_MINOR, "RTGS OVER")
    asked = partial(wanted, "rate_change", loans["listed"], TODAY, effect="instalment")
    made(world, asked(annual_rate="3"))
    waiting = propose(asked(annual_rate="4"), actor=officer, reason="Asked by the bank")
    for name, person in world.people.items():
        person.username = person.full_name = name
        person.set_password(password)
        person.save()
    keys = {name: loan.pk for name, loan in loans.items()}
    others = {"undrawn": undrawn, "further": further, "other_bank": world.other_bank, "waiting": waiting}
    return keys | {name: row.pk for name, row in others.items()}


def _limits(world: Any) -> None:
    """Limits of the Board for the foundation's own claims, which the circulars leave open."""
    from repayments.models import ReschedulePolicy, WriteOffPolicy

    told = {
        "reference": "Board 41", "tier": "wholesale", "applies_to": "any", "from_date": date(2020, 1, 1),
        "confidence": "K", "proposed_by": world.people["officer"], "approved_by": world.people["approver"],
        "booking": world.booking(),
    }  # fmt: skip
    ReschedulePolicy.objects.create(
        code="B-RS", event="reschedule", times=1, special_times=2, tenor_months=[36],
        down_payment_percent=[Decimal(2)], **told,
    )  # fmt: skip
    WriteOffPolicy.objects.create(code="B-WO", is_partial_allowed=True, provision_percent=99, **told)


def _of_other_bank(world: Any) -> Any:
    """The same programme with the other bank: its agreement, its people."""
    from lending.services.agreements import approve_agreement, draft_agreement
    from tests.lending.world import CRORE, USUAL

    people = world.people | {role: world.people[f"other_{role}"] for role in ("maker", "checker", "viewer")}
    other = replace(world, bank=world.other_bank, people=people)
    drafted = draft_agreement(
        institution=other.bank, programme=world.programme, limit=2 * CRORE, signed_date=date(2024, 12, 1),
        from_date=date(2024, 12, 1), to_date=date(2026, 12, 31), **USUAL | {"instalment_count": 14},
        **world.act("officer"),
    )  # fmt: skip
    other.agreement = approve_agreement(agreement=drafted, **world.act("approver"))
    other.allotment = other.allot(other.agreement, 2 * CRORE)
    return other


if __name__ == "__main__":
    import django

    django.setup()
    from django.db import transaction

    from tests.conftest import PASSWORD

    with transaction.atomic():
        made = make_book(PASSWORD)
    sys.stdout.write(json.dumps(made) + "\n")
