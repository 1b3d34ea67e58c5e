"""The lending side: agreements, applications, decisions and tranches, each step by its own person.

Every step asks first whether it is done, so that an interrupted demonstration goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.functional import cached_property

from calc.money import from_minor
from lending.models import (
    Agreement,
    Allotment,
    Application,
    Cluster,
    Facility,
    FundSource,
    Programme,
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
from reports.demonstration.borrowers import Drawing
from reports.demonstration.cast import OFFERS, WAVES, Player, Request
from reports.management.demonstration.stage import Stage

LAKH = Decimal(1_00_000)
CRORE = 100 * LAKH
APPROVER_MAY = 10 * CRORE
FINANCE_HEAD_MAY = 100 * CRORE
EXPOSURE_LIMIT = 75 * CRORE
LAST_DRAWING = {"RF-1": date(2024, 6, 10), "RF-2": date(2026, 12, 31)}
SIGNED = {"RF-1": date(2024, 2, 22), "RF-2": date(2024, 6, 11)}
PENAL_RATES = {"LANKABANGLA": Decimal("1.5")}
"""Percent a year that late instalments bear; the other institutions agreed to none."""


@transaction.atomic
def allot(stage: Stage, agreement: Agreement, cluster: Cluster, amount: Decimal, day: date) -> Allotment:
    """Part of a limit for a cluster, proposed by the officer and approved by the finance head."""
    proposal = propose_allotment(
        agreement=agreement,
        fund_source=FundSource.objects.get(code="RF"),
        cluster=cluster,
        amount=amount,
        from_date=day,
        to_date=agreement.to_date,
        actor=stage.people["officer"],
        business_date=day,
    )
    decide_proposal(proposal=proposal, approves=True, actor=stage.people["finance"], business_date=day)
    return agreement.allotments.latest("pk")


class Office:
    """The desks at the foundation and at the institutions where loans are asked for and granted."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.book = stage.book

    def act(self, day: date) -> None:
        """Everything that is due on a business date, except what waits for a file."""
        for request in self.book.cast.requests:
            wave = WAVES[request.wave]
            if wave.apply_on == day:
                self._apply(request, day)
            if wave.decide_on == day:
                self._decide(request, day)
        for drawing in self.book.drawings:
            if drawing.ask_on == day:
                self._ask(drawing, day)
            if drawing.draw_on == day:
                self._draw(drawing, day)

    def submit(self, day: date) -> None:
        """Send in the applications whose borrower lists have been posted."""
        for request in self.book.cast.requests:
            if WAVES[request.wave].apply_on == day:
                application = self.application(request)
                if application is not None and application.state == Application.State.DRAFT:
                    submit_application(
                        application=application,
                        actor=self.stage.people.of(request.player, "checker"),
                        business_date=day,
                    )

    def application(self, request: Request) -> Application | None:
        """The application of a request, once drafted."""
        return Application.objects.filter(
            institution=self.stage.institutions[request.player],
            cluster=self._clusters[request.cluster],
            applied_date=WAVES[request.wave].apply_on,
        ).first()

    def tranche(self, drawing: Drawing) -> Tranche | None:
        """The tranche of a drawing, once asked for."""
        return Tranche.objects.filter(
            facility__application=self.application(drawing.request),
            requested_date=drawing.ask_on,
        ).first()

    def tranche_numbers(self, requests: Collection[str]) -> dict[str, str]:
        """The system's numbers of the tranches paid so far under some requests, by the plan's keys."""
        wanted = [drawing for drawing in self.book.drawings if drawing.request.key in requests]
        found = {drawing.key: self.tranche(drawing) for drawing in wanted}
        return {
            key: tranche.number
            for key, tranche in found.items()
            if tranche is not None and tranche.state == Tranche.State.DISBURSED
        }

    def agreement(self, player: str, programme: str) -> Agreement | None:
        """An institution's agreement under a programme."""
        return Agreement.objects.filter(
            institution=self.stage.institutions[player], programme__code=programme
        ).first()

    @cached_property
    def _clusters(self) -> dict[str, Cluster]:
        return {cluster.code: cluster for cluster in Cluster.objects.all()}

    def _sanctioned(self, request: Request) -> Decimal:
        """Taka: what the request's tranches come to."""
        return sum(
            (
                from_minor(drawing.amount_minor)
                for drawing in self.book.drawings
                if drawing.request == request
            ),
            Decimal(0),
        )

    def _apply(self, request: Request, day: date) -> None:
        if self.application(request) is not None:
            return
        agreement = self._agreed(self.book.cast.player(request.player), WAVES[request.wave].programme, day)
        amount = self._sanctioned(request)
        allotment = self._allotted(agreement, request, amount, day)
        cluster = self._clusters[request.cluster]
        draft_application(
            allotment=allotment,
            cluster=cluster,
            amount=amount,
            purpose=f"Working capital and machinery for {request.loans} entrepreneurs of {cluster}",
            actor=self.stage.people.of(request.player, "maker"),
            business_date=day,
        )

    def _agreed(self, player: Player, programme: str, day: date) -> Agreement:
        """The agreement, drafted by the officer and approved by the finance head when it is first needed."""
        people = self.stage.people
        agreement = self.agreement(player.code, programme)
        if agreement is None:
            offer = OFFERS[programme]
            mine = [
                self._sanctioned(request)
                for request in self.book.cast.requests
                if request.player == player.code and WAVES[request.wave].programme == programme
            ]
            agreement = draft_agreement(
                institution=self.stage.institutions[player.code],
                programme=Programme.objects.get(code=programme),
                limit=sum(mine, Decimal(0)) + 50 * LAKH,
                signed_date=SIGNED[programme],
                from_date=SIGNED[programme],
                to_date=LAST_DRAWING[programme],
                annual_rate=offer.fund_rate,
                instalment_count=offer.wholesale_instalments,
                grace_months=offer.wholesale_grace_months,
                grace_kind="interest_paid",
                contract_mode=player.contract_mode,
                penal_rate=PENAL_RATES.get(player.code, Decimal(0)),
                actor=people["officer"],
                business_date=day,
            )
        if agreement.state == Agreement.State.DRAFT:
            agreement = approve_agreement(
                agreement=agreement,
                actor=people["finance"],
                business_date=day,
                reason="Signed by both managing directors.",
            )
        return agreement

    def _allotted(self, agreement: Agreement, request: Request, amount: Decimal, day: date) -> Allotment:
        cluster = self._clusters[request.cluster]
        found = Allotment.objects.filter(agreement=agreement, cluster=cluster, from_date=day).first()
        return found or allot(self.stage, agreement, cluster, amount, day)

    def _decide(self, request: Request, day: date) -> None:
        people = self.stage.people
        application = self.application(request)
        if application is not None and application.state == Application.State.SUBMITTED:
            application = appraise_application(
                application=application,
                recommended_amount=application.amount.amount,
                reason="The cluster has room for the borrowers listed; earlier tranches were lent in time.",
                actor=people["officer"],
                business_date=day,
            )
        if application is not None and application.state == Application.State.APPRAISED:
            decide_application(
                application=application,
                outcome="approved",
                reason="Within the agreement and the institution's limit.",
                actor=people["approver" if application.amount.amount <= APPROVER_MAY else "finance"],
                business_date=day,
            )

    def _ask(self, drawing: Drawing, day: date) -> None:
        if self.tranche(drawing) is None:
            request_tranche(
                facility=Facility.objects.get(application=self.application(drawing.request)),
                amount=from_minor(drawing.amount_minor),
                actor=self.stage.people.of(drawing.request.player, "maker"),
                business_date=day,
            )

    def _draw(self, drawing: Drawing, day: date) -> None:
        people = self.stage.people
        tranche = self.tranche(drawing)
        if tranche is not None and tranche.state == Tranche.State.REQUESTED:
            tranche = clear_tranche(tranche=tranche, actor=people["officer"], business_date=day)
        if tranche is not None and tranche.state == Tranche.State.CLEARED:
            tranche = approve_tranche(tranche=tranche, actor=people["approver"], business_date=day)
        if tranche is not None and tranche.state == Tranche.State.APPROVED:
            disburse_tranche(
                tranche=tranche,
                value_date=drawing.value_date,
                bank_reference=f"RTGS{drawing.value_date:%y%m%d}{tranche.pk:06d}",
                actor=people["finance"],
                business_date=day,
            )
