"""``manage.py verify_audit``: recompute the audit chain and compare it with the heads delivered outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from daybook.services import heads_that_vanished, verify_audit


class Command(BaseCommand):
    help = "Recompute the audit chain from the entries, and compare it with the heads delivered outside."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--heads", type=Path, default=Path(settings.PAIKAR_AUDIT_HEADS))

    def handle(self, *args: Any, **options: Any) -> None:
        check = verify_audit()
        self.stdout.write(
            f"{check.entry_count} entries in {check.seal_count} seals,"
            f" {check.unsealed_count} not sealed yet.\nHead: {check.head}"
        )
        vanished = heads_that_vanished(file=options["heads"])
        if check.first_broken_seal:
            raise CommandError(f"The chain is broken at seal {check.first_broken_seal}.")
        if vanished:
            raise CommandError(f"A delivered head is gone from the chain: {vanished[0]}")
        self.stdout.write("The chain holds.")
