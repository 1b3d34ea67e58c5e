"""Restate the project's own reference data: fund sources, programmes with their opening terms, clusters.

Repeatable: what is there already is left alone, so that corrections made on screen survive.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from daybook.models import Booking
from lending.models import Cluster, FundSource, Programme, ProgrammeTerms
from partners.models import District
from partners.services.reference import read_csv

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
RATES = (
    "fund_rate",
    "borrower_rate_cap",
    "women_share",
    "manufacturing_share",
    "trading_share_max",
    "up_to_10_lakh_share",
)


def load_programmes(*, booking: Booking) -> int:
    """Add the fund sources and programmes that are missing; return how many programmes."""
    content: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        (REFERENCE / "programmes.yaml").read_text(encoding="utf-8")
    )
    known_sources = set(FundSource.objects.values_list("code", flat=True))
    FundSource.objects.bulk_create(
        FundSource(**row) for row in content["fund_sources"] if row["code"] not in known_sources
    )
    sources = {source.code: source for source in FundSource.objects.all()}
    known = set(Programme.objects.values_list("code", flat=True))
    rows = [row for row in content["programmes"] if row["code"] not in known]
    for row in rows:
        terms = row.pop("terms")
        programme = Programme.objects.create(**row | {"fund_source": sources[row["fund_source"]]})
        exact = {name: Decimal(str(terms[name])) for name in RATES if name in terms}
        ProgrammeTerms.objects.create(
            programme=programme, effective_date=programme.from_date, booking=booking, **terms | exact
        )
    return len(rows)


def load_clusters() -> int:
    """Add the clusters and clientele groups that are missing; return how many. Districts must be there."""
    known = set(Cluster.objects.values_list("code", flat=True))
    districts = {district.name: district for district in District.objects.all()}
    rows = [row for row in read_csv(REFERENCE / "clusters.csv") if row["code"] not in known]
    Cluster.objects.bulk_create(
        Cluster(**{**row, "district": districts[row["district"]] if row["district"] else None})
        for row in rows
    )
    return len(rows)
