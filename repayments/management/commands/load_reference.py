"""``manage.py load_reference``: districts, institutions, branches, programmes, clusters and policies."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from daybook.selectors import BooksNotOpen
from daybook.services import Actor, book
from lending.services.reference import load_clusters, load_programmes
from partners.models import User
from partners.services.reference import load_branches, load_districts, load_institutions
from repayments.services.policies import CannotLoadPolicies, load_policies


class Command(BaseCommand):
    """Everything in one booking; a second run finds nothing to add and books nothing."""

    help = "Load the project's reference data; adds what is missing, changes nothing that is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--proposed-by", metavar="USERNAME", help="who proposes the policies")
        parser.add_argument("--approved-by", metavar="USERNAME", help="who approves them; another person")

    def handle(self, *args: Any, **options: Any) -> None:
        names = (options["proposed_by"], options["approved_by"])
        try:
            people = [User.objects.get(username=name) for name in names] if all(names) else []
            added = self._load(people)
        except User.DoesNotExist as error:
            raise CommandError("No such person; add people first, or leave both names out.") from error
        except (BooksNotOpen, CannotLoadPolicies) as error:
            raise CommandError(str(error)) from error
        for noun, count in added.items():
            self.stdout.write(f"{count} {noun} added")
        if "policies" not in added:
            self.stdout.write("policies not loaded: name two people with --proposed-by and --approved-by")

    @staticmethod
    def _load(people: list[User]) -> dict[str, int]:
        with transaction.atomic():
            booking = book(purpose="reference.load", actor=Actor(id=None, name="Reference data"))
            added = {
                "districts": load_districts(),
                "institutions": load_institutions(booking=booking),
                "branches": load_branches(),
                "programmes": load_programmes(booking=booking),
                "clusters": load_clusters(),
            }
            if people:
                proposer, approver = people
                policies = load_policies(booking=booking, proposed_by=proposer, approved_by=approver)
                added["policies"] = (
                    policies.classification_count
                    + policies.provision_count
                    + policies.charge_count
                    + policies.event_count
                )
            if not any(added.values()):
                transaction.set_rollback(True)
        return added
