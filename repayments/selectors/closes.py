"""What a page tells of a close: how far it is, what went in and out, what it could not do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q, Sum

from daybook.formats import name_column, named
from lending.models import Tier
from partners.models import Institution
from repayments.models import ControlTotal, DayRun, DayRunSlice

TOTALS = (
    "opening",
    "disbursed",
    "raised",
    "capitalised",
    "settled",
    "reduced",
    "written_off",
    "closing",
    "earlier",
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a close is. ``loans_a_second`` and ``left`` are None until the first slice is written."""

    slices: int
    slices_done: int
    loans: int
    loans_done: int
    workers: int
    loans_a_second: int | None
    left: timedelta | None
    failing: tuple[str, ...]

    @property
    def percent(self) -> int:
        return self.loans_done * 100 // self.loans if self.loans else 100


def progress_of(run: DayRun, *, now: datetime) -> Progress:
    """How far a run is at a moment; its speed counts from its start to its end, or to now."""
    counted = run.slices.aggregate(
        done=Count("pk", filter=Q(work=DayRunSlice.Work.DONE)),
        loans=Sum("loan_count", filter=Q(work=DayRunSlice.Work.DONE), default=0),
        workers=Count("claimed_by", filter=Q(work=DayRunSlice.Work.RUNNING), distinct=True),
    )
    took = ((run.finished_at or now) - run.started_at).total_seconds()
    speed = round(counted["loans"] / took) if counted["loans"] and took > 0 else None
    is_running = run.state == DayRun.State.RUNNING
    return Progress(
        slices=run.slice_count,
        slices_done=counted["done"],
        loans=run.loan_count,
        loans_done=counted["loans"],
        workers=counted["workers"],
        loans_a_second=speed,
        left=timedelta(seconds=(run.loan_count - counted["loans"]) // speed)
        if speed and is_running
        else None,
        failing=tuple(run.slices.exclude(error="").order_by("number").values_list("error", flat=True)[:5]),
    )


@dataclass(frozen=True, slots=True)
class TotalLine:
    """One line of the control totals; money in minor units."""

    tier: str
    institution: str
    currency: str
    component: int
    opening: int
    disbursed: int
    raised: int
    capitalised: int
    settled: int
    reduced: int
    written_off: int
    closing: int
    earlier: int


def totals_of(run: DayRun, *, by_institution: bool) -> list[TotalLine]:
    """The control totals of a run by tier, currency and component, institution or not; none of zeros."""
    keys = ["tier", "currency", "component"]
    if by_institution:
        keys.insert(1, "institution__name")
    names = {one.name: named(one) for one in Institution.objects.all()} if by_institution else {"": ""}
    sums = {name: Sum(f"{'earlier_periods' if name == 'earlier' else name}_minor") for name in TOTALS}
    rows = ControlTotal.objects.filter(run=run).values(*keys).annotate(**sums).order_by("-tier", *keys[1:])
    return [
        TotalLine(
            tier=Tier(row["tier"]).value,
            institution=names[row.get("institution__name", "")],
            currency=row["currency"],
            component=row["component"],
            **{name: row[name] for name in TOTALS},
        )
        for row in rows
        if any(row[name] for name in TOTALS)
    ]


@dataclass(frozen=True, slots=True)
class CarriedLoan:
    """A loan whose facts contradict each other; its figures are those of an earlier close."""

    loan_id: int
    number: str
    institution: str
    tier: str
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class Unruled:
    """Loans of an institution and size that no policy covered, for class, provision or both."""

    institution: str
    tier: str
    size_tier: str
    without_class: int
    without_provision: int
    outstanding_minor: int


def carried_loans(run: DayRun, *, at_most: int) -> list[CarriedLoan]:
    """The loans a run carried, by institution and number."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT s.loan_id, l.number, {name_column("i")}, s.tier, s.outstanding_minor
              FROM repayments_arrearssnapshot s JOIN lending_loan l ON l.id = s.loan_id
              JOIN partners_institution i ON i.id = s.institution_id
             WHERE s.business_date = %s AND s.run_id = %s AND s.state = 'failed'
             ORDER BY i.name, l.number LIMIT %s
            """,
            [run.business_date, run.pk, at_most],
        )
        return [CarriedLoan(*row) for row in cursor.fetchall()]


def unruled_loans(run: DayRun) -> list[Unruled]:
    """Loans without a policy, counted by institution, tier and size of enterprise as known then."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {name_column("i")}, s.tier, coalesce(p.size_tier, ''),
                   count(*) FILTER (WHERE s.classification_policy_id <= 0),
                   count(*) FILTER (WHERE s.provision_policy_id <= 0), sum(s.outstanding_minor)::bigint
              FROM repayments_arrearssnapshot s JOIN partners_institution i ON i.id = s.institution_id
              LEFT JOIN LATERAL (
                  SELECT size_tier FROM lending_loanprofile
                   WHERE loan_id = s.loan_id AND effective_date <= %(day)s AND booking_id <= %(known)s
                   ORDER BY effective_date DESC, booking_id DESC, id DESC LIMIT 1) p ON true
             WHERE s.business_date = %(day)s AND s.run_id = %(run)s AND s.state = 'computed'
               AND (s.classification_policy_id <= 0 OR s.provision_policy_id <= 0)
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
            """,
            {"day": run.business_date, "known": run.last_booking_id, "run": run.pk},
        )
        return [Unruled(*row) for row in cursor.fetchall()]
