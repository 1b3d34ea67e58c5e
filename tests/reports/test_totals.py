"""One figure, wherever it is read: page, sheet, text, paper, database."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pypdf
import pytest
from django.db import connection

from daybook import formats
from reports.builders.wording import Dimension
from tests.reports.books import SECOND_CLOSE, Book, taka


def outstanding_in_the_database(tier: str) -> int:
    """Principal of the plan less principal settled, by plain SQL over all rows of the books."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT sum(d.amount_minor) FROM lending_due d JOIN lending_loan l ON l.id = d.loan_id
                     WHERE d.component = 4 AND l.tier = %(tier)s)
                 - coalesce((SELECT sum(a.amount_minor) FROM repayments_allocation a
                               JOIN lending_loan l ON l.id = a.loan_id
                              WHERE a.component = 4 AND l.tier = %(tier)s AND a.value_date <= %(on)s), 0)
            """,
            {"tier": tier, "on": SECOND_CLOSE},
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("by", [str(dimension) for dimension in Dimension])
def test_page_sheet_text_and_paper_say_what_the_database_holds(
    book: Book, as_foundation: Callable[..., Any], by: str
) -> None:
    client = as_foundation("auditor")
    page = client.get("/reports/portfolio/", {"by": by})
    totals = {tier: page.context["portfolio"].totals[tier] for tier in ("wholesale", "subloan")}
    for tier, figures in totals.items():
        assert figures.outstanding_minor == outstanding_in_the_database(tier)
        assert formats.taka_minor(figures.outstanding_minor) in page.content.decode()
    sheet = openpyxl.load_workbook(
        io.BytesIO(client.get("/reports/portfolio/", {"by": by, "export": "xlsx"}).content)
    ).worksheets[0]
    last = [cell.value for cell in next(r for r in sheet.iter_rows() if r[0].value == "Total of each tier")]
    exact = [taka(totals[tier].outstanding_minor) for tier in ("wholesale", "subloan")]
    assert [Decimal(str(last[2])), Decimal(str(last[9]))] == exact
    text = client.get("/reports/portfolio/", {"by": by, "export": "csv"}).content.decode("utf-8-sig")
    line = next(row for row in csv.reader(io.StringIO(text)) if row and row[0] == "Total of each tier")
    assert [line[2], line[9]] == [str(taka(figures.outstanding_minor)) for figures in totals.values()]
    paper = client.get("/reports/portfolio/", {"by": by, "export": "pdf", "lang": "en"}).content
    printed = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(paper)).pages)
    assert all(formats.taka_minor(figures.outstanding_minor) in printed for figures in totals.values())


def test_every_group_leads_to_the_loans_it_counts(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("officer")
    portfolio = client.get("/reports/portfolio/", {"by": "class"}).context["portfolio"]
    for value, _label, figures in portfolio.groups:
        for tier in ("wholesale", "subloan"):
            listed = client.get("/reports/loans/", {"tier": tier, "class": value, "owing": "1"})
            assert listed.context["count"] == figures[tier].loans


def test_a_statement_ends_where_the_loans_page_stands(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("officer")
    for loan in (book.wholesale, book.subloans[0], book.subloans[8], book.subloans[11]):
        view = client.get(f"/reports/loans/{loan.pk}/").context["view"]
        paper = client.get(f"/reports/loans/{loan.pk}/statement.pdf", {"lang": "en"}).content
        printed = "".join(sheet.extract_text() for sheet in pypdf.PdfReader(io.BytesIO(paper)).pages)
        assert formats.taka_minor(view.standing["outstanding_minor"]) in printed
        assert formats.taka_minor(view.overdue_minor) in printed
        assert view.totals.left_minor == view.totals.due_minor - view.totals.settled_minor


def test_the_institution_holds_what_it_drew_and_collected_less_what_it_lent_and_repaid(
    book: Book, as_foundation: Callable[..., Any]
) -> None:
    view = as_foundation("officer").get(f"/reports/institutions/{book.world.bank.pk}/").context["view"]
    collected = 60_000_000_00 // 10 - outstanding_in_the_database("subloan")
    assert view.holding.drawn_minor == 10_000_000_00
    assert view.holding.on_lent_minor == 6_000_000_00
    assert view.holding.collected_minor == collected
    assert view.holding.held_minor == 10_000_000_00 + collected - 6_000_000_00


def test_the_list_is_exported_exactly_as_filtered(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("officer")
    asked = {"tier": "subloan", "overdue": "1", "q": "Borrower 1"}
    seen = [row.cells[0].text for row in client.get("/reports/loans/", asked).context["rows"]]
    text = client.get("/reports/loans/", {**asked, "export": "csv"}).content.decode("utf-8-sig")
    exported = [row[0] for row in csv.reader(io.StringIO(text)) if row and row[0].startswith("SL-")]
    assert sorted(seen) == sorted(exported)
    assert len(seen) == 3
