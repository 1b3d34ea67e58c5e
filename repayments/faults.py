# ruff: noqa: E501  (a catalogue: one message a line reads better than a page of wrapped ones)
"""What can be wrong with a file or a row: a code, what it does to the row, and words with a remedy.

The words are English templates that the pages translate when they show them, so that a row refused today
reads in the reader's own language tomorrow. Columns named in braces are filled from the fault's parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

TEXT_SHOWN = 60
"""Characters of a cell that a message repeats; a cell can hold a novel."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is wrong and what to do about it, before the parameters are filled in."""

    reason: str
    remedy: str


def _(text: str) -> str:
    """Mark a text for translation; the page translates it (this module knows no framework)."""
    return text


REFUSALS: dict[str, Words] = {
    "file.empty": Words(_("The file is empty."), _("Open it on your computer, check that it has rows, save it and send it again.")),
    "file.too_large": Words(_("The file has {size} MB; the most is {limit} MB."), _("Split it by branch or by month and send the parts.")),
    "file.wrong_type": Words(_("This is {found}, not a CSV file or an Excel workbook."), _("Open it in Excel, choose Save As, Excel Workbook (.xlsx) or CSV, and send that file.")),
    "file.encrypted": Words(_("The workbook is locked with a password."), _("Remove the password in Excel (File, Info, Protect Workbook) and send it again.")),
    "file.macros": Words(_("The workbook contains macros, which are programs."), _("Save it as Excel Workbook (.xlsx) without macros and send that file.")),
    "file.bomb": Words(_("The workbook unpacks to far more than its size: {detail}."), _("Copy the rows into a new workbook, save it as .xlsx and send that.")),
    "file.damaged": Words(_("The file is damaged and cannot be opened: {detail}."), _("Open it in Excel, save it again as .xlsx and send that file.")),
    "file.encoding": Words(_("The letters of this CSV file cannot be read: {detail}."), _("Save it as CSV UTF-8 (comma delimited) and send it again.")),
    "file.quote_open": Words(_("A quotation mark is opened in line {line} and never closed."), _("Remove the stray quotation mark, or send the file as .xlsx.")),
    "file.too_many_rows": Words(_("The file has more than {limit} rows."), _("Split it by branch or by month and send the parts.")),
    "file.too_many_columns": Words(_("The file has more than {limit} columns."), _("Keep the columns of the template only and send it again.")),
    "file.no_rows": Words(_("The file has headings and no rows under them."), _("Add the rows and send it again.")),
    "file.no_sheet": Words(_("The workbook has no visible sheet with cells in it."), _("Put the rows on a visible sheet and send it again.")),
    "file.several_sheets": Words(_("Several sheets hold such rows: {sheets}."), _("Send one file per sheet, or hide the sheets that should not be read.")),
    "file.missing_columns": Words(_("These columns are missing: {missing}. Headings found: {found}."), _("Name the columns as in the template and send it again.")),
    "file.heading_twice": Words(_("Columns {columns} both read as “{field}”."), _("Keep one of them, or rename the other, and send it again.")),
    "file.plan_row": Words(_("The repayment plan on sheet “{sheet}” cannot be read: row {row}, column {column}: {why}"), _("Correct the cell and send the workbook again; nothing was taken from it.")),
    "file.plan_account": Words(_("The repayment plan names loan account {account}, which is not in the list."), _("Write the account as in the list, or take its rows out of the plan.")),
    "file.same_bytes": Words(_("This very file was sent before: upload {other}, {state}."), _("Open that upload. To send other rows, change the file first.")),
    "file.same_rows": Words(_("The same rows were sent before: upload {other}, {state}."), _("Open that upload. To send further rows, put only those into a new file.")),
    "file.reader_stopped": Words(_("The reader stopped {attempts} times without finishing this file."), _("Split the file into smaller ones; if that fails too, tell the foundation.")),
}  # fmt: skip

CAUTIONS: dict[str, Words] = {
    "file.total_differs": Words(_("The total row says {stated}, the rows come to {found}."), _("Check whether a row is missing or a figure mistyped before confirming.")),
    "file.rows_added": Words(_("Row {row} is named a total but rows follow it."), _("Check that those rows belong to this file.")),
    "file.bijoy": Words(_("Columns {columns} are written in a Bijoy (SutonnyMJ) font, not in Unicode."), _("The names cannot be read. Convert them to Unicode, or accept that they are left out.")),
}  # fmt: skip

