"""A list page: who may see it, what is found, added up and exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import django_tables2 as tables
import openpyxl
import pytest
from django.http import HttpResponse
from django.urls import path

from config import urls as real_urls
from daybook.lists import ListPage
from daybook.services import Actor, declare_holidays, open_books
from daybook.tables import DayColumn, MinorColumn, MoneyColumn, PaikarTable
from partners.access import FOUNDATION

pytestmark = pytest.mark.django_db
HOLIDAYS = "/daybook/holidays/"
SYSTEM = Actor(id=None, name="Test")


@dataclass(frozen=True)
class Row:
    name: str
    on: date
    principal: Decimal
    due_minor: int


ROWS = [
    Row("=HYPERLINK(1)", date(2025, 1, 5), Decimal("1250000.50"), 12_345),
    Row("-1+1", date(2025, 1, 6), Decimal("-20.00"), 0),
]


class RowTable(PaikarTable):
    name = tables.Column()
    principal = MoneyColumn(total=True)
    due_minor = MinorColumn(total=True, verbose_name="Due")
    on = DayColumn()

    class Meta(PaikarTable.Meta):
        sequence = ("name", "on", "principal", "due_minor")


class RowList(ListPage):
    required_roles = FOUNDATION
    title = "Rows"
    table_class = RowTable

    def get_rows(self) -> list[Any]:
        return ROWS


urlpatterns = [*real_urls.urlpatterns, path("rows/", RowList.as_view())]
handler403 = real_urls.handler403


@pytest.fixture
def holidays() -> None:
    open_books(first_date=date(2025, 6, 30))
    declare_holidays(
        days=[(date(2025, 1, 1) + timedelta(days=n), f"Holiday {n}", "ছুটি") for n in range(60)], actor=SYSTEM
    )


def sheet_of(answer: HttpResponse, name: str = "List") -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    return list(book[name].iter_rows(values_only=True))


def test_a_partner_may_not_open_a_page_of_the_foundation(as_partner: Any, institution: Any) -> None:
    answer = as_partner(institution).get(HOLIDAYS)
    assert answer.status_code == 403


def test_an_empty_list_says_what_would_be_here(as_foundation: Any) -> None:
    assert "No holiday is declared" in as_foundation().get(HOLIDAYS).text


def test_fifty_rows_a_page_and_every_row_on_one_page_only(as_foundation: Any, holidays: None) -> None:
    client = as_foundation()
    pages = [client.get(HOLIDAYS, {"page": page, "sort": "booked"}) for page in (1, 2)]
    shown = [row.record.pk for page in pages for row in page.context["table"].paginated_rows]
    assert len(shown) == len(set(shown)) == 60
    assert "1–50 of 60" in pages[0].text


def test_a_filter_that_finds_nothing_offers_the_way_back(as_foundation: Any, holidays: None) -> None:
    answer = as_foundation().get(HOLIDAYS, {"search": "no such day"})
    assert "No row fits this filter" in answer.text
    assert "Show all rows" in answer.text


def test_a_list_costs_the_same_few_queries_however_long(
    as_foundation: Any, holidays: None, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    client = as_foundation()
    client.get(HOLIDAYS)
    with django_assert_max_num_queries(16):
        client.get(HOLIDAYS)


def test_the_file_holds_exactly_what_the_filter_finds(as_foundation: Any, holidays: None) -> None:
    found = {"search": "Holiday 5", "sort": "date", "export": "xlsx"}
    answer = as_foundation().get(HOLIDAYS, found)
    heads, *rows = sheet_of(answer)
    assert heads[:2] == ("Date", "Name")
    assert [row[1] for row in rows] == ["Holiday 5", *(f"Holiday {n}" for n in range(50, 60))]
    assert rows[0][0].date() == date(2025, 1, 6)
    about = {row[0]: row[1] for row in sheet_of(answer, "Parameters")}
    assert about["Search"] == "Holiday 5"
    assert about["Business date"] == "30 Jun 2025"
    assert about["Rows"] == "11"


@pytest.mark.urls(__name__)
def test_totals_are_of_the_whole_list_in_taka(as_foundation: Any) -> None:
    text = as_foundation().get("/rows/").text
    assert "12,49,980.50" in text
    assert "123.45" in text
    assert "−20.00" in text


@pytest.mark.urls(__name__)
def test_no_text_in_a_file_is_ever_a_formula(as_foundation: Any) -> None:
    client = as_foundation()
    book = openpyxl.load_workbook(io.BytesIO(client.get("/rows/", {"export": "xlsx"}).content))
    cell = book["List"]["A2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")
    content = client.get("/rows/", {"export": "csv"}).content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content)))
    start = lines.index(["Name", "On", "Principal", "Due"])
    assert lines[start + 1 :] == [
        ["'=HYPERLINK(1)", "2025-01-05", "1250000.50", "123.45"],
        ["'-1+1", "2025-01-06", "-20.00", "0.00"],
        ["Total", "", "1249980.50", "123.45"],
    ]


@pytest.mark.urls(__name__)
def test_amounts_in_a_workbook_are_numbers(as_foundation: Any) -> None:
    _heads, *rows = sheet_of(as_foundation().get("/rows/", {"export": "xlsx"}))
    assert [row[2] for row in rows] == [1250000.5, -20, 1249980.5]
