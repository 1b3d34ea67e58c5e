"""XLSX read from its own XML, because that is where the exact text, the formulas and the formats are.

Reading libraries (calamine, openpyxl) turn numbers into binary floats, hide formulas behind their last
result, and drop the number format that shows 00123 for 123. One pass over the sheet gives all three.
The XML is hostile until read: no entities, no network, no document type, bounded sizes.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from lxml import etree

from repayments.faults import CannotReadFile
from repayments.parsing import limits
from repayments.parsing.sheet import Cell, Sheet, exact_number, frame_of, letter_number
from repayments.parsing.sniff import open_archive, read_member

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_DATE_FORMATS = frozenset([14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)])
_PERCENT_FORMATS = frozenset([9, 10])
_REFERENCE = re.compile(r"^([A-Z]{1,3})([0-9]{1,7})$")
_RANGE = re.compile(r"^([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})$")
_LAST_ROW, _MAX_MERGES, _LAST_SERIAL = 1_048_576, 5_000, 2_958_465
BIJOY_FONT = re.compile(r"sutonny|bijoy|sulekha|boishakhi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Style:
    """What a cell's format does to its number: shown as a date, a percentage, or padded with zeros."""

    is_date: bool = False
    is_percent: bool = False
    digits: int = 0
    is_bijoy: bool = False


@dataclass(frozen=True, slots=True)
class _Book:
    strings: list[str]
    styles: list[_Style]
    epoch: date


def read_xlsx(content: bytes) -> list[Sheet]:
    """Read every sheet of a workbook as text. Raises ``CannotReadFile``."""
    with open_archive(content) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        workbook = _tree(read_member(archive, names["xl/workbook.xml"]))
        targets = _targets(archive, names)
        properties = workbook.find("{*}workbookPr")
        is_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        book = _Book(
            strings=_strings(archive, names),
            styles=_styles(archive, names),
            epoch=date(1904, 1, 1) if is_1904 else date(1899, 12, 30),
        )
        sheets = []
        for entry in workbook.iterfind("{*}sheets/{*}sheet"):
            relation = next((value for key, value in entry.attrib.items() if str(key).endswith("}id")), "")
            path = names.get(targets.get(str(relation), "").lower())
            if path is None:
                continue
            hidden = entry.get("state", "visible") != "visible"
            sheets.append(_sheet(read_member(archive, path), str(entry.get("name", "")), hidden, book))
    return sheets


def _tree(content: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CannotReadFile("file.damaged", detail=error) from error
    information: Any = root.getroottree().docinfo
    if information.doctype:
        raise CannotReadFile("file.damaged", detail="it declares a document type")
    return root


def _targets(archive: zipfile.ZipFile, names: dict[str, str]) -> dict[str, str]:
    """Relation id → path of the part."""
    path = names.get("xl/_rels/workbook.xml.rels")
    if path is None:
        raise CannotReadFile("file.damaged", detail="xl/_rels/workbook.xml.rels is missing")
    found = {}
    for relation in _tree(read_member(archive, path)).iterfind("{*}Relationship"):
        target = str(relation.get("Target", ""))
        full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
        found[str(relation.get("Id"))] = full
    return found


def _strings(archive: zipfile.ZipFile, names: dict[str, str]) -> list[str]:
    path = names.get("xl/sharedstrings.xml")
    if path is None:
        return []
    return [_text(item) for item in _tree(read_member(archive, path)).iterfind("{*}si")]


def _text(item: Any) -> str:
    """The text of a string item: its runs, without the reading aids of East Asian scripts."""
    parts: list[str] = []
    for node in item.iter():
        if not isinstance(node.tag, str) or not node.tag.endswith("}t"):
            continue
        parent = node.getparent()
        if parent is not None and not str(parent.tag).endswith("}rPh"):
            parts.append(node.text or "")
    return "".join(parts)


def _styles(archive: zipfile.ZipFile, names: dict[str, str]) -> list[_Style]:
    path = names.get("xl/styles.xml")
    if path is None:
        return []
    root = _tree(read_member(archive, path))
    formats = {
        str(entry.get("numFmtId")): str(entry.get("formatCode", ""))
        for entry in root.iterfind("{*}numFmts/{*}numFmt")
    }
    fonts = [
        any(BIJOY_FONT.search(str(name.get("val", ""))) for name in font.iterfind("{*}name"))
        for font in root.iterfind("{*}fonts/{*}font")
    ]
    return [
        _style(str(entry.get("numFmtId", "0")), formats, _at(fonts, str(entry.get("fontId", "0"))))
        for entry in root.iterfind("{*}cellXfs/{*}xf")
    ]


def _at(marks: list[bool], position: str) -> bool:
    return position.isdecimal() and len(position) < 6 and int(position) < len(marks) and marks[int(position)]


def _style(number_format: str, formats: dict[str, str], is_bijoy: bool) -> _Style:
    code = formats.get(number_format)
    if code is None:
        known = int(number_format) if number_format.isdecimal() and len(number_format) < 6 else 0
        return _Style(known in _DATE_FORMATS, known in _PERCENT_FORMATS, 0, is_bijoy)
    plain = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.', "", code).split(";")[0].lower()
    zeros = re.fullmatch(r"0{2,40}", plain)
    return _Style(
        is_date=bool(re.search(r"[yd]", plain)),
        is_percent="%" in plain,
        digits=len(plain) if zeros else 0,
        is_bijoy=is_bijoy,
    )


def _sheet(content: bytes, name: str, is_hidden: bool, book: _Book) -> Sheet:
    values: dict[Cell, str] = {}
    sheet = Sheet(name=name, cells=frame_of({}), is_hidden=is_hidden)
    merges: list[str] = []
    try:
        for place, node in _cells(content, merges):
            text = _cell_text(node, place, sheet, book)
            if node.find("{*}f") is not None:
                sheet.formulas.add(place)
                text = text or "="
            if text:
                values[place] = text
            if len(values) > (limits.MAX_ROWS + 100) * 20:
                raise CannotReadFile("file.too_many_rows", limit=f"{limits.MAX_ROWS:,}")
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CannotReadFile("file.damaged", detail=error) from error
    sheet.merged = spread_merges(values, [found for found in map(_range, merges[:_MAX_MERGES]) if found])
    sheet.cells = frame_of(values)
    return sheet


def _cells(content: bytes, merges: list[str]) -> Iterator[tuple[Cell, Any]]:
    """Each cell with its place; the tree behind is dropped row by row, so size is bounded by a row."""
    events = etree.iterparse(
        io.BytesIO(content), events=("end",), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, tag=[f"{space}{tag}" for space in (_MAIN, _STRICT) for tag in ("row", "mergeCell")],
    )  # fmt: skip
    last_row = 0
    for _, node in events:
        if str(node.tag).endswith("}mergeCell"):
            merges.append(str(node.get("ref", "")))
            continue
        stated = str(node.get("r", ""))
        row = int(stated) if stated.isdecimal() and len(stated) < 8 else last_row + 1
        if not 0 < row <= _LAST_ROW:
            raise CannotReadFile("file.damaged", detail=f"row {row}")
        last_row, column = row, 0
        for cell in node.iterchildren("{*}c"):
            place = _REFERENCE.match(str(cell.get("r", "")))
            column = letter_number(place[1]) if place else column + 1
            yield (row, column), cell
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]


