"""An empty programme for the story of a whole life, and the passing of weeks between its chapters.

``python -m tests.browser.life_book start`` opens the books on 1 January 2025 with a programme, people and
policies, and nothing agreed with bank B. ``… on 2025-03-10`` lets them stand open on a later day.
"""

from __future__ import annotations

import sys
from datetime import date


def start(password: str) -> None:
    """People of the foundation and of two banks; the policies of the reference data."""
    from partners.models import InstitutionStatus
    from repayments.services.policies import load_policies
    from tests.lending.world import SINCE, make_world

    world = make_world()
    load_policies(
        booking=world.booking(),
        proposed_by=world.people["officer"],
        approved_by=world.people["approver"],
    )
    InstitutionStatus.objects.create(
        institution=world.other_bank,
        effective_date=SINCE,
        kind=InstitutionStatus.Kind.BANK,
        ownership=InstitutionStatus.Ownership.PRIVATE,
        booking=world.booking(),
    )
    for name, person in world.people.items():
        person.username = person.full_name = name
        person.set_password(password)
        person.save()


def main(what: str, day: str = "") -> None:
    """One of the two, all or nothing."""
    import django

    django.setup()
    from django.db import transaction

    from tests.conftest import PASSWORD
    from tests.repayments.events.books import go_to

    with transaction.atomic():
        if what == "start":
            start(PASSWORD)
        else:
            go_to(date.fromisoformat(day))


if __name__ == "__main__":
    main(*sys.argv[1:])
