"""Where every loan stood at the close of a date, as known by a business date: one frame for every reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection

from daybook.replica import reading_known
from daybook.selectors import Knowledge
from repayments.frames import GENDER_CODES, SIZE_CODES, TIERS, Scope, Table, read_profiles, unpack_currency
from repayments.models import DayRun
from repayments.selectors.measuring import STATE_NAMES, measure_loans, read_snapshot_rows

DISTRICT_CODES = {0: "", **{code: f"{code:02d}" for code in range(1, 100)}}
LOANS_AT_ONCE = 20_000
FINISHED = (DayRun.State.CLOSED, DayRun.State.EXCEPTIONS)


def standings(*, as_of: date, knowledge: Knowledge, scope: Scope | None = None) -> pd.DataFrame:
    """One row a loan at the close of ``as_of`` as known then, by loan id. Money in minor units (int64).

    The columns of ``ArrearsSnapshot`` (``overdue_since`` NaT where nothing is overdue), and ``number``,
    ``size_tier``, ``gender``, ``is_woman_owned``, ``district`` (code) as known then. ``attrs`` tells
    ``source`` (snapshot or recomputed), ``read_from`` (books or replica) and ``is_projection`` (known
    before the date, so what was booked later is missing). Read from the snapshot when the date's close
    is finished and the knowledge is the same date's; else recomputed from the facts, a slice at a time
    so that memory does not grow with the book. Both give the same rows.
    """
    wanted = scope or Scope()
    with reading_known(knowledge) as read_from:
        run = finished_run(as_of, knowledge)
        if run is not None:
            rows = read_snapshot(as_of, wanted)
        else:
            rows = np.concatenate(
                [
                    measure_loans(part, as_of=as_of, last_booking_id=knowledge.last_booking_id).rows
                    for part in sliced(wanted)
                ]
            )
        profiles = read_profiles(wanted, as_of=as_of, last_booking_id=knowledge.last_booking_id)
        frame = as_frame(rows, profiles, as_of)
    frame.attrs = {
        "as_of": as_of,
        "known_by": knowledge.business_date,
        "source": "snapshot" if run is not None else "recomputed",
        "read_from": read_from,
        "is_projection": knowledge.business_date < as_of,
    }
    return frame


def sliced(scope: Scope) -> list[Scope]:
    """A scope in parts of so many loans at most, by loan id; itself where it is no longer than one."""
    where, params = scope.where("l", key="id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT min(id), max(id) FROM (
                SELECT l.id, (row_number() OVER (ORDER BY l.id) - 1) / %s AS part
                  FROM lending_loan l WHERE {where}) AS numbered
             GROUP BY part ORDER BY part
            """,
            [LOANS_AT_ONCE, *params],
        )
        ranges = cursor.fetchall()
    return [replace(scope, first_id=first, last_id=last) for first, last in ranges] or [scope]


def finished_run(as_of: date, knowledge: Knowledge) -> DayRun | None:
    """The finished close whose snapshots answer for this date and knowledge; None: recompute."""
    if knowledge.business_date != as_of or not knowledge.is_final:
        return None
    return (
        DayRun.objects.filter(
            business_date=as_of, state__in=FINISHED, last_booking_id=knowledge.last_booking_id
        )
        .exclude(kept=DayRun.Kept.DROPPED)
        .only("id")  # a partner reads no figures of the whole programme (config/grants.py)
        .first()
    )


def read_snapshot(business_date: date, scope: Scope) -> Table:
    """The snapshots of a closed date as they were written, by loan id."""
    where, params = scope.where("s")
    return read_snapshot_rows(
        "SELECT {columns} FROM {snapshots} s WHERE s.business_date = %s AND " + where + " ORDER BY s.loan_id",
        [business_date, *params],
    )


def as_frame(rows: Table, profiles: Table, as_of: date) -> pd.DataFrame:
    """Standings with names for the numbers, and the borrower's traits beside them."""
    columns: dict[str, Any] = {"business_date": np.full(len(rows), as_of, dtype="datetime64[s]")}
    for name in rows.dtype.names or ():
        columns[name] = np.ascontiguousarray(rows[name])
    columns["overdue_since"] = columns["overdue_since"].astype("datetime64[s]")
    columns["tier"] = _named(rows["tier"], {int(code): name for name, code in TIERS.items()})
    columns["state"] = _named(rows["state"], STATE_NAMES)
    currencies = {int(code): unpack_currency(code) for code in np.unique(rows["currency"])}
    columns["currency"] = _named(rows["currency"], currencies)
    traits = _beside(rows, profiles)
    columns["size_tier"] = _named(traits["size_tier"], {int(code): name for name, code in SIZE_CODES.items()})
    columns["gender"] = _named(traits["gender"], {code: name for name, code in GENDER_CODES.items()})
    columns["is_woman_owned"] = np.ascontiguousarray(traits["is_woman_owned"])
    columns["district"] = _named(traits["district"], DISTRICT_CODES)
    columns["number"] = _numbers(rows["loan_id"])
    return pd.DataFrame(columns)


def _named(codes: npt.NDArray[Any], names: dict[int, str]) -> pd.Categorical[str]:
    """Numbers as their names, each name stored once."""
    ordered = sorted(names)
    place = np.searchsorted(np.array(ordered, dtype=np.int64), codes)
    return pd.Categorical.from_codes(place, categories=pd.Index([names[code] for code in ordered]))


def _beside(rows: Table, profiles: Table) -> Table:
    """Profiles (at most one a loan, by loan) beside standings; zeros where there is none."""
    aligned = np.zeros(len(rows), dtype=profiles.dtype)
    if len(rows) and len(profiles):
        place = np.minimum(np.searchsorted(profiles["loan_id"], rows["loan_id"]), len(profiles) - 1)
        found = profiles["loan_id"][place] == rows["loan_id"]
        aligned[found] = profiles[place[found]]
    return aligned


def _numbers(loan_ids: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """The loans' numbers, in the order of their ids (which must rise)."""
    numbers = np.full(len(loan_ids), "", dtype=object)
    if not len(loan_ids):
        return numbers
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number FROM lending_loan WHERE id BETWEEN %s AND %s ORDER BY id",
            [int(loan_ids[0]), int(loan_ids[-1])],
        )
        found = cursor.fetchall()
    ids = np.fromiter((row[0] for row in found), dtype=np.int64, count=len(found))
    names = np.array([row[1] for row in found], dtype=object)
    place = np.searchsorted(ids, loan_ids)
    numbers[:] = names[place]
    return numbers
