"""``manage.py close_day``: close the open business date, here or through the workers.

close_day                            the open date, in this process
close_day --date 2026-11-19          the same, refused unless that is the open date
close_day --catch-up                 every open day before today, oldest first
close_day --catch-up --date D        every open day up to D
close_day --through-workers          queue the slices for Celery and show their progress
close_day --retry --date D           repeat what failed of D's close, once its cause is mended, or go on with
                                     one that was interrupted where no worker and clock run that would
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from daybook.selectors import BooksNotOpen, open_business_date
from repayments import tasks
from repayments.models import DayRun, DayRunSlice
from repayments.services import close, close_slices

POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = "Close the open business date: arrears, class and provision of every loan, and the control totals."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--date", type=date.fromisoformat, help="the date to close; must be the open one")
        parser.add_argument("--opening", type=date.fromisoformat, help="the next business date")
        parser.add_argument("--catch-up", action="store_true", help="close every day missed, oldest first")
        parser.add_argument("--retry", action="store_true", help="repeat or go on with the close of --date")
        parser.add_argument("--loans-a-slice", type=int, default=close.LOANS_A_SLICE)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--inline", action="store_true", help="compute in this process (the default)")
        how.add_argument("--through-workers", action="store_true", help="let Celery's workers compute")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["retry"]:
                if not options["date"]:
                    raise CommandError("Say which close to repeat: --retry --date 2026-11-19")
                self._finish(close.retry_close(business_date=options["date"]), options)
                return
            for closing in self._dates(options):
                self._close(closing, options)
        except (close.CannotClose, BooksNotOpen) as refusal:
            raise CommandError(str(refusal)) from refusal

    def _dates(self, options: dict[str, Any]) -> list[date | None] | Any:
        if not options["catch_up"]:
            return [options["date"]]
        last = options["date"] or timezone.localdate() - timedelta(days=1)
        return iter(lambda: open_business_date() if open_business_date() <= last else None, None)

    def _close(self, closing: date | None, options: dict[str, Any]) -> None:
        run = close.start_close(
            closing=closing,
            opening=options["opening"],
            started_by="manage.py close_day",
            loans_a_slice=options["loans_a_slice"],
        )
        self._finish(run, options)

    def _finish(self, run: DayRun, options: dict[str, Any]) -> None:
        begun = time.monotonic()
        if options["through_workers"]:
            tasks.queue_slices(run)
            self._watch(run)
        else:
            self._work_here(run)
        run.refresh_from_db()
        took = max(time.monotonic() - begun, 0.001)
        self.stdout.write(
            f"{run}: {run.get_state_display().lower()}; {run.loan_count} loans in {took:.1f} s"
            f" ({run.loan_count / took:,.0f} a second), {run.slice_count} slices,"
            f" {run.carried_count} carried, {run.without_policy_count} without a policy."
        )
        if run.state == DayRun.State.FAILED:
            raise CommandError(run.error)

    def _work_here(self, run: DayRun) -> None:
        """Compute what waits; wait for slices that a worker has taken, and take them up should it die."""
        close.work_all_slices(run, claimed_by=tasks.holder_name())
        while run.state == DayRun.State.RUNNING:
            time.sleep(POLL_SECONDS)
            close_slices.free_slices()
            close.work_all_slices(run, claimed_by=tasks.holder_name())

    def _watch(self, run: DayRun) -> None:
        """Show progress until the workers are done."""
        while DayRun.objects.filter(pk=run.pk, state=DayRun.State.RUNNING).exists():
            done = run.slices.filter(work=DayRunSlice.Work.DONE).count()
            self.stdout.write(f"{done} of {run.slice_count} slices", ending="\r")
            self.stdout.flush()
            time.sleep(POLL_SECONDS)
