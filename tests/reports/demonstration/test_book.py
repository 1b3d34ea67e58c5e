"""The demonstration's book has the programme's published size, and comes out of its seed alone."""

from __future__ import annotations

from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest

from calc.allocation import Receipts, allocate
from calc.arrears import measure
from lending.services.reference import REFERENCE
from partners.services.reference import read_csv
from reports.demonstration.book import Book, draw_book
from reports.demonstration.borrowers import STEP_MINOR, fit_to_total
from reports.demonstration.cast import CLUSTERS, FULL_CAST, OFFERS, TOTAL_MINOR, WAVES, small_cast
from reports.demonstration.repaying import plans


@pytest.fixture(scope="module")
def book() -> Book:
    return draw_book(FULL_CAST)


def test_it_lends_185_crore_to_2800_entrepreneurs(book: Book) -> None:
    assert len(book.loans) == 2_800
    assert int(book.loans["amount_minor"].sum()) == TOTAL_MINOR


def test_women_get_thirty_percent_of_the_money_to_the_poisha(book: Book) -> None:
    women = book.loans.loc[book.loans["gender"] == "female", "amount_minor"]
    assert int(women.sum()) * 100 == TOTAL_MINOR * 30


def test_every_loan_keeps_its_programmes_terms(book: Book) -> None:
    loans = book.loans
    for code, offer in OFFERS.items():
        mine = loans[loans["programme"] == code]
        ceiling = np.where(mine["is_machinery"], offer.max_machinery_taka, offer.max_taka) * 100
        assert (mine["amount_minor"] >= offer.min_taka * 100).all()
        assert (mine["amount_minor"].to_numpy() <= ceiling).all()
        assert (mine["amount_minor"] % STEP_MINOR == 0).all()
        assert (mine["annual_rate"] <= offer.borrower_rate).all()


def test_the_first_round_lends_at_least_thirty_percent_in_loans_up_to_ten_lakh(book: Book) -> None:
    first = book.loans[book.loans["programme"] == "RF-1"]["amount_minor"]
    assert int(first[first <= 10_00_000_00].sum()) * 100 >= int(first.sum()) * 30


def test_tranches_cover_their_sub_loans_by_less_than_a_lakh_each(book: Book) -> None:
    lent = int(book.loans["amount_minor"].sum())
    drawn = sum(drawing.amount_minor for drawing in book.drawings)
    assert 0 <= drawn - lent < len(book.drawings) * 1_00_000_00


def test_money_is_on_lent_after_its_tranche_came_and_before_its_list(book: Book) -> None:
    came = {drawing.key: drawing.value_date for drawing in book.drawings}
    keys = book.loans["request"] + "-" + (book.loans["tranche"] + 1).astype(str)
    assert (keys.map(came) < book.loans["disbursed_date"]).all()
    assert (book.loans["disbursed_date"] <= book.loans["list_on"]).all()


def test_every_borrower_is_plainly_synthetic(book: Book) -> None:
    assert book.loans["person_name"].str.startswith("Synthetic Borrower").all()
    assert book.loans["person_name_bn"].str.startswith("কৃত্রিম").all()
    assert book.loans["nid"].str.fullmatch(r"99000[0-9]{8}").all(), "no district has the code 99"
    assert book.loans["nid"].is_unique
    assert not book.loans.duplicated(["player", "account"]).any()


def test_clusters_are_those_of_the_reference_data() -> None:
    known = {row["code"]: row for row in read_csv(REFERENCE / "clusters.csv")}
    for fact in CLUSTERS.values():
        assert known[fact.code]["sector"] == fact.sector
        assert known[fact.code]["district"] in (fact.district, ""), fact.code
        assert known[fact.code]["status"] == "confirmed", fact.code


def test_a_seed_gives_the_same_book_and_another_seed_another() -> None:
    cast = small_cast(players=("BRAC", "SONALI"), last_month_end=date(2024, 12, 31), days=2)
    one, same, other = draw_book(cast, seed=7), draw_book(cast, seed=7), draw_book(cast, seed=8)
    pd.testing.assert_frame_equal(one.loans, same.loans)
    pd.testing.assert_frame_equal(one.receipts, same.receipts)
    assert one.files == same.files
    assert not one.loans["amount_minor"].equals(other.loans["amount_minor"])


def test_thirty_months_of_repayments_make_a_believable_book(book: Book) -> None:
    """PAR30 of the last close lies between 5 and 8 percent, and every bucket has somebody in it."""
    close = FULL_CAST.daily_closes[-1]
    keys, receipts = book.loans["key"].to_numpy(), book.receipts[book.receipts["file_on"] <= close]
    months = {(day.year, day.month) for day in receipts["value_date"]}
    assert len(months) >= 30
    dues = plans(book.loans).dues(keys)
    paid = allocate(
        dues,
        Receipts(
            loan=receipts["loan"].to_numpy(),
            receipt=np.arange(len(receipts)),
            value_date=receipts["value_date"].to_numpy(dtype="datetime64[D]"),
            amount=receipts["amount_minor"].to_numpy(),
        ),
    )
    arrears = measure(dues, paid.settled(np.datetime64(close)), close, loans=keys)
    outstanding, late = arrears.outstanding_principal, arrears.days_past_due > 30
    assert 5 <= 100 * int(outstanding[late].sum()) / int(outstanding.sum()) <= 8
    assert set(arrears.bucket.tolist()) == set(range(7))


def test_nobody_pays_before_the_loan_or_after_the_last_date(book: Book) -> None:
    disbursed = book.loans.set_index("key")["disbursed_date"]
    assert (book.receipts["value_date"] > book.receipts["loan"].map(disbursed)).all()
    assert (book.receipts["value_date"] <= FULL_CAST.business_date).all()
    assert (book.receipts["value_date"] <= book.receipts["file_on"]).all()
    assert not book.receipts.duplicated(["player", "reference"]).any()


def test_business_dates_follow_each_other_and_hold_every_act() -> None:
    dates = FULL_CAST.business_dates
    assert list(dates) == sorted(set(dates))
    acts = {
        day for wave in WAVES.values() for day in (wave.apply_on, wave.decide_on, wave.draw_on, *wave.list_on)
    }
    assert acts <= set(dates)


def test_sizes_are_fitted_to_the_poisha_or_refused() -> None:
    random = Random(1)  # noqa: S311  # repeatable on purpose
    drawn, low, high = np.array([3.0, 1.0, 1.0]), np.full(3, STEP_MINOR), np.full(3, 10 * STEP_MINOR)
    fitted = fit_to_total(drawn, 11 * STEP_MINOR, low, high, random)
    assert int(fitted.sum()) == 11 * STEP_MINOR
    assert fitted[0] == fitted.max()
    with pytest.raises(ValueError, match="cannot come to"):
        fit_to_total(drawn, 31 * STEP_MINOR, low, high, random)
