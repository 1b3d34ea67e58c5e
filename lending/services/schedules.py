"""Append a later version to the plans of running loans: never an edit, always a new version (in sets).

What a version replaces is taken back by mirrors that carry the new version's id and its effective date, or
that of the due itself where a close raised it later; earlier instalments keep their number and their facts
(design.md section 3, "The plan is facts").
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection, transaction
from django.utils.translation import gettext as _

from calc.money import Component
from daybook.columns import insert_columns
from daybook.formats import day
from daybook.models import Booking
from lending.models import Schedule
from lending.selectors.plans import live_dues, versions_in_force
from lending.services.dues import take_back
from partners.services.refusals import Refused

VERSION_COLUMNS = (
    "loan_id",
    "cause",
    "effective_date",
    "terms",
    "keeps_to",
    "capitalised_minor",
    "added_minor",
    "transferred_minor",
)
DUE_COLUMNS = ("loan_id", "instalment", "component", "nominal_date", "late_date", "amount_minor")
PLANNED = (int(Component.INTEREST), int(Component.PRINCIPAL))
IntColumn = npt.NDArray[np.int64]


class CannotAppendVersion(Refused):
    """The books do not allow a new plan of one of the loans; the sentence names it. Nothing is appended."""


class LoanIsWrittenOff(CannotAppendVersion):
    """Nothing is planned any more on a loan written off in whole: what comes in is a recovery."""


class TooEarly(CannotAppendVersion):
    """The effective date lies before the version in force began, or before the disbursement."""


class NotYetDate(CannotAppendVersion):
    """The effective date lies after the business date."""


class PlanIsSupplied(CannotAppendVersion):
    """The institution supplied the plan in force, so it must supply the one that follows."""


class PlanDoesNotFit(CannotAppendVersion):
    """The new dues contradict what they replace: an instalment kept, a date passed, a sum."""


@transaction.atomic
def append_versions(*, versions: pd.DataFrame, dues: pd.DataFrame, booking: Booking) -> IntColumn:
    """Append one version to each loan named; return the new schedules' ids in row order.

    ``versions`` has VERSION_COLUMNS, one row a loan: ``keeps_to`` is the last instalment that stays as it
    is (0: none), ``terms`` what the new plan was made from (empty: supplied by the institution). ``dues``
    has DUE_COLUMNS; rows of nothing are dropped. Money in minor units. The loans are locked until the
    transaction ends. Raises ``CannotAppendVersion`` or one of its kinds, naming the loan.
    """
    if versions.empty:
        return np.empty(0, dtype=np.int64)
    rows = versions.loc[:, list(VERSION_COLUMNS)].reset_index(drop=True)
    ids = rows["loan_id"].to_numpy(dtype=np.int64)
    if np.unique(ids).size != ids.size:
        raise ValueError("a loan is named twice among the versions to append")
    lock_loans(ids)
    facts = versions_in_force(ids).set_index("loan_id").reindex(ids).reset_index()
    if facts["version"].isna().any():
        raise ValueError(f"loan {ids[facts['version'].isna().to_numpy()][0]} has no plan to follow")
    standing = live_dues(ids)
    _refuse_what_the_books_forbid(rows, facts, booking)
    own = dues.loc[dues["amount_minor"].astype("int64") != 0, list(DUE_COLUMNS)].copy()
    replaced = _replaced(standing, ids, rows["keeps_to"].to_numpy(dtype=np.int64))
    _refuse_what_does_not_fit(rows, facts, own, replaced)
    schedules = _insert_schedules(rows, facts, own, replaced, booking)
    _insert_dues(rows, facts, own, replaced, schedules, booking)
    return schedules


def lock_loans(loan_ids: IntColumn) -> None:
    """Lock the loans in id order until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lending_lock_loans(%s)", [np.unique(loan_ids).tolist()])


