"""Ending an agreement, allotting, new terms of a programme: one person proposes, another decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from daybook.formats import percent
from daybook.models import AuditEntry
from lending.models import Agreement, Allotment, Proposal
from lending.selectors.programmes import terms_on
from lending.selectors.worklists import waiting
from lending.services.proposals import (
    CannotAllot,
    CannotDecideProposal,
    CannotEndAgreement,
    CannotSetTerms,
    decide_proposal,
    propose_allotment,
    propose_end,
    propose_terms,
)
from lending.services.tranches import CannotRequestTranche, cancel_tranche, request_tranche
from partners.models import Membership, User
from tests.conftest import ActingClient
from tests.lending.world import CRORE, SINCE, TODAY, World, make_world

SignIn = Callable[[User], ActingClient]
TERMS: dict[str, Any] = {
    "fund_rate": Decimal(3), "borrower_rate_cap": Decimal(7), "min_amount": Decimal(50_000),
    "max_amount": Decimal(3_000_000), "tenor_months": 60, "grace_months": 6, "women_share": Decimal(40),
}  # fmt: skip


def test_an_agreement_ends_by_two_people_and_what_was_lent_stays(world: World) -> None:
    facility = world.facility(amount=2 * CRORE)
    loan = world.loan()
    proposal = propose_end(agreement=world.agreement, reason="Board 44", **world.act("officer"))
    Membership.objects.create(user=world.people["officer"], role="approver", from_date=SINCE)
    with pytest.raises(CannotDecideProposal, match="proposed it"):
        decide_proposal(proposal=proposal, approves=True, **world.act("officer"))
    assert waiting(frozenset(["approver"]), world.people["approver"].pk)["agreements-proposed"] == 1
    decide_proposal(proposal=proposal, approves=True, **world.act("approver"))
    ended = Agreement.objects.get(pk=world.agreement.pk)
    assert (ended.state, ended.ended_date) == (Agreement.State.ENDED, TODAY)
    with pytest.raises(CannotRequestTranche, match="not in force"):
        request_tranche(facility=facility, amount=CRORE, **world.act("maker"))
    assert loan.dues.exists()
    assert ended.decisions.filter(step="end", by=world.people["approver"]).exists()
    assert AuditEntry.objects.filter(action="proposal.end.approved").count() == 1


def test_an_agreement_with_money_on_its_way_does_not_end(world: World) -> None:
    tranche = world.tranche(world.facility(), amount=CRORE)
    with pytest.raises(CannotEndAgreement, match="is on its way"):
        propose_end(agreement=world.agreement, reason="Board 44", **world.act("officer"))
    cancel_tranche(tranche=tranche, reason="Not needed", **world.act("maker"))
    proposal = propose_end(agreement=world.agreement, reason="Board 44", **world.act("officer"))
    world.tranche(world.facility(), amount=CRORE)
    with pytest.raises(CannotEndAgreement, match="is on its way"):
        decide_proposal(proposal=proposal, approves=True, **world.act("approver"))


def test_a_rejection_says_why_and_changes_nothing(world: World) -> None:
    proposal = propose_end(agreement=world.agreement, reason="Board 44", **world.act("officer"))
    with pytest.raises(CannotDecideProposal, match="Say why"):
        decide_proposal(proposal=proposal, approves=False, **world.act("approver"))
    decide_proposal(proposal=proposal, approves=False, reason="Not yet", **world.act("approver"))
    assert Agreement.objects.get(pk=world.agreement.pk).state == Agreement.State.ACTIVE
    with pytest.raises(CannotDecideProposal, match="decided this already"):
        decide_proposal(proposal=proposal, approves=True, **world.act("finance_head"))


def test_two_proposals_do_not_share_the_same_room(db: None) -> None:
    world = make_world(allots=9 * CRORE)
    asked: dict[str, Any] = {"agreement": world.agreement, "fund_source": world.fund, **world.act("officer")}
    first, second = (propose_allotment(amount=amount, **asked) for amount in (CRORE, CRORE - 1))
    with pytest.raises(CannotAllot, match="waits for a second person already"):
        propose_allotment(amount=CRORE, **asked)
    decide_proposal(proposal=first, approves=True, **world.act("approver"))
    with pytest.raises(CannotAllot, match="not yet allotted"):
        decide_proposal(proposal=second, approves=True, **world.act("approver"))
    made = Allotment.objects.latest("pk")
    assert (made.made_by, made.approved_by) == (world.people["officer"], world.people["approver"])


def test_new_terms_count_from_their_day(world: World) -> None:
    on = date(2025, 7, 1)
    proposal = propose_terms(
        programme=world.programme, effective_date=on, reason="Letter 9", **TERMS, **world.act("officer")
    )
    assert terms_on(world.programme, on).borrower_rate_cap == 6  # type: ignore[union-attr]
    decide_proposal(proposal=proposal, approves=True, **world.act("approver"))
    after = terms_on(world.programme, on)
    assert after is not None
    assert (after.borrower_rate_cap, after.tenor_months) == (Decimal(7), 60)
    assert after.women_share == Decimal(40)
    assert after.max_amount.amount == 3_000_000
    assert after.booking == Proposal.objects.get(pk=proposal.pk).booking
    assert terms_on(world.programme, date(2025, 6, 30)).borrower_rate_cap == 6  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"effective_date": date(2020, 1, 1)}, "effective_date"),
        ({"effective_date": date(2024, 6, 11)}, "effective_date"),
        ({"borrower_rate_cap": Decimal(2)}, "borrower_rate_cap"),
        ({"min_amount": Decimal(0)}, "min_amount"),
        ({"max_amount": Decimal(10)}, "max_amount"),
        ({"grace_months": 60}, "grace_months"),
        ({"women_share": Decimal(101)}, "women_share"),
        ({"fund_rate": None}, "fund_rate"),
    ],
)
def test_terms_that_contradict_each_other_are_not_proposed(
    world: World, changes: dict[str, Any], field: str
) -> None:
    asked = {"effective_date": date(2025, 7, 1)} | TERMS | changes
    with pytest.raises(CannotSetTerms) as refusal:
        propose_terms(programme=world.programme, reason="Letter 9", **asked, **world.act("officer"))
    assert refusal.value.field == field


def test_terms_are_proposed_and_decided_in_the_browser(world: World, sign_in: SignIn) -> None:
    address = reverse("lending:programme", args=[world.programme.pk])
    officer, approver = sign_in(world.people["officer"]), sign_in(world.people["approver"])
    typed = {
        "effective_date": "01/07/2025", "fund_rate": "3", "borrower_rate_cap": "2", "min_amount": "50,000",
        "max_amount": "30,00,000", "tenor_months": "60", "grace_months": "6", "confidence": "H",
        "excluded_sectors": "tobacco, brick kilns", "reason": "Letter 9",
    }  # fmt: skip

    def post(**changes: str) -> str:
        told = {f"terms-{name}": value for name, value in (typed | changes).items()}
        return officer.post(address, {"step": "terms", **told}, follow=True).content.decode()

    assert "Borrowers cannot pay less" in post()
    assert "a second person decides" in post(borrower_rate_cap="7")
    proposal = Proposal.objects.latest("pk")
    assert f"decide-{proposal.pk}" not in officer.get(address).content.decode()
    page = approver.get(address).content.decode()
    assert "brick kilns" in page
    assert f"now {percent(Decimal(6))}" in page, "what changes stands beside what is proposed"
    assert "now tobacco" in page
    step = f"decide-{proposal.pk}"
    approver.post(address, {"step": step, f"{step}-approves": "yes"})
    assert world.programme.terms.get(effective_date=date(2025, 7, 1)).excluded_sectors == [
        "tobacco",
        "brick kilns",
    ]


def test_an_agreement_is_ended_in_the_browser_and_partners_see_no_proposal(
    world: World, sign_in: SignIn
) -> None:
    address = reverse("lending:agreement", args=[world.agreement.pk])
    officer = sign_in(world.people["officer"])
    officer.post(address, {"step": "end", "end-reason": "Board 44"})
    proposal = Proposal.objects.latest("pk")
    maker = sign_in(world.people["maker"])
    assert "Board 44" not in maker.get(address).content.decode()
    step = f"decide-{proposal.pk}"
    maker.post(address, {"step": step, f"{step}-approves": "yes"})
    assert Proposal.objects.latest("pk").state == Proposal.State.PROPOSED
    sign_in(world.people["finance_head"]).post(address, {"step": step, f"{step}-approves": "yes"})
    assert Agreement.objects.get(pk=world.agreement.pk).state == Agreement.State.ENDED
