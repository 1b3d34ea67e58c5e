"""A penal rate from a date: proposed by one person, decided by another, never dearer in the past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from daybook.models import AuditEntry
from lending.models import PenalRate
from lending.services.penal import (
    CannotDecidePenalRate,
    CannotProposePenalRate,
    decide_penal_rate,
    penal_rate_on,
    propose_penal_rate,
)
from tests.conftest import ActingClient
from tests.lending.world import TODAY, World

pytestmark = pytest.mark.django_db

LATER = TODAY + timedelta(days=30)


def propose(world: World, rate: str = "1.5", *, role: str = "officer", on: date = LATER) -> PenalRate:
    return propose_penal_rate(
        agreement=world.agreement,
        annual_rate=Decimal(rate),
        effective_date=on,
        reason="Board",
        **world.act(role),
    )


def decide(world: World, rate: PenalRate, *, role: str = "approver", approve: bool = True) -> PenalRate:
    return decide_penal_rate(penal_rate=rate, approve=approve, reason="Agreed", **world.act(role))


def test_a_rate_counts_from_its_date_once_a_second_person_approved_it(world: World) -> None:
    proposed = propose(world)
    assert penal_rate_on(world.agreement, LATER) == 0, "a proposal is no rate"
    decided = decide(world, proposed)
    assert decided.booking is not None
    assert penal_rate_on(world.agreement, LATER) == Decimal("1.5")
    assert penal_rate_on(world.agreement, LATER - timedelta(days=1)) == 0
    assert AuditEntry.objects.filter(action="penal_rate.approve", booking=decided.booking).exists()


def test_a_higher_rate_is_not_back_dated_a_lower_one_may_be(world: World) -> None:
    with pytest.raises(CannotProposePenalRate, match="cannot begin before the open day"):
        propose(world, on=TODAY - timedelta(days=1))
    decide(world, propose(world, on=TODAY))
    lower = decide(world, propose(world, "1", on=TODAY))
    assert penal_rate_on(world.agreement, TODAY) == lower.annual_rate


def test_the_proposer_does_not_decide_nor_does_a_bank(world: World) -> None:
    proposed = propose(world, role="finance_head")
    with pytest.raises(CannotDecidePenalRate, match="needs another person"):
        decide(world, proposed, role="finance_head")
    with pytest.raises(CannotDecidePenalRate, match="none of these roles"):
        decide(world, proposed, role="checker")
    with pytest.raises(CannotProposePenalRate, match="none of these roles"):
        propose(world, role="maker")


def test_one_change_at_a_time_and_none_that_changes_nothing(world: World) -> None:
    with pytest.raises(CannotProposePenalRate, match="already"):
        propose(world, "0")
    proposed = propose(world)
    with pytest.raises(CannotProposePenalRate, match="decide it first"):
        propose(world, "2")
    decide(world, proposed, approve=False)
    with pytest.raises(CannotDecidePenalRate, match="decided already"):
        decide(world, proposed)
    assert propose(world, "2").state == PenalRate.State.PROPOSED


@pytest.mark.parametrize(("rate", "on"), [("101", LATER), ("-1", LATER), ("1.5", date(2024, 1, 1))])
def test_a_slip_is_refused_with_a_sentence(world: World, rate: str, on: date) -> None:
    with pytest.raises(CannotProposePenalRate):
        propose(world, rate, on=on)


def test_the_pages(world: World, sign_in: Callable[..., ActingClient]) -> None:
    officer = sign_in(world.people["officer"])
    page = reverse("lending:agreement-penal-rates", args=[world.agreement.pk])
    told = {
        "step": "propose",
        "propose-annual_rate": "1.5",
        "propose-effective_date": LATER.strftime("%d/%m/%Y"),
        "propose-reason": "Board",
    }
    assert officer.post(page, told).status_code == 302
    proposed = PenalRate.objects.get()
    approver = sign_in(world.people["approver"])
    assert "1.5" in approver.get(page).content.decode()
    waits = approver.get(reverse("lending:waiting")).content.decode()
    assert "?waiting=penal-rates-decide" in waits
    narrowed = approver.get(reverse("lending:penal-rates"), {"waiting": "penal-rates-decide"})
    assert world.agreement.number in narrowed.content.decode()
    assert approver.post(page, {"step": "approve", "approve-reason": ""}).status_code == 302
    proposed.refresh_from_db()
    assert proposed.state == PenalRate.State.APPROVED
    listed = approver.get(reverse("lending:penal-rates")).content.decode()
    assert world.agreement.number in listed
    partner = sign_in(world.people["viewer"])
    assert partner.get(page).status_code == 200
    stranger = sign_in(world.people["other_viewer"])
    assert stranger.get(page).status_code == 404
