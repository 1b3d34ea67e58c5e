"""``manage.py open_books 2026-07-01``: the first business day of empty books."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from daybook.services import CannotOpenBooks, open_books


class Command(BaseCommand):
    help = "Open the first business day of empty books."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("date", type=date.fromisoformat, help="ISO date, e.g. 2026-07-01")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            day = open_books(first_date=options["date"])
        except CannotOpenBooks as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"The books are open on {day.date:%d %b %Y}.")
