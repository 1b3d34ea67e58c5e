"""A bank's list of sub-loans as a table of known columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lending.services.identity import digits, phone

TEXT = (
    "account",
    "person_name",
    "nid",
    "gender",
    "phone",
    "enterprise_name",
    "trade_licence",
    "size_tier",
    "activity",
    "sector",
    "cluster_code",
    "district",
    "routing_number",
    "grace_kind",
    "method",
    "frequency",
    "day_count",
    "tranche_number",
    "purpose",
)
NUMBERS = (
    "amount_minor",
    "tenor_months",
    "grace_months",
    "instalment_count",
    "every_days",
    "due_day",
    "step_every",
)
DATES = ("disbursed_date", "first_due_date")
FLAGS = ("is_machinery", "has_collateral", "is_woman_owned")
PLAN_COLUMNS = ("account", "n", "due_date", "principal_minor", "interest_minor")


def completed(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with every column there is, of one type each; the index stays what the caller gave.

    Texts are stripped and empty where missing, numbers Int64, dates datetime64, rates Decimal or None.
    ``contract_mode`` is no column of a list: the agreement of its tranche says it.
    """
    made: dict[str, Any] = {}
    for name in TEXT:
        made[name] = _column(rows, name).fillna("").astype(str).str.strip()
    for name in NUMBERS:
        made[name] = pd.to_numeric(_column(rows, name), errors="coerce").astype("Int64")
    for name in DATES:
        made[name] = pd.to_datetime(_column(rows, name), errors="coerce")
    for name in FLAGS:
        stated = _column(rows, name)
        made[name] = stated.where(stated.notna(), False).astype(bool)
    made["annual_rate"] = _column(rows, "annual_rate")
    made["step_percent"] = _column(rows, "step_percent")
    table = pd.DataFrame(made, index=rows.index)
    table["nid"] = digits(table["nid"])
    table["phone_given"] = table["phone"]
    table["phone"] = phone(table["phone"])
    for name in ("grace_months", "every_days", "due_day", "step_every"):
        table[name] = table[name].fillna(0)
    table["contract_mode"] = _column(rows, "contract_mode").fillna("interest")
    table["method"] = table["method"].replace("", "equal_instalment")
    table["frequency"] = table["frequency"].replace("", "monthly")
    graceless = (table["grace_months"] == 0) & (table["grace_kind"] == "")
    table["grace_kind"] = table["grace_kind"].mask(graceless, "none").replace("", "interest_paid")
    if "is_woman_owned" not in rows:
        table["is_woman_owned"] = table["gender"] == "female"
    return table


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    if name in rows:
        return rows[name].astype("object")
    return pd.Series([None] * len(rows), index=rows.index, dtype="object")
