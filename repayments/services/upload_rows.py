"""Rows of an upload as columns: understood, matched, written, read again after a correction."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection

from daybook.columns import insert_columns
from repayments.faults import ROW_FAULTS, RowFaults, states_of
from repayments.matching.duplicates import mark_duplicates, mark_repeated_positions
from repayments.matching.loans import match_loans, warn_before_disbursement
from repayments.models import Upload
from repayments.parsing.dates import DateOrder
from repayments.parsing.fields import FIELDS
from repayments.parsing.understand import Marks, Understood, understand
from repayments.services.upload_lists import check_list, supplied_plan

Kind = Upload.Kind
ABOUT_LOANS = (Kind.REPAYMENTS, Kind.POSITIONS)
"""Files whose every row is about a sub-loan that is in the books."""
CHOSEN_LOAN = "loan"
"""Key, among a row's corrections, of the loan a person picked."""
_OWN_COLUMNS = frozenset(["value_date", "amount_minor", "reference", "loan_id", "disbursed_date"])
_ROW_TEXT = 300


@dataclass(slots=True)
class Rows:
    """The rows of an upload: raw cells by letter, marks, and corrections laid over them."""

    cells: pd.DataFrame
    marks: Marks
    corrections: dict[int, dict[str, Any]]

    def corrected(self) -> pd.DataFrame:
        """The cells with what people put in their place."""
        cells = self.cells.copy()
        for row, changes in self.corrections.items():
            for letter, text in changes.items():
                if letter != CHOSEN_LOAN and letter in cells:
                    cells.at[row, letter] = text
        return cells

    def open_marks(self) -> Marks:
        """The marks of cells nobody has corrected."""
        open_marks = {
            mark: {letter: mask.copy() for letter, mask in of.items()} for mark, of in self.marks.items()
        }
        place = {row: position for position, row in enumerate(self.cells.index)}
        for row, changes in self.corrections.items():
            for of_mark in open_marks.values():
                for letter in changes.keys() & of_mark.keys():
                    of_mark[letter][place[row]] = False
        return open_marks


def assess(upload: Upload, rows: Rows, *, business_date: date) -> Understood:
    """Understand every row and what it is about: one pass over columns, a fixed number of queries."""
    columns = {name: (letter, heading) for name, (letter, heading) in upload.columns.items()}
    understood = understand(
        rows.corrected(),
        kind=upload.kind,
        columns=columns,
        marks=rows.open_marks(),
        order=DateOrder(upload.date_order),
        business_date=business_date,
    )
    if upload.kind in ABOUT_LOANS:
        _match(upload, understood, rows, columns)
    else:
        understood.values["loan_id"] = np.zeros(len(understood.values), dtype=np.int64)
        _check_with_lending(upload, understood, columns, business_date)
    return understood


def _match(
    upload: Upload, understood: Understood, rows: Rows, columns: Mapping[str, tuple[str, str]]
) -> None:
    """Find the loan of each row, and the rows that say the same thing twice."""
    values, faults = understood.values, understood.faults
    chosen = {
        row: int(changes[CHOSEN_LOAN]) for row, changes in rows.corrections.items() if CHOSEN_LOAN in changes
    }
    match_loans(
        values, faults, institution_id=upload.institution_id, column=columns["account"][0], chosen=chosen
    )
    if upload.kind == Kind.REPAYMENTS:
        mark_duplicates(
            values,
            faults,
            institution_id=upload.institution_id,
            upload_id=upload.pk,
            column=columns["reference"][0],
        )
    else:
        mark_repeated_positions(values, faults, column=columns["account"][0])
    warn_before_disbursement(values, faults, column=columns["value_date"][0])


def _check_with_lending(
    upload: Upload, understood: Understood, columns: Mapping[str, tuple[str, str]], business_date: date
) -> None:
    """Lay the faults that lending finds (programme's terms, room, duplicates) over the rows it can read."""
    faults = understood.faults
    clean = faults.clean
    if not clean.any():
        return
    values = understood.values
    plan = (
        supplied_plan(upload, values["account"], business_date=business_date) if "account" in values else None
    )
    found = check_list(upload, values[clean], business_date=business_date, plan=plan)
    place = {row: position for position, row in enumerate(understood.values.index)}
    for (severity, field), group in found.groupby(["severity", "field"]):
        where = np.zeros(len(understood.values), dtype=bool)
        text = np.full(len(where), "", dtype=object)
        limit = np.full(len(where), "", dtype=object)
        once = group.drop_duplicates("index")
        positions = once["index"].map(place).to_numpy(dtype=np.int64)
        where[positions], text[positions], limit[positions] = True, once["reason"], once["remedy"]
        letter = columns.get(str(field).removesuffix("_minor"), ("", ""))[0]
        if severity == "warning":
            faults.warn(where, "subloan.warning", column=letter, text=text, limit=limit)
        else:
            faults.add(where, "subloan.refused", column=letter, text=text, limit=limit)


