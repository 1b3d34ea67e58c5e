"""What the pages of lending show beside the thing itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from djmoney.money import Money

from lending import words
from lending.models import (
    Agreement,
    Allotment,
    Application,
    ApplicationLine,
    Decision,
    Facility,
    FacilityCancellation,
    Funding,
    Standing,
    Tranche,
)
from lending.models.borrowers import Gender
from lending.selectors.exposure import exposure_limit_on, standing_of
from lending.selectors.programmes import terms_on


@dataclass(frozen=True)
class Step:
    """A decision with its words."""

    decision: Decision
    words: str | Promise
    outcome: str | Promise


def steps_of(subject: Agreement | Application | Tranche) -> list[Step]:
    """Who did what, oldest first."""
    return [
        Step(
            decision,
            words.STEPS.get(decision.step, decision.step),
            words.OUTCOMES.get(decision.outcome, decision.outcome),
        )
        for decision in subject.decisions.order_by("id")
    ]


@dataclass(frozen=True)
class Use:
    """How much of a limit is used; whole percent for the bar."""

    limit: Money
    used: Money

    @property
    def left(self) -> Money:
        return self.limit - self.used

    @property
    def percent(self) -> int:
        return int(self.used.amount * 100 / self.limit.amount) if self.limit.amount else 0


def use_of_limit(agreement: Agreement) -> Use:
    """What of the limit is used: what is outstanding if it revolves, else all that was drawn."""
    standing = Standing.objects.filter(agreement=agreement, tranche__isnull=True).first()
    minor = 0
    if standing is not None:
        minor = standing.exposure_minor if agreement.is_revolving else standing.drawn_minor
    return Use(agreement.limit, Money(Decimal(minor) / 100, agreement.limit.currency))


def allotments_of(agreement: Agreement) -> list[tuple[Allotment, Use]]:
    """Allotments and what facilities have taken of each."""
    rows = agreement.allotments.select_related("cluster", "fund_source").annotate(
        taken=Coalesce(Sum("facilities__amount"), Decimal(0))
    )
    return [(row, Use(row.amount, Money(row.taken, row.amount.currency))) for row in rows]


def use_of_facility(facility: Facility) -> Use:
    """What live tranches have taken of what was not given up."""
    taken = facility.tranches.exclude(state=Tranche.State.CANCELLED).aggregate(
        total=Sum(Coalesce("approved_amount", "requested_amount"))
    )["total"]
    given_up = facility.cancellations.filter(state=FacilityCancellation.State.APPROVED).aggregate(
        total=Sum("amount")
    )["total"]
    currency = facility.amount.currency
    return Use(facility.amount - Money(given_up or 0, currency), Money(taken or 0, currency))


def use_of_tranche(tranche: Tranche) -> Use | None:
    """What of a disbursed tranche was lent on; None before."""
    if tranche.state != Tranche.State.DISBURSED or tranche.approved_amount is None:
        return None
    lent = Funding.objects.filter(tranche=tranche, kind=Funding.Kind.FIRST_USE).aggregate(
        total=Sum("amount_minor")
    )["total"]
    currency = tranche.approved_amount.currency
    return Use(tranche.approved_amount, Money(Decimal(lent or 0) / 100, currency))


@dataclass(frozen=True)
class ListFigures:
    """An application's borrower list in figures; shares in percent of the money, None without a list."""

    count: int
    total: Decimal
    women_count: int
    women_share: Decimal | None
    warning_count: int


def list_figures(application: Application) -> ListFigures:
    """Totals of the intended borrowers."""
    found = ApplicationLine.objects.filter(application=application).aggregate(
        count=Count("pk"),
        total=Sum("amount"),
        women_count=Count("pk", filter=Q(gender=Gender.FEMALE)),
        women=Sum("amount", filter=Q(gender=Gender.FEMALE)),
        warned=Count("pk", filter=~Q(warnings=[])),
    )
    total = found["total"] or Decimal(0)
    share = (found["women"] or Decimal(0)) * 100 / total if total else None
    return ListFigures(found["count"], total, found["women_count"], share, found["warned"])


@dataclass(frozen=True)
class Appraisal:
    """What a decider looks at."""

    standing: Standing | None
    exposure_limit: Money | None
    par30_percent: Decimal | None
    women_required: Decimal | None


def appraisal_of(application: Application, on: date) -> Appraisal:
    """The institution's standing and what the programme demands, for the decision on an application."""
    standing = standing_of(application.institution_id)
    par = None
    if standing is not None and standing.subloan_outstanding_minor:
        par = Decimal(standing.subloan_par30_minor) * 100 / Decimal(standing.subloan_outstanding_minor)
    terms = terms_on(application.allotment.agreement.programme, on)
    return Appraisal(
        standing=standing,
        exposure_limit=exposure_limit_on(application.institution_id, on),
        par30_percent=par,
        women_required=terms.women_share if terms is not None else None,
    )


def disbursed_tranches() -> QuerySet[Tranche]:
    """Disbursed tranches with what was lent on from each (minor units)."""
    return (
        Tranche.objects.filter(state=Tranche.State.DISBURSED)
        .select_related("institution", "facility__application__cluster")
        .annotate(
            lent_minor=Coalesce(
                Sum("fundings__amount_minor", filter=Q(fundings__kind=Funding.Kind.FIRST_USE)), 0
            ),
            loan_count=Count("fundings__loan", distinct=True),
        )
    )