def _refuse_what_the_books_forbid(rows: pd.DataFrame, facts: pd.DataFrame, booking: Booking) -> None:
    effective = _days(rows["effective_date"])
    written_off = ((facts["cause"] == Schedule.Cause.WRITE_OFF) & (facts["terms"] == "{}")).to_numpy()
    if written_off.any():
        raise LoanIsWrittenOff(
            _("Loan %(loan)s is written off: what comes in now is a recovery.")
            % {"loan": facts["number"][int(np.flatnonzero(written_off)[0])]}
        )
    late = effective > np.datetime64(booking.business_date, "D")
    if late.any():
        raise NotYetDate(
            _("The effective date %(date)s is after the business date %(today)s.")
            % {"date": day(_date(effective[late][0])), "today": day(booking.business_date)}
        )
    began = np.maximum(_days(facts["latest_effective_date"]), _days(facts["disbursed_date"]))
    early = np.flatnonzero(effective < began)
    if early.size:
        at = int(early[0])
        raise TooEarly(
            _("The plan of loan %(loan)s in force began on %(began)s; choose that day or a later one.")
            % {"loan": facts["number"][at], "began": day(_date(began[at]))}
        )
    supplied = (facts["terms"] == "{}").to_numpy() & np.array([bool(terms) for terms in rows["terms"]])
    supplied &= ~rows["cause"].isin([Schedule.Cause.WRITE_OFF, Schedule.Cause.SETTLEMENT]).to_numpy()
    if supplied.any():
        raise PlanIsSupplied(
            _("The institution supplied the plan of loan %(loan)s; it must supply the new one, too.")
            % {"loan": facts["number"][int(np.flatnonzero(supplied)[0])]}
        )


def _replaced(standing: npt.NDArray[Any], ids: IntColumn, keeps_to: IntColumn) -> npt.NDArray[Any]:
    """The planned dues after the last instalment kept."""
    order = np.argsort(ids, kind="stable")
    kept = keeps_to[order][np.searchsorted(ids[order], standing["loan_id"])]
    return standing[np.isin(standing["component"], PLANNED) & (standing["instalment"] > kept)]


def _refuse_what_does_not_fit(
    rows: pd.DataFrame, facts: pd.DataFrame, own: pd.DataFrame, replaced: npt.NDArray[Any]
) -> None:
    ids = rows["loan_id"].to_numpy(dtype=np.int64)
    place = pd.Series(np.arange(ids.size), index=ids)
    names = facts["number"].tolist()
    effective = _days(rows["effective_date"])
    at = place.reindex(own["loan_id"]).to_numpy()
    if pd.isna(at).any():
        raise ValueError("dues are given for a loan that gets no version")
    at = at.astype(np.int64)
    if not own["component"].isin([*PLANNED, int(Component.CHARGE)]).all():
        raise ValueError("a plan version has dues other than charge, interest and principal")
    may_be_empty = (rows["cause"] == Schedule.Cause.WRITE_OFF).to_numpy()  # all had fallen due already
    without = np.setdiff1d(np.flatnonzero(~may_be_empty), at)
    if without.size:
        raise PlanDoesNotFit(
            _("The new plan of loan %(loan)s has no dues.") % {"loan": names[int(without[0])]}
        )
    of = place.reindex(replaced["loan_id"]).to_numpy().astype(np.int64)
    passed = np.flatnonzero(replaced["late_date"] < effective[of])
    if passed.size:
        due = replaced[passed[0]]
        raise PlanDoesNotFit(
            _("Instalment %(number)s of loan %(loan)s fell due on %(due)s, before the effective date; "
              "choose a date up to then, or after the end of its period.")
            % {"number": due["instalment"], "loan": names[of[passed[0]]], "due": day(_date(due["late_date"]))}
        )  # fmt: skip
    kept = rows["keeps_to"].to_numpy(dtype=np.int64)[at]
    wrong = (
        (own["instalment"].to_numpy(dtype=np.int64) <= kept)
        | (own["amount_minor"].to_numpy(dtype=np.int64) < 0)
        | (_days(own["late_date"]) < effective[at])
    )
    if wrong.any():
        raise PlanDoesNotFit(
            _("The new plan of loan %(loan)s has a due that is negative, numbered like one that is kept, or "
              "late before the version begins.")
            % {"loan": names[at[np.flatnonzero(wrong)[0]]]}
        )  # fmt: skip
    opens = _principal_of(ids.size, of, replaced)
    growth = sum(
        rows[name].to_numpy(dtype=np.int64)
        for name in ("capitalised_minor", "added_minor", "transferred_minor")
    )
    principal = own["component"].to_numpy() == int(Component.PRINCIPAL)
    repaid = np.zeros(ids.size, dtype=np.int64)
    np.add.at(repaid, at[principal], own["amount_minor"].to_numpy(dtype=np.int64)[principal])
    off = np.flatnonzero(repaid != opens + growth)
    if off.size:
        first = int(off[0])
        raise PlanDoesNotFit(
            _("The new plan of loan %(loan)s repays %(found)s of principal; %(expected)s is to be repaid.")
            % {
                "loan": names[first],
                "found": f"{repaid[first] / 100:,.2f}",
                "expected": f"{(opens + growth)[first] / 100:,.2f}",
            }
        )


