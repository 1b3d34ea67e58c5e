"""The tables of a loan as lists: sorted, exported, and with the way to the bookings behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from daybook.formats import from_minor
from lending.models import Loan
from repayments.models import Receipt
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, pay_all_due

TODAY = date(2026, 2, 10)
BOOKS = f"?as_of={TODAY.isoformat()}&known_by={TODAY.isoformat()}"


def paid_loan(**terms: Any) -> tuple[World, Loan]:
    world = make_world(**terms)
    loan = world.loan()
    go_to(TODAY)
    pay_all_due(world, loan, TODAY)
    return world, loan


@pytest.fixture
def loan(db: None) -> Loan:
    """Paid on the day up to February 2026."""
    return paid_loan()[1]


def rows_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_schedule_sorts_and_its_file_holds_every_instalment(
    loan: Loan, as_foundation: Callable[..., Any]
) -> None:
    auditor = as_foundation("auditor")
    page = auditor.get(f"/reports/loans/{loan.pk}/schedule/{BOOKS}&sort=-interest_minor")
    interest = [row.record.interest_minor for row in page.context["table"].rows]
    assert interest == sorted(interest, reverse=True)
    assert interest[0] > interest[-1]
    lines = rows_of(auditor.get(f"/reports/loans/{loan.pk}/schedule/{BOOKS}&export=csv"))
    head = next(at for at, line in enumerate(lines) if line and line[0] == "No.")
    assert lines[head][3:5] == ["Principal", "Interest"]
    body = lines[head + 1 : -1]
    assert len(body) == len(interest)
    assert lines[-1][3] == str(from_minor(loan.principal_minor)), "the foot adds the principal up"


def test_the_receipts_are_those_of_the_loan(loan: Loan, as_foundation: Callable[..., Any]) -> None:
    lines = rows_of(as_foundation("auditor").get(f"/reports/loans/{loan.pk}/receipts/{BOOKS}&export=csv"))
    references = {line[1] for line in lines if len(line) > 5}
    assert references >= set(Receipt.objects.filter(loan=loan).values_list("external_reference", flat=True))


def test_an_islamic_loan_s_schedule_says_profit(db: None, as_foundation: Callable[..., Any]) -> None:
    _world, loan = paid_loan(contract_mode="murabaha")
    text = as_foundation("auditor").get(f"/reports/loans/{loan.pk}/schedule/{BOOKS}&export=csv").content
    assert b"Profit" in text
    assert b"nterest" not in text


def test_the_page_leads_to_lists_and_bookings(
    loan: Loan, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    page = as_foundation("auditor").get(f"/reports/loans/{loan.pk}/{BOOKS}").content.decode()
    receipt = Receipt.objects.filter(loan=loan).latest("pk")
    for address in (
        f"/reports/loans/{loan.pk}/schedule/", f"/reports/loans/{loan.pk}/receipts/",
        f"/reports/bookings/{receipt.booking_id}/", f"/lending/tranches/{loan.tranche_id}/",
    ):  # fmt: skip
        assert f'href="{address}' in page, address
    theirs = as_partner(loan.institution, "viewer").get(f"/reports/loans/{loan.pk}/{BOOKS}").content.decode()
    assert f"/reports/bookings/{receipt.booking_id}/" not in theirs, "the foundation's booking"


def test_a_loan_on_which_nothing_is_raised_says_so(loan: Loan, as_foundation: Callable[..., Any]) -> None:
    answer = as_foundation("auditor").get(f"/repayments/loans/{loan.pk}/raised/?as_of={TODAY.isoformat()}")
    assert answer.status_code == 200
    assert "Nothing is raised on this loan: no instalment was late by 10 Feb 2026." in answer.content.decode()