NOTICES: dict[str, Words] = {
    "file.other_name": Words(_("The file is called {name} but is {found}; it was read as that."), ""),
    "file.hidden_sheets": Words(_("Hidden sheets were not read: {sheets}."), ""),
    "file.other_sheets": Words(_("Sheets without the headings were not read: {sheets}."), ""),
    "file.columns_ignored": Words(_("Columns not read: {columns}."), ""),
    "file.notes": Words(_("Read as notes, not as rows of the list, by row: {rows}."), ""),
    "file.totals": Words(_("Read as totals, by row: {rows}."), ""),
    "file.nothing_paid": Words(_("{count} rows name an account and nothing else; they were read as nothing paid."), ""),
}  # fmt: skip

ROW_FAULTS: dict[str, tuple[str, Words]] = {
    "cell.formula": ("invalid", Words(_("The cell holds a formula, and a file shows its result only while Excel agrees."), _("Copy the column and paste it as values, then send the file again."))),
    "cell.error": ("invalid", Words(_("The cell holds the Excel error {text}."), _("Type the value itself."))),
    "cell.missing": ("invalid", Words(_("The cell is empty."), _("Fill in the {field}."))),
    "cell.too_long": ("invalid", Words(_("The text has more than {limit} characters."), _("Shorten it."))),
    "cell.merged": ("invalid", Words(_("The amount stands in cells merged over several rows ({text})."), _("Unmerge them and state the amount of each row."))),
    "cell.bijoy": ("invalid", Words(_("“{text}” is written in a Bijoy (SutonnyMJ) font, not in Unicode."), _("Convert it to Unicode and send the file again."))),
    "account.rounded": ("invalid", Words(_("Account {text} was kept as a number; Excel keeps 15 digits and has lost the rest."), _("Format the column as Text, type the account again and send the file again."))),
    "account.scientific": ("invalid", Words(_("Account {text} was shortened by Excel; its digits are lost."), _("Format the column as Text, type the account again and send the file again."))),
    "amount.unreadable": ("invalid", Words(_("The amount “{text}” cannot be read."), _("Write digits only, such as 12500.00."))),
    "amount.negative": ("invalid", Words(_("The amount {text} is negative."), _("A repayment is above zero. Ask the foundation to reverse a posted receipt."))),
    "amount.zero": ("invalid", Words(_("The amount is zero."), _("Leave out rows of borrowers who paid nothing."))),
    "amount.finer": ("invalid", Words(_("The amount {text} is finer than one poisha."), _("Round it to two decimals."))),
    "amount.too_large": ("invalid", Words(_("The amount {text} is larger than any loan can be."), _("Check the figure."))),
    "date.unreadable": ("invalid", Words(_("The date “{text}” cannot be read."), _("Write it as 25/03/2026, or as 2026-03-25."))),
    "date.no_such_day": ("invalid", Words(_("There is no day “{text}” when the day is written first."), _("Correct the date. If the file writes the month first, choose that when sending it."))),
    "date.no_such_day_month_first": ("invalid", Words(_("There is no day “{text}” when the month is written first."), _("Correct the date. If the file writes the day first, choose that when sending it."))),
    "date.future": ("invalid", Words(_("The value date {text} lies after the business date {limit}."), _("Send the row when the money has been received, or correct the date."))),
    "number.unreadable": ("invalid", Words(_("“{text}” is not a number."), _("Write digits only."))),
    "choice.unknown": ("invalid", Words(_("“{text}” is not one of: {limit}."), _("Use a code of the list in the template."))),
    "reference.missing": ("invalid", Words(_("The row has no reference."), _("Give the voucher or transaction number: it keeps a repayment from being posted twice."))),
    "loan.unknown": ("unmatched", Words(_("No sub-loan of yours has account {text}."), _("Check the account number, or send the disbursement list of that loan first."))),
    "loan.several": ("ambiguous", Words(_("Account {text} fits {limit} of your sub-loans."), _("Choose the loan on this page, or write our number (SL-…) in the file."))),
    "duplicate.in_file": ("duplicate", Words(_("Reference {text} stands on this loan already in row {limit}."), _("If it is another repayment, give it its own reference."))),
    "duplicate.posted": ("duplicate", Words(_("Reference {text} is posted on this loan already, value date {limit}."), _("Nothing to do. If it is another repayment, give it its own reference."))),
    "duplicate.in_upload": ("duplicate", Words(_("Reference {text} on this loan waits in upload {limit}."), _("Discard one of the two."))),
    "position.twice": ("duplicate", Words(_("Account {text} stands for this date already in row {limit}."), _("Discard one of the two rows."))),
    "subloan.refused": ("invalid", Words("{text}", "{limit}")),
}  # fmt: skip

