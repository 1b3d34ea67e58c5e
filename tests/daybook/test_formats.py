"""Money, dates and words as people in Bangladesh write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import override
from djmoney.money import Money
from hypothesis import given
from hypothesis import strategies as st

from daybook import formats
from daybook.words import BANGLA, amount_in_words, number_in_words


@pytest.mark.parametrize(
    ("value", "english", "bangla"),
    [
        (Decimal(0), "0.00", "০.০০"),
        (Decimal("999.5"), "999.50", "৯৯৯.৫০"),
        (Decimal(1000), "1,000.00", "১,০০০.০০"),
        (Decimal(100000), "1,00,000.00", "১,০০,০০০.০০"),
        (Decimal("12345678.90"), "1,23,45,678.90", "১,২৩,৪৫,৬৭৮.৯০"),
        (Decimal(-1850000000), "−1,85,00,00,000.00", "−১,৮৫,০০,০০,০০০.০০"),
        (Money("25000000", "BDT"), "2,50,00,000.00", "২,৫০,০০,০০০.০০"),
    ],
)
def test_taka_is_grouped_by_lakh_and_crore(value: Money | Decimal, english: str, bangla: str) -> None:
    with override("en"):
        assert formats.taka(value) == english
    with override("bn"):
        assert formats.taka(value) == bangla


def test_zero_may_be_a_dash_and_no_amount_always_is() -> None:
    assert formats.taka(Decimal(0), zero="–") == "–"
    assert formats.taka(Decimal("0.01"), zero="–") == "0.01"
    assert formats.taka(None) == "–"


def test_a_format_never_hides_a_fraction_of_a_poisha_or_takes_a_float() -> None:
    with pytest.raises(ValueError, match="finer than a poisha"):
        formats.taka(Decimal("1.005"))
    with pytest.raises(TypeError):
        formats.taka(1.5)  # type: ignore[arg-type]


@given(st.integers(min_value=-(10**18), max_value=10**18))
def test_poisha_written_and_read_back_is_the_same(poisha: int) -> None:
    text = formats.taka_minor(poisha)
    assert Decimal(text.replace(",", "").replace(formats.MINUS, "-")) * 100 == poisha


def test_short_forms_round_half_up() -> None:
    assert formats.crore(Decimal(1850000000)) == "185.00\u00a0crore"
    assert formats.lakh(Decimal(250500)) == "2.51\u00a0lakh"
    assert formats.short(Decimal("99999.50")) == "1,00,000"
    assert formats.short(Decimal(100000)) == "1.00\u00a0lakh"
    assert formats.percent(Decimal("12.345")) == "12.35\u00a0%"
    assert formats.share(1, 3) == "33.3\u00a0%"
    assert formats.share(1, 0) == "–"
    with override("bn"):
        assert formats.crore(Decimal(1850000000)) == "১৮৫.০০\u00a0কোটি"


def test_the_currency_is_named_and_another_one_by_its_code() -> None:
    assert formats.tk(Decimal(5)) == "Tk\u00a05.00"
    assert formats.tk(Money("5", "USD")) == "USD\u00a05.00"
    with override("bn"):
        assert formats.tk(Decimal(5)) == "৳\u00a0৫.০০"


def test_dates_are_short_and_moments_are_in_dhaka() -> None:
    assert formats.day(date(2025, 9, 3)) == "3 Sep 2025"
    assert formats.day(datetime(2025, 6, 30, 19, 5, tzinfo=UTC)) == "1 Jul 2025, 01:05"
    with override("bn"):
        assert formats.day(date(2025, 9, 3)) == "৩ সেপ্টেম্বর ২০২৫"


@pytest.mark.parametrize(
    ("amount", "english", "bangla"),
    [
        ("0", "Taka zero only", "শূন্য টাকা মাত্র"),
        ("21", "Taka twenty-one only", "একুশ টাকা মাত্র"),
        ("500", "Taka five hundred only", "পাঁচশ টাকা মাত্র"),
        (
            "1250000.50",
            "Taka twelve lakh fifty thousand and fifty poisha only",
            "বারো লাখ পঞ্চাশ হাজার টাকা পঞ্চাশ পয়সা মাত্র",
        ),
        (
            "1850000000",
            "Taka one hundred eighty-five crore only",
            "একশ পঁচাশি কোটি টাকা মাত্র",
        ),
        ("-7", "Minus taka seven only", "ঋণাত্মক সাত টাকা মাত্র"),
    ],
)
def test_amounts_in_words(amount: str, english: str, bangla: str) -> None:
    assert amount_in_words(Decimal(amount), lang="en") == english
    assert amount_in_words(Decimal(amount), lang="bn") == bangla


def test_bangla_has_a_hundred_different_words() -> None:
    assert len(set(BANGLA)) == 100


@given(st.integers(min_value=0, max_value=10**13), st.integers(min_value=0, max_value=10**13))
def test_different_numbers_have_different_words(one: int, other: int) -> None:
    for lang in ("en", "bn"):
        assert (number_in_words(one, lang=lang) == number_in_words(other, lang=lang)) is (one == other)


def test_words_refuse_another_currency() -> None:
    with pytest.raises(ValueError, match="not in taka"):
        amount_in_words(Money("5", "USD"))
