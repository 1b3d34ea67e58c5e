"""``manage.py retain_snapshots``: drop daily snapshots of old months, keep their month ends.

Run monthly by the clock. ``SNAPSHOT_MONTHS`` says how many whole months stay daily (13 where it is not set).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from repayments.services.retention import CannotDropSnapshots, retain_snapshots


class Command(BaseCommand):
    help = "Drop the daily snapshots of months past the retention; month ends stay for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=settings.SNAPSHOT_MONTHS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            dropped = retain_snapshots(months=options["months"])
        except CannotDropSnapshots as refusal:
            raise CommandError(str(refusal)) from refusal
        for part in dropped:
            kept = f"the close of {part.month_end:%d %b %Y} is kept" if part.month_end else "it had no close"
            self.stdout.write(f"{part.month:%b %Y}: daily snapshots dropped, {kept}.")
        if not dropped:
            self.stdout.write(f"Nothing is older than {options['months']} months.")
