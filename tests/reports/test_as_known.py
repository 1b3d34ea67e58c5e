"""As of a date, as known then and as known now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from daybook.selectors import known_by
from daybook.services import Actor
from daybook.services import book as write_booking
from repayments.services.posting import post_receipts
from reports.builders.objects import Asked
from reports.services.comparing import compare_portfolios
from reports.services.making import make_loan_statement, make_portfolio
from tests.repayments.posting.books import receipts
from tests.reports.books import FIRST_CLOSE, LAKH_MINOR, SECOND_CLOSE, Book

BY = {"by": "institution", "currency": "BDT"}


def june(known: Any) -> Asked:
    return Asked(FIRST_CLOSE, known_by(known))


def test_a_late_receipt_changes_june_as_known_now_and_not_as_known_then(book: Book) -> None:
    then, now = make_portfolio(june(FIRST_CLOSE), BY), make_portfolio(june(SECOND_CLOSE), BY)
    assert then.totals["wholesale"] == now.totals["wholesale"]
    assert then.totals["subloan"].outstanding_minor > now.totals["subloan"].outstanding_minor


def test_the_difference_names_the_loans_and_the_bookings_that_made_it(book: Book) -> None:
    found = compare_portfolios(june(SECOND_CLOSE), june(FIRST_CLOSE), BY)
    assert {row.cells[0] for row in found.loans.rows} == {book.subloans[0].number, book.subloans[8].number}
    assert sorted(str(row.cells[2]) for row in found.bookings.rows) == ["receipt.post", "receipt.reverse"]
    assert found.bookings.column("received") == [None, 2 * LAKH_MINOR]
    assert found.totals.column("change")[:4] == [0, 0, 0, 0]  # the wholesale tier


def test_a_closed_day_answers_the_same_for_ever(book: Book) -> None:
    before = make_portfolio(june(FIRST_CLOSE), BY).report.checksum
    late = book.subloans[10]
    post_receipts(
        receipts=receipts((late, FIRST_CLOSE, LAKH_MINOR, "BFT-LATER-STILL")),
        booking=write_booking(purpose="receipt.post", actor=Actor(None, "Test")),
    )
    assert make_portfolio(june(FIRST_CLOSE), BY).report.checksum == before


def test_a_statement_shows_a_reversal_only_once_it_is_known(book: Book) -> None:
    facts = {"loan": str(book.subloans[0].pk)}
    then = make_loan_statement(june(FIRST_CLOSE), facts)
    now = make_loan_statement(june(SECOND_CLOSE), facts)
    assert (then.overdue_minor, then.closing_minor) == (0, 0)
    assert now.overdue_minor == now.closing_minor > 0
    assert len(now.report.table("account").rows) == len(then.report.table("account").rows) + 1


def test_a_statement_from_a_later_day_opens_where_the_earlier_part_ended(book: Book) -> None:
    asked = Asked(SECOND_CLOSE, known_by(SECOND_CLOSE))
    whole = make_loan_statement(asked, {"loan": str(book.subloans[8].pk)})
    part = make_loan_statement(asked, {"loan": str(book.subloans[8].pk), "from": "2025-07-01"})
    assert part.closing_minor == whole.closing_minor
    assert part.opening_minor + part.due_minor - part.received_minor == part.closing_minor
    assert part.opening_principal_minor < whole.accounts[0].header["principal_minor"]


def test_an_earlier_knowledge_is_labelled_a_projection(book: Book, as_foundation: Callable[..., Any]) -> None:
    asked = {"as_of": SECOND_CLOSE.isoformat(), "known_by": FIRST_CLOSE.isoformat()}
    page = as_foundation("auditor").get("/reports/portfolio/", asked)
    assert "A projection" in page.content.decode()


def test_a_date_beyond_the_books_is_refused_in_words(book: Book, as_foundation: Callable[..., Any]) -> None:
    page = as_foundation("auditor").get("/reports/portfolio/", {"known_by": "2031-01-01"})
    assert "nothing is known later" in page.content.decode()
