"""The loan page after events: every version readable, every working shown, every receipt explained."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import openpyxl
import pytest
from lxml import html

from calc.money import Component
from daybook.selectors import known_by
from lending.models import Loan
from reports.builders.objects import Asked
from reports.builders.settling import Why
from reports.services.loan_page import LoanView, make_loan_page
from tests.conftest import ActingClient
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, made, pay, pay_all_due, wanted
from tests.reports.spreadsheet import differing

E, LATER = date(2026, 2, 10), date(2026, 3, 15)
Enter = Callable[..., ActingClient]


@pytest.fixture
def world(db: None) -> World:
    """People, an agreement, an allotment."""
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    """One crore, paid on the day up to February 2026; then a part-prepayment and a change of rate."""
    loan = world.loan()
    go_to(E)
    pay_all_due(world, loan, E)
    made(
        world,
        wanted("prepayment", loan, E, amount_minor=200_000_000, effect="instalment", reference="RTGS 7"),
        reason="Borrower sold a machine",
    )
    go_to(LATER)
    made(
        world,
        wanted("rate_change", loan, LATER, annual_rate="2.5", effect="instalment"),
        reason="New circular",
    )
    return loan


def shown(loan: Loan, as_of: date) -> LoanView:
    """The page as of a date, known by the open day."""
    return make_loan_page(loan, Asked(as_of, known_by(LATER)))


def test_versions_stand_newest_first_with_what_replaced_them_and_why(loan: Loan) -> None:
    view = shown(loan, LATER)
    assert [version.schedule.version for version in view.versions] == [3, 2, 1]
    newest, second, first = view.versions
    assert newest.is_in_force
    assert newest.event is not None
    assert newest.event.reason == "New circular"
    assert second.replaced_by == newest.schedule
    assert second.event is not None
    assert second.event.reason == "Borrower sold a machine"
    kept = [row.number for row in first.rows if not row.taken_back_by]
    assert kept
    assert all(row.taken_back_by == 2 for row in first.rows if row.number not in kept)
    assert sum(row.principal_minor for row in first.rows) == loan.principal_minor


def test_as_of_a_day_before_an_event_the_plan_before_it_is_in_force(loan: Loan) -> None:
    before = shown(loan, date(2026, 2, 9))
    assert [version.schedule.version for version in before.versions] == [1]
    assert not any(row.taken_back_by for row in before.versions[0].rows)
    assert [version.schedule.version for version in shown(loan, E).versions] == [2, 1]


def test_every_instalment_of_every_version_shows_a_working_that_comes_to_its_interest(loan: Loan) -> None:
    view = shown(loan, LATER)
    rows = [row for version in view.versions for row in version.rows if row.interest_minor]
    assert len(rows) > 10
    for row in rows:
        assert row.working is not None, row
        assert row.working.interest_minor == row.interest_minor
        assert abs(row.working.other_minor) <= 1
    for instalment in view.instalments:
        if instalment.interest_minor:
            assert instalment.working is not None
            assert instalment.working.interest_minor == instalment.interest_minor
    split = [row for row in view.versions[0].rows if row.working and len(row.working.stretches) > 1]
    assert split, "a change of rate in the middle of a period parts it"
    rates = {part.rate_percent for part in split[0].working.stretches} if split[0].working else set()
    assert len(rates) == 2


def test_a_receipt_says_what_it_met_why_and_what_was_left(world: World, loan: Loan) -> None:
    pay(world, loan, LATER, 500_000_000, "BIG")
    view = shown(loan, LATER)
    big = next(row for row in view.receipts if row["external_reference"] == "BIG")
    pieces = big["pieces"]
    assert sum(piece.amount_minor for piece in pieces if not piece.from_advance) == 500_000_000
    assert pieces[-1].why is Why.HELD
    assert pieces[-1].component == Component.ADVANCE
    prepaid = next(row for row in view.receipts if row["external_reference"] == "RTGS 7")["pieces"]
    assert prepaid[-1].left_minor == 0
    assert {piece.why for piece in prepaid} == {Why.DUE}
    assert prepaid[-1].component == Component.PRINCIPAL


def test_the_page_reads_in_every_language_and_the_workbook_agrees(loan: Loan, as_foundation: Enter) -> None:
    client = as_foundation("auditor")
    address = f"/reports/loans/{loan.pk}/?as_of={LATER}&known_by={LATER}"
    page = html.fromstring(client.get(address).content.decode())
    told = " ".join(" ".join(str(part) for part in page.itertext()).split())
    for words in (
        "Borrower sold a machine",
        "replaced by version 3",
        "taken back by version 2",
        "how it went",
    ):
        assert words in told
    content = client.get(
        f"/reports/loans/{loan.pk}/recalculation.xlsx?as_of={LATER}&known_by={LATER}"
    ).content
    shown = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    assert differing(shown) == []
    assert shown["Result"]["B4"].value == 0
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    assert formulas["Allocations"].max_row > 5
    assert str(formulas["Receipts"]["H2"].value).startswith("=ROUND(SUMIFS(Settling!")
