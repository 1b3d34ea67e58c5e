"""A wholesale loan of one crore, disbursed on 1 January 2025: quarterly principal after half a year, 2 %."""

from __future__ import annotations

from datetime import date

import pytest

from lending.models import Loan
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, pay_all_due

TODAY = date(2026, 2, 10)


@pytest.fixture
def world(db: None) -> World:
    """People, an agreement, an allotment."""
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    """Paid on the day up to 10 February 2026, the open business date."""
    made = world.loan()
    go_to(TODAY)
    pay_all_due(world, made, TODAY)
    return made
