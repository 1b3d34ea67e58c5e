"""Who starts a close: the clock when a date is due, or a person through the page.

A person's wish is a row until a worker has begun the close or said why not, for a message could be lost.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from daybook.selectors import open_business_date
from daybook.services import record
from partners.access import actor_of
from partners.models import User
from repayments.models import CloseRequest, DayRun
from repayments.selectors.nightly import due_moment
from repayments.services.close import CannotClose, start_close

CATCH_UP = "Close of due days"
"""Who starts the closes that the clock starts."""


class CannotAskForClose(Exception):
    """The date is not the open one any more, or its close is asked for already."""


def start_due_close(*, now: datetime) -> DayRun | None:
    """Start the close of the open date when its time has come; the oldest missed day is always the open one.

    None when it is not due. Raises ``CannotClose`` (a close runs or has failed) and ``BooksNotOpen``.
    """
    open_date = open_business_date()
    if now < due_moment(open_date):
        return None
    return start_close(closing=open_date, started_by=CATCH_UP)


@transaction.atomic
def ask_for_close(*, business_date: date, actor: User) -> CloseRequest:
    """Note that a person wants the open date closed; the caller then wakes a worker. Raises
    ``CannotAskForClose``."""
    open_date = open_business_date()
    if open_date != business_date:
        raise CannotAskForClose(_("The open business date has changed meanwhile; nothing was closed."))
    request, is_new = CloseRequest.objects.get_or_create(
        business_date=business_date, answered_at=None, defaults={"asked_by": str(actor)}
    )
    if not is_new:
        raise CannotAskForClose(_("The close of this date is asked for already."))
    record(actor=actor_of(actor), action="day.ask_close", subject=request)
    return request


def waiting_requests() -> list[int]:
    """Requests no worker has answered yet, oldest first."""
    return list(
        CloseRequest.objects.filter(answered_at__isnull=True)
        .order_by("asked_at")
        .values_list("pk", flat=True)
    )


def answer_request(*, request_id: int) -> DayRun | None:
    """Start the close a person asked for, or note why it can't be. Harmless to repeat.

    Not one transaction: ``start_close`` commits by itself, and a worker that dies before the answer is noted
    finds the run when it is asked again.
    """
    request = CloseRequest.objects.filter(pk=request_id, answered_at__isnull=True).first()
    if request is None:
        return None
    run, refusal = None, ""
    try:
        run = start_close(closing=request.business_date, started_by=request.asked_by)
    except CannotClose as refused:
        if not DayRun.objects.filter(business_date=request.business_date).exists():
            refusal = str(refused)
    CloseRequest.objects.filter(pk=request_id, answered_at__isnull=True).update(
        answered_at=Now(), refusal=refusal
    )
    return run
