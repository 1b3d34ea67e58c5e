"""What settling early may cost, by size of enterprise and by agreement."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from repayments.models import ChargePolicy
from repayments.selectors.fees import NoChargePolicy, early_fee
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

ON = date(2026, 6, 30)
TEN_LAKH = 10_00_000_00


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


@pytest.mark.parametrize(
    ("size", "fee", "policy"),
    [
        ("cottage", 0, "EARLY-CMS-2021"),
        ("micro", 0, "EARLY-CMS-2021"),
        ("small", 0, "EARLY-CMS-2021"),
        ("medium", 5_000_00, "EARLY-2021"),
        ("", 5_000_00, "EARLY-2021"),
    ],
)
def test_a_bank_may_take_half_a_percent_of_a_medium_enterprise_and_nothing_of_a_smaller_one(
    books: ClosingBooks, size: str, fee: int, policy: str
) -> None:
    loan = books.lend([(date(2026, 12, 31), TEN_LAKH)], disbursed=date(2025, 12, 31), size=size)
    found = early_fee(loan=loan, settled_minor=TEN_LAKH, on=ON)
    assert found.amount_minor == fee
    assert ChargePolicy.objects.get(pk=found.policy_id).code == policy


@pytest.mark.parametrize(
    ("agreed", "mode", "fee"),
    [
        ("0", "interest", 0),
        ("0.25", "interest", 2_500_00),
        ("2", "interest", 5_000_00),
        ("0.25", "murabaha", 0),
    ],
)
def test_an_institution_pays_what_it_agreed_but_never_more_than_the_limit(
    books: ClosingBooks, agreed: str, mode: str, fee: int
) -> None:
    loan = books.lend([(date(2026, 12, 31), TEN_LAKH)], disbursed=date(2025, 12, 31), tier="wholesale")
    loan.agreement.early_fee_percent, loan.agreement.contract_mode = Decimal(agreed), mode
    assert early_fee(loan=loan, settled_minor=TEN_LAKH, on=ON).amount_minor == fee


def test_a_bank_may_take_nothing_of_a_sale_paid_early(books: ClosingBooks) -> None:
    loan = books.lend([(date(2026, 12, 31), TEN_LAKH)], disbursed=date(2025, 12, 31), size="medium")
    loan.agreement.contract_mode = "murabaha"
    assert early_fee(loan=loan, settled_minor=TEN_LAKH, on=ON).amount_minor == 0


def test_before_there_was_a_limit_there_is_no_answer(books: ClosingBooks) -> None:
    loan = books.lend([(date(2021, 12, 31), TEN_LAKH)], disbursed=date(2020, 12, 31))
    with pytest.raises(NoChargePolicy, match="No limit of the fee"):
        early_fee(loan=loan, settled_minor=TEN_LAKH, on=date(2021, 6, 9))
