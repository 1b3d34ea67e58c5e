"""From raw cells to typed columns, with the first fault of each row that has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from repayments.faults import TEXT_SHOWN, RowFaults
from repayments.parsing.amounts import read_amounts
from repayments.parsing.dates import DateOrder, read_dates
from repayments.parsing.fields import FIELDS, Field, Holds
from repayments.parsing.text import account_key, heading_key, looks_bijoy, plain, reference_key

Marks = Mapping[str, Mapping[str, npt.NDArray[np.bool_]]]
_ERRORS = r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)$"
_SHORTENED = r"(?i)^[0-9](?:\.[0-9]+)?e\+?[0-9]+$"
_GROUPS = r"(?<=[0-9])(?=(?:[0-9]{2})*[0-9]{3}$)"
"""Where commas stand in 10,00,000."""
_SPLIT = ("principal", "interest", "charge")


@dataclass(slots=True)
class Understood:
    """Values by field name, one row per row of the file; money fields end in ``_minor`` (poisha)."""

    values: pd.DataFrame
    faults: RowFaults


def understand(
    cells: pd.DataFrame,
    *,
    kind: str,
    columns: Mapping[str, tuple[str, str]],
    marks: Marks,
    order: DateOrder = DateOrder.DAY_FIRST,
    business_date: date,
) -> Understood:
    """Read every cell of the mapped columns. ``cells`` is indexed by row number, its columns are letters."""
    faults = RowFaults(cells.index)
    values = pd.DataFrame(index=cells.index)
    blank = pd.Series("", index=cells.index, dtype=object)
    for spec in FIELDS[kind]:
        letter = columns.get(spec.name, ("", ""))[0]
        column = cells.get(letter, blank).fillna("").astype(object)
        if letter:
            _refuse_marked(faults, marks, letter, column, spec)
        _read(values, faults, spec, letter, plain(column), order)
    if kind in ("repayments", "positions"):
        _check_not_future(values, faults, columns, business_date)
    if kind == "repayments":
        _check_repayments(values, faults, columns)
    return Understood(values=values, faults=faults)


def _refuse_marked(faults: RowFaults, marks: Marks, letter: str, column: pd.Series, spec: Field) -> None:
    none = np.zeros(len(column), dtype=bool)
    typed = (column != "=") & column.str.startswith("=")
    faults.add(marks.get("formula", {}).get(letter, none) | typed, "cell.formula", column=letter)
    faults.add(column.str.fullmatch(_ERRORS), "cell.error", column=letter, text=column)
    if spec.holds is Holds.ACCOUNT:
        faults.add(
            marks.get("long_number", {}).get(letter, none), "account.rounded", column=letter, text=column
        )
    if spec.holds is Holds.MONEY:
        faults.add(marks.get("merged", {}).get(letter, none), "cell.merged", column=letter, text=column)
    if spec.holds is Holds.NAME:
        bijoy = marks.get("bijoy", {}).get(letter, none) | looks_bijoy(column)
        if spec.filled:
            faults.add(bijoy, "cell.bijoy", column=letter, text=_shown(column))
        else:
            faults.warn(bijoy, "name.bijoy", column=letter, text=_shown(column))


def _read(
    values: pd.DataFrame, faults: RowFaults, spec: Field, letter: str, text: pd.Series, order: DateOrder
) -> None:
    empty = (text == "").to_numpy(dtype=bool)
    shown = _shown(text)
    if spec.filled and letter:
        faults.add(empty, "cell.missing", column=letter, text=spec.heading)
    match spec.holds:
        case Holds.MONEY:
            _read_money(values, faults, spec, letter, text)
        case Holds.DATE:
            dates = read_dates(text, order)
            if letter:
                faults.add(~empty & (dates.code != ""), dates.code, column=letter, text=shown)
            values[spec.name] = dates.day
        case Holds.NUMBER | Holds.RATE:
            bare = text.str.replace(r"(?i)\s*(?:%|percent|months?|মাস|শতাংশ)\s*$", "", regex=True)
            pattern = r"[0-9]{1,4}" if spec.holds is Holds.NUMBER else r"[0-9]{1,3}(?:\.[0-9]{1,4})?"
            good = bare.str.fullmatch(pattern).to_numpy(dtype=bool)
            faults.add(~empty & ~good, "number.unreadable", column=letter, text=shown)
            values[spec.name] = bare.where(good, "")
        case Holds.CHOICE | Holds.YES_NO:
            _read_choice(values, faults, spec, letter, text)
        case Holds.DIGITS:
            bare = text.str.replace(r"[\s\-]", "", regex=True)
            if spec.name == "phone":
                bare = bare.str.replace(r"^\+?88(?=01)", "", regex=True)
                bare = bare.str.replace(r"^(1[3-9][0-9]{8})$", r"0\1", regex=True)
            values[spec.name] = bare
        case Holds.ACCOUNT:
            faults.add(text.str.fullmatch(_SHORTENED), "account.scientific", column=letter, text=shown)
            too_long = text.str.len() > spec.most
            faults.add(too_long, "cell.too_long", column=letter, limit=str(spec.most))
            values[spec.name] = text.where(~too_long, "")
            values["account_key"] = account_key(text)
        case Holds.TEXT | Holds.NAME:
            kept = reference_key(text) if spec.name == "reference" else text
            too_long = kept.str.len() > spec.most
            faults.add(too_long, "cell.too_long", column=letter, limit=str(spec.most))
            values[spec.name] = kept.where(~too_long, "")


def _read_money(values: pd.DataFrame, faults: RowFaults, spec: Field, letter: str, text: pd.Series) -> None:
    read = read_amounts(text)
    empty = (text == "").to_numpy(dtype=bool)
    shown = _shown(text)
    if not spec.required:
        dash = text.str.fullmatch(r"[-–—]|nil").to_numpy(dtype=bool)
        bad = ~empty & ~dash & (~read.is_read | (read.minor < 0))
        faults.warn(bad, "split.unreadable", column=letter, text=shown)
        values[f"{spec.name}_minor"] = pd.array(np.where(read.is_read & ~bad, read.minor, 0), dtype="Int64")
        values.loc[empty | dash | bad, f"{spec.name}_minor"] = pd.NA
        return
    faults.add(~empty & ~read.is_read, read.code, column=letter, text=shown)
    faults.add(read.is_read & (read.minor < 0), "amount.negative", column=letter, text=shown)
    if not spec.may_be_zero:
        faults.add(read.is_read & (read.minor == 0), "amount.zero", column=letter, text=shown)
    values[f"{spec.name}_minor"] = read.minor


def _read_choice(values: pd.DataFrame, faults: RowFaults, spec: Field, letter: str, text: pd.Series) -> None:
    choices = spec.choices or {"yes": "yes;y;true;1;হ্যাঁ;হা", "no": "no;n;false;0;না;নাই"}
    meaning = {
        heading_key(word): code for code, words in choices.items() for word in (code, *words.split(";"))
    }
    code = text.map(heading_key).map(meaning)
    empty = (text == "").to_numpy(dtype=bool)
    unknown = ~empty & code.isna().to_numpy(dtype=bool)
    faults.add(unknown, "choice.unknown", column=letter, text=_shown(text), limit=", ".join(choices))
    code = code.fillna("")
    values[spec.name] = (code == "yes") if spec.holds is Holds.YES_NO else code.astype(object)


def _check_not_future(
    values: pd.DataFrame, faults: RowFaults, columns: Mapping[str, tuple[str, str]], business_date: date
) -> None:
    """No repayment is made, and no position stands, after the business date."""
    day = values["value_date"].to_numpy(dtype="datetime64[D]")
    shown = values["value_date"].dt.strftime("%d/%m/%Y").fillna("").to_numpy(dtype=object)
    faults.add(
        ~np.isnat(day) & (day > np.datetime64(business_date)),
        "date.future", column=columns.get("value_date", ("", ""))[0], text=shown,
        limit=f"{business_date:%d/%m/%Y}",
    )  # fmt: skip


def _check_repayments(
    values: pd.DataFrame, faults: RowFaults, columns: Mapping[str, tuple[str, str]]
) -> None:
    letters = {name: letter for name, (letter, _) in columns.items()}
    faults.add(values["reference"] == "", "reference.missing", column=letters.get("reference", ""))
    stated = [f"{name}_minor" for name in _SPLIT]
    split = values[stated]
    total = split.fillna(0).sum(axis=1).astype(np.int64)
    amount = values["amount_minor"]
    differs = split.notna().any(axis=1) & (total != amount) & faults.clean
    if differs.any():
        first = next((letters[name] for name in _SPLIT if name in letters), "")
        faults.warn(
            differs, "split.differs", column=first, text=taka_column(total), limit=taka_column(amount)
        )


def taka_column(minor: pd.Series) -> pd.Series:
    """Poisha as taka with two decimals, grouped as 10,00,000.00, for messages."""
    size = minor.abs()
    sign = pd.Series(np.where(minor < 0, "-", ""), index=minor.index, dtype=object)
    whole = (size // 100).astype(str).str.replace(_GROUPS, ",", regex=True)
    return sign + whole + "." + (size % 100).map("{:02d}".format)


def _shown(column: pd.Series) -> pd.Series:
    return column.str.slice(0, TEXT_SHOWN)


def taka(minor: int) -> str:
    """One amount as ``taka_column`` writes it."""
    return str(taka_column(pd.Series([minor])).iloc[0])
