import pytest

from tests.calc.golden import DOCUMENT, FOLDER, in_document, tables
from tests.calc.stories import grouped

TABLES = tables()


@pytest.mark.parametrize("name", TABLES)
def test_what_calc_says_is_the_signed_table(name: str) -> None:
    assert TABLES[name] == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_the_arithmetic_document_repeats_the_signed_tables() -> None:
    shown = in_document(DOCUMENT.read_text(encoding="utf-8"))
    assert len(shown) > 10
    assert shown == {name: TABLES[name] for name in shown}


@pytest.mark.parametrize(
    ("minor", "text"),
    [(0, "0.00"), (99_999, "999.99"), (1_23_45_678_90, "1,23,45,678.90"), (-100_000, "-1,000.00")],
)
def test_amounts_are_grouped_in_lakh_and_crore(minor: int, text: str) -> None:
    assert grouped(minor) == text
