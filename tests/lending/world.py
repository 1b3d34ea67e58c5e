"""A small programme to lend in: two institutions, one agreement with an allotment, people for every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from daybook.models import Booking
from daybook.selectors import open_business_date
from daybook.services import Actor, book, open_books
from lending.models import (
    Agreement,
    Allotment,
    Application,
    Cluster,
    Facility,
    FundSource,
    Loan,
    Programme,
    ProgrammeTerms,
    Tranche,
)
from lending.services.agreements import approve_agreement, draft_agreement
from lending.services.applications import (
    appraise_application,
    decide_application,
    draft_application,
    submit_application,
)
from lending.services.proposals import decide_proposal, propose_allotment
from lending.services.tranches import approve_tranche, clear_tranche, disburse_tranche, request_tranche
from partners.models import ApprovalAuthority, District, Institution, Membership, User

TODAY = date(2025, 1, 1)
CRORE = Decimal(10_000_000)
SINCE = date(2015, 1, 1)
USUAL: dict[str, Any] = {
    "annual_rate": Decimal(2),
    "instalment_count": 8,
    "grace_months": 6,
    "grace_kind": "interest_paid",
}
"""Terms of the world's agreement."""


@dataclass
class World:
    """Everything a test of lending stands on; people by role."""

    bank: Institution
    other_bank: Institution
    programme: Programme
    fund: FundSource
    cluster: Cluster
    other_cluster: Cluster
    people: dict[str, User] = field(default_factory=dict)
    agreement: Agreement = field(init=False)
    allotment: Allotment = field(init=False)

    def act(self, role: str, **more: Any) -> dict[str, Any]:
        """The keyword arguments every service takes."""
        return {"actor": self.people[role], "business_date": TODAY, **more}

    def allot(self, agreement: Agreement, amount: Decimal, **more: Any) -> Allotment:
        """Part of a limit set aside, proposed by the officer and approved by the approver."""
        proposed = propose_allotment(
            agreement=agreement, fund_source=self.fund, amount=amount, **self.act("officer", **more)
        )
        decide_proposal(proposal=proposed, approves=True, **self.act("approver"))
        return agreement.allotments.latest("pk")

    def application(self, *, amount: Decimal = CRORE, upto: str = "draft") -> Application:
        """An application taken as far as a step."""
        found = draft_application(
            allotment=self.allotment,
            cluster=self.cluster,
            amount=amount,
            purpose="Working capital",
            **self.act("maker"),
        )
        if upto == "draft":
            return found
        found = submit_application(application=found, **self.act("checker"))
        if upto == "submit":
            return found
        found = appraise_application(
            application=found, recommended_amount=amount, reason="Sound", **self.act("officer")
        )
        if upto == "appraise":
            return found
        return decide_application(
            application=found, outcome="approved", reason="Agreed", **self.act("approver")
        )

    def facility(self, *, amount: Decimal = CRORE) -> Facility:
        """A sanctioned facility."""
        return Facility.objects.get(application=self.application(amount=amount, upto="decide"))

    def tranche(self, facility: Facility, *, amount: Decimal, upto: str = "request") -> Tranche:
        """A tranche taken as far as a step."""
        found = request_tranche(facility=facility, amount=amount, **self.act("maker"))
        if upto == "request":
            return found
        found = clear_tranche(tranche=found, **self.act("officer"))
        if upto == "clear":
            return found
        return approve_tranche(tranche=found, **self.act("approver"))

    def loan(self, *, amount: Decimal = CRORE) -> Loan:
        """A disbursed tranche's wholesale loan."""
        tranche = self.tranche(self.facility(amount=amount), amount=amount, upto="approve")
        return disburse_tranche(
            tranche=tranche, value_date=TODAY, bank_reference="RTGS 1", **self.act("finance_head")
        )

    def booking(self, purpose: str = "test") -> Booking:
        """A booking on the open day."""
        return book(purpose=purpose, actor=Actor(None, "Test"))


def make_person(role: str, institution: Institution | None = None, *, name: str = "") -> User:
    """A person with one role."""
    user = User(username=name or f"{role}-{institution.code if institution else 'f'}", full_name=name or role)
    user.set_unusable_password()
    user.save()
    Membership.objects.create(user=user, institution=institution, role=role, from_date=SINCE)
    return user


