"""The bank's own new plan of one loan, a line an instalment: from an Excel workbook, a CSV file or pasted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from repayments.faults import CannotReadFile
from repayments.parsing.dates import DateOrder
from repayments.parsing.fields import FIELDS
from repayments.parsing.read import read_file
from repayments.parsing.understand import understand

NEW_PLAN = "new_plan"
MOST_INSTALMENTS = 600
_BEGINS_WITH_A_NUMBER = re.compile(r"\s*[0-9০-৯]")


@dataclass(frozen=True)
class NewPlan:
    """Lines as an event keeps them (JSON, poisha), or the first cell that cannot be read.

    ``fault`` is a fault as ``repayments.faults`` stores them; ``row`` and ``column`` say where it is.
    """

    rows: tuple[dict[str, Any], ...] = ()
    fault: dict[str, Any] | None = None
    row: int = 0
    column: str = ""


def read_new_plan(content: bytes, *, file_name: str, business_date: date) -> NewPlan:
    """Read a file that holds one plan. Raises ``CannotReadFile`` where the file as a whole cannot be."""
    return _read(content, file_name, business_date, headed=0)


def read_pasted_plan(text: str, *, business_date: date) -> NewPlan:
    """Read pasted lines, with headings or, in the usual order, without. Raises ``CannotReadFile``."""
    lines = text.strip("\r\n")
    headed = int(bool(_BEGINS_WITH_A_NUMBER.match(lines)))
    if headed:
        between = next((sign for sign in ("\t", ";") if sign in lines), ",")
        lines = between.join(field.heading for field in FIELDS[NEW_PLAN]) + "\n" + lines
    return _read(lines.encode(), "pasted.csv", business_date, headed=headed)


def as_text(rows: tuple[dict[str, Any], ...]) -> str:
    """Lines as they can be pasted again: number, date, principal, interest, a tab between."""
    return "\n".join(
        "\t".join(
            (
                str(row["instalment"]),
                date.fromisoformat(row["due_on"]).strftime("%d/%m/%Y"),
                _taka(row["principal_minor"]),
                _taka(row["interest_minor"]),
            )
        )
        for row in rows
    )


def _taka(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _read(content: bytes, file_name: str, business_date: date, *, headed: int) -> NewPlan:
    read = read_file(content, file_name=file_name, kind=NEW_PLAN)
    if len(read.cells) > MOST_INSTALMENTS:
        raise CannotReadFile("file.too_many_rows", limit=str(MOST_INSTALMENTS))
    found = understand(
        read.cells,
        kind=NEW_PLAN,
        columns=read.columns,
        marks=read.marks,
        order=DateOrder.DAY_FIRST,
        business_date=business_date,
    )
    faults = found.faults
    wrong = np.flatnonzero(faults.code != "")
    if wrong.size:
        at = int(wrong[0])
        code = str(faults.code[at])
        params = {"text": str(faults.text[at]), "limit": str(faults.limit[at])}
        if code == "cell.missing":
            params["field"] = str(faults.text[at])
        return NewPlan(
            fault={"code": code, "params": params},
            row=int(read.cells.index[at]) - headed,
            column=str(faults.column[at]),
        )
    values = found.values
    days = values["due_date"].to_numpy(dtype="datetime64[D]")
    rows = zip(
        values["instalment"].astype(int).tolist(),
        days.tolist(),
        values["principal_minor"].astype("int64").tolist(),
        values["interest_minor"].astype("int64").tolist(),
        strict=True,
    )
    return NewPlan(
        tuple(
            {
                "instalment": number,
                "due_on": due_on.isoformat(),
                "principal_minor": principal,
                "interest_minor": interest,
            }
            for number, due_on, principal, interest in rows
        )
    )
