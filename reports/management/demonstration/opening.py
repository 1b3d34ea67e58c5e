"""Before the first act: books opened, reference data, people, what each may decide, how much each may owe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import transaction
from djmoney.money import Money

from daybook.models import AuditEntry, BusinessDay
from daybook.services import Actor, book, open_books, record
from partners.access import actor_of
from partners.models import ApprovalAuthority, ExposureLimit, Institution, Membership
from reports.demonstration.book import Book
from reports.management.demonstration.office import APPROVER_MAY, EXPOSURE_LIMIT, FINANCE_HEAD_MAY
from reports.management.demonstration.people import foundation_people, institution_people
from reports.management.demonstration.stage import CannotPlay, Stage

SYSTEM = Actor(id=None, name="Demonstration")
SIGN_IN_AT = 2
"""Institutions whose people visitors sign in as: two, to see that one never sees the other's."""
BEGIN, FINISH = "demonstration.begin", "demonstration.finish"


def is_marked(action: str, cast_name: str) -> bool:
    """Whether the books hold the mark of this demonstration's beginning or end."""
    return AuditEntry.objects.filter(action=action, subject_label=cast_name).exists()


def mark(action: str, cast_name: str) -> None:
    """Leave a mark in the audit trail, where it cannot be lost from the books it speaks of."""
    AuditEntry.objects.bulk_create(
        [
            AuditEntry(
                actor_name=SYSTEM.name, action=action, subject_type="demonstration", subject_label=cast_name
            )
        ]
    )


def set_stage(*, book_: Book, cast_name: str, folder: Path, say: Callable[[str], None]) -> Stage:
    """Open the books for the demonstration, or find them as it left them. Raises ``CannotPlay``."""
    with transaction.atomic():
        if not BusinessDay.objects.exists():
            open_books(first_date=book_.cast.business_dates[0])
            mark(BEGIN, cast_name)
        elif not is_marked(BEGIN, cast_name):
            raise CannotPlay(
                "These books hold other work than the demonstration. It needs books of its own: "
                "set PAIKAR_VAR_DIR to an empty folder, or name an empty database."
            )
        people = foundation_people(folder)
        call_command(
            "load_reference", proposed_by="officer", approved_by="finance", verbosity=0, stdout=_Silence()
        )
        codes = [player.code for player in book_.cast.players]
        institutions = {row.code: row for row in Institution.objects.filter(code__in=codes)}
        institution_people(folder, people, institutions.values(), sign_in=codes[:SIGN_IN_AT])
        stage = Stage(book=book_, people=people, institutions=institutions, say=say)
        if not ApprovalAuthority.objects.exists():
            _set_limits(stage, book_.cast.business_dates[0])
    return stage


class _Silence:
    """Takes what a command says when the demonstration speaks for itself."""

    def write(self, text: str) -> int:
        """Say nothing."""
        return len(text)


def _set_limits(stage: Stage, day: date) -> None:
    """Up to what amount each role decides, and what each institution may owe."""
    head = stage.people["finance"]
    booking = book(purpose="limits.set", actor=actor_of(head), reason="Decision of the Board, demonstration")
    taka: Callable[[Decimal], Any] = partial(Money, currency="BDT")  # what a MoneyField takes
    roles = ((Membership.Role.APPROVER, APPROVER_MAY), (Membership.Role.FINANCE_HEAD, FINANCE_HEAD_MAY))
    for role, amount in roles:
        ApprovalAuthority.objects.create(
            role=role, effective_date=day, amount=taka(amount), reason=booking.reason, booking=booking
        )
    for institution in stage.institutions.values():
        limit = ExposureLimit.objects.create(
            institution=institution,
            effective_date=day,
            amount=taka(EXPOSURE_LIMIT),
            reason=booking.reason,
            booking=booking,
        )
        record(
            actor=actor_of(head),
            action="exposure_limit.set",
            subject=limit,
            institution_id=institution.pk,
            after={"amount": str(EXPOSURE_LIMIT)},
            booking=booking,
        )
