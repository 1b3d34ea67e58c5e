import pytest

from tests.calc.golden import CASES, FOLDER, grouped, render


@pytest.mark.parametrize("name", CASES)
def test_the_plan_is_the_signed_table(name: str) -> None:
    title, terms = CASES[name]
    assert render(title, terms) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_no_signed_table_is_left_without_its_terms() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} >= set(CASES)


@pytest.mark.parametrize(
    ("minor", "text"),
    [(0, "0.00"), (99_999, "999.99"), (1_23_45_678_90, "1,23,45,678.90"), (-100_000, "-1,000.00")],
)
def test_amounts_are_grouped_in_lakh_and_crore(minor: int, text: str) -> None:
    assert grouped(minor) == text
