"""Statements of one institution's sub-loans, printed by the workers while the last days are played."""

from __future__ import annotations

from datetime import date
from functools import partial

from django.db import transaction

from daybook.selectors import known_by
from lending.models import Tier
from reports import tasks
from reports.builders.objects import Asked
from reports.management.demonstration.stage import CannotPlay, Patience, Stage
from reports.models import ReportRun
from reports.services.bulk import NAME, start_statements


class Press:
    """Orders the statements of the institution with the fewest sub-loans, and waits for them."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def order(self, day: date) -> None:
        """Order the statements as of the last month end, once that is closed."""
        cast = self.stage.book.cast
        if day <= cast.last_month_end or self.run() is not None:
            return
        counts = self.stage.book.loans.groupby("player").size()
        institution = self.stage.institutions[str(counts.idxmin())]
        with transaction.atomic():
            run = start_statements(
                Asked(cast.last_month_end, known_by(cast.last_month_end)),
                {"institution": str(institution.pk), "tier": Tier.SUBLOAN.value},
                lang="bn",
                institution_id=institution.pk,
                title=f"Sub-loan statements of {institution.name}",
                made_by=self.stage.people["officer"],
            )
            transaction.on_commit(partial(tasks.work_on.delay, run.pk))

    def wait(self) -> None:
        """Wait until the file is packed.

        One message was sent, to keep a hand free for the closes; with these done, another helps.
        """
        patience = Patience()
        if (run := self.run()) is not None and run.work != ReportRun.Work.DONE:
            tasks.work_on.delay(run.pk)
        while run := self.run():
            if run.work == ReportRun.Work.DONE:
                return
            if run.work == ReportRun.Work.FAILED:
                raise CannotPlay(f"The statements could not be printed: {run.error}")
            patience.wait((run.work, run.done_count))

    def run(self) -> ReportRun | None:
        """The order, once placed."""
        return ReportRun.objects.filter(name=NAME).defer("content").order_by("pk").first()
