"""The bank's own new plan through the page of an event: a file or pasted lines, hostile or mistyped."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from lxml import html

from lending.models import Loan, Schedule
from repayments.event_words import KINDS
from repayments.models import LoanEvent
from repayments.services.events.steps import approve
from tests.conftest import ActingClient
from tests.lending.world import World, make_world
from tests.repayments.events.test_supplied import E, plan_after, supplied
from tests.repayments.posting.books import check_guards

pytestmark = pytest.mark.django_db

HEADINGS = ("Instalment no.", "Due date", "Principal", "Interest")
LINES = ((1, date(2025, 4, 1), 40_000, 900), (2, date(2025, 6, 1), 32_000, 0))
AFTER = [(3, date(2025, 4, 1), 40_000_00, 900_00), (4, date(2025, 6, 1), 32_000_00, 0)]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def loan(world: World) -> Loan:
    return supplied(world)


@pytest.fixture
def officer(world: World, sign_in: Any) -> ActingClient:
    client: ActingClient = sign_in(world.people["officer"])
    return client


def workbook(*lines: tuple[Any, ...], headings: tuple[str, ...] = HEADINGS) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet("Plan")
    as_day = book.add_format({"num_format": "dd/mm/yyyy"})
    for row, line in enumerate((headings, *lines)):
        for column, value in enumerate(line):
            if isinstance(value, date):
                sheet.write_datetime(row, column, value, as_day)
            else:
                sheet.write(row, column, value)
    book.close()
    return content.getvalue()


def told(**more: Any) -> dict[str, Any]:
    return {
        "effective_date": E.isoformat(), "amount": "18000", "effect": "term", "interest": "carried",
        "received": "", "reference": "BANK 9", "reason": "Agreed with the borrower", "shown": "", "rows": "",
        **more,
    }  # fmt: skip


def page(loan: Loan, kind: str = "prepayment") -> str:
    return reverse("repayments:event-new", args=[kind, loan.pk])


def as_file(content: bytes, name: str = "new plan.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


class TestGiven:
    @pytest.mark.parametrize(
        "given",
        [
            {"plan_file": as_file(workbook(*LINES))},
            {"plan_file": as_file(b"Instalment,Due date,Principal,Interest\n1,01/04/2025,40000,900\n"
                                  b"2,01/06/2025,\"32,000.00\",0\n", "plan.csv")},
            {"rows": "1\t01/04/2025\t40,000.00\t900.00\n2\t2025-06-01\t32000\t0"},
            {"rows": "Due date;Instalment;Interest;Principal\n01/04/2025;1;900;40000\n01/06/2025;2;0;32000"},
        ],
        ids=["xlsx", "csv", "pasted", "pasted with headings"],
    )  # fmt: skip
    def test_is_seen_beside_the_old_one_then_proposed_without_sending_the_file_again(
        self, world: World, loan: Loan, officer: ActingClient, given: dict[str, Any]
    ) -> None:
        if "plan_file" in given:
            given["plan_file"].seek(0)
        answer = officer.post(page(loan), {**told(**given), "preview": "1"})
        assert answer.status_code == 200
        form = answer.context["form"]
        assert not form.errors
        text = answer.content.decode()
        assert "40,000.00" in text
        assert "own new plan" in text
        sent = told(rows=form["rows"].value(), shown=form["shown"].value())
        done = officer.post(page(loan), {**sent, "propose": "1"})
        assert done.status_code == 302, done.content.decode()
        event = LoanEvent.objects.get()
        approve(event_id=event.pk, actor=world.people["finance_head"])
        check_guards()
        assert plan_after(loan)[1:] == AFTER
        assert Schedule.objects.get(loan=loan, version=2).terms == {}

    def test_takes_the_place_of_the_terms_of_a_restructuring(
        self, world: World, loan: Loan, officer: ActingClient
    ) -> None:
        """All 1,20,000.00 anew, the overdue 30,000.00 moved in; its 1,200.00 of interest stands in it."""
        lines = [(1, date(2025, 6, 1), 60_000, 2_000), (2, date(2025, 12, 1), 60_000, 1_500)]
        sent = {
            "effective_date": E.isoformat(), "reason": "Agreed", "shown": "", "rows": "",
            "moves_overdue": "on", "preview": "1",
        }  # fmt: skip
        answer = officer.post(page(loan, "restructure"), {**sent, "plan_file": as_file(workbook(*lines))})
        form = answer.context["form"]
        assert not form.errors, form.errors
        done = officer.post(
            page(loan, "restructure"),
            {**sent, "rows": form["rows"].value(), "shown": form["shown"].value(), "propose": "1"},
        )
        assert done.status_code == 302
        event = LoanEvent.objects.get()
        assert "annual_rate" not in event.parameters
        approve(event_id=event.pk, actor=world.people["finance_head"])
        check_guards()
        assert plan_after(loan) == [
            (2, date(2025, 6, 1), 60_000_00, 2_000_00),
            (3, date(2025, 12, 1), 60_000_00, 1_500_00),
        ]
        version = Schedule.objects.get(loan=loan, version=2)
        assert (version.transferred_minor, version.principal_minor) == (30_000_00, 90_000_00)

    def test_interest_that_moves_cannot_vanish_in_it(self, loan: Loan, officer: ActingClient) -> None:
        lines = [(1, date(2025, 6, 1), 120_000, 1_199)]
        answer = officer.post(
            page(loan, "restructure"),
            {"effective_date": E.isoformat(), "reason": "Agreed", "moves_overdue": "on", "preview": "1",
             "plan_file": as_file(workbook(*lines))},
        )  # fmt: skip
        assert "of interest moves in" in str(answer.context["form"].errors["rows"])


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "name", "says"),
        [
            (workbook((1, date(2025, 4, 1), "forty", 900)), "plan.xlsx", "plan.xlsx, row 2, column C: "),
            (workbook((1, date(2025, 4, 1), 40_000, 900), (2, "32 June", 1, 1)), "p.xlsx", "row 3, column B"),
            (workbook((1, date(2025, 4, 1), -5, 900)), "plan.xlsx", "row 2, column C: The amount -5"),
            (workbook((1, date(2025, 4, 1), "=40000", 900)), "plan.xlsx", "row 2, column C: The cell holds"),
            (workbook((1, date(2025, 4, 1), 40_000)), "plan.xlsx", "row 2, column D: The cell is empty"),
            (workbook(*LINES, headings=("No", "Due date", "Principal", "Profit")), "plan.xlsx", "Instalment"),
            (workbook(*LINES, headings=("A", "B", "C", "D")), "plan.xlsx", "missing"),
            (b"", "plan.xlsx", "The file is empty"),
            (b"%PDF-1.7 something", "plan.xlsx", "a PDF document"),
            (b"<html><table></table></html>", "plan.xls", "a web page"),
            (b"PK\x03\x04" + b"\x00" * 200, "plan.xlsx", "damaged"),
            (b"\xff\xfe\x00\x00" * 9, "plan.csv", ""),
            (b"Instalment,Due date,Principal,Interest\n" + b"1,01/04/2025,1,1\n" * 601, "p.csv", "600 rows"),
            (b"Instalment,Due date,Principal,Interest\n1,01/04/2025,99999999999999999999,1\n", "p.csv", "C"),
            (b"Instalment,Due date,Principal,Interest\n99999,01/04/2025,1,1\n", "p.csv", "row 2, column A"),
        ],
    )
    def test_names_file_row_column_and_what_to_do(
        self, loan: Loan, officer: ActingClient, content: bytes, name: str, says: str
    ) -> None:
        answer = officer.post(page(loan), {**told(plan_file=as_file(content, name)), "preview": "1"})
        assert answer.status_code == 200
        (sentence,) = answer.context["form"].errors["plan_file"]
        assert name in sentence
        assert says in sentence
        assert not answer.context["preview"]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("1\t01/04/2025\tforty\t900", "row 1, column C"),
            ("1\t01/04/2025\t40000\t900\nx\t01/05/2025\t1\t1", "row 2, column A"),
            ("\x01\x02\n\x03", ""),
            ("one two three", "missing"),
            ("1", "row|missing|columns"),
            ("1\t01/04/2025\t40000\t900\n2\t01/03/2025\t32000\t0", "out of order"),
            ("1\t01/04/2025\t40000\t900", "does not repay"),
            ("7\t10/02/2025\t72000\t0", "not after"),
        ],
    )
    def test_pasted_lines_are_answered_for_by_line(
        self, loan: Loan, officer: ActingClient, text: str, says: str
    ) -> None:
        answer = officer.post(page(loan), {**told(rows=text), "preview": "1"})
        assert answer.status_code == 200
        (sentence,) = answer.context["form"].errors["rows"]
        assert any(word in sentence for word in says.split("|")), sentence
        assert not answer.context["preview"]

    def test_the_foundations_own_loan_has_no_such_field(self, world: World, officer: ActingClient) -> None:
        own = world.loan()
        answer = officer.get(page(own))
        assert {"rows", "plan_file"}.isdisjoint(answer.context["form"].fields)
        rows = "1\t01/04/2025\t40000\t900"
        answer = officer.post(page(own), {**told(rows=rows), "preview": "1"})
        assert "rows" not in answer.context["form"].cleaned_data

    def test_a_contract_without_interest_never_reads_of_it(self, sign_in: Any) -> None:
        world = make_world(contract_mode="ijara", grace_kind="none", grace_months=0)
        loan = supplied(world)
        officer = sign_in(world.people["officer"])
        for kind in KINDS:
            if kind == "moratorium":
                continue
            for code in ("en", "bn"):
                officer.cookies["language"] = code
                for answer in (
                    officer.get(page(loan, kind)),
                    officer.post(page(loan, kind), {**told(rows="1\t01/04/2025\tx\t900"), "preview": "1"}),
                ):
                    (main,) = html.fromstring(answer.content.decode()).iter("main")
                    said = " ".join(str(text) for text in main.itertext())
                    assert not re.search(r"interest|সুদ", said, re.IGNORECASE), (kind, code, said)

    def test_without_a_plan_a_restructuring_needs_its_terms(self, loan: Loan, officer: ActingClient) -> None:
        answer = officer.post(
            page(loan, "restructure"),
            {"effective_date": E.isoformat(), "reason": "Agreed", "rows": "", "preview": "1"},
        )
        assert {"annual_rate", "method", "frequency", "instalments"} <= set(answer.context["form"].errors)
