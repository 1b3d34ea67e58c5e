"""The auditor's workbook: it agrees with what we report, and shows a poisha that is wrong where it is."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import openpyxl
import pytest

from calc.allocation import Order, Source
from calc.calendar import EVERY_DAY
from calc.daycount import DayCount, year_fraction
from calc.money import Rounding, RoundingMode
from calc.schedule import Method, Terms, write_terms
from reports.builders.recalculation_rows import PenalRow, PeriodRow, PlanRow, Recalculation
from reports.builders.workings import rebuild_plan, workings
from reports.render.recalculation import render_recalculation
from reports.render.recalculation_cells import Formula, number, rounded
from tests.reports.books import Book
from tests.reports.spreadsheet import computed, differing
from tests.reports.worked import recalculation

AS_OF = date(2025, 7, 15)


@pytest.mark.parametrize("which", ["wholesale", 0, 3, 8, 11])
def test_the_sheet_agrees_with_what_we_report(
    book: Book, as_foundation: Callable[..., Any], which: str | int
) -> None:
    loan = book.wholesale if isinstance(which, str) else book.subloans[which]
    content = as_foundation("auditor").get(f"/reports/loans/{loan.pk}/recalculation.xlsx").content
    shown = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    assert shown["Result"]["B4"].value == 0
    assert differing(shown) == []
    assert all(str(cell.value).startswith("=") for cell in formulas["Dues"]["K"][1:])
    assert all(str(cell.value).startswith("=") for cell in formulas["Periods"]["J"][1:] if cell.value)
    assert [row[4] for row in shown["Result"].iter_rows(min_row=7, values_only=True)].count("yes") >= 13


def test_the_same_books_give_the_same_workbook(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("auditor")
    address = f"/reports/loans/{book.wholesale.pk}/recalculation.xlsx"
    assert client.get(address).content == client.get(address).content


def test_in_bangla_too(book: Book, as_foundation: Callable[..., Any]) -> None:
    client = as_foundation("auditor")
    address = f"/reports/loans/{book.subloans[8].pk}/recalculation.xlsx"
    client.cookies["django_language"] = "bn"
    content = client.get(address).content
    again = computed({"bn": content})["bn"]
    assert again["Result"]["B4"].value == 0
    assert differing(again) == []
    pages = [again[name] for name in again.sheetnames if name not in ("Result", "Inputs")]
    heads = [str(cell.value) for page in pages for cell in page[1] if cell.value]
    assert len(heads) > 80
    assert [head for head in heads if head.isascii()] == []


def usual(**changes: Any) -> Recalculation:
    """Ten lakh at 9 % over six months, paid late, in part and too much."""
    terms = Terms(
        method=Method.EQUAL_INSTALMENT,
        instalments=6,
        day_count=DayCount.ACT_365F,
        principal_minor=100_000_000,
        annual_rate=Decimal(9),
        disbursed_on=date(2025, 1, 15),
    )
    receipts = [
        (date(2025, 2, 20), 17_104_000),
        (date(2025, 3, 15), 9_000_000),
        (date(2025, 4, 1), 60_000_000),
    ]
    return replace(recalculation(terms, receipts, Order.OLDEST_FIRST, AS_OF), **changes)


def with_nights() -> Recalculation:
    """The same, not paid: penal interest of three nights at 2 %, and interest by the day of one period."""
    sheet = usual(receipts=[], allocations=[])
    first = min(due.late_on for due in sheet.plan)
    owed = sum(due.minor for due in sheet.plan if due.instalment == 1)
    nights, before = [], 0
    for day in (1, 2, 3):
        total = round(Fraction(owed * 2 * day, 100 * 365))
        on = date.fromordinal(first.toordinal() + day)
        nights.append(PlanRow(1, 1, 2, on, on, on, total - before, 1, None, 0, True))
        before = total
    interest = PlanRow(1, 1, 3, first, first, first, 764_384, 1, None, 0, True)
    plan = [due for due in sheet.plan if due.component == 4] + [interest, *nights]
    as_of = date.fromordinal(first.toordinal() + 3)
    owed_now = sum(due.minor for due in plan if due.instalment == 1)
    return replace(
        sheet,
        as_of=as_of,
        plan=sorted(plan, key=lambda due: (due.late_on, due.instalment, due.component)),
        is_daily=True,
        periods=[PeriodRow(1, date(2025, 1, 15), first, first)],
        penal=[PenalRow(date(1970, 1, 1), Decimal(3), Decimal(2))],
        raised_to=as_of,
        reported={
            "outstanding": 100_000_000,
            "overdue": owed_now - nights[-1].minor,
            "advance": 0,
            "days": 3,
        },
    )


def one_poisha_more(sheet: Recalculation, at: Callable[[PlanRow], bool]) -> Recalculation:
    """The books with a due that is a poisha too large."""
    wrong = next(due for due in sheet.plan if at(due))
    plan = [replace(due, minor=due.minor + 1) if due is wrong else due for due in sheet.plan]
    return replace(sheet, plan=plan)


def planted() -> dict[str, tuple[Recalculation, str]]:
    """Books with one thing wrong, and the sheet on which it must show."""
    sheet, nights = usual(), with_nights()
    pieces = list(sheet.allocations)
    direct = next(at for at, one in enumerate(pieces) if one.source == Source.RECEIPT and one.component == 4)
    moved = [*pieces]
    moved[direct] = replace(moved[direct], minor=moved[direct].minor - 1)
    other = next(at for at, one in enumerate(pieces) if at != direct and one.source == Source.RECEIPT)
    moved[other] = replace(moved[other], minor=moved[other].minor + 1)
    held = next(
        at for at, one in enumerate(pieces) if one.receipt == 3 and one.source == 2 and one.component == 4
    )
    by_another = [*pieces]
    by_another[held] = replace(by_another[held], receipt=1)
    late = [*sheet.receipts]
    late[2] = replace(late[2], on=date(2025, 5, 20))
    return {
        "interest": (one_poisha_more(sheet, lambda due: due.component == 3), "Periods: interest"),
        "principal": (one_poisha_more(sheet, lambda due: due.component == 4), "Periods: principal"),
        "settlement": (replace(sheet, allocations=moved), "Rows of settlement"),
        "whose-advance": (replace(sheet, allocations=by_another), "Rows of settlement"),
        "unbooked": (
            replace(sheet, allocations=[*pieces[:1], *pieces[2:]]),
            "Settlement: events against the books",
        ),
        "receipt-date": (replace(sheet, receipts=late), "Rows of settlement"),
        "order": (replace(sheet, rule=Order.PRINCIPAL_FIRST), "Rows of settlement"),
        "outstanding": (
            replace(sheet, reported={**sheet.reported, "outstanding": 1}),
            "Principal outstanding",
        ),
        "days": (replace(sheet, reported={**sheet.reported, "days": 9}), "Days past due"),
        "night": (
            one_poisha_more(nights, lambda due: due.component == 2),
            "What late money bears, night by night",
        ),
        "by-the-day": (one_poisha_more(nights, lambda due: due.component == 3), "Interest by the day"),
        "rate": (replace(nights, rates=[(date(2025, 1, 15), Decimal("9.01"))]), "Interest by the day"),
    }


def test_what_is_wrong_in_the_books_shows_on_its_sheet_and_what_is_right_does_not() -> None:
    books = planted()
    made = {name: render_recalculation(sheet) for name, (sheet, _where) in books.items()}
    made |= {"right": render_recalculation(usual()), "nights": render_recalculation(with_nights())}
    again = computed(made)
    for name in ("right", "nights"):
        assert differing(again[name]) == [], name
        assert again[name]["Result"]["B4"].value == 0
    for name, (_sheet, where) in books.items():
        assert where in differing(again[name]), name
        assert again[name]["Result"]["B4"].value > 0
        (line,) = [row for row in again[name]["Result"].iter_rows(values_only=True) if row[0] == where]
        if line[5]:
            sheet, column = str(line[5]).split("!")
            assert [cell.value for cell in again[name][sheet][column][1:] if cell.value], name
        stored = openpyxl.load_workbook(io.BytesIO(made[name]), data_only=True)
        assert differing(stored) == differing(again[name]), name


@pytest.mark.parametrize(
    ("amount", "mode", "quantum", "comes_to"),
    [
        ("2.345", RoundingMode.HALF_UP, 1, "2.35"),
        ("2.345", RoundingMode.HALF_EVEN, 1, "2.34"),
        ("2.355", RoundingMode.HALF_EVEN, 1, "2.36"),
        ("2.341", RoundingMode.UP, 1, "2.35"),
        ("2.34", RoundingMode.UP, 1, "2.34"),
        ("2.349", RoundingMode.DOWN, 1, "2.34"),
        ("102.5", RoundingMode.HALF_UP, 500, "105"),
        ("102.5", RoundingMode.HALF_EVEN, 500, "100"),
        ("107.5", RoundingMode.HALF_EVEN, 500, "110"),
        ("101", RoundingMode.UP, 1000, "110"),
        ("109.99", RoundingMode.DOWN, 1000, "100"),
        ("0.5", RoundingMode.HALF_EVEN, 100, "0"),
    ],
)
def test_each_rounding_in_a_formula(amount: str, mode: RoundingMode, quantum: int, comes_to: str) -> None:
    assert rounded(number(Decimal(amount)), Rounding(mode, quantum)).value == Fraction(comes_to)


def test_brackets_stand_where_they_must() -> None:
    one, two, three = (Formula(name, Fraction(at)) for at, name in enumerate("ABC", start=1))
    assert (one - (two + three)).text == "A-(B+C)"
    assert ((one + two) * three / (one * two)).text == "(A+B)*C/(A*B)"
    assert ((one - two) - three).text == "A-B-C"
    assert (one / two / three).text == "A/B/C"
    assert year_fraction(date(2025, 1, 1), date(2025, 4, 1), DayCount.ACT_360) == Fraction(1, 4)


def test_the_page_names_the_instalment_whose_figure_its_terms_do_not_give() -> None:
    sheet = usual()
    terms = sheet.versions[0].terms
    assert terms is not None
    booked = {
        kind: {due.instalment: due.minor for due in sheet.plan if due.component == kind} for kind in (3, 4)
    }
    right = rebuild_plan(write_terms(terms), EVERY_DAY, booked[3], booked[4])
    assert right is not None
    assert (right.differing, len(workings(right))) == (frozenset(), 6)
    wrong = rebuild_plan(write_terms(terms), EVERY_DAY, booked[3] | {2: booked[3][2] + 1}, booked[4])
    assert wrong is not None
    assert (wrong.differing, len(workings(wrong))) == (frozenset({2}), 5)
    missing = rebuild_plan(write_terms(terms), EVERY_DAY, booked[3], booked[4] | {7: 1})
    assert missing is not None
    assert missing.differing == {7}
    assert rebuild_plan({}, EVERY_DAY, booked[3], booked[4]) is None
