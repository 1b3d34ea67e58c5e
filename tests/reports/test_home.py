"""Home says where the money stands: both tiers for the foundation, an institution only its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from daybook.formats import taka_minor
from daybook.selectors import known_by
from repayments.models import DayRun
from reports.builders.objects import Asked
from reports.services.making import make_portfolio
from tests.reports.books import SECOND_CLOSE, Book

GLANCE = "/reports/glance/"


def figures(institution_id: int | None = None) -> list[str]:
    """What both tiers owe and have overdue at the latest close, as people read it."""
    facts = {"by": "institution", "currency": "BDT"}
    if institution_id is not None:
        facts["institution"] = str(institution_id)
    totals = make_portfolio(Asked(SECOND_CLOSE, known_by(SECOND_CLOSE)), facts).totals
    return [
        taka_minor(amount)
        for tier in ("wholesale", "subloan")
        for amount in (totals[tier].outstanding_minor, totals[tier].overdue_minor)
    ]


def test_the_foundation_reads_both_tiers_and_the_latest_close(
    book: Book, as_foundation: Callable[..., Any]
) -> None:
    text = as_foundation("finance_head").get(GLANCE).content.decode()
    assert "0.00" not in figures()[::2]
    for figure in figures():
        assert f">{figure}</a>" in text
    close = DayRun.objects.get(business_date=SECOND_CLOSE)
    assert f'href="/repayments/closes/{close.pk}/"' in text


def test_an_institution_reads_its_own_and_its_next_dues(book: Book, as_partner: Callable[..., Any]) -> None:
    mine = as_partner(book.world.bank, "viewer").get(GLANCE).content.decode()
    for figure in figures(book.world.bank.pk):
        assert f">{figure}</a>" in mine
    assert "Falls due next to the foundation" in mine
    assert "Latest close of day" not in mine
    other = as_partner(book.world.other_bank, "viewer").get(GLANCE).content.decode()
    assert figures(book.world.bank.pk)[0] not in other
    assert f"institution={book.world.bank.pk}&" not in other


def test_home_asks_for_the_panels_and_repeats_no_menu(book: Book, as_foundation: Callable[..., Any]) -> None:
    text = as_foundation("officer").get("/", follow=True).content.decode()
    assert f'hx-get="{GLANCE}"' in text
    assert text.count('href="/reports/loans/"') == 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [("2025-06-30", "30/06/2025"), ("30/06/2025", "30/06/2025"), ("৩০/০৬/২০২৫", "৩০/০৬/২০২৫")],
)
def test_a_date_is_shown_day_first_and_understood_as_written(
    book: Book, as_foundation: Callable[..., Any], written: str, shown: str
) -> None:
    text = as_foundation("officer").get("/reports/portfolio/", {"as_of": written}).content.decode()
    assert f'value="{shown}"' in text
    assert "As of 30 Jun 2025" in text


def test_a_date_that_is_none_is_refused_with_the_remedy(
    book: Book, as_foundation: Callable[..., Any]
) -> None:
    text = as_foundation("officer").get("/reports/portfolio/", {"as_of": "31/02/2025"}).content.decode()
    assert "Write a date of the calendar as dd/mm/yyyy" in text