def columns_to_store(
    upload: Upload, understood: Understood, *, states: npt.NDArray[np.object_] | None = None
) -> dict[str, Any]:
    """The columns of ``UploadRow`` that an assessment decides, in row order."""
    values, faults = understood.values, understood.faults
    size = len(values)
    if upload.kind in ABOUT_LOANS:
        value_date = values["value_date"].to_numpy("datetime64[D]")
        reference = values["reference"].tolist() if "reference" in values else [""] * size
        loans = [loan or None for loan in values["loan_id"].tolist()]
    else:
        value_date = np.full(size, np.datetime64("NaT"), dtype="datetime64[D]")
        reference, loans = [""] * size, [None] * size
    readable = faults.clean | (values["amount_minor"] > 0).to_numpy(dtype=bool)
    amounts = values["amount_minor"].astype(object).where(readable, None).tolist()
    reasons, remedies = _sentences(upload, faults)
    return {
        "state": (states_of(faults.code) if states is None else states).tolist(),
        "column": faults.column.tolist(),
        "reason": reasons,
        "remedy": remedies,
        "fault": _fault_json(upload, faults),
        "warnings": _warnings_json(upload, faults),
        "loan_id": loans,
        "value_date": value_date,
        "amount_minor": amounts,
        "reference": reference,
        "values": _values_json(values),
    }


def insert_rows(upload: Upload, rows: Rows, understood: Understood) -> None:
    """Write all rows of an upload at once."""
    size = len(rows.cells)
    insert_columns(
        "repayments_uploadrow",
        {
            "upload_id": np.full(size, upload.pk, dtype=np.int64),
            "institution_id": np.full(size, upload.institution_id, dtype=np.int64),
            "row_number": rows.cells.index.to_numpy(dtype=np.int64),
            "cells": json_lines(rows.cells),
            "marks": _marks_json(rows),
            "corrections": ["{}"] * size,
            **columns_to_store(upload, understood),
        },
    )


_UPDATE = """
UPDATE repayments_uploadrow r
   SET state = c.state, "column" = c."column", reason = c.reason, remedy = c.remedy, fault = c.fault,
       warnings = c.warnings, loan_id = c.loan_id, value_date = c.value_date, amount_minor = c.amount_minor,
       reference = c.reference, "values" = c."values"
  FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::jsonb[],
              %s::bigint[],
              %s::date[], %s::bigint[], %s::text[], %s::jsonb[])
    AS c (row_number, state, "column", reason, remedy, fault, warnings, loan_id, value_date, amount_minor,
          reference, "values")
 WHERE r.upload_id = %s AND r.row_number = c.row_number AND r.state NOT IN ('posted', 'discarded')
"""


def update_rows(upload: Upload, understood: Understood) -> None:
    """Write an assessment over the rows, but for those posted or discarded."""
    stored = columns_to_store(upload, understood)
    days = [None if day is None else day.isoformat() for day in stored["value_date"].tolist()]
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE,
            [understood.values.index.tolist(), *(days if name == "value_date" else column
             for name, column in stored.items()), upload.pk],
        )  # fmt: skip


def rows_of(upload: Upload, *, states: list[str] | None = None) -> Rows:
    """The rows as they were sent, with their corrections; in one query."""
    query = "SELECT row_number, cells, marks, corrections FROM repayments_uploadrow WHERE upload_id = %s"
    params: list[Any] = [upload.pk]
    if states is not None:
        query += " AND state = ANY (%s)"
        params.append(states)
    with connection.cursor() as cursor:
        cursor.execute(query + " ORDER BY row_number", params)
        found = cursor.fetchall()
    index = pd.Index([row for row, *_ in found], dtype="int64")
    cells = (
        pd.DataFrame.from_records([_json(raw) for _, raw, _, _ in found], index=index)
        .fillna("")
        .astype(object)
    )
    marks: dict[str, dict[str, npt.NDArray[np.bool_]]] = {}
    for position, (_, _, raw, _) in enumerate(found):
        for letter, names in _json(raw).items():
            for mark in names:
                mask = marks.setdefault(mark, {}).setdefault(letter, np.zeros(len(found), dtype=bool))
                mask[position] = True
    corrections = {row: _json(raw) for row, _, _, raw in found if raw not in ("{}", {})}
    return Rows(cells=cells, marks=marks, corrections=corrections)


def _json(raw: Any) -> dict[str, Any]:
    return raw if isinstance(raw, dict) else json.loads(raw)


def json_lines(frame: pd.DataFrame) -> list[str]:
    """Each row of a table as one JSON object, encoded by pandas in one go."""
    if frame.empty:
        return ["{}"] * len(frame)
    lines = frame.to_json(orient="records", lines=True, force_ascii=False, date_format="iso", date_unit="s")
    return lines.removesuffix("\n").split("\n")


def _marks_json(rows: Rows) -> list[str]:
    """Letter → names of what is marked there; most rows have none."""
    found: dict[int, dict[str, list[str]]] = {}
    for mark, of in rows.marks.items():
        for letter, mask in of.items():
            for position in np.flatnonzero(mask).tolist():
                found.setdefault(position, {}).setdefault(letter, []).append(mark)
    return [json.dumps(found[position]) if position in found else "{}" for position in range(len(rows.cells))]


