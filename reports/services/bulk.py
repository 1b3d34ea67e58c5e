"""Statements of many loans in one file: planned once, printed in chunks by any workers, then packed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from daybook.services import record
from partners.access import actor_of
from partners.models import User
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.statements import loan_statement
from reports.models import ReportPart, ReportRun
from reports.services.making import Facts, loan_standings
from reports.services.running import CannotStartRun, Job
from reports.services.runs import asked_of
from reports.services.statements import print_statement

NAME = "loan_statements"
CHUNK = 10
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@transaction.atomic
def start_statements(
    asked: Asked, facts: Facts, *, lang: str, institution_id: int | None, title: str, made_by: User
) -> ReportRun:
    """Plan the statements of the loans that fit the facts. The caller enqueues the work after commit.

    Raises `CannotStartRun`.
    """
    loans = sorted(int(pk) for pk in loan_standings(asked, facts)["loan_id"])
    if not loans:
        raise CannotStartRun(_("No loan fits: nothing to print."))
    run = ReportRun.objects.create(
        name=NAME,
        title=title[:200],
        parameters={**facts, "loans": loans},
        institution_id=institution_id,
        as_of=asked.as_of,
        known_by=asked.known_by,
        last_booking_id=asked.last_booking_id,
        language=lang,
        made_by=made_by,
        total_count=len(loans),
    )
    record(
        actor=actor_of(made_by),
        action="statements.start",
        subject=run,
        institution_id=institution_id,
        after={"loans": len(loans), "as_of": asked.as_of.isoformat(), "language": lang},
    )
    return run


def print_statements(run: ReportRun, positions: Sequence[int]) -> None:
    """Read the facts of the chunk's loans once, print each, and write the files."""
    loans: list[int] = run.parameters["loans"]
    asked = asked_of(run)
    place = {loans[at]: at for at in positions}
    parts = []
    for account in read_accounts(list(place), asked):
        paper = print_statement(loan_statement(account, asked, period_from=None), lang=run.language)
        loan_id = int(account.header["loan_id"])
        parts.append(
            ReportPart(
                run=run,
                institution_id=run.institution_id,
                position=place[loan_id],
                loan_id=loan_id,
                file_name=paper.file_name,
                content=paper.content,
                checksum=hashlib.sha256(paper.content).hexdigest(),
            )
        )
    ReportPart.objects.bulk_create(parts)


def pack_statements(run: ReportRun, parts: Sequence[ReportPart]) -> None:
    """One file of all parts, and the checksum of its manifest."""
    run.content = pack(parts)
    run.file_name = f"statements_{run.as_of.isoformat()}_run{run.pk}.zip"
    run.content_type = "application/zip"
    run.checksum = hashlib.sha256(manifest(parts)).hexdigest()


def manifest(parts: Sequence[ReportPart]) -> bytes:
    """One line a file, as `sha256sum` writes and checks: digest, two spaces, name."""
    return "".join(f"{part.checksum}  {part.file_name}\n" for part in parts).encode()


def pack(parts: Sequence[ReportPart]) -> bytes:
    """A ZIP with the files and their manifest; no clock in it, so the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("SHA256SUMS", ZIP_EPOCH), manifest(parts))
        for part in parts:
            archive.writestr(zipfile.ZipInfo(part.file_name, ZIP_EPOCH), bytes(part.content))
    return out.getvalue()


JOB = Job(name=NAME, chunk=CHUNK, make=print_statements, join=pack_statements)
