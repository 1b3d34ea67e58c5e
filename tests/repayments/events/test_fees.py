"""The fee for paying early: what was agreed, never more than the limit in force, and the limit is named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum

from lending.models import Loan
from repayments.models import ChargePolicy
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import see
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, made, pay_all_due, wanted

E = date(2026, 2, 10)


@pytest.fixture
def world(db: None) -> World:
    """An agreement with a fee of 2 % of what is paid early."""
    return make_world(early_fee_percent=Decimal(2))


@pytest.fixture
def loan(world: World) -> Loan:
    lent = world.loan()
    go_to(E)
    pay_all_due(world, lent, E)
    return lent


def limit(world: World, percent: str) -> ChargePolicy:
    return ChargePolicy.objects.create(
        code="T-FEE", reference="Circular 1", kind="early_fee", tier="wholesale", applies_to="any",
        from_date=date(2020, 1, 1), percent=Decimal(percent), confidence="K",
        proposed_by=world.people["officer"], approved_by=world.people["approver"],
        booking=world.booking(),
    )  # fmt: skip


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("prepayment", {"amount_minor": 200_000_000, "effect": "term", "reference": "RTGS 7"}),
    ("settlement", {"valid_until": E, "reference": "RTGS 8"}),
]


@pytest.mark.parametrize(("kind", "told"), ASKED)
def test_the_limit_caps_the_fee_and_is_named(
    world: World, loan: Loan, kind: str, told: dict[str, Any]
) -> None:
    policy = limit(world, "0.5")
    before = loan.dues.filter(component=4, mirror=None, mirror_of=None, late_date__gte=E)
    left = before.aggregate(total=Sum("amount_minor"))["total"]
    event = made(world, wanted(kind, loan, E, **told))
    charge = loan.dues.get(component=1)
    paid_early = 200_000_000 if kind == "prepayment" else left
    assert charge.amount_minor == paid_early // 200
    said = [row for row in event.preview["says"] if row["say"] == "fee.within"]
    assert said == [{"say": "fee.within", "rate": "0.5", "policy": str(policy)}]


@pytest.mark.parametrize(("kind", "told"), ASKED)
def test_without_a_limit_an_agreed_fee_is_refused_by_name(
    world: World, loan: Loan, kind: str, told: dict[str, Any]
) -> None:
    with pytest.raises(CannotMakeEvent, match="No limit of the fee for settling early") as refusal:
        see(wanted(kind, loan, E, **told), actor=world.people["officer"])
    assert refusal.value.term == "effective_date"
    limit(world, "0")
    says = see(wanted(kind, loan, E, **told), actor=world.people["officer"]).outcome.preview()["says"]
    assert "fee.none" in {row["say"] for row in says}
