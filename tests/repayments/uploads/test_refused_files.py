"""Every way a file as a whole can be wrong, and the words it is refused with."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter

from repayments.faults import CannotReadFile
from repayments.parsing import limits
from repayments.parsing.read import ReadFile, read_file
from tests.repayments.uploads.files import HEADINGS, csv_file, with_member, xlsx_file, zip_file
from tests.repayments.uploads.old_excel import Formula, xls_file

ROW = ("0012345", "05/02/2025", "1,000.00", "R1", "Karim")


def read(content: bytes, name: str = "march.xlsx") -> ReadFile:
    return read_file(content, file_name=name, kind="repayments")


def refused(content: bytes, name: str = "march.xlsx") -> str:
    with pytest.raises(CannotReadFile) as error:
        read(content, name)
    return str(error.value)


class TestWrongKindOfFile:
    @pytest.mark.parametrize(
        ("content", "found"),
        [
            (b"%PDF-1.7 ...", "a PDF document"),
            (b"\x89PNG\r\n\x1a\n0000", "a picture (PNG)"),
            (b"\xff\xd8\xff\xe0 jfif", "a picture (JPEG)"),
            (b"<html><table><tr><td>Loan account</td></tr></table>", "a web page"),
            (b"  <!DOCTYPE html><p>", "a web page"),
            (b"<?xml version='1.0'?><a/>", "an XML file"),
            (b"\x1f\x8b\x08\x00 gzip", "a packed file (gzip)"),
            (b"MZ\x90\x00 program", "a program"),
            (zip_file(rows_dot_csv=b"a,b\n1,2\n"), "a ZIP archive"),
            (zip_file(xl__workbook_dot_bin=b"x"), "an Excel binary workbook (.xlsb)"),
            (zip_file(word__document_dot_xml=b"<x/>"), "a Word document"),
            (zip_file(content_dot_xml=b"<x/>"), "an OpenDocument file"),
            (bytes(range(1, 32)) * 40, "a file of an unknown kind"),
            (b"ab\x00" + b"plain text " * 40, "a file of an unknown kind"),
        ],
    )
    def test_is_named_by_its_bytes_whatever_it_is_called(self, content: bytes, found: str) -> None:
        for name in ("march.xlsx", "march.csv"):
            assert refused(content, name) == (
                f"This is {found}, not a CSV file or an Excel workbook. "
                "Open it in Excel, choose Save As, Excel Workbook (.xlsx) or CSV, and send that file."
            )

    def test_a_csv_called_xlsx_is_read_and_said_so(self) -> None:
        messages = read(csv_file(ROW), "march.xlsx").messages
        assert messages == [
            {"code": "file.other_name", "params": {"name": "march.xlsx", "found": "a CSV file"}}
        ]

    @pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\r\n", b"\x00" * 4096, b",,,\n,,,\n"])
    def test_empty(self, content: bytes) -> None:
        assert refused(content, "march.csv").startswith("The file is empty. Open it on your computer")

    def test_macros(self) -> None:
        content = with_member(xlsx_file(ROW), "xl/vbaProject.bin", b"macro")
        assert refused(content) == (
            "The workbook contains macros, which are programs. "
            "Save it as Excel Workbook (.xlsx) without macros and send that file."
        )

    def test_a_password(self) -> None:
        content = xls_file(["x"], stream="EncryptedPackage")
        assert refused(content).startswith(
            "The workbook is locked with a password. Remove the password in Excel"
        )

    def test_an_old_word_document(self) -> None:
        assert "This is an old Office document" in refused(xls_file(["x"], stream="WordDocument"))

    def test_a_torn_workbook(self) -> None:
        whole = xlsx_file(ROW)
        assert refused(whole[: len(whole) // 2]).startswith("The file is damaged and cannot be opened: ")

    def test_a_workbook_whose_sheet_is_torn(self) -> None:
        content = with_member(xlsx_file(ROW), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row")
        assert "The file is damaged and cannot be opened: " in refused(content)

    def test_more_than_ten_megabytes(self) -> None:
        assert refused(b"a" * (limits.MAX_BYTES + 1)) == (
            "The file has 10.0 MB; the most is 10 MB. Split it by branch or by month and send the parts."
        )


class TestBombs:
    def test_fifty_megabytes_of_zeros(self) -> None:
        zeros = b"\x00" * (50 * 1024 * 1024)
        for content in (
            with_member(xlsx_file(ROW), "xl/worksheets/sheet1.xml", zeros),
            zip_file(zeros_dot_csv=zeros),
        ):
            assert len(content) < 100_000
            assert re.fullmatch(
                r"The workbook unpacks to far more than its size: \S+ \d+ KB → 50 MB\. "
                r"Copy the rows into a new workbook, save it as \.xlsx and send that\.",
                refused(content),
            )

    def test_many_parts(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number in range(limits.MAX_ENTRIES + 1):
                archive.writestr(f"xl/{number}", b"")
        assert "unpacks to far more than its size: 1001 parts" in refused(buffer.getvalue())

    def test_a_directory_that_understates_a_part(self) -> None:
        """The directory says 1 KB: the reader stops there and finds the checksum wrong."""
        content = bytearray(with_member(xlsx_file(ROW), "xl/worksheets/sheet1.xml", b" " * 3_000_000))
        place = content.rindex(b"PK\x01\x02")
        content[place + 24 : place + 28] = (1024).to_bytes(4, "little")
        assert refused(bytes(content)).startswith("The file is damaged")

    @pytest.mark.parametrize(
        "xml",
        [
            b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><worksheet>&c;</worksheet>',
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><sst><si><t>&x;</t></si></sst>',
        ],
    )
    def test_entities_are_not_followed(self, xml: bytes) -> None:
        for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"):
            content = with_member(xlsx_file(ROW), part, xml)
            assert "root:" not in refused(content)

    def test_a_merge_over_the_whole_sheet_costs_nothing(self) -> None:
        content = xlsx_file(ROW)
        sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
        merge = b'</sheetData><mergeCells><mergeCell ref="A2:XFD1048576"/></mergeCells>'
        found = read(with_member(content, "xl/worksheets/sheet1.xml", sheet.replace(b"</sheetData>", merge)))
        assert len(found.cells) == 1

    def test_a_cell_at_the_end_of_the_world(self) -> None:
        content = xlsx_file(ROW)
        sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
        for place, words in (("XFD1048576", "more than 120 columns"), ("A9999999", "is damaged")):
            far = b'<row r="%s"><c r="%s"><v>1</v></c></row></sheetData>' % (
                place.lstrip("AXFD").encode(),
                place.encode(),
            )
            assert words in refused(
                with_member(content, "xl/worksheets/sheet1.xml", sheet.replace(b"</sheetData>", far))
            )

    def test_a_number_with_a_million_digits(self) -> None:
        sheet = (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<sheetData><row r="1">'
            b'<c r="A1"><v>1e999999</v></c><c r="B1"><v>%s</v></c></row></sheetData></worksheet>'
        )
        content = with_member(xlsx_file(ROW), "xl/worksheets/sheet1.xml", sheet % (b"9" * 100_000))
        assert refused(content).startswith("These columns are missing")

    def test_too_many_rows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "MAX_ROWS", 20)
        rows = [(f"{n}", "05/02/2025", "1", f"R{n}", "") for n in range(21)]
        for content in (csv_file(*rows), xlsx_file(*rows)):
            assert refused(content) == (
                "The file has more than 20 rows. Split it by branch or by month and send the parts."
            )


class TestColumnsAndSheets:
    @pytest.mark.parametrize("make", [csv_file, xlsx_file])
    def test_a_missing_column_names_those_found_and_those_expected(self, make: Callable[..., bytes]) -> None:
        content = make(("1", "2", "3"), headings=("A/C No.", "Amount (Tk)", "Shakha"))
        assert refused(content) == (
            "These columns are missing: Payment date, Reference. "
            "Headings found: “A/C No.”, “Amount (Tk)”, “Shakha”. "
            "Name the columns as in the template and send it again."
        )

    def test_no_headings_at_all(self) -> None:
        assert refused(csv_file(("1", "2"), headings=("x", "y"))).startswith(
            "These columns are missing: Loan account, Payment date, Amount, Reference. "
            "Headings found: “x”, “y”."
        )

    def test_headings_in_a_bijoy_font(self) -> None:
        content = csv_file(("1", "2"), headings=("FY wnmve b¤^i", "cwi‡kv‡ai ZvwiL†"), encoding="cp1252")
        assert "(in a Bijoy font, not Unicode)" in refused(content)

    def test_two_columns_for_one_field(self) -> None:
        content = csv_file((*ROW, "5"), headings=(*HEADINGS, "Paid amount"))
        assert refused(content) == (
            "Columns C, F both read as “Amount”. Keep one of them, or rename the other, and send it again."
        )

    def test_headings_without_rows(self) -> None:
        assert refused(xlsx_file()) == (
            "The file has headings and no rows under them. Add the rows and send it again."
        )

    def test_two_sheets_with_rows(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            for name in ("Jan", "Feb"):
                page = book.add_worksheet(name)
                page.write_row(0, 0, HEADINGS)
                page.write_row(1, 0, ROW)
        assert refused(buffer.getvalue()) == (
            "Several sheets hold such rows: “Jan”, “Feb”. "
            "Send one file per sheet, or hide the sheets that should not be read."
        )

    def test_a_hidden_sheet_is_left_alone_and_named(self) -> None:
        buffer = io.BytesIO()
        with xlsxwriter.Workbook(buffer) as book:
            for name, account in (("Jan", "1"), ("Old", "2")):
                page = book.add_worksheet(name)
                page.write_row(0, 0, HEADINGS)
                page.write_row(1, 0, (account, *ROW[1:]))
            page.hide()
        found = read(buffer.getvalue())
        assert list(found.cells["A"]) == ["1"]
        assert {"code": "file.hidden_sheets", "params": {"sheets": "Old"}} in found.messages

    def test_only_hidden_sheets(self) -> None:
        content = xlsx_file(ROW)
        workbook = zipfile.ZipFile(io.BytesIO(content)).read("xl/workbook.xml")
        hidden = workbook.replace(b"<sheet name=", b'<sheet state="veryHidden" name=')
        assert refused(with_member(content, "xl/workbook.xml", hidden)) == (
            "The workbook has no visible sheet with cells in it. "
            "Put the rows on a visible sheet and send it again."
        )

    def test_an_open_quotation_mark_names_its_line(self) -> None:
        content = csv_file(ROW) + b'"0012346,05/02/2025,10,R2,Karim\r\n'
        assert refused(content, "march.csv") == (
            "A quotation mark is opened in line 3 and never closed. "
            "Remove the stray quotation mark, or send the file as .xlsx."
        )

    def test_bytes_of_no_encoding(self) -> None:
        content = b"Loan account,Payment date,Amount,Reference\r\n1,05/02/2025,1,\x81\x8d\x9d\r\n"
        assert refused(content, "march.csv").startswith("The letters of this CSV file cannot be read: ")


class TestOldWorkbooks:
    def test_text_and_doubles_come_out_as_they_were_typed(self) -> None:
        found = read(xls_file(HEADINGS, ("0012345", 45721.0, 4.1, "R1", "করিম")), "march.xls")
        assert list(found.cells.loc[2]) == ["0012345", "45721", "4.1", "R1", "করিম"]
        assert found.messages == []

    def test_formulas_are_found(self) -> None:
        found = read(xls_file(HEADINGS, ("0012345", "05/02/2025", Formula(10), "R1", "")), "march.xls")
        assert list(found.marks["formula"]) == ["C"]
