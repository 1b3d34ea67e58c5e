"""``manage.py verify_close``: recompute closed days from the facts and compare, loan by loan.

    verify_close 2026-11-19
    verify_close --all
    verify_close --from 2026-11-01 --to 2026-11-30

Each day is recomputed as of it and as known by it. Every figure is compared with its snapshot, and the
checksum of all of them with the one the close stated; for a closed day it never changes. A day whose
snapshots were dropped (``retain_snapshots``) is proved by its checksum alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from repayments.selectors.verifying import CannotVerify, Verified, verify_close, verify_closes


class Command(BaseCommand):
    help = "Recompute closed days from the facts as of and known by them, and compare with what was said."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("date", type=date.fromisoformat, nargs="?", help="a closed date: 2026-11-19")
        parser.add_argument("--all", action="store_true", help="every closed date, oldest first")
        parser.add_argument(
            "--from", dest="first", type=date.fromisoformat, help="closed dates from this one"
        )
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="closed dates to this one")
        parser.add_argument("--show", type=int, default=20, help="how many differences of a day to print")

    def handle(self, *args: Any, **options: Any) -> None:
        several = options["all"] or options["first"] or options["last"]
        if bool(options["date"]) == bool(several):
            raise CommandError("Name one date, or --all, or --from and --to.")
        days = verified = 0
        try:
            for outcome in self._outcomes(options):
                days += 1
                verified += outcome.holds
                self._tell(outcome, options["show"])
        except CannotVerify as refusal:
            raise CommandError(str(refusal)) from refusal
        if not days:
            raise CommandError("No date in this range has a finished close to verify.")
        if verified < days:
            raise CommandError(f"{days - verified} of {days} days are not what the facts say.")
        if several:
            self.stdout.write(f"{days} days verified.")

    def _outcomes(self, options: dict[str, Any]) -> Iterable[Verified]:
        if options["date"]:
            return [verify_close(options["date"])]
        return verify_closes(first=options["first"], last=options["last"])

    def _tell(self, outcome: Verified, show: int) -> None:
        for difference in outcome.differences[:show]:
            self.stdout.write(str(difference))
        compared = (
            f"{len(outcome.differences)} figures differ"
            if outcome.has_snapshots
            else "its snapshots are dropped"
        )
        said = "as the close stated it" if outcome.stated == outcome.checksum else "the close stated none"
        if outcome.is_comparable and outcome.stated != outcome.checksum:
            said = f"but the close stated {outcome.stated}"
        self.stdout.write(
            f"{outcome.business_date:%d %b %Y}: {outcome.loan_count} loans recomputed,"
            f" {outcome.carried_count} of them carried, {compared}; checksum {outcome.checksum}, {said}."
        )
