"""A sale at a fixed price: settled early its unearned profit is waived; a new plan never adds profit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db.models import Sum

from lending.models import Due, Loan
from repayments.models import Allocation
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import see
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, made, pay_all_due, wanted
from tests.repayments.posting.books import check_guards

E = date(2026, 2, 10)
PLAN: dict[str, Any] = {"method": "equal_principal", "frequency": "quarterly"}


@pytest.fixture
def world(db: None) -> World:
    return make_world(contract_mode="murabaha")


@pytest.fixture
def loan(world: World) -> Loan:
    lent = world.loan()
    go_to(E)
    pay_all_due(world, lent, E)
    return lent


def profit_ahead(loan: Loan) -> int:
    rows = Due.objects.filter(loan=loan, component=3, mirror_of=None, mirror=None, late_date__gte=E)
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def test_unearned_profit_is_a_waiver_of_the_settlement(world: World, loan: Loan) -> None:
    ahead = profit_ahead(loan)
    event = made(world, wanted("settlement", loan, E, valid_until=E, reference="RTGS 8"))
    figure = event.preview["figures"][0]
    waived = Allocation.objects.get(loan=loan, source=3)
    assert waived.amount_minor == figure["rebate"] > 0
    assert (waived.component, waived.value_date, waived.receipt_id) == (3, E, None)
    assert figure["interest"] + figure["rebate"] == profit_ahead(loan) == ahead
    receipt = event.lines.get().receipt
    assert receipt is not None
    assert receipt.amount_minor == figure["total"] == figure["principal"] + figure["interest"]
    owed = Due.objects.filter(loan=loan).aggregate(total=Sum("amount_minor"))["total"]
    assert Allocation.objects.filter(loan=loan).aggregate(total=Sum("amount_minor"))["total"] == owed
    assert {"say": "settlement.rebate", "amount": figure["rebate"]} in event.preview["says"]
    check_guards()


def test_a_new_plan_may_not_raise_the_profit(world: World, loan: Loan) -> None:
    officer = world.people["officer"]
    with pytest.raises(CannotMakeEvent, match="fixed at the sale") as refusal:
        see(wanted("restructure", loan, E, **PLAN, instalments=12, annual_rate="2"), actor=officer)
    assert refusal.value.term == "annual_rate"
    ahead = profit_ahead(loan)
    made(world, wanted("restructure", loan, E, **PLAN, instalments=12, annual_rate="0.5"))
    assert 0 < profit_ahead(loan) <= ahead
