"""Which loan each row of a repayment file pays, decided for all rows at once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from django.db import connection

from lending.models import Tier
from repayments.faults import RowFaults

_CANDIDATES = """
WITH names AS (
    SELECT i.loan_id, i.value FROM lending_loanidentifier i WHERE i.institution_id = %(institution)s
    UNION
    SELECT l.id, l.number FROM lending_loan l WHERE l.institution_id = %(institution)s AND l.tier = %(tier)s
), keyed AS (
    SELECT loan_id, value, ltrim(regexp_replace(upper(value), '[^0-9A-Z]', '', 'g'), '0') AS key FROM names
)
SELECT DISTINCT k.key, k.value, k.loan_id, l.disbursed_date
  FROM keyed k JOIN lending_loan l ON l.id = k.loan_id
 WHERE l.tier = %(tier)s AND l.institution_id = %(institution)s AND k.key = ANY (%(keys)s)
"""


def match_loans(
    values: pd.DataFrame,
    faults: RowFaults,
    *,
    institution_id: int,
    column: str,
    chosen: Mapping[int, int],
) -> None:
    """Add ``loan_id`` (0: none) to the values, and the faults of rows that fit no loan or several.

    Compared without spaces, dashes and leading zeros, by the bank's account numbers and ours. Only this
    institution's sub-loans are looked at, so another institution's loan and no loan at all read the same.
    ``chosen`` holds, by row number, the loan a person picked for an ambiguous row.
    """
    keys = sorted(set(values.loc[values["account_key"] != "", "account_key"]))
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"institution": institution_id, "tier": Tier.SUBLOAN, "keys": keys})
        found = pd.DataFrame(cursor.fetchall(), columns=["key", "value", "loan_id", "disbursed_date"])
    loans = found.drop_duplicates(["key", "loan_id"])
    by_key = loans.groupby("key")["loan_id"].agg(["first", "nunique"])
    first = values["account_key"].map(by_key["first"]).fillna(0).to_numpy(dtype=np.int64)
    count = values["account_key"].map(by_key["nunique"]).fillna(0).to_numpy(dtype=np.int64)
    exact = _exact(values, found)
    loan_id = np.where(count == 1, first, 0)
    loan_id = np.where((count > 1) & (exact > 0), exact, loan_id)
    picked = np.array([chosen.get(row, 0) for row in values.index], dtype=np.int64)
    if picked.any():
        allowed = (
            pd.MultiIndex.from_frame(loans[["key", "loan_id"]])
            if len(loans)
            else pd.MultiIndex.from_tuples([("", 0)])
        )
        fits = pd.MultiIndex.from_arrays([values["account_key"], picked]).isin(allowed)
        loan_id = np.where(fits & (picked > 0), picked, loan_id)
    shown = values["account"]
    faults.add(count == 0, "loan.unknown", column=column, text=shown)
    faults.add(
        loan_id == 0, "loan.several", column=column, text=shown, limit=count.astype(str).astype(object)
    )
    values["loan_id"] = loan_id
    disbursed = dict(zip(found["loan_id"], found["disbursed_date"], strict=True))
    values["disbursed_date"] = pd.Series(loan_id, index=values.index).map(disbursed).astype("datetime64[s]")


def _exact(values: pd.DataFrame, found: pd.DataFrame) -> np.ndarray:
    """The loan whose account reads letter for letter like the cell, where the cell starts with a zero.

    Excel takes zeros away and never adds one: 0123 is 0123, but 123 may have been 0123.
    """
    once = found.groupby("value")["loan_id"].agg(["first", "nunique"])
    only = once.loc[once["nunique"] == 1, "first"]
    exact = values["account"].map(only).fillna(0).to_numpy(dtype=np.int64)
    return np.where(values["account"].str.startswith("0"), exact, 0)


def candidates_for(*, institution_id: int, keys: list[str]) -> dict[str, list[int]]:
    """Account key → ids of the loans it fits, for a person to choose from."""
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, {"institution": institution_id, "tier": Tier.SUBLOAN, "keys": keys})
        found = pd.DataFrame(cursor.fetchall(), columns=["key", "value", "loan_id", "disbursed_date"])
    by_key = found.groupby("key")["loan_id"].agg(lambda ids: sorted(set(ids)))
    return {str(key): ids for key, ids in by_key.items()}


def warn_before_disbursement(values: pd.DataFrame, faults: RowFaults, *, column: str) -> None:
    """A value date before the loan was disbursed happens in real books; a checker may accept it."""
    early = values["value_date"].to_numpy("datetime64[D]") < values["disbursed_date"].to_numpy(
        "datetime64[D]"
    )
    faults.warn(
        early & faults.clean,
        "date.before_disbursement",
        column=column,
        text=_day(values["value_date"]),
        limit=_day(values["disbursed_date"]),
    )


def _day(column: pd.Series) -> np.ndarray:
    return column.dt.strftime("%d/%m/%Y").fillna("").to_numpy(dtype=object)
