"""Find the row of headings under the titles, and what each column holds."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from repayments.faults import CannotReadFile
from repayments.parsing.fields import Field
from repayments.parsing.sheet import Sheet
from repayments.parsing.text import heading_key, looks_bijoy

_LOOKED_AT = 40
"""Rows searched for headings: bank name, branch, period and address come first."""
_LEAST = 2
_UNITS = ("intaka", "intk", "inbdt", "taka", "tk", "bdt", "টাকায়", "টাকা")


@dataclass(frozen=True, slots=True)
class Headings:
    """The row of headings and, per field name, its column letter and the heading as written."""

    row: int
    columns: dict[str, tuple[str, str]]
    others: list[str]
    """Headings of columns no field claims."""


def find_headings(sheet: Sheet, fields: tuple[Field, ...]) -> Headings | None:
    """The row among the first that names most fields; of equals one below the other, as merged headings make
    them, the lowest.

    None when no row names two of them. Raises ``CannotReadFile`` when two columns claim one field.
    """
    meanings = {key: spec.name for spec in reversed(fields) for key in spec.keys}
    top = sheet.cells.head(_LOOKED_AT)
    named = top.map(lambda text: _meaning(text, meanings))
    counts = named.apply(lambda row: len(set(row) - {""}), axis=1) if len(named) else pd.Series(dtype=int)
    if counts.empty or counts.max() < _LEAST:
        return None
    best = counts.index[counts == counts.max()]
    row = int(best[0])
    while row + 1 in best:
        row += 1
    found: dict[str, list[str]] = {}
    others = []
    for letter in sheet.cells.columns:
        name, text = str(named.at[row, letter]), str(top.at[row, letter])
        if name:
            found.setdefault(name, []).append(letter)
        elif text:
            others.append(f"{letter} ({text})")
    twice = next((name for name, letters in found.items() if len(letters) > 1), None)
    if twice:
        heading = next(spec.heading for spec in fields if spec.name == twice)
        raise CannotReadFile("file.heading_twice", columns=", ".join(found[twice]), field=heading)
    columns = {name: (letters[0], str(top.at[row, letters[0]])) for name, letters in found.items()}
    return Headings(row=row, columns=columns, others=others)


def _meaning(text: str, meanings: dict[str, str]) -> str:
    if not text or len(text) > 80:
        return ""
    key = heading_key(text)
    if key in meanings:
        return meanings[key]
    for unit in _UNITS:
        if key.endswith(unit) and key.removesuffix(unit) in meanings:
            return meanings[key.removesuffix(unit)]
        if key.startswith(unit) and key.removeprefix(unit) in meanings:
            return meanings[key.removeprefix(unit)]
    return ""


def missing_columns(
    sheet: Sheet, headings: Headings | None, fields: tuple[Field, ...]
) -> CannotReadFile | None:
    """The refusal that names the required columns not found, and the headings there are."""
    present = headings.columns if headings else {}
    absent = [spec.heading for spec in fields if spec.required and spec.name not in present]
    if not absent:
        return None
    row = sheet.cells.loc[headings.row] if headings else _likeliest(sheet)
    found = [text for text in row if text]
    shown = ", ".join(f"“{text}”" for text in found[:12]) or "none"
    if found and looks_bijoy(pd.Series(found, dtype=object)).any():
        shown += " (in a Bijoy font, not Unicode)"
    return CannotReadFile("file.missing_columns", missing=", ".join(absent), found=shown)


def _likeliest(sheet: Sheet) -> pd.Series:
    """Without any known heading: the fullest of the first rows, the upper of equals."""
    top = sheet.cells.head(_LOOKED_AT)
    return top.iloc[int((top != "").sum(axis=1).to_numpy().argmax())] if len(top) else pd.Series(dtype=object)
