"""``manage.py first_administrator rahima "Rahima Khatun"``: asks for the password."""

from __future__ import annotations

from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from partners.services.first import appoint_first_administrator
from partners.services.people import CannotAddPerson


class Command(BaseCommand):
    help = "Add the foundation's first administrator, who adds everyone else on the people page."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("full_name")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass("Password: ")
        if password != getpass("Again: "):
            raise CommandError("The two passwords differ.")
        try:
            user = appoint_first_administrator(
                username=options["username"],
                full_name=options["full_name"],
                password=password,
                on=timezone.localdate(),
            )
        except CannotAddPerson as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{user} administers Paikar now.")