def _values_json(values: pd.DataFrame) -> list[str]:
    others = values[[name for name in values if name not in _OWN_COLUMNS]].copy()
    for name in others.select_dtypes("datetime"):
        others[name] = others[name].dt.strftime("%Y-%m-%d").fillna("")
    return json_lines(others)


def _field_names(upload: Upload) -> dict[str, str]:
    """Column letter → the heading our template gives its field."""
    headings = {spec.name: spec.heading for spec in FIELDS[upload.kind]}
    return {letter: headings[name] for name, (letter, _) in upload.columns.items()}


def _sentences(upload: Upload, faults: RowFaults) -> tuple[list[str], list[str]]:
    """Reason and remedy in English, a template at a time."""
    size = len(faults.index)
    reasons, remedies = np.full(size, "", dtype=object), np.full(size, "", dtype=object)
    fields = pd.Series(faults.column).map(_field_names(upload)).fillna("").to_numpy(dtype=object)
    for code in set(faults.code) - {""}:
        chosen = faults.code == code
        params = {"text": faults.text[chosen], "limit": faults.limit[chosen], "field": fields[chosen]}
        words = ROW_FAULTS[code][1]
        reasons[chosen] = _filled(words.reason, params, int(chosen.sum()))
        remedies[chosen] = _filled(words.remedy, params, int(chosen.sum()))
    return reasons.tolist(), remedies.tolist()


def _filled(template: str, params: Mapping[str, npt.NDArray[Any]], size: int) -> npt.NDArray[np.object_]:
    text = np.full(size, "", dtype=object)
    for piece in re.split(r"(\{\w+\})", template):
        text = text + (params[piece[1:-1]] if piece.startswith("{") else piece)
    return pd.Series(text, dtype=object).str.slice(0, _ROW_TEXT).to_numpy(dtype=object)


def _fault_json(upload: Upload, faults: RowFaults) -> list[str]:
    fields = pd.Series(faults.column).map(_field_names(upload)).fillna("")
    frame = pd.DataFrame({"text": faults.text, "limit": faults.limit, "field": fields})
    params = pd.Series(json_lines(frame), dtype=object) if len(frame) else pd.Series(dtype=object)
    code = pd.Series(faults.code, dtype=object)
    texts = '{"code":"' + code + '","params":' + params + "}"
    return texts.where(code != "", "{}").tolist()


def _warnings_json(upload: Upload, faults: RowFaults) -> list[str]:
    warned = faults.warned()
    answer = np.full(len(faults.index), "[]", dtype=object)
    if warned.empty:
        return answer.tolist()
    fields = warned["column"].map(_field_names(upload)).fillna("")
    params = pd.Series(
        json_lines(pd.DataFrame({"text": warned["text"], "limit": warned["limit"], "field": fields}))
    )
    texts = (
        '{"code":"'
        + warned["code"]
        + '","column":"'
        + warned["column"]
        + '","params":'
        + params.astype(object)
        + "}"
    )
    joined = texts.groupby(warned["row"].astype(np.int64)).agg(",".join)
    answer[joined.index.to_numpy()] = ("[" + joined + "]").to_numpy(dtype=object)
    return answer.tolist()


_MARK = """
UPDATE repayments_uploadrow r
   SET state = c.state, "column" = c."column", reason = c.reason, remedy = c.remedy, fault = c.fault
  FROM unnest(%s::integer[], %s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[])
    AS c (row_number, state, "column", reason, remedy, fault)
 WHERE r.upload_id = %s AND r.row_number = c.row_number AND r.state = 'ready'
"""


def mark_rows(upload: Upload, faults: RowFaults) -> None:
    """Give ready rows the state of a fault found after they were confirmed."""
    chosen = ~faults.clean
    reasons, remedies = _sentences(upload, faults)
    columns: list[npt.NDArray[Any]] = [
        np.asarray(column, dtype=object)[chosen]
        for column in (states_of(faults.code), faults.column, reasons, remedies, _fault_json(upload, faults))
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK, [faults.index[chosen].tolist(), *(column.tolist() for column in columns), upload.pk]
        )


_SET_LOANS = """
UPDATE repayments_uploadrow r SET state = 'posted', loan_id = nullif(c.loan_id, 0)
  FROM unnest(%s::integer[], %s::bigint[]) AS c (row_number, loan_id)
 WHERE r.upload_id = %s AND r.row_number = c.row_number AND r.state = 'ready'
"""


def set_loans(upload: Upload, row_numbers: pd.Index, loan_ids: npt.NDArray[np.int64]) -> None:
    """Mark rows posted, with the loan each one opened (0: none)."""
    with connection.cursor() as cursor:
        cursor.execute(_SET_LOANS, [row_numbers.tolist(), loan_ids.tolist(), upload.pk])
