"""Letters about closes: one failed, one ended with exceptions, one is late. Each event once.

The row is written first and unique, so an event seen by two workers is one row; a letter is sent holding the
row, so by one of them. A worker killed between the mail server's answer and its own commit sends a letter
twice: better than never.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from daybook.formats import day, number
from daybook.models import BusinessDay, Notice
from partners.access import Role
from partners.selectors import people_to_write_to
from repayments.models import DayRun
from repayments.selectors.nightly import is_late

logger = logging.getLogger("paikar.notices")

FAILED, EXCEPTIONS, LATE = "close.failed", "close.exceptions", "close.late"
LOOK_BACK = timedelta(days=3)
"""Closes that ended longer ago are history, of which nobody is told when letters begin."""
MAX_ATTEMPTS = 60
READERS = (Role.FINANCE_HEAD, Role.ADMINISTRATOR)


def notice_closes(*, now: datetime) -> None:
    """Write a row for each event about closes that has none yet."""
    recent = DayRun.objects.filter(Q(finished_at__isnull=True) | Q(finished_at__gte=now - LOOK_BACK))
    events = [
        (FAILED, f"{run.business_date} {_digest(run.error)}")
        for run in recent.filter(state=DayRun.State.FAILED)
    ]
    events += [(EXCEPTIONS, f"{run.business_date}") for run in recent.filter(state=DayRun.State.EXCEPTIONS)]
    late_date = _late_date(now)
    if late_date:
        events.append((LATE, late_date.isoformat()))
    Notice.objects.bulk_create(
        [Notice(kind=kind, about=about) for kind, about in events], ignore_conflicts=True
    )


def _digest(error: str) -> str:
    """Another error of the same close is another event; the same one again is not."""
    return hashlib.sha256(error.encode()).hexdigest()[:8]


def _late_date(now: datetime) -> date | None:
    """The date whose close is late: still open, or its close still running."""
    running = (
        DayRun.objects.filter(state=DayRun.State.RUNNING).values_list("business_date", flat=True).first()
    )
    opened = BusinessDay.objects.filter(state=BusinessDay.State.OPEN).values_list("date", flat=True).first()
    waited_for = running or opened
    return waited_for if is_late(waited_for, now=now) else None


def untold() -> list[int]:
    """Events nobody was written to about yet."""
    waiting = Notice.objects.filter(told_at__isnull=True, attempts__lt=MAX_ATTEMPTS)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def tell(*, notice_id: int, on: date) -> bool:
    """Write about one event to those concerned. False when it is told, or in another worker's hands."""
    notice = (
        Notice.objects.select_for_update(skip_locked=True).filter(pk=notice_id, told_at__isnull=True).first()
    )
    if notice is None:
        return False
    readers = _readers(on)
    extra = {"kind": notice.kind, "about": notice.about, "count": len(readers)}
    try:
        get_connection().send_messages([_letter(notice, language, [to]) for language, to in readers])
    except (SMTPException, OSError) as error:
        Notice.objects.filter(pk=notice.pk).update(
            attempts=F("attempts") + 1, error=f"{type(error).__name__}: {error}"[:500]
        )
        logger.error("no letter sent: %s", type(error).__name__, extra=extra)
        return False
    Notice.objects.filter(pk=notice.pk).update(
        told_at=Now(), told_count=len(readers), attempts=F("attempts") + 1, error=""
    )
    logger.warning("letters sent" if readers else "nobody has an address to be written to", extra=extra)
    return True


def _readers(on: date) -> list[tuple[str, str]]:
    """Language and address of whoever is to know."""
    if settings.PAIKAR_ALERT_TO:
        return [(settings.LANGUAGE_CODE, address) for address in settings.PAIKAR_ALERT_TO]
    return [(person.language, person.email) for person in people_to_write_to(READERS, on=on)]


def _letter(notice: Notice, language: str, to: Sequence[str]) -> EmailMessage:
    """The letter in the reader's language: what, which date, what to do, where."""
    business_date = date.fromisoformat(notice.about.split(" ")[0])
    with translation.override(language):
        subject, lines = _words(notice.kind, business_date)
        body = "\n\n".join([*lines, _("Paikar")])
    return EmailMessage(subject=subject, body=body + "\n", to=list(to))


def _words(kind: str, business_date: date) -> tuple[str, list[str]]:
    on = {"date": day(business_date)}
    run = DayRun.objects.filter(business_date=business_date).order_by("-attempt").first()
    page = _("Its page: %(address)s") % {"address": _address(run)}
    if kind == FAILED and run is not None:
        return _("The close of %(date)s failed") % on, [
            _("The close of %(date)s failed. Nothing was lost, and nothing can be closed until it is mended.")
            % on,
            _("What the system says: %(error)s") % {"error": run.error[:1000]},
            _("After the cause is mended: manage.py close_day --retry --date %(iso)s")
            % {"iso": business_date.isoformat()},
            page,
        ]
    if kind == EXCEPTIONS and run is not None:
        return _("The close of %(date)s has exceptions") % on, [
            _(
                "The close of %(date)s has ended. Of %(loans)s loans, %(carried)s kept the figures of the "
                "day before and %(without_policy)s fit no policy."
            )
            % {
                **on,
                "loans": number(run.loan_count),
                "carried": number(run.carried_count),
                "without_policy": number(run.without_policy_count),
            },
            _("An officer or the finance head takes note of them on the page of the close."),
            page,
        ]
    return _("The close of %(date)s is late") % on, [
        _("The business date %(date)s should have been closed by the clock and is not.") % on,
        _("See that a worker, the clock and the broker run; then: manage.py close_day --catch-up"),
        page,
    ]


def _address(run: DayRun | None) -> str:
    path = reverse("repayments:close", args=[run.pk]) if run else reverse("repayments:closes")
    return f"{settings.PAIKAR_SITE_URL}{path}"
