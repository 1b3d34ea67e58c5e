"""The files are messy in eight ways, and say nothing of what is planted in them."""

from __future__ import annotations

from datetime import date

import pytest

from repayments.parsing.read import read_file
from reports.demonstration.bad_files import End, bad_files
from reports.demonstration.book import Book, draw_book
from reports.demonstration.cast import FULL_CAST, PLAYERS, small_cast
from reports.demonstration.files import MISTAKES, BankFile, Kind, planted
from reports.demonstration.numerals import bangla, grouped, plain
from reports.demonstration.sheets import SHAPES


@pytest.fixture(scope="module")
def small() -> Book:
    return draw_book(
        small_cast(
            players=tuple(player.code for player in PLAYERS), last_month_end=date(2024, 12, 31), days=2
        )
    )


def sample(book: Book) -> list[BankFile]:
    """The first file of each kind from each institution."""
    first: dict[tuple[str, Kind], BankFile] = {}
    for file in book.files:
        first.setdefault((file.player.code, file.kind), file)
    return list(first.values())


def test_eight_institutions_write_in_eight_shapes() -> None:
    assert {player.shape for player in PLAYERS} == set(SHAPES)


def test_rows_stand_where_the_answer_key_says(small: Book) -> None:
    """Read by the system's own reader: the row numbers and the columns are those of the layout."""
    numbers = {drawing.key: "TR-000001" for drawing in small.drawings}
    for file in sample(small):
        content = file.write(institution="An institution", tranche_numbers=numbers)
        read = read_file(content, file_name=file.name, kind=file.kind.value)
        first_row, letters = file.layout
        assert list(read.cells.index) == [first_row + place for place in range(len(file.rows))], file.name
        found = {letter for letter, _heading in read.columns.values()}
        assert found == set(letters.values()), file.name


def test_the_same_book_gives_the_same_bytes(small: Book) -> None:
    for file in sample(small):
        once = file.write(institution="A", tranche_numbers={})
        assert once == file.write(institution="A", tranche_numbers={}), file.name


def test_a_spoiled_payment_comes_again_in_the_next_file(small: Book) -> None:
    """Whatever a mistake kept out is sent once more, so that no borrower suffers from a clerk's slip."""
    files = [file for file in small.files if file.kind is Kind.REPAYMENTS]
    for place, file in enumerate(files):
        later = [other for other in files[place + 1 :] if other.player == file.player]
        for row in file.rows:
            if (
                row.state in ("invalid", "unmatched")
                and later
                and not row.values["reference"].startswith("X")
            ):
                sound = [other.values["reference"] for other in later[0].rows]
                assert row.values["reference"] in sound, row.mistake


def test_every_kind_of_mistake_is_planted() -> None:
    book = draw_book(FULL_CAST)
    mistakes = {row.mistake for file, _place, row in planted(book.files) if file.kind is Kind.REPAYMENTS}
    assert len(mistakes) == len(MISTAKES)
    states = {row.state for _file, _place, row in planted(book.files)}
    assert states == {"invalid", "unmatched", "duplicate", "posted"}


def test_bad_files_end_in_each_way(small: Book) -> None:
    bad = bad_files(small.cast, small.files, names={player.code: player.code for player in PLAYERS})
    assert {file.end for file in bad} == set(End)
    assert max(len(file.content) for file in bad) < 1024 * 1024


def test_numbers_are_written_as_here() -> None:
    assert grouped(12_34_567_89) == "12,34,567.89"
    assert grouped(-5_00) == "-5.00"
    assert plain(5) == "0.05"
    assert bangla("31/12/2026") == "৩১/১২/২০২৬"