def _principal_of(size: int, of: IntColumn, replaced: npt.NDArray[Any]) -> IntColumn:
    total = np.zeros(size, dtype=np.int64)
    mine = replaced["component"] == int(Component.PRINCIPAL)
    np.add.at(total, of[mine], replaced["amount_minor"][mine])
    return total


def _insert_schedules(
    rows: pd.DataFrame,
    facts: pd.DataFrame,
    own: pd.DataFrame,
    replaced: npt.NDArray[Any],
    booking: Booking,
) -> IntColumn:
    ids = rows["loan_id"].to_numpy(dtype=np.int64)
    place = pd.Series(np.arange(ids.size), index=ids)
    of = place.reindex(replaced["loan_id"]).to_numpy().astype(np.int64)
    shape = (
        own.groupby("loan_id")
        .agg(first=("nominal_date", "min"), last=("nominal_date", "max"), count=("instalment", "nunique"))
        .reindex(ids)
    )
    began = pd.Series(pd.to_datetime(rows["effective_date"]).to_numpy(), index=shape.index)
    return insert_columns(
        "lending_schedule",
        {
            "loan_id": ids,
            "institution_id": facts["institution_id"].to_numpy(dtype=np.int64),
            "version": facts["version"].to_numpy(dtype=np.int64) + 1,
            "cause": [str(cause) for cause in rows["cause"]],
            "effective_date": _days(rows["effective_date"]),
            "terms": [json.dumps(terms or {}, default=str) for terms in rows["terms"]],
            "principal_minor": _principal_of(ids.size, of, replaced),
            **{
                name: rows[name].to_numpy(dtype=np.int64)
                for name in ("capitalised_minor", "added_minor", "transferred_minor")
            },
            "first_due_date": _days(shape["first"].fillna(began)),
            "maturity_date": _days(shape["last"].fillna(began)),
            "instalment_count": shape["count"].fillna(0).to_numpy(dtype=np.int64),
            "booking_id": np.full(ids.size, booking.pk, dtype=np.int64),
        },
    )


def _insert_dues(
    rows: pd.DataFrame,
    facts: pd.DataFrame,
    own: pd.DataFrame,
    replaced: npt.NDArray[Any],
    schedules: IntColumn,
    booking: Booking,
) -> None:
    """The mirrors of what is replaced, then the new dues; both carry the new version and its date."""
    ids = rows["loan_id"].to_numpy(dtype=np.int64)
    place = pd.Series(np.arange(ids.size), index=ids)
    effective = _days(rows["effective_date"])
    institutions = facts["institution_id"].to_numpy(dtype=np.int64)
    of = place.reindex(replaced["loan_id"]).to_numpy().astype(np.int64)
    since = np.maximum(effective[of], replaced["effective_date"])  # a close may have raised it for later
    take_back(replaced, booking=booking, schedule_id=schedules[of], effective_date=since)
    own = own.sort_values(["loan_id", "late_date", "instalment", "component"], kind="stable")
    at = place.reindex(own["loan_id"]).to_numpy().astype(np.int64)
    insert_columns(
        "lending_due",
        {
            "loan_id": own["loan_id"].to_numpy(dtype=np.int64),
            "institution_id": institutions[at],
            "schedule_id": schedules[at],
            "instalment": own["instalment"].to_numpy(dtype=np.int32),
            "component": own["component"].to_numpy(dtype=np.int16),
            "nominal_date": _days(own["nominal_date"]),
            "late_date": _days(own["late_date"]),
            "effective_date": effective[at],
            "amount_minor": own["amount_minor"].to_numpy(dtype=np.int64),
            "booking_id": np.full(at.size, booking.pk, dtype=np.int64),
        },
    )


def _days(values: pd.Series[Any]) -> npt.NDArray[np.datetime64]:
    return np.asarray(pd.to_datetime(values).to_numpy(), dtype="datetime64[D]")


def _date(value: Any) -> Any:
    return np.datetime64(value, "D").item()
