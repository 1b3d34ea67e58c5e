"""The standings that a question is about, by currency and filters, and the names of what groups them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db.models import Q

from calc.classification import LoanClass
from daybook.selectors import Knowledge
from lending.models import Cluster, Enterprise, Loan, LoanIdentifier, LoanParty, Programme
from partners.models import District, Institution
from repayments.frames import Scope
from repayments.selectors import standings
from reports.selectors.frames import Frame

UNCLASSIFIED = int(LoanClass.UNCLASSIFIED)
GENDERS = ("female", "male", "third", "")
SIZES = ("informal", "cottage", "micro", "small", "medium", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which loans; empty means all. ``loan_class`` and ``bucket`` are the numbers of calc.

    ``plus_r`` adds rescheduled loans to those of ``late_over``, as PAR + R counts them.
    """

    tier: str = ""
    institution_id: int | None = None
    programme_id: int | None = None
    cluster_id: int | None = None
    loan_class: int | None = None
    bucket: int | None = None
    gender: str | None = None
    size_tier: str | None = None
    district: str | None = None
    overdue: bool = False
    late_over: int | None = None
    plus_r: bool = False
    rescheduled: bool = False
    text: str = ""
    owing: bool = False


def read_standings(*, as_of: date, knowledge: Knowledge, currency: str, filters: Filters) -> Frame:
    """One row a loan that passes the filters, by loan id, in the one currency asked for."""
    scope = Scope(institution_id=filters.institution_id, tier=filters.tier, currency=currency)
    frame = standings(as_of=as_of, knowledge=knowledge, scope=scope)
    frame["loan_class"] = np.where(
        frame["classification_policy_id"].to_numpy(np.int64) > 0, frame["loan_class"], UNCLASSIFIED
    )
    wanted = np.ones(len(frame), dtype=bool)
    for column, value in (
        ("programme_id", filters.programme_id),
        ("cluster_id", filters.cluster_id),
        ("loan_class", filters.loan_class),
        ("bucket", filters.bucket),
        ("gender", filters.gender),
        ("size_tier", filters.size_tier),
        ("district", filters.district),
    ):
        if value is not None:
            wanted &= (frame[column] == value).to_numpy()
    if filters.overdue:
        wanted &= (frame["days_past_due"] > 0).to_numpy()
    if filters.late_over is not None:
        at_risk = frame["days_past_due"] > filters.late_over
        wanted &= ((at_risk | (frame["rescheduled_count"] > 0)) if filters.plus_r else at_risk).to_numpy()
    if filters.rescheduled:
        wanted &= (frame["rescheduled_count"] > 0).to_numpy()
    if filters.owing:
        wanted &= owing(frame)
    if filters.text:
        wanted &= frame["loan_id"].isin(matching_loans(filters.text)).to_numpy()
    return frame[wanted].reset_index(drop=True)


def owing(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Loans with principal outstanding or anything overdue: those that a portfolio counts."""
    late = frame[[f"overdue_{kind}_minor" for kind in ("charge", "penal", "interest", "principal")]]
    return ((frame["outstanding_minor"] > 0) | (late.sum(axis=1) > 0)).to_numpy(dtype=bool)


def matching_loans(text: str) -> set[int]:
    """Loans whose number, account, borrower or enterprise holds the text."""
    found = set(Loan.objects.filter(number__icontains=text).values_list("id", flat=True))
    found |= set(LoanIdentifier.objects.filter(value__icontains=text).values_list("loan_id", flat=True))
    names = Q(person__name__icontains=text) | Q(person__name_bn__icontains=text)
    found |= set(LoanParty.objects.filter(names).values_list("loan_id", flat=True))
    firms = Enterprise.objects.filter(name__icontains=text).values("id")
    return found | set(Loan.objects.filter(enterprise_id__in=firms).values_list("id", flat=True))


def institution_names() -> dict[int, tuple[str, str]]:
    """Every institution the reader may see: English and Bangla name by id."""
    return {pk: (en, bn) for pk, en, bn in Institution.objects.values_list("id", "name", "name_bn")}


def programme_names() -> dict[int, tuple[str, str]]:
    """Programmes by id, in order of their start."""
    return {pk: (en, bn) for pk, en, bn in Programme.objects.values_list("id", "name", "name_bn")}


def cluster_names() -> dict[int, tuple[str, str]]:
    """Clusters and clientele groups by id, in order of their code."""
    return {pk: (en, bn) for pk, en, bn in Cluster.objects.values_list("id", "name", "name_bn")}


def district_names() -> Mapping[str, tuple[str, str]]:
    """Districts by statistical code."""
    return {pk: (en, bn) for pk, en, bn in District.objects.values_list("code", "name", "name_bn")}


def currencies() -> list[str]:
    """The currencies the reader's loans are in, taka first."""
    found = set(Loan.objects.order_by().values_list("currency", flat=True).distinct()) | {"BDT"}
    return sorted(found, key=lambda code: (code != "BDT", code))
