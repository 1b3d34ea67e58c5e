"""The shapes banks send: titles, Bangla, merged cells, totals, zeros kept, and what is made of them."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from repayments.parsing.dates import DateOrder, read_dates
from repayments.parsing.read import read_file
from repayments.parsing.sheet import exact_number
from repayments.parsing.understand import Understood, understand
from tests.repayments.uploads.files import HEADINGS, csv_file, xlsx_file

ROW = ("0012345", "05/02/2025", "1,000.00", "R1", "Karim")


def understood(content: bytes, name: str = "march.csv", kind: str = "repayments") -> Understood:
    found = read_file(content, file_name=name, kind=kind)
    return understand(
        found.cells, kind=kind, columns=found.columns, marks=found.marks, business_date=date(2025, 12, 31)
    )


def values(content: bytes, name: str = "march.csv") -> list[tuple[Any, ...]]:
    """Account, date, poisha and reference of each row, which must all be clean."""
    read = understood(content, name)
    assert list(read.faults.code) == [""] * len(read.values), list(read.faults.code)
    table = read.values
    return list(
        zip(
            table["account"],
            table["value_date"].dt.strftime("%Y-%m-%d"),
            table["amount_minor"],
            table["reference"],
            strict=True,
        )
    )


ONE = [("0012345", "2025-02-05", 100_000, "R1")]


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_encodings(self, encoding: str) -> None:
        assert values(csv_file(ROW, encoding=encoding)) == ONE

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_without_its_mark(self, encoding: str) -> None:
        assert values(csv_file(ROW, encoding=encoding)) == ONE

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_delimiters(self, delimiter: str) -> None:
        lines = [delimiter.join(cells) for cells in (HEADINGS, ROW)]
        assert values("\n".join(lines).encode()) == ONE

    def test_excels_own_line_about_the_delimiter(self) -> None:
        text = "sep=;\r\n" + ";".join(HEADINGS) + "\r\n" + ";".join(ROW)
        assert values(text.encode()) == ONE

    def test_a_text_dressed_as_a_formula_to_keep_its_zeros(self) -> None:
        text = ",".join(HEADINGS) + '\r\n"=""0012345""",05/02/2025,"1,000.00",R1,Karim'
        assert values(text.encode()) == ONE


