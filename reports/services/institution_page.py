"""Everything one institution's page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calc.calendar import add_months
from daybook.formats import from_minor
from lending.models import Tier
from partners.models import ExposureLimit, Institution, InstitutionStatus
from repayments.models import Upload
from reports.builders.holding import Holding, build_holding, build_next_dues
from reports.builders.objects import Asked, Table
from reports.builders.portfolio import NOTHING, TIERS, Figures, figures_by
from reports.selectors import institutions as selectors
from reports.selectors.portfolio import Filters, read_standings

MONTHS_AHEAD = 12
RECENT = 8


@dataclass(frozen=True, slots=True)
class InstitutionView:
    """One institution as of a date in one currency."""

    holding: Holding
    totals: Mapping[str, Figures]
    status: InstitutionStatus | None
    limit: ExposureLimit | None
    limit_used_percent: int
    next_dues: Table
    agreements: Sequence[Mapping[str, Any]]
    receipts: Mapping[str, Sequence[Mapping[str, Any]]]
    uploads: Sequence[Upload]


def make_institution_page(institution: Institution, asked: Asked, *, currency: str) -> InstitutionView:
    """Read and sum one institution."""
    when: dict[str, Any] = {"as_of": asked.as_of, "last_booking_id": asked.last_booking_id}
    frame = read_standings(
        as_of=asked.as_of,
        knowledge=asked.knowledge,
        currency=currency,
        filters=Filters(institution_id=institution.pk),
    )
    totals = {tier: figures_by(frame[frame["tier"] == tier]).get(None, NOTHING) for tier in TIERS}
    limit = selectors.exposure_limit(institution.pk, currency=currency, **when)
    owed = from_minor(totals[str(Tier.WHOLESALE)].outstanding_minor)
    used = int(owed * 100 / limit.amount.amount) if limit and limit.amount.amount else 0
    return InstitutionView(
        holding=build_holding(
            selectors.money_flows(currency=currency, institution_id=institution.pk, **when)
        ),
        totals=totals,
        status=selectors.status_of(institution.pk, **when),
        limit=limit,
        limit_used_percent=used,
        next_dues=build_next_dues(
            selectors.next_dues(
                institution_id=institution.pk,
                currency=currency,
                until=add_months(asked.as_of, MONTHS_AHEAD),
                **when,
            )
        ),
        agreements=selectors.agreements_of(institution.pk, currency=currency, **when),
        receipts={
            tier: selectors.recent_receipts(institution.pk, tier=tier, limit=RECENT, **when).to_dict(
                "records"
            )
            for tier in TIERS
        },
        uploads=list(selectors.recent_uploads(institution.pk, limit=RECENT)),
    )
