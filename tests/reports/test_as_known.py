"""As of a date, as known then and as known now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

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
    acts = sorted(str(row.cells[2]) for row in found.bookings.rows)
    assert acts == ["Receipt: posted", "Receipt: reversed"]
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


class TestTheListsBehindAComparison:
    def address(self, name: str, **more: str) -> str:
        asked = {"as_of": FIRST_CLOSE, "known_by": SECOND_CLOSE, "compare": FIRST_CLOSE} | more
        return f"/reports/portfolio/{name}/?{urlencode(asked)}"

    def test_every_loan_that_differs_can_be_narrowed_and_taken_away(
        self, book: Book, as_foundation: Callable[..., Any]
    ) -> None:
        auditor = as_foundation("auditor")
        page = auditor.get(self.address("differing-loans"))
        rows = page.context["table"].data.data
        assert {row["number"] for row in rows} == {book.subloans[0].number, book.subloans[8].number}
        assert f"known_by={SECOND_CLOSE.isoformat()}" in rows[0]["address"]
        assert not auditor.get(self.address("differing-loans", tier="wholesale")).context["table"].data.data
        one = auditor.get(self.address("differing-loans", q=book.subloans[8].number[-3:]))
        assert [row["number"] for row in one.context["table"].data.data] == [book.subloans[8].number]
        file = auditor.get(self.address("differing-loans", export="csv")).content.decode("utf-8-sig")
        assert book.subloans[0].number in file
        assert book.subloans[8].number in file

    def test_every_booking_between_leads_to_its_page(
        self, book: Book, as_foundation: Callable[..., Any]
    ) -> None:
        page = as_foundation("auditor").get(self.address("differing-bookings"))
        rows = page.context["table"].data.data
        assert sorted(row["purpose"] for row in rows) == ["Receipt: posted", "Receipt: reversed"]
        assert all(f"/reports/bookings/{row['id']}/" in page.content.decode() for row in rows)

    def test_a_partner_sees_its_own_only(self, book: Book, as_partner: Callable[..., Any]) -> None:
        theirs = as_partner(book.world.other_bank, "viewer").get(self.address("differing-loans"))
        assert not theirs.context["table"].data.data

    def test_without_a_second_date_it_is_the_portfolio(
        self, book: Book, as_foundation: Callable[..., Any]
    ) -> None:
        answer = as_foundation("auditor").get("/reports/portfolio/differing-loans/?as_of=2025-06-30")
        assert (answer.status_code, answer.url) == (302, "/reports/portfolio/")