class TestLayout:
    def test_titles_totals_and_signatures_around_the_list(self) -> None:
        content = csv_file(
            ("Repayments of March 2025", "", "", "", ""),
            ("", "", "", "", ""),
            HEADINGS,
            ROW,
            ("0012346", "06/02/2025", "500", "R2", "Rahima"),
            HEADINGS,
            ("0012347", "06/02/2025", "500", "R3", "Total Fashion"),
            ("সর্বমোট", "", "২,০০০.০০", "", ""),
            ("Prepared by: M. Alam", "", "", "", ""),
            headings=("Bank Asia PLC", "", "", "", ""),
        )
        found = read_file(content, file_name="march.csv", kind="repayments")
        assert found.header_row == 4
        assert list(found.cells.index) == [5, 6, 8]
        assert found.stated_total_minor == 200_000
        assert {entry["code"]: entry["params"]["rows"] for entry in found.messages} == {
            "file.totals": "9",
            "file.notes": "10",
        }

    def test_a_borrower_called_total_is_no_total(self) -> None:
        assert len(values(csv_file(ROW, ("0012346", "06/02/2025", "500", "R2", "Total Fashion House")))) == 2

    def test_rows_after_a_total_are_kept_and_pointed_out(self) -> None:
        found = read_file(
            csv_file(ROW, ("Sub total", "", "1,000.00", "", ""), ("1", "06/02/2025", "500", "R2", "X")),
            file_name="march.csv", kind="repayments",
        )  # fmt: skip
        assert list(found.cells.index) == [2, 4]
        assert "file.rows_added" in {entry["code"] for entry in found.messages}

    def test_an_account_with_nothing_beside_it_paid_nothing(self) -> None:
        found = read_file(
            csv_file(ROW, ("0012346", "", "", "", "Rahima")), file_name="march.csv", kind="repayments"
        )
        assert len(found.cells) == 1
        assert {"code": "file.nothing_paid", "params": {"count": "1"}} in found.messages

    def test_bangla_headings_digits_and_months(self) -> None:
        content = csv_file(
            ("০০১২৩৪৫", "৫ ফেব্রুয়ারি ২০২৫", "৳ ১,০০০.০০", "R1"),
            headings=("ঋণ হিসাব নম্বর", "পরিশোধের তারিখ", "আদায়কৃত টাকা", "ভাউচার নং"),
        )
        assert values(content) == ONE

    def test_merged_titles_merged_group_headings_and_merged_cells(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            page = book.add_worksheet()
            page.merge_range("A1:F1", "Repayments of March 2025")
            page.merge_range("A2:A3", "Loan A/C No.")
            page.merge_range("B2:B3", "Payment Date")
            page.merge_range("C2:E2", "Paid")
            page.write_row("C3", ["Amount (Tk)", "Principal", "Interest"])
            page.merge_range("F2:F3", "Voucher No")
            page.write_row("A4", ["0012345", "", 1000, 900, 100, "R1"])
            page.write_row("A5", ["0012346", "", 500, 500, "-", "R2"])
            page.merge_range("B4:B5", "05/02/2025")
        assert values(buffer.getvalue(), "march.xlsx") == [*ONE, ("0012346", "2025-02-05", 50_000, "R2")]

    def test_an_amount_merged_over_two_rows_would_count_twice_and_is_refused(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, HEADINGS)
            page.write_row(1, 0, ROW)
            page.write_row(2, 0, ("0012346", "05/02/2025", "", "R2", ""))
            page.merge_range("C2:C3", 1000)
        read = understood(buffer.getvalue(), "march.xlsx")
        assert list(read.faults.code) == ["cell.merged", "cell.merged"]


class TestExcelCells:
    def test_numbers_dates_and_zeros_are_what_the_eye_sees(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"default_date_format": "dd/mm/yyyy"}) as book:
            zeros = book.add_format({"num_format": "0000000"})
            page = book.add_worksheet()
            page.write_row(0, 0, HEADINGS)
            page.write_number(1, 0, 12345, zeros)
            page.write_datetime(1, 1, datetime.fromisoformat("2025-02-05T14:30"))
            page.write_number(1, 2, 1000)
            page.write_string(1, 3, "R1")
        assert values(buffer.getvalue(), "march.xlsx") == ONE

    @pytest.mark.parametrize("amount", ["4.1", "0.29", "1234567.89", "99999999999.99", "0.07", "1.15", "8.7"])
    def test_a_stored_double_is_the_number_that_was_typed(self, amount: str) -> None:
        """Excel stores 4.1 as 4.0999999999999996; not one poisha may go missing."""
        content = xlsx_file((*ROW[:2], float(amount), *ROW[3:]))
        assert values(content, "march.xlsx")[0][2] == round(float(amount) * 100)
        assert exact_number(f"{float(amount):.17g}")[0] == amount

    def test_the_1904_calendar_of_old_macs(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer, {"date_1904": True, "default_date_format": "yyyy-mm-dd"}) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, HEADINGS)
            page.write_row(1, 0, ROW)
            page.write_datetime(1, 1, datetime.fromisoformat("2025-02-05"))
        assert values(buffer.getvalue(), "march.xlsx") == ONE

    def test_an_account_kept_as_a_number_of_more_than_15_digits_has_lost_digits(self) -> None:
        read = understood(xlsx_file((12345678901234567, *ROW[1:])), "march.xlsx")
        assert list(read.faults.code) == ["account.rounded"]

    def test_an_account_shortened_by_excel(self) -> None:
        read = understood(csv_file(("1.23457E+12", *ROW[1:])))
        assert list(read.faults.code) == ["account.scientific"]

    def test_a_formula_in_a_column_nobody_reads_does_no_harm(self) -> None:
        content = xlsx_file((*ROW, "=1+1"), headings=(*HEADINGS, "Sl."))
        assert values(content, "march.xlsx") == ONE

    def test_names_in_a_bijoy_font_are_named(self) -> None:
        read = understood(csv_file((*ROW[:4], "†gvnv¤§` Avjx"), encoding="cp1252"))
        assert list(read.faults.warned()["code"]) == ["name.bijoy"]

    def test_a_name_with_one_accent_is_a_name(self) -> None:
        assert understood(csv_file((*ROW[:4], "José"))).faults.warned().empty


class TestDates:
    @pytest.mark.parametrize(
        "text",
        [
            "05/02/2025",
            "5-2-25",
            "05.02.2025",
            "2025-02-05",
            "2025/2/5",
            "05-Feb-2025",
            "5 February 2025",
            "5-feb-25",
            "February 5, 2025",
            "5th Feb 2025",
            "০৫/০২/২০২৫",
            "৫ ফেব্রুয়ারি ২০২৫",
            "৫ ফেব্রুয়ারী, ২০২৫",
            "45693",
            "45693.75",
            "20250205",
            "2025-02-05 00:00:00",
            "2025-02-05T09:30:00Z",
            "05/02/2025 14:05",
            "05/02/2025 2:05 PM",
        ],
    )
    def test_one_day_in_many_shapes(self, text: str) -> None:
        found = read_dates(pd.Series([text], dtype=object))
        assert (found.code[0], str(found.day[0])) == ("", "2025-02-05")

    def test_day_first_is_the_rule_and_month_first_only_when_said(self) -> None:
        column = pd.Series(["03/04/2025", "12/25/2025", "25/12/2025"], dtype=object)
        by_day, by_month = read_dates(column), read_dates(column, DateOrder.MONTH_FIRST)
        assert [str(day) for day in by_day.day] == ["2025-04-03", "NaT", "2025-12-25"]
        assert list(by_day.code) == ["", "date.no_such_day", ""]
        assert [str(day) for day in by_month.day] == ["2025-03-04", "2025-12-25", "NaT"]
        assert list(by_month.code) == ["", "", "date.no_such_day_month_first"]
