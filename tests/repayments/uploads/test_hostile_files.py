"""Whatever the bytes are, the outcome is rows or a refusal with words: no crash, no wrong amount."""

from __future__ import annotations

import io
import string
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from repayments.faults import CannotReadFile, states_of
from repayments.parsing.amounts import read_amounts
from repayments.parsing.dates import read_dates
from repayments.parsing.read import read_file
from repayments.parsing.sniff import file_type
from repayments.parsing.text import BANGLA_DIGITS
from repayments.parsing.understand import understand
from tests.repayments.uploads.files import HEADINGS, csv_file, with_member, xlsx_file
from tests.repayments.uploads.old_excel import xls_file

FUZZ = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
ROW = ("0012345", "05/02/2025", "1,000.00", "R1", "Karim")
XLSX = xlsx_file(ROW, ("0012346", 45693, 250.75, "R2", "রহিমা"))
XLS = xls_file(HEADINGS, ROW, ("0012346", 45693.0, 250.75, "R2", "রহিমা"))
SHEET = zipfile.ZipFile(io.BytesIO(XLSX)).read("xl/worksheets/sheet1.xml")


def read_or_refuse(content: bytes, kind: str = "repayments") -> None:
    """Read the file and understand it; a refusal is an answer too."""
    try:
        found = read_file(content, file_name="fuzz.xlsx", kind=kind)
    except CannotReadFile:
        return
    read = understand(
        found.cells, kind=kind, columns=found.columns, marks=found.marks, business_date=date(2025, 12, 31)
    )
    assert set(states_of(read.faults.code)) <= {"ready", "invalid"}
    assert len(read.values) == len(found.cells)


class TestAnyBytes:
    @FUZZ
    @given(st.binary(max_size=3000))
    def test_random_bytes(self, content: bytes) -> None:
        read_or_refuse(content)

    @FUZZ
    @given(
        st.lists(st.tuples(st.integers(0, 2**31), st.binary(min_size=1, max_size=8)), min_size=1, max_size=12)
    )
    @pytest.mark.parametrize("whole", [XLSX, XLS], ids=["xlsx", "xls"])
    def test_damaged_workbooks(self, whole: bytes, wounds: list[tuple[int, bytes]]) -> None:
        content = bytearray(whole)
        for place, piece in wounds:
            at = place % len(content)
            content[at : at + len(piece)] = piece[: len(content) - at]
        read_or_refuse(bytes(content))

    @FUZZ
    @given(st.integers(0, len(XLS)))
    def test_torn_workbooks(self, length: int) -> None:
        read_or_refuse(XLS[:length])
        read_or_refuse(XLSX[:length])

    @FUZZ
    @given(st.lists(st.tuples(st.integers(0, len(SHEET)), st.binary(max_size=6)), min_size=1, max_size=8))
    def test_strange_xml(self, wounds: list[tuple[int, bytes]]) -> None:
        sheet = bytearray(SHEET)
        for at, piece in wounds:
            sheet[at : at + len(piece)] = piece
        read_or_refuse(with_member(XLSX, "xl/worksheets/sheet1.xml", bytes(sheet)))

    @FUZZ
    @given(
        st.lists(st.lists(st.text(max_size=20), min_size=5, max_size=5), min_size=1, max_size=8),
        st.sampled_from(["repayments", "subloans", "borrowers"]),
    )
    def test_any_text_in_the_cells(self, rows: list[list[str]], kind: str) -> None:
        cells = [[cell.replace('"', '""') for cell in row] for row in rows]
        read_or_refuse(csv_file(*cells, encoding="utf-8"), kind)

    @FUZZ
    @given(st.binary(max_size=200))
    def test_the_first_look_never_crashes(self, tail: bytes) -> None:
        for head in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xfe\xff"):
            try:
                file_type(head + tail)
            except CannotReadFile:
                continue


def indian(digits: str) -> str:
    """1234567 → 12,34,567."""
    head, tail = digits[:-3], digits[-3:]
    groups = [tail]
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return ",".join(groups)


class TestAmountsAreExact:
    @FUZZ
    @given(
        st.integers(0, 10**15 - 1),
        st.sampled_from(["plain", "indian", "western"]),
        st.sampled_from(
            ["{}", "Tk {}", "Tk. {}", "৳{}", "BDT {}", "{} Tk", "{}/-", "{}/=", "{} টাকা", " {} ", "+{}"]
        ),
        st.booleans(),
    )
    def test_every_way_of_writing_an_amount_means_it_to_the_poisha(
        self, minor: int, grouping: str, dress: str, bangla: bool
    ) -> None:
        whole, poisha = divmod(minor, 100)
        text = {"plain": str(whole), "indian": indian(str(whole)), "western": f"{whole:,}"}[grouping]
        text = dress.format(f"{text}.{poisha:02d}")
        if bangla:
            text = text.translate(str.maketrans(string.digits, BANGLA_DIGITS))
        read = read_amounts(pd.Series([text, f"-{minor // 100}", f"({whole}.{poisha:02d})"], dtype=object))
        assert list(read.code) == ["", "", ""]
        assert read.minor.tolist() == [minor, -whole * 100, -minor]

    @FUZZ
    @given(st.text(alphabet="0123456789.,-+() TkE৳০১২", max_size=14))
    def test_what_is_read_is_what_a_decimal_would_be(self, text: str) -> None:
        read = read_amounts(pd.Series([text], dtype=object))
        if read.code[0]:
            return
        digits = text.translate(str.maketrans("০১২", "012"))
        bare = "".join(letter for letter in digits if letter in "0123456789.")
        assume(bare.strip("."))
        assert abs(int(read.minor[0])) == abs(Decimal(bare) * 100)


class TestDates:
    @FUZZ
    @given(st.dates(date(1990, 1, 1), date(2089, 12, 31)))
    def test_every_day_comes_back_from_every_shape(self, day: date) -> None:
        formats = ("%d/%m/%Y", "%d-%m-%y", "%Y-%m-%d", "%d-%b-%Y", "%B %d, %Y")
        shapes = [day.strftime(shape) for shape in formats]
        shapes.append(str((day - date(1899, 12, 30)).days))
        shapes = [shape for shape in shapes if not shape.isdecimal() or len(shape) == 5]
        found = read_dates(pd.Series(shapes, dtype=object))
        assert set(found.day.tolist()) == {day}

    @FUZZ
    @given(st.text(max_size=16))
    def test_any_text_is_a_day_or_a_fault(self, text: str) -> None:
        found = read_dates(pd.Series([text], dtype=object))
        assert np.isnat(found.day[0]) == bool(found.code[0])


def test_days_beyond_a_month_s_end_do_not_exist() -> None:
    first = date(2023, 1, 1)
    for offset in range(800):
        day = first + timedelta(days=offset)
        beyond = f"{32:02d}/{day.month:02d}/{day.year}"
        found = read_dates(pd.Series([f"{day:%d/%m/%Y}", beyond], dtype=object))
        assert found.day.tolist() == [day, None]
