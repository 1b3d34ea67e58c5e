"""The one way a loan of either tier comes to be: a disbursed tranche, a bank's list, an imported book.

Works on sets: how many queries run does not depend on how many loans there are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection, transaction

from calc.money import OWED, Component
from calc.schedule import ScheduleColumns
from daybook.columns import copy_columns, insert_columns
from daybook.models import Booking
from lending.models import Schedule, Tier
from lending.services.numbers import next_numbers
from partners.services.refusals import Refused

LOAN_COLUMNS = (
    "key",
    "tier",
    "origin",
    "institution_id",
    "agreement_id",
    "programme_id",
    "tranche_id",
    "branch_id",
    "enterprise_id",
    "currency",
    "principal_minor",
    "annual_rate",
    "disbursed_date",
    "purpose",
    "identifier_kind",
    "identifier",
    "cause",
    "terms",
    "capitalised_minor",
)
PROFILE_COLUMNS = (
    "cluster_id",
    "district_id",
    "size_tier",
    "activity",
    "gender",
    "is_woman_owned",
    "sector",
)
PLAN_COLUMNS = ("key", "instalment", "component", "nominal_date", "late_date", "amount_minor")
OPTIONAL: dict[str, Any] = {
    "tranche_id": None,
    "branch_id": None,
    "enterprise_id": None,
    "currency": "BDT",
    "annual_rate": None,
    "purpose": "",
    "identifier_kind": "account",
    "identifier": "",
    "cause": Schedule.Cause.DISBURSEMENT,
    "terms": None,
    "capitalised_minor": 0,
    "cluster_id": None,
    "district_id": None,
    "size_tier": "",
    "activity": "",
    "gender": "",
    "is_woman_owned": False,
    "sector": "",
}


class CannotOpenLoans(Refused):
    """One of the loans has no plan, or one that does not repay it; the sentence names it. None is opened."""


@transaction.atomic
def open_loans(*, loans: pd.DataFrame, plan: pd.DataFrame, booking: Booking) -> npt.NDArray[np.int64]:
    """Open loans with their aliases, profiles, first schedule version and dues; return ids in row order.

    ``loans`` has LOAN_COLUMNS, and PROFILE_COLUMNS for sub-loans; the columns in OPTIONAL may be left
    out. ``plan`` has PLAN_COLUMNS, one row an amount; rows of nothing are dropped. Money in minor units.
    Raises ``CannotOpenLoans``.
    """
    if loans.empty:
        return np.empty(0, dtype=np.int64)
    rows = _completed(loans)
    dues = plan.loc[plan["amount_minor"].astype("int64") != 0, list(PLAN_COLUMNS)]
    place = pd.Series(np.arange(len(rows)), index=pd.Index(rows["key"]))
    if not place.index.is_unique:
        raise CannotOpenLoans(f"Two loans share the key {place.index[place.index.duplicated()][0]}.")
    if not dues["key"].isin(place.index).all():
        raise CannotOpenLoans("The plan names a loan that is not among those to open.")
    position = place.reindex(dues["key"]).to_numpy()
    dues = dues.assign(position=position.astype(np.int64)).sort_values(
        ["position", "late_date", "instalment", "component"], kind="stable"
    )
    _refuse_bad_plans(rows, dues)

    booked = np.full(len(rows), booking.pk, dtype=np.int64)
    ids = insert_columns(
        "lending_loan",
        {
            "number": _numbers(rows),
            **{name: _listed(rows[name]) for name in LOAN_COLUMNS[1:14]},
            "booking_id": booked,
        },
    )
    _name(rows, ids, booked)
    _describe(rows, ids, booked)
    _plan(rows, dues, ids, booked)
    return ids


def plan_rows(columns: ScheduleColumns, keys: npt.NDArray[Any], *, named: str = "key") -> pd.DataFrame:
    """Built plans as ``open_loans`` takes them; ``keys`` by position, in the column ``named``."""
    parts = [
        pd.DataFrame(
            {
                named: keys[columns.loan],
                "instalment": columns.instalment,
                "component": int(component),
                "nominal_date": columns.nominal_on,
                "late_date": columns.due_on,
                "amount_minor": amount,
            }
        )
        for component, amount in (
            (Component.INTEREST, columns.interest),
            (Component.PRINCIPAL, columns.principal),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def _completed(loans: pd.DataFrame) -> pd.DataFrame:
    """The loans with every column there is, the optional ones filled in."""
    rows = loans.reset_index(drop=True).copy()
    for name, value in OPTIONAL.items():
        if name not in rows:
            rows[name] = pd.Series([value] * len(rows), dtype="object")
    missing = [name for name in LOAN_COLUMNS + PROFILE_COLUMNS if name not in rows]
    if missing:
        raise ValueError(f"loans to open lack the columns {', '.join(missing)}")
    return rows


def _refuse_bad_plans(rows: pd.DataFrame, dues: pd.DataFrame) -> None:
    """The plan repays principal and what it capitalises, in known components, after the disbursement."""
    if not dues["component"].isin([int(component) for component in OWED]).all():
        raise CannotOpenLoans("A plan has a component other than charge, penal, interest and principal.")
    if (dues["amount_minor"].astype("int64") < 0).any():
        raise CannotOpenLoans(
            f"The plan of {_first(rows, dues, dues['amount_minor'] < 0)} has a negative amount."
        )
    principal = (
        dues.loc[dues["component"] == int(Component.PRINCIPAL)]
        .groupby("position")["amount_minor"]
        .sum()
        .reindex(range(len(rows)), fill_value=0)
        .to_numpy(dtype=np.int64)
    )
    expected = rows["principal_minor"].to_numpy(dtype=np.int64) + rows["capitalised_minor"].to_numpy(
        dtype=np.int64
    )
    wrong = np.flatnonzero(principal != expected)
    if wrong.size:
        at = int(wrong[0])
        raise CannotOpenLoans(
            f"The plan of {rows['key'][at]} repays {principal[at] / 100:.2f} of principal; "
            f"{expected[at] / 100:.2f} was lent or capitalised."
        )


def _first(rows: pd.DataFrame, dues: pd.DataFrame, wrong: pd.Series) -> str:
    return str(rows["key"][int(dues.loc[wrong, "position"].iloc[0])])


def _numbers(rows: pd.DataFrame) -> list[str]:
    """Numbers of each tier from its own sequence, in row order."""
    is_wholesale = (rows["tier"] == Tier.WHOLESALE.value).tolist()
    wholesale = iter(next_numbers("wholesale", sum(is_wholesale)))
    subloans = iter(next_numbers("subloan", len(rows) - sum(is_wholesale)))
    return [next(wholesale if mine else subloans) for mine in is_wholesale]


def _name(rows: pd.DataFrame, ids: npt.NDArray[np.int64], booked: npt.NDArray[np.int64]) -> None:
    """Write the aliases: the bank's account numbers, imported ids."""
    named = (rows["identifier"].fillna("") != "").to_numpy(dtype=bool)
    insert_columns(
        "lending_loanidentifier",
        {
            "loan_id": ids[named],
            "institution_id": _listed(rows.loc[named, "institution_id"]),
            "kind": _listed(rows.loc[named, "identifier_kind"]),
            "value": _listed(rows.loc[named, "identifier"]),
            "from_date": _listed(rows.loc[named, "disbursed_date"]),
            "booking_id": booked[named],
        },
    )


