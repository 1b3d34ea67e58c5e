"""Which rows repeat a repayment: within the file, among posted receipts, in another upload that waits."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
from django.db import connection

from repayments.faults import RowFaults

_POSTED = """
SELECT DISTINCT ON (r.loan_id, r.external_reference)
       r.loan_id, r.external_reference, to_char(r.value_date, 'DD/MM/YYYY')
  FROM repayments_receipt r
  JOIN unnest(%(loans)s::bigint[], %(references)s::text[]) AS c (loan_id, reference)
    ON r.loan_id = c.loan_id AND r.external_reference = c.reference
 WHERE r.mirror_of_id IS NULL AND NOT EXISTS (SELECT FROM repayments_receipt m WHERE m.mirror_of_id = r.id)
 ORDER BY r.loan_id, r.external_reference, r.id
"""
_WAITING = """
SELECT DISTINCT ON (o.loan_id, o.reference) o.loan_id, o.reference, o.upload_id::text
  FROM repayments_uploadrow o
  JOIN repayments_upload u ON u.id = o.upload_id
  JOIN unnest(%(loans)s::bigint[], %(references)s::text[]) AS c (loan_id, reference)
    ON o.loan_id = c.loan_id AND o.reference = c.reference
 WHERE u.institution_id = %(institution)s AND u.kind = 'repayments' AND u.state IN ('preview', 'confirmed')
   AND o.state = 'ready' AND u.id <> %(upload)s
 ORDER BY o.loan_id, o.reference, o.upload_id
"""


def mark_duplicates(
    values: pd.DataFrame, faults: RowFaults, *, institution_id: int, upload_id: int, column: str
) -> None:
    """Name the rows whose reference stands on their loan already; the first row of a file counts."""
    _mark(values, faults, _POSTED, "duplicate.posted", institution_id, upload_id, column)
    whole = faults.clean & (values["loan_id"] > 0).to_numpy()
    pairs = values.loc[whole, ["loan_id", "reference"]]
    first_row = pairs.index.to_series().groupby([pairs["loan_id"], pairs["reference"]]).transform("min")
    again = first_row[first_row.index != first_row]
    repeated = values.index.isin(again.index)
    limit = again.reindex(values.index).fillna(0).astype(np.int64).astype(str)
    faults.add(repeated, "duplicate.in_file", column=column, text=values["reference"], limit=limit)
    _mark(values, faults, _WAITING, "duplicate.in_upload", institution_id, upload_id, column)


def mark_repeated_positions(values: pd.DataFrame, faults: RowFaults, *, column: str) -> None:
    """Name the rows that state a position of a loan and date again; the first row of a file counts."""
    whole = faults.clean & (values["loan_id"] > 0).to_numpy()
    pairs = values.loc[whole, ["loan_id", "value_date"]]
    first_row = pairs.index.to_series().groupby([pairs["loan_id"], pairs["value_date"]]).transform("min")
    again = first_row[first_row.index != first_row]
    limit = again.reindex(values.index).fillna(0).astype(np.int64).astype(str)
    repeated = values.index.isin(again.index)
    faults.add(repeated, "position.twice", column=column, text=values["account"], limit=limit)


def mark_posted(
    values: pd.DataFrame, faults: RowFaults, *, institution_id: int, upload_id: int, column: str
) -> None:
    """Name the rows whose reference is posted on their loan: asked once more under the loans' locks."""
    _mark(values, faults, _POSTED, "duplicate.posted", institution_id, upload_id, column)


def _mark(
    values: pd.DataFrame,
    faults: RowFaults,
    query: str,
    code: str,
    institution_id: int,
    upload_id: int,
    column: str,
) -> None:
    open_rows = faults.clean & (values["loan_id"] > 0).to_numpy()
    asked = values.loc[open_rows, ["loan_id", "reference"]].drop_duplicates()
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "loans": asked["loan_id"].tolist(),
                "references": asked["reference"].tolist(),
                "institution": institution_id,
                "upload": upload_id,
            },
        )
        found = pd.DataFrame(cursor.fetchall(), columns=["loan_id", "reference", "limit"])
    pairs = pd.MultiIndex.from_frame(values[["loan_id", "reference"]])
    known = pd.Series(
        found["limit"].to_numpy(dtype=object), index=pd.MultiIndex.from_frame(found[["loan_id", "reference"]])
    )
    limit = known.reindex(pairs)
    faults.add(
        limit.notna().to_numpy(),
        code,
        column=column,
        text=values["reference"],
        limit=limit.fillna("").to_numpy(),
    )


def rows_digest(values: pd.DataFrame, cells: pd.DataFrame) -> str:
    """One hash of what the rows say, whatever their order, headings, formats or file type.

    A row whose date and amount are readable counts by what it means, another by its cells as they stand.
    """
    if "reference" in values:
        meaning = values[["account_key", "value_date", "amount_minor", "reference"]]
    else:
        meaning = values.drop(columns=["account", "loan_id"], errors="ignore")
    is_read = values["amount_minor"] > 0
    if "value_date" in values:
        is_read &= values["value_date"].notna()
    said = _joined(meaning).where(is_read, "? " + _joined(cells))
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()


def _joined(table: pd.DataFrame) -> pd.Series:
    text = table.astype(str).fillna("")
    return text.iloc[:, 0].str.cat(text.iloc[:, 1:], sep="|")
