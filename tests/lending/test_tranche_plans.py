"""A tranche's own plan: first due date, amounts of an irregular plan, shown before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from calc.money import Component
from calc.schedule import read_terms
from lending.models import Due, Tranche
from lending.services.tranche_plans import CannotPlanTranche
from lending.services.tranches import approve_tranche, clear_tranche, disburse_tranche, request_tranche
from partners.models import User
from tests.conftest import ActingClient
from tests.lending.world import CRORE, TODAY, World, make_world

LAKH = Decimal(100_000)
SignIn = Callable[[User], ActingClient]


def principals(tranche: Tranche) -> list[tuple[date, int]]:
    """Late date and poisha of the principal dues of a tranche's loan."""
    return list(
        Due.objects.filter(loan__tranche=tranche, component=Component.PRINCIPAL)
        .order_by("instalment")
        .values_list("late_date", "amount_minor")
    )


def sent(world: World, tranche: Tranche) -> Tranche:
    """Cleared, approved and disbursed on the open day."""
    approve_tranche(tranche=clear_tranche(tranche=tranche, **world.act("officer")), **world.act("approver"))
    disburse_tranche(tranche=tranche, value_date=TODAY, bank_reference="RTGS", **world.act("finance_head"))
    return tranche


def test_a_first_due_date_makes_a_long_first_period(world: World) -> None:
    tranche = request_tranche(
        facility=world.facility(), amount=CRORE, first_due_date=date(2025, 5, 15), **world.act("maker")
    )
    sent(world, tranche)
    dues = principals(tranche)
    # Six months of paid grace come first: due on 15 May and 15 August, then principal.
    assert dues[0][0] == date(2025, 11, 16)
    assert sum(minor for _on, minor in dues) == 1_000_000_000
    stored = tranche.loan.schedules.get().terms
    assert read_terms(stored).first_due_on == date(2025, 5, 15)


@pytest.fixture
def irregular(db: None) -> World:
    """An agreement whose tranches bring the amounts of three instalments."""
    return make_world(method="irregular", instalment_count=3, grace_months=0, grace_kind="none")


def test_amounts_of_an_irregular_plan_come_with_the_tranche(irregular: World) -> None:
    amounts = [10 * LAKH * 100, 30 * LAKH * 100, 60 * LAKH * 100]
    tranche = request_tranche(
        facility=irregular.facility(),
        amount=CRORE,
        instalment_amounts=[int(amount) for amount in amounts],
        **irregular.act("maker"),
    )
    sent(irregular, tranche)
    assert [minor for _on, minor in principals(tranche)] == amounts


@pytest.mark.parametrize(
    ("amounts", "why"),
    [
        ([1_000_000_000], "1 amounts do not make 3 instalments"),
        ([1, 2, 3], "do not repay the balance"),
        ([-1, 1, 1_000_000_000], "an amount is negative"),
    ],
)
def test_amounts_that_make_no_plan_are_refused_at_the_request(
    irregular: World, amounts: list[int], why: str
) -> None:
    with pytest.raises(CannotPlanTranche, match=why) as refusal:
        request_tranche(
            facility=irregular.facility(),
            amount=CRORE,
            instalment_amounts=amounts,
            **irregular.act("maker"),
        )
    assert refusal.value.field == "instalment_amounts"
    assert not Tranche.objects.exists()


def test_an_irregular_tranche_is_not_approved_without_its_amounts(irregular: World) -> None:
    tranche = irregular.tranche(irregular.facility(), amount=CRORE, upto="clear")
    with pytest.raises(CannotPlanTranche, match="0 amounts do not make 3 instalments"):
        approve_tranche(tranche=tranche, **irregular.act("approver"))


def test_amounts_are_pasted_and_previewed_in_the_browser(irregular: World, sign_in: SignIn) -> None:
    facility = irregular.facility()
    maker = sign_in(irregular.people["maker"])
    page = reverse("lending:facility", args=[facility.pk])
    assert "request-instalment_amounts" in maker.get(page).content.decode()
    pasted = "1;15/04/2025;১০,০০,০০০\n2;15/07/2025;30,00,000\n3;15/10/2025;60,00,000"
    typed = {"request-amount": "1,00,00,000", "request-instalment_amounts": pasted}
    panel = maker.get(reverse("lending:facility-plan", args=[facility.pk]), typed).content.decode()
    assert "30,00,000.00" in panel
    wrong = maker.post(page, {"step": "request", **typed, "request-instalment_amounts": "ten"})
    assert "Line 1: “ten” is no amount." in wrong.content.decode()
    short = maker.post(page, {"step": "request", **typed, "request-instalment_amounts": "1\n2"})
    assert "2 amounts do not make 3 instalments" in short.content.decode()
    made = maker.post(page, {"step": "request", **typed})
    assert made.status_code == 302
    tranche = Tranche.objects.get()
    assert tranche.instalment_amounts == [100_000_000, 300_000_000, 600_000_000]
    clear_tranche(tranche=tranche, **irregular.act("officer"))
    approver = sign_in(irregular.people["approver"])
    shown = approver.get(reverse("lending:tranche", args=[tranche.pk])).content.decode()
    assert "30,00,000.00" in shown
    late = {"approve-first_due_date": "2024-01-01"}
    refused = approver.get(reverse("lending:tranche-plan", args=[tranche.pk]), late).content.decode()
    assert "First due date: the first due date must lie after the disbursement." in refused


def test_another_institution_sees_no_plan(world: World, sign_in: SignIn) -> None:
    tranche = world.tranche(world.facility(), amount=CRORE)
    answer = sign_in(world.people["other_maker"]).get(reverse("lending:tranche-plan", args=[tranche.pk]))
    assert answer.status_code == 404
