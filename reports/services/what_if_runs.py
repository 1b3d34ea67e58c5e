"""What if, for a book too large to be measured while a person waits: range by range by the workers.

A run keeps what its tables are made of: sums of the loans that keep their class, and each loan that does not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from daybook.services import record
from partners.access import actor_of
from partners.models import User
from reports.builders.objects import Asked
from reports.builders.what_if import Compared
from reports.models import ReportPart, ReportRun
from reports.services.running import CannotStartRun, Job
from reports.services.runs import asked_of
from reports.services.what_if import WhatIf, compare_range, ranges, sets_of, told

NAME = "what_if_run"
QUESTION = ("tier", "currency", "other", "draft")


@transaction.atomic
def start_what_if(asked: Asked, facts: Mapping[str, str], *, made_by: User) -> ReportRun:
    """Plan the comparison by ranges of loans. The caller enqueues the work after commit.

    The same question of the same books is one run: a waiting or finished one is handed back.
    Raises `CannotStartRun`.
    """
    found = run_of(asked, facts)
    if found is not None and found.work != ReportRun.Work.FAILED:
        return found
    planned = ranges(asked, facts["tier"])
    if not planned:
        raise CannotStartRun(_("No loan of this tier stood in the books on that date."))
    question = _question(facts)
    with override("en"):
        title = " · ".join(["What if", *(value for value in question.values() if value)])
    run = ReportRun.objects.create(
        name=NAME,
        title=title[:200],
        parameters={**question, "ranges": planned},
        as_of=asked.as_of,
        known_by=asked.known_by,
        last_booking_id=asked.last_booking_id,
        made_by=made_by,
        total_count=len(planned),
    )
    record(
        actor=actor_of(made_by),
        action="report.start",
        subject=run,
        after={**question, "as_of": asked.as_of.isoformat(), "ranges": len(planned)},
    )
    return run


def run_of(asked: Asked, facts: Mapping[str, str]) -> ReportRun | None:
    """The latest run of a question, whatever its state."""
    same = {f"parameters__{name}": value for name, value in _question(facts).items()}
    asked_for = ReportRun.objects.filter(
        name=NAME, as_of=asked.as_of, last_booking_id=asked.last_booking_id, **same
    )
    return asked_for.defer("content").order_by("-id").first()


def kept_what_if(run: ReportRun) -> WhatIf:
    """The comparison a finished run keeps. Its report bears the run's name: nobody makes it again at once."""
    made = _told(run, unpack(bytes(run.content or b"")))
    return WhatIf(dataclasses.replace(made.report, name=NAME), made.compared)


def _told(run: ReportRun, compared: Compared) -> WhatIf:
    asked, facts = asked_of(run), question_of(run)
    return told(asked, facts, compared, sets_of(asked, facts))


def question_of(run: ReportRun) -> dict[str, str]:
    """What a run was asked, as plain text values."""
    return _question(run.parameters)


def _question(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: facts.get(name, "") for name in QUESTION}


def compare_ranges(run: ReportRun, positions: Sequence[int]) -> None:
    """Measure the loans of some ranges under both sets and keep what the tables need."""
    asked, facts = asked_of(run), question_of(run)
    sets = sets_of(asked, facts)
    for at in positions:
        first, last = run.parameters["ranges"][at]
        content = packed(compare_range(asked, facts, sets, (first, last)).collapsed())
        ReportPart.objects.create(
            run=run,
            position=at,
            file_name=f"loans_{first}_{last}.npz",
            content=content,
            checksum=hashlib.sha256(content).hexdigest(),
        )


def join_ranges(run: ReportRun, parts: Sequence[ReportPart]) -> None:
    """All ranges as one; the parts are not needed any more."""
    whole = Compared.joined([unpack(bytes(part.content)) for part in parts]).collapsed()
    run.content = packed(whole)
    run.checksum = told(
        asked_of(run), question_of(run), whole, sets_of(asked_of(run), question_of(run))
    ).report.checksum
    ReportPart.objects.filter(run=run).delete()


def packed(compared: Compared) -> bytes:
    """The columns as a compressed file of arrays."""
    out = io.BytesIO()
    columns = {field.name: getattr(compared, field.name) for field in dataclasses.fields(compared)}
    np.savez_compressed(out, allow_pickle=False, **columns)
    return out.getvalue()


def unpack(content: bytes) -> Compared:
    """The columns of `packed`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as columns:
        return Compared(**{field.name: columns[field.name] for field in dataclasses.fields(Compared)})


JOB = Job(name=NAME, chunk=1, make=compare_ranges, join=join_ranges)
