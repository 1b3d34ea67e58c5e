"""Recompute a return from the facts and compare its checksum: ``manage.py verify_return 7``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from repayments.models import ClassificationReturn
from repayments.services.returns import recompute_checksum


class Command(BaseCommand):
    help = "Recompute a classification return from the facts and compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, help="The return's number, as in its address.")

    def handle(self, *args: Any, **options: Any) -> None:
        made = ClassificationReturn.objects.filter(pk=options["number"]).first()
        if made is None or not made.checksum:
            raise CommandError(f"There is no return {options['number']} whose lines are written.")
        found = recompute_checksum(made)
        self.stdout.write(f"{made}: {made.loan_count} loans, {found}")
        if found != made.checksum:
            raise CommandError(f"The return says {made.checksum}.")
