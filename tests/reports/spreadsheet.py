"""Workbooks computed by a spreadsheet program that knows nothing of ours: LibreOffice, without a screen."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import openpyxl

# Formulas of a workbook are computed when it is opened, whatever results are stored in it.
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def computed(workbooks: Mapping[str, bytes]) -> dict[str, openpyxl.Workbook]:
    """The same workbooks with every formula computed anew, by name.

    The program is started again for every thirty: with very many files it gives up half-way.
    """
    names = sorted(workbooks)
    found: dict[str, openpyxl.Workbook] = {}
    for at in range(0, len(names), 30):
        found |= _computed({name: workbooks[name] for name in names[at : at + 30]})
    return found


def differing(workbook: openpyxl.Workbook) -> list[str]:
    """The lines of the first sheet that do not agree."""
    return [str(row[0]) for row in workbook["Result"].iter_rows(values_only=True) if row[4] == "NO"]


def parted(stored: openpyxl.Workbook, again: openpyxl.Workbook) -> list[tuple[str, str, Any, Any]]:
    """Cells whose stored value is not what they come to: sheet, cell, and both."""
    found = []
    for page in stored.worksheets:
        for row in page.iter_rows():
            for cell in row:
                other = again[page.title][cell.coordinate].value
                if not _alike(cell.value, other):
                    found.append((page.title, cell.coordinate, cell.value, other))
    return found


def _alike(one: Any, other: Any) -> bool:
    """Equal, or numbers that differ only where a spreadsheet's numbers end; days may be numbers."""
    numbers = [_number(value) for value in (one, other)]
    if None not in numbers:
        return abs(numbers[0] - numbers[1]) <= Decimal("0.0000001") * max(1, abs(numbers[0]) / 10**8)  # type: ignore[arg-type, operator]
    return (one or "") == (other or "")


def _number(value: Any) -> Decimal | None:
    if isinstance(value, datetime):
        return Decimal((value - datetime(1899, 12, 30)).days)  # noqa: DTZ001 - a cell has no time zone
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _computed(workbooks: Mapping[str, bytes]) -> dict[str, openpyxl.Workbook]:
    with tempfile.TemporaryDirectory() as folder:
        home, given, made = (Path(folder, name) for name in ("profile", "given", "made"))
        (home / "user").mkdir(parents=True)
        (home / "user" / "registrymodifications.xcu").write_text(_ALWAYS)
        given.mkdir()
        for name, content in workbooks.items():
            (given / f"{name}.xlsx").write_bytes(content)
        done = subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{home}",
                "--headless",
                "--convert-to",
                "xlsx:Calc MS Excel 2007 XML",
                "--outdir",
                str(made),
                *(str(given / f"{name}.xlsx") for name in workbooks),
            ],
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        missing = [name for name in workbooks if not (made / f"{name}.xlsx").exists()]
        if missing:
            raise AssertionError(f"not computed: {missing}; {done.stderr}")
        return {
            name: openpyxl.load_workbook(io.BytesIO((made / f"{name}.xlsx").read_bytes()), data_only=True)
            for name in workbooks
        }
