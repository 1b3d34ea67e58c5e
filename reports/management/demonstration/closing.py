"""Days are closed by workers; the next day's work goes on meanwhile."""

from __future__ import annotations

from datetime import date

from repayments import tasks
from repayments.models import DayRun
from repayments.services.close import sign_exceptions, start_close
from reports.management.demonstration.stage import CannotPlay, Patience, Stage

NO_POLICY = (
    "No rule of class or provision is known for these loans on this date: medium-sized borrowers of banks"
    " before April 2025, finance companies before December 2024. Shown as 'no policy', not as nothing."
)


class Closing:
    """Closes business dates one after the other."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def close(self, day: date, *, opening: date) -> None:
        """Roll the books to the next date and hand the slices of the old one to the workers."""
        self.wait()
        run = start_close(closing=day, opening=opening, started_by=str(self.stage.people["officer"]))
        tasks.queue_slices(run)

    def wait(self) -> None:
        """Wait until no close is running."""
        patience = Patience()
        while run := DayRun.objects.filter(state__in=[DayRun.State.RUNNING, DayRun.State.FAILED]).first():
            if run.state == DayRun.State.FAILED:
                raise CannotPlay(f"The close of {run.business_date:%d %b %Y} failed: {run.error}")
            patience.wait((run.pk, run.computed_count))
        for run_id in DayRun.objects.filter(state=DayRun.State.EXCEPTIONS, signed_at=None).values_list(
            "pk", flat=True
        ):
            sign_exceptions(run_id=run_id, actor=self.stage.people["finance"], reason=NO_POLICY)
