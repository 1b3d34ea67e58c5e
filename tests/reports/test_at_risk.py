"""Portfolio at risk, and + R: rescheduled loans count as at risk though they are not late any more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from daybook.formats import percent
from lending.models import Loan
from repayments.models import ReschedulePolicy
from repayments.services.policies import load_policies
from reports.builders.portfolio import figures_by
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, made, wanted

OWED = ("overdue_charge_minor", "overdue_penal_minor", "overdue_interest_minor", "overdue_principal_minor")
RESCHEDULED_ON, LATER = date(2026, 11, 10), date(2026, 11, 20)


def loans(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """Outstanding, days past due, times rescheduled."""
    frame = pd.DataFrame(rows, columns=["outstanding_minor", "days_past_due", "rescheduled_count"])
    return frame.assign(**dict.fromkeys(OWED, 0), provision_minor=0, provision_policy_id=1)


def test_a_rescheduled_loan_is_at_risk_at_every_bound_once() -> None:
    figures = figures_by(loans((100, 0, 0), (200, 31, 0), (300, 0, 1), (400, 95, 2), (0, 0, 1)))[None]
    assert [figures.par(days).part for days in (30, 60, 90)] == [600, 400, 400]
    assert [figures.par(days, plus_r=True).part for days in (30, 60, 90)] == [900, 700, 700]
    assert figures.par(30, plus_r=True).whole == 1000
    assert figures.rescheduled == 2, "one that owes nothing is no part of the portfolio"


@pytest.fixture
def world(db: None) -> World:
    """People, an agreement, an allotment."""
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    """A crore nobody paid, rescheduled in November 2026: not late any more."""
    made_loan = world.loan()
    officer, approver = world.people["officer"], world.people["approver"]
    load_policies(booking=world.booking(), proposed_by=officer, approved_by=approver)
    go_to(RESCHEDULED_ON)
    ReschedulePolicy.objects.create(
        code="T-RS", reference="Board", tier="wholesale", applies_to="any", event="reschedule",
        from_date=date(2020, 1, 1), confidence="K", times=1, special_times=2, tenor_months=[36, 24],
        down_payment_percent=[Decimal(2), Decimal(4)], proposed_by=officer, approved_by=approver,
        booking=world.booking(),
    )  # fmt: skip
    asked = wanted(
        "reschedule", made_loan, RESCHEDULED_ON, method="equal_principal", frequency="quarterly",
        instalments=8, annual_rate="3", moves_overdue=True,
        down_payment_minor=made_loan.principal_minor // 50, reference="DP 1",
    )  # fmt: skip
    made(world, asked)
    go_to(LATER)
    return made_loan


def test_the_portfolio_counts_it_only_where_r_is_asked_for(
    loan: Loan, as_foundation: Callable[..., Any]
) -> None:
    auditor = as_foundation("auditor")
    books = {"as_of": LATER.isoformat(), "known_by": LATER.isoformat()}
    page = auditor.get("/reports/portfolio/", books)
    figures = page.context["portfolio"].totals["wholesale"]
    assert figures.par(30).part == 0
    assert figures.par(30, plus_r=True).part == figures.outstanding_minor == loan.principal_minor * 49 // 50
    text = page.content.decode()
    assert "1 rescheduled (R)" in text
    assert f"+ R {percent(Decimal(100))}" in text
    assert "PAR30 +" not in text
    with_r = auditor.get("/reports/portfolio/", {**books, "plus_r": "1"})
    assert "PAR30 +\u00a0R" in with_r.content.decode()
    shares = with_r.context["portfolio"].report.tables[0].column("wholesale_par30_r")
    assert [share.part for share in shares] == [figures.outstanding_minor]


def test_the_loans_behind_the_figure_are_those_it_counts(
    loan: Loan, as_foundation: Callable[..., Any]
) -> None:
    asked = {"as_of": LATER.isoformat(), "known_by": LATER.isoformat(), "tier": "wholesale", "owing": "1"}
    auditor = as_foundation("auditor")
    found = {
        name: auditor.get("/reports/loans/", {**asked, **more}).context["count"]
        for name, more in {
            "late": {"late_over": "30"},
            "late or rescheduled": {"late_over": "30", "plus_r": "1"},
            "rescheduled": {"rescheduled": "1"},
        }.items()
    }
    assert found == {"late": 0, "late or rescheduled": 1, "rescheduled": 1}
    page = auditor.get(f"/reports/loans/{loan.pk}/", asked).content.decode()
    assert "rescheduled (R): 1" in page
