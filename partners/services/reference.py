"""Restate the project's own reference data: districts, institutions and their branches.

Repeatable: what is there already is left alone, so that corrections made on screen survive.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import bdbanks

from daybook.models import Booking
from partners.models import Branch, District, Institution, InstitutionStatus
from partners.routing import is_routing_number

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
PROGRAMME_BEGAN = date(2009, 7, 1)
"""First day of the fiscal year in which the programme's first cheque was written."""


def read_csv(path: Path) -> list[dict[str, str]]:
    """The rows of a reference file by heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def load_districts() -> int:
    """Add the districts that are missing; return how many."""
    known = set(District.objects.values_list("code", flat=True))
    rows = [row for row in read_csv(REFERENCE / "districts.csv") if row["code"] not in known]
    District.objects.bulk_create(District(**row) for row in rows)
    return len(rows)


def load_institutions(*, booking: Booking) -> int:
    """Add the partner institutions that are missing, with their status since the programme began."""
    known = set(Institution.objects.values_list("code", flat=True))
    rows = [row for row in read_csv(REFERENCE / "institutions.csv") if row["code"] not in known]
    made = Institution.objects.bulk_create(
        Institution(code=row["code"], name=row["name"], name_bn=row["name_bn"], bank_code=row["bank_code"])
        for row in rows
    )
    InstitutionStatus.objects.bulk_create(
        InstitutionStatus(
            institution=institution,
            effective_date=PROGRAMME_BEGAN,
            kind=row["kind"],
            ownership=row["ownership"],
            is_islamic=row["is_islamic"] == "yes",
            booking=booking,
        )
        for institution, row in zip(made, rows, strict=True)
    )
    return len(made)


def load_branches() -> int:
    """Add the branches that the national list of routing numbers names and we lack; return how many.

    A branch whose routing number fails its check digit is taken too: the list is what banks publish.
    """
    known = set(Branch.objects.exclude(routing_number="").values_list("routing_number", flat=True))
    districts = {
        code: district for district in District.objects.all() for code in district.routing_codes.split(";")
    }
    made = [
        Branch(
            institution=institution,
            name=branch.name[:120],
            routing_number=branch.routing,
            district=districts.get(branch.routing[3:5]),
        )
        for institution in Institution.objects.exclude(bank_code="")
        for branch in bdbanks.branches(institution.bank_code)
        if is_routing_number(branch.routing)
        and branch.routing not in known
        and not branch.is_settlement_endpoint
    ]
    unique = {branch.routing_number: branch for branch in made}
    Branch.objects.bulk_create(unique.values(), batch_size=2000)
    return len(unique)
