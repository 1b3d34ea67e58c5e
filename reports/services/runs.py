"""A report run: what was asked, of which books, by whom, and the checksum of its figures. And its check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import override

from daybook.selectors import Knowledge
from daybook.services import record
from partners.access import actor_of
from partners.models import User
from reports.builders.objects import Asked, Report
from reports.models import ReportPart, ReportRun
from reports.services.making import MAKERS, CannotMake, make_report


@transaction.atomic
def record_run(
    report: Report,
    *,
    subject: str,
    file_name: str,
    content_type: str,
    lang: str,
    institution_id: int | None,
    made_by: User,
    address: str = "",
) -> ReportRun:
    """Keep that a file was made, and write it into the audit trail. The same file again is the same run."""
    checksum = report.checksum
    found = ReportRun.objects.filter(checksum=checksum, file_name=file_name, made_by=made_by).first()
    if found is None:
        with override("en"):
            title = f"{report.title}: {subject}"[:200]
        now = timezone.now()
        found = ReportRun.objects.create(
            name=report.name,
            title=title,
            parameters=dict(report.facts),
            institution_id=institution_id,
            as_of=report.asked.as_of,
            known_by=report.asked.known_by,
            last_booking_id=report.asked.last_booking_id,
            language=lang,
            made_by=made_by,
            file_name=file_name,
            content_type=content_type,
            checksum=checksum,
            work=ReportRun.Work.DONE,
            done_count=1,
            total_count=1,
            started_at=now,
            finished_at=now,
        )
    record(
        actor=actor_of(made_by),
        action="report.download",
        subject=found,
        institution_id=institution_id,
        after={"file": file_name, "sha256": checksum},
        address=address,
    )
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a checksum. ``recomputed`` is that of the same question asked now; '' if not asked."""

    run: ReportRun | None
    part: ReportPart | None
    recomputed: str = ""

    @property
    def matches(self) -> bool:
        """Whether the figures, made again from the books, are the ones the checksum was printed for."""
        if self.part is not None:
            return True
        return self.run is not None and self.recomputed == self.run.checksum


def verify_checksum(checksum: str) -> Verdict:
    """Find the run with a checksum (its first 16 digits are enough) and make its figures again.

    A checksum of a file of a bulk run is known by the file itself. A person finds only runs they may see.
    """
    if not re.fullmatch(r"[0-9a-f]{16,64}", checksum):
        return Verdict(None, None)
    run = ReportRun.objects.defer("content").filter(checksum__startswith=checksum).order_by("id").first()
    if run is None:
        part = (
            ReportPart.objects.defer("content").filter(checksum__startswith=checksum).order_by("id").first()
        )
        return Verdict(None if part is None else part.run, part)
    if run.name not in MAKERS:
        return Verdict(run, None, run.checksum)
    try:
        return Verdict(run, None, make_again(run).checksum)
    except CannotMake:
        return Verdict(run, None)


def make_again(run: ReportRun) -> Report:
    """The report of a run, from the same bookings as then."""
    facts: Mapping[str, str] = run.parameters
    return make_report(run.name, asked_of(run), facts)


def asked_of(run: ReportRun) -> Asked:
    """The books a run was read from."""
    return Asked(run.as_of, Knowledge(run.known_by, run.last_booking_id, is_final=True))