def _describe(rows: pd.DataFrame, ids: npt.NDArray[np.int64], booked: npt.NDArray[np.int64]) -> None:
    """Write what is reported of each sub-loan's borrower, from the disbursement on."""
    mine = (rows["tier"] == Tier.SUBLOAN.value).to_numpy(dtype=bool)
    insert_columns(
        "lending_loanprofile",
        {
            "loan_id": ids[mine],
            "institution_id": _listed(rows.loc[mine, "institution_id"]),
            "effective_date": _listed(rows.loc[mine, "disbursed_date"]),
            **{name: _listed(rows.loc[mine, name]) for name in PROFILE_COLUMNS},
            "booking_id": booked[mine],
        },
    )


def _plan(
    rows: pd.DataFrame, dues: pd.DataFrame, ids: npt.NDArray[np.int64], booked: npt.NDArray[np.int64]
) -> None:
    """Write version 1 of every plan and its dues, effective from the disbursement."""
    shape = dues.groupby("position").agg(
        first=("nominal_date", "min"), last=("nominal_date", "max"), count=("instalment", "nunique")
    )
    schedules = insert_columns(
        "lending_schedule",
        {
            "loan_id": ids,
            "institution_id": _listed(rows["institution_id"]),
            "version": np.ones(len(rows), dtype=np.int64),
            "cause": _listed(rows["cause"]),
            "effective_date": _listed(rows["disbursed_date"]),
            "terms": [json.dumps(terms or {}, default=str) for terms in rows["terms"]],
            "principal_minor": _listed(rows["principal_minor"]),
            "capitalised_minor": _listed(rows["capitalised_minor"]),
            "first_due_date": _listed(shape["first"]),
            "maturity_date": _listed(shape["last"]),
            "instalment_count": _listed(shape["count"]),
            "booking_id": booked,
        },
    )
    position = dues["position"].to_numpy(dtype=np.int64)
    disbursed = _days(rows["disbursed_date"])
    columns: dict[str, npt.NDArray[Any]] = {
        "loan_id": ids[position],
        "institution_id": rows["institution_id"].to_numpy(dtype=np.int64)[position],
        "schedule_id": schedules[position],
        "instalment": dues["instalment"].to_numpy(dtype=np.int32),
        "component": dues["component"].to_numpy(dtype=np.int16),
        "nominal_date": _days(dues["nominal_date"]),
        "late_date": _days(dues["late_date"]),
        "effective_date": disbursed[position],
        "amount_minor": dues["amount_minor"].to_numpy(dtype=np.int64),
        "booking_id": booked[position],
    }
    if _may_copy():
        copy_columns("lending_due", columns)
    else:
        insert_columns("lending_due", columns)


def _may_copy() -> bool:
    """COPY FROM is refused to roles that row-level security binds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT row_security_active('lending_due')")
        return bool(cursor.fetchone()[0])


def _days(values: pd.Series) -> npt.NDArray[np.datetime64]:
    return np.asarray(pd.to_datetime(values).to_numpy(), dtype="datetime64[D]")


def _listed(values: pd.Series | Sequence[Any]) -> list[Any]:
    """Plain Python values with None where pandas has a missing one; dates as dates."""
    column = pd.Series(values)
    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if pd.isna(day) else day.date() for day in column]
    return [
        None if missing else value
        for value, missing in zip(column.astype("object").tolist(), column.isna().tolist(), strict=True)
    ]