WARNINGS: dict[str, Words] = {
    "date.before_disbursement": Words(_("The value date {text} lies before the loan's disbursement on {limit}."), _("The checker may accept it.")),
    "split.differs": Words(_("Principal, interest and charge come to {text}, the amount is {limit}."), _("The amount counts; the split is kept as reported.")),
    "split.unreadable": Words(_("The reported split “{text}” cannot be read and is left out."), _("The amount counts.")),
    "subloan.warning": Words("{text}", "{limit}"),
    "name.bijoy": Words(_("“{text}” is written in a Bijoy (SutonnyMJ) font, not in Unicode."), _("The name is kept as sent.")),
}  # fmt: skip


class CannotReadFile(Exception):
    """The file as a whole is refused. Carries a code of ``REFUSALS`` and its parameters."""

    def __init__(self, code: str, **params: object) -> None:
        self.message: dict[str, Any] = message(code, **params)
        words = REFUSALS[code]
        super().__init__(f"{fill(words.reason, self.message['params'])} {words.remedy}")


def message(code: str, **params: object) -> dict[str, Any]:
    """A fault as it is stored: its code and parameters as text."""
    return {"code": code, "params": {name: shorten(str(value)) for name, value in params.items()}}


def words_of(code: str) -> Words:
    """The words of any code. A code no longer known (an old row) speaks for itself."""
    for catalogue in (REFUSALS, CAUTIONS, NOTICES, WARNINGS):
        if code in catalogue:
            return catalogue[code]
    return ROW_FAULTS[code][1] if code in ROW_FAULTS else Words(code, "")


def fill(template: str, params: Mapping[str, Any]) -> str:
    """Put parameters into a template. What the file says is only ever a parameter, never a template."""
    text = template
    for name, value in params.items():
        text = text.replace("{" + name + "}", str(value).replace("{", "").replace("}", ""))
    return text


def shorten(text: str, most: int = 240) -> str:
    """A text short enough for a message, control characters left out."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


@dataclass(slots=True)
class RowFaults:
    """The first fault of each row and all its warnings, as columns. Whoever adds first names the row's state."""

    index: pd.Index
    code: npt.NDArray[np.object_] = field(init=False)
    column: npt.NDArray[np.object_] = field(init=False)
    text: npt.NDArray[np.object_] = field(init=False)
    limit: npt.NDArray[np.object_] = field(init=False)
    warnings: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        size = len(self.index)
        for name in ("code", "column", "text", "limit"):
            blank = np.empty(size, dtype=object)
            blank[:] = ""
            setattr(self, name, blank)

    @property
    def clean(self) -> npt.NDArray[np.bool_]:
        """Rows without a fault so far."""
        return self.code == ""

    def add(
        self,
        where: npt.ArrayLike,
        code: str | npt.NDArray[np.object_],
        *,
        column: str = "",
        text: pd.Series | npt.NDArray[Any] | str = "",
        limit: pd.Series | npt.NDArray[Any] | str = "",
    ) -> None:
        """Name a fault on the rows chosen that have none yet."""
        chosen = np.asarray(where, dtype=bool) & self.clean
        if not chosen.any():
            return
        for target, value in (
            (self.code, code),
            (self.column, column),
            (self.text, text),
            (self.limit, limit),
        ):
            target[chosen] = value if isinstance(value, str) else np.asarray(value, dtype=object)[chosen]

    def warn(
        self,
        where: npt.ArrayLike,
        code: str,
        *,
        column: str = "",
        text: pd.Series | npt.NDArray[Any] | str = "",
        limit: pd.Series | npt.NDArray[Any] | str = "",
    ) -> None:
        """Attach a warning to the rows chosen."""
        chosen = np.asarray(where, dtype=bool)
        if not chosen.any():
            return
        parts = {
            name: value if isinstance(value, str) else np.asarray(value, dtype=object)[chosen]
            for name, value in (("column", column), ("text", text), ("limit", limit))
        }
        self.warnings.append(pd.DataFrame({"row": np.flatnonzero(chosen), "code": code, **parts}))

    def warned(self) -> pd.DataFrame:
        """All warnings: position of the row, code, column, text, limit."""
        if not self.warnings:
            return pd.DataFrame(
                {name: pd.Series(dtype=object) for name in ("row", "code", "column", "text", "limit")}
            )
        return pd.concat(self.warnings, ignore_index=True)


def states_of(codes: Iterable[str]) -> npt.NDArray[np.object_]:
    """The state each row takes from its fault: ready without one."""
    return np.array([ROW_FAULTS[code][0] if code else "ready" for code in codes], dtype=object)
