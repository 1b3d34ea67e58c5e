"""The repayment plans a bank supplies beside its sub-loan list: a second sheet of the same workbook.

One row an instalment: loan account, instalment number, due date, principal, interest. An account without
rows here gets its plan from the terms in the list.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from repayments.faults import CannotReadFile, fill, words_of
from repayments.parsing.dates import DateOrder
from repayments.parsing.fields import FIELDS
from repayments.parsing.headings import find_headings
from repayments.parsing.read import ReadFile, as_rows, has_headings, sheets_of
from repayments.parsing.sheet import Sheet
from repayments.parsing.understand import understand

PLAN = "plans"


def plan_sheets(sheets: list[Sheet]) -> list[Sheet]:
    """The visible sheets with the headings of a plan and rows below; a template's empty one is none."""
    visible = (sheet for sheet in sheets if not sheet.is_hidden and len(sheet.cells))
    planned = (sheet for sheet in visible if has_headings(sheet, FIELDS[PLAN]))
    return [sheet for sheet in planned if _has_rows(sheet)]


def read_plans(
    content: bytes, *, order: DateOrder = DateOrder.DAY_FIRST, business_date: date
) -> pd.DataFrame | None:
    """The supplied plans of a sub-loan workbook; None where it has no such sheet.

    Columns: account_key, n, due_date, principal_minor, interest_minor (poisha). Raises ``CannotReadFile``
    naming sheet, row and column of the first cell that cannot be read: half a plan is no plan.
    """
    found = plan_sheets(sheets_of(content))
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(f"“{sheet.name}”" for sheet in found)
        raise CannotReadFile("file.several_sheets", sheets=names)
    read = as_rows(found[0], PLAN)
    understood = understand(
        read.cells,
        kind=PLAN,
        columns=read.columns,
        marks=read.marks,
        order=order,
        business_date=business_date,
    )
    faults = understood.faults
    unread = faults.warned()  # interest that cannot be read is not none
    for at, column, text in zip(unread["row"], unread["column"], unread["text"], strict=True):
        here = np.arange(len(read.cells)) == at
        faults.add(here, "amount.unreadable", column=str(column), text=str(text))
    _refuse_faults(read, faults.code, faults.column, faults.text)
    values = understood.values
    return pd.DataFrame(
        {
            "account_key": values["account_key"],
            "n": values["instalment"].astype(np.int32),
            "due_date": values["due_date"],
            "principal_minor": values["principal_minor"].astype(np.int64),
            "interest_minor": values["interest_minor"].fillna(0).astype(np.int64),
        }
    ).reset_index(drop=True)


def _has_rows(sheet: Sheet) -> bool:
    headings = find_headings(sheet, FIELDS[PLAN])
    return headings is not None and bool((sheet.cells.index > headings.row).any())


def _refuse_faults(read: ReadFile, code: np.ndarray, column: np.ndarray, text: np.ndarray) -> None:
    wrong = np.flatnonzero(code != "")
    if not wrong.size:
        return
    first = int(wrong[0])
    why = fill(words_of(str(code[first])).reason, {"text": str(text[first]), "limit": ""})
    raise CannotReadFile(
        "file.plan_row",
        sheet=read.sheet_name,
        row=int(read.cells.index[first]),
        column=str(column[first]),
        why=why,
    )
