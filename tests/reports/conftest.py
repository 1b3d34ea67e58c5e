"""The book every test here reads."""

import pytest

from tests.repayments.posting.conftest import own_database
from tests.reports.books import Book, make_book

__all__ = ["book", "own_database"]


@pytest.fixture
def book(db: None) -> Book:
    """One wholesale loan, twelve sub-loans, two closed days, one late receipt and one reversal."""
    return make_book()
