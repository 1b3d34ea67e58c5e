"""What loans come to for the institution, the agreement and the tranche they stand under.

Wholesale loans count with the tranche that opened them. A sub-loan counts in each tranche that funds it by
that tranche's share of the money, rounded down; what is left over counts only with the institution and the
agreement. One path for a slice of a close and for the loans that a posting touched.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from calc.allocation import Source
from calc.classification import Tier
from calc.money import Component, IntColumn, Rounding, RoundingMode, round_ratios, sum_by
from daybook.columns import read_columns
from lending.services.standing import FIGURES, SCOPE
from repayments.frames import Scope, Table, unpack_currency

SUBLOAN_FIGURES = tuple(name for name in FIGURES if name.startswith(("on_lent", "subloan")))
PAR_DAYS = 30

_DOWN = Rounding(RoundingMode.DOWN, 1)
_FUNDED = np.dtype([("loan_id", "i8"), ("tranche_id", "i8"), ("amount", "i8")])
_AMOUNTS = np.dtype([("loan_id", "i8"), ("amount", "i8")])
_TRANCHES = np.dtype([("loan_id", "i8"), ("tranche_id", "i8")])
_NO_TRANCHE = 0


def come_to(rows: Table, scope: Scope, *, as_of: date, last_booking_id: int) -> pd.DataFrame:
    """What standings (``measuring.STANDING``, by loan id) come to: columns SCOPE and FIGURES, minor units.

    A row an institution, an agreement (tranche missing) and a tranche, for each currency. ``scope`` finds
    the facts of these loans, and may find those of others.
    """
    if not len(rows):
        return pd.DataFrame(columns=[*SCOPE, *FIGURES])
    is_ours = rows["tier"] == Tier.WHOLESALE
    collected = rows["disbursed_minor"] - rows["outstanding_minor"]
    collected += _without_money(rows, scope, as_of, last_booking_id)
    parts: list[pd.DataFrame] = []
    if is_ours.any():
        parts.append(_wholesale(rows[is_ours], collected[is_ours], scope))
    if not is_ours.all():
        parts += _subloans(rows[~is_ours], collected[~is_ours], scope, as_of, last_booking_id)
    return _by_scope(pd.concat([part for part in parts if len(part)]))


def _by_scope(parts: pd.DataFrame) -> pd.DataFrame:
    """Parts (tranche 0: none) added up for each institution, agreement and tranche."""
    how = {name: "max" if name == "days_past_due" else "sum" for name in FIGURES}
    levels = [
        (["institution_id", "currency"], parts),
        (["institution_id", "agreement_id", "currency"], parts),
        (list(SCOPE), parts[parts["tranche_id"] != _NO_TRANCHE]),
    ]
    found = pd.concat(
        [rows.groupby(keys, as_index=False).agg(how) for keys, rows in levels if len(rows)],
        ignore_index=True,
    ).reindex(columns=[*SCOPE, *FIGURES])
    currencies = {int(code): unpack_currency(int(code)) for code in found["currency"].unique()}
    found["currency"] = found["currency"].map(currencies)
    return found.astype(dict.fromkeys(SCOPE[:3], "Int64"))


def _wholesale(rows: Table, collected: IntColumn, scope: Scope) -> pd.DataFrame:
    where, params = scope.where("l", key="id")
    opened = read_columns(
        f"SELECT l.id, coalesce(l.tranche_id, {_NO_TRANCHE}) FROM lending_loan l"
        f" WHERE {where} AND l.tier = 'wholesale' ORDER BY l.id",
        params,
        _TRANCHES,
    )
    overdue = sum(rows[f"overdue_{name}_minor"] for name in ("charge", "penal", "interest", "principal"))
    return _parts(
        rows,
        opened["tranche_id"][np.searchsorted(opened["loan_id"], rows["loan_id"])],
        drawn_minor=rows["disbursed_minor"],
        principal_repaid_minor=collected,
        exposure_minor=rows["outstanding_minor"],
        overdue_minor=overdue,
        days_past_due=rows["days_past_due"],
    )


def _subloans(
    rows: Table, collected: IntColumn, scope: Scope, as_of: date, last_booking_id: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The share of each tranche in each sub-loan, and what of each sub-loan no tranche has a share in."""
    where, params = scope.where("f")
    funded = read_columns(
        "SELECT f.loan_id, f.tranche_id, sum(f.amount_minor)::bigint FROM lending_funding f"
        f" WHERE {where} AND f.value_date <= %s AND f.booking_id <= %s AND f.tranche_id IS NOT NULL"
        " GROUP BY f.loan_id, f.tranche_id HAVING sum(f.amount_minor) > 0 ORDER BY f.loan_id, f.tranche_id",
        [*params, as_of, last_booking_id],
        _FUNDED,
    )
    at = _places(rows, funded["loan_id"])
    funded, at = funded[at >= 0], at[at >= 0]
    lent = funded[rows["disbursed_minor"][at] > 0]
    at = at[rows["disbursed_minor"][at] > 0]
    whole = rows["disbursed_minor"][at]
    shared = round_ratios(rows["outstanding_minor"][at], lent["amount"], whole, _DOWN)
    shares = _parts(
        rows[at],
        lent["tranche_id"],
        on_lent_minor=lent["amount"],
        subloan_collected_minor=round_ratios(collected[at], lent["amount"], whole, _DOWN),
        subloan_outstanding_minor=shared,
        subloan_par30_minor=_at_risk(rows[at], shared),
    )
    rest = rows["outstanding_minor"] - sum_by(at, shared, len(rows))
    left = _parts(
        rows,
        np.zeros(len(rows), dtype=np.int64),
        subloan_outstanding_minor=rest,
        subloan_par30_minor=_at_risk(rows, rest),
    )
    return shares, left


