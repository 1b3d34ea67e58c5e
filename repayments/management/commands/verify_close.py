"""``manage.py verify_close 2026-11-19``: recompute a closed day from the facts and compare, loan by loan.

Prints a checksum of the recomputed figures; for a closed day it never changes.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from repayments.selectors.verifying import CannotVerify, verify_close


class Command(BaseCommand):
    help = "Recompute a closed day from the facts as of it and known by it, and compare with its snapshots."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("date", type=date.fromisoformat, help="a closed business date, e.g. 2026-11-19")
        parser.add_argument("--show", type=int, default=20, help="how many differences to print")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcome = verify_close(options["date"])
        except CannotVerify as refusal:
            raise CommandError(str(refusal)) from refusal
        for difference in outcome.differences[: options["show"]]:
            self.stdout.write(str(difference))
        self.stdout.write(
            f"{options['date']:%d %b %Y}: {outcome.loan_count} loans recomputed,"
            f" {outcome.carried_count} of them carried, {len(outcome.differences)} figures differ."
        )
        self.stdout.write(f"sha256 {outcome.checksum}")
        if outcome.differences:
            raise CommandError("The snapshots are not what the facts say.")