def _cell_text(node: Any, place: Cell, sheet: Sheet, book: _Book) -> str:
    kind = node.get("t", "n")
    style_id = str(node.get("s", "0"))
    style = (
        book.styles[int(style_id)]
        if style_id.isdecimal() and len(style_id) < 6 and int(style_id) < len(book.styles)
        else _Style()
    )
    if style.is_bijoy:
        sheet.bijoy.add(place)
    if kind == "inlineStr":
        inline = node.find("{*}is")
        return _text(inline).strip() if inline is not None else ""
    value = node.find("{*}v")
    stored = (value.text or "").strip() if value is not None else ""
    if kind == "s":
        known = stored.isdecimal() and len(stored) < 9 and int(stored) < len(book.strings)
        return book.strings[int(stored)].strip() if known else ""
    if kind == "b":
        return "TRUE" if stored == "1" else "FALSE"
    if kind in {"str", "e"}:
        return stored
    if kind == "d":
        return stored[:10]
    return _number_text(stored, style, place, sheet, book.epoch)


def _number_text(stored: str, style: _Style, place: Cell, sheet: Sheet, epoch: date) -> str:
    if not stored:
        return ""
    plain, is_long = exact_number(stored)
    if is_long:
        sheet.long_numbers.add(place)
    if style.is_date and (day := serial_date(plain, epoch)):
        return day.isoformat()
    if style.is_percent and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", plain):
        return f"{exact_number(str(Decimal(plain) * 100))[0]}%"
    if style.digits and plain.isdecimal():
        return plain.zfill(style.digits)
    return plain


def serial_date(plain: str, epoch: date) -> date | None:
    """The day of an Excel serial (the fraction is the time of day); None outside its calendar."""
    whole = plain.partition(".")[0]
    if not whole.isdecimal() or len(whole) > 7 or not 0 < int(whole) <= _LAST_SERIAL:
        return None
    try:
        return epoch + timedelta(days=int(whole))
    except OverflowError:
        return None


def _range(reference: str) -> tuple[int, int, int, int] | None:
    found = _RANGE.match(reference)
    if not found:
        return None
    return int(found[2]), letter_number(found[1]), int(found[4]), letter_number(found[3])


def spread_merges(values: dict[Cell, str], ranges: list[tuple[int, int, int, int]]) -> dict[Cell, str]:
    """Give every cell of a merged range its text; return those merged over several rows, and with what.

    Only rows and columns that hold something otherwise are filled: a merge over a million rows costs nothing.
    """
    rows = sorted({row for row, _ in values})
    width = min(max((column for _, column in values), default=0), limits.MAX_COLUMNS)
    shared: dict[Cell, str] = {}
    budget = limits.MAX_ROWS * 20
    for top, left, bottom, right in ranges:
        text = values.get((top, left), "")
        if not text:
            continue
        inside = [row for row in rows if top <= row <= bottom]
        columns = range(left, min(right, width) + 1)
        budget -= len(inside) * len(columns) + len(rows)
        if budget < 0:
            break
        for row in inside:
            for column in columns:
                values[row, column] = text
                if bottom > top:
                    shared[row, column] = f"{top}–{bottom}"
    return shared