def make_world(
    *,
    limit: Decimal = 10 * CRORE,
    authority: Decimal = 5 * CRORE,
    allots: Decimal | None = None,
    **terms: Any,
) -> World:
    """Open the books on 1 January 2025 and sign one agreement: 2 %, quarterly, eight instalments.

    ``terms`` are other terms of the agreement: once approved it is not edited.
    """
    open_books(first_date=TODAY)
    booking = book(purpose="test.world", actor=Actor(None, "Test"))
    district = District.objects.create(
        code="26", name="Dhaka", name_bn="ঢাকা", division="Dhaka", routing_codes="26;27"
    )
    fund = FundSource.objects.create(code="RF", name="Revolving fund")
    programme = Programme.objects.create(
        code="RF-2", name="Second round", fund_source=fund, from_date=date(2024, 6, 11)
    )
    ProgrammeTerms.objects.create(
        programme=programme,
        effective_date=programme.from_date,
        fund_rate=Decimal(2),
        borrower_rate_cap=Decimal(6),
        min_amount=Decimal(100_000),
        max_amount=Decimal(2_500_000),
        max_machinery_amount=Decimal(5_000_000),
        collateral_free_to=Decimal(1_000_000),
        tenor_months=48,
        grace_months=6,
        women_share=Decimal(30),
        excluded_sectors=["tobacco"],
        booking=booking,
    )
    world = World(
        bank=Institution.objects.create(code="A", name="Bank A"),
        other_bank=Institution.objects.create(code="B", name="Bank B"),
        programme=programme,
        fund=fund,
        cluster=Cluster.objects.create(code="CL1", name="Shoe", sector="Footwear", district=district),
        other_cluster=Cluster.objects.create(code="CL2", name="Leather", sector="Leather", district=district),
    )
    for role in ("officer", "approver", "finance_head", "administrator", "auditor"):
        world.people[role] = make_person(role)
    for role in ("maker", "checker", "viewer"):
        world.people[role] = make_person(role, world.bank)
        world.people[f"other_{role}"] = make_person(role, world.other_bank)
    for role in ("approver", "finance_head"):
        ApprovalAuthority.objects.create(
            role=role, effective_date=SINCE, amount=authority, reason="Board", booking=booking
        )
    drafted = draft_agreement(
        institution=world.bank,
        programme=programme,
        limit=limit,
        signed_date=date(2024, 12, 1),
        from_date=date(2024, 12, 1),
        to_date=date(2026, 12, 31),
        **USUAL | terms,
        **world.act("officer"),
    )
    if limit <= authority:
        world.agreement = approve_agreement(agreement=drafted, **world.act("approver"))
    else:
        world.agreement = _approve_with_more(world, drafted, limit, booking)
    world.allotment = world.allot(world.agreement, allots or limit)
    return world


def _approve_with_more(world: World, drafted: Agreement, limit: Decimal, booking: Booking) -> Agreement:
    """The finance head may sign the agreement, and from the next day decides what is under ``authority``."""
    ApprovalAuthority.objects.create(
        role="finance_head",
        effective_date=SINCE + timedelta(days=1),
        amount=limit,
        reason="Board",
        booking=booking,
    )
    return approve_agreement(agreement=drafted, **world.act("finance_head"))


def subloan_rows(count: int = 3, **changes: Any) -> pd.DataFrame:
    """Sound rows of a bank's list, as the upload parser hands them over; ``changes`` replace columns."""
    rows = pd.DataFrame(
        {
            "account": [f"100200{n:04d}" for n in range(count)],
            "person_name": [f"Borrower {n}" for n in range(count)],
            "nid": [f"{5_000_000_000 + n}" for n in range(count)],
            "gender": ["female" if n % 2 else "male" for n in range(count)],
            "phone": [f"017{n:08d}" for n in range(count)],
            "enterprise_name": [f"Works {n}" for n in range(count)],
            "trade_licence": [f"TL-{n}" for n in range(count)],
            "size_tier": ["micro"] * count,
            "activity": ["manufacturing"] * count,
            "sector": ["Footwear"] * count,
            "cluster_code": ["CL1"] * count,
            "district": ["Dhaka"] * count,
            "disbursed_date": [open_business_date()] * count,
            "amount_minor": [50_000_000] * count,
            "annual_rate": [Decimal(6)] * count,
            "tenor_months": [24] * count,
            "grace_months": [3] * count,
            "grace_kind": ["interest_paid"] * count,
        }
    )
    return rows.assign(**changes)