def _at_risk(rows: Table, outstanding: IntColumn) -> IntColumn:
    return np.where(rows["days_past_due"] > PAR_DAYS, outstanding, 0)


def _without_money(rows: Table, scope: Scope, as_of: date, last_booking_id: int) -> IntColumn:
    """Principal that came to each plan, or went from it, and that nobody paid."""
    of_plan, plan_params = scope.where("s")
    of_money, money_params = scope.where("a")
    moved = read_columns(
        "SELECT s.loan_id, s.capitalised_minor + s.transferred_minor FROM lending_schedule s"
        f" WHERE {of_plan} AND s.effective_date <= %s AND s.booking_id <= %s"
        "   AND (s.capitalised_minor <> 0 OR s.added_minor <> 0 OR s.transferred_minor <> 0)"
        " UNION ALL SELECT a.loan_id, -a.amount_minor FROM repayments_allocation a"
        f" WHERE {of_money} AND a.value_date <= %s AND a.booking_id <= %s"
        f"   AND a.component = {Component.PRINCIPAL:d} AND a.source >= {Source.WAIVER:d}",
        [*plan_params, as_of, last_booking_id, *money_params, as_of, last_booking_id],
        _AMOUNTS,
    )
    at = _places(rows, moved["loan_id"])
    return sum_by(at[at >= 0], moved["amount"][at >= 0], len(rows))


def _places(rows: Table, loan_ids: IntColumn) -> IntColumn:
    """Where each loan stands among the rows; -1: nowhere."""
    if not len(rows):
        return np.full(loan_ids.size, -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(rows["loan_id"], loan_ids), len(rows) - 1)
    return np.where(rows["loan_id"][at] == loan_ids, at, -1)


def _parts(rows: Table, tranche_ids: IntColumn, **figures: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {
        name: np.ascontiguousarray(rows[name]) for name in ("institution_id", "agreement_id", "currency")
    }
    zeros = np.zeros(len(rows), dtype=np.int64)
    return pd.DataFrame(
        columns
        | {"tranche_id": tranche_ids}
        | {name: np.asarray(figures.get(name, zeros), dtype=np.int64) for name in FIGURES}
    )
