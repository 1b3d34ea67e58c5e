"""Which tranches pay for which sub-loans: those the bank names, else the cluster's, oldest first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from django.db.models import Sum

from calc.money import to_minor
from lending.models import Funding, Tranche

TRANCHE_COLUMNS = (
    "id",
    "number",
    "agreement_id",
    "programme_id",
    "cluster_id",
    "cluster_code",
    "currency",
    "value_date",
    "contract_mode",
    "room",
)


def tranches_of(institution_id: int, agreement_id: int | None = None) -> pd.DataFrame:
    """Disbursed tranches by number, oldest first, with what of each is not yet lent (minor units)."""
    found = Tranche.objects.filter(institution_id=institution_id, state=Tranche.State.DISBURSED)
    if agreement_id is not None:
        found = found.filter(agreement_id=agreement_id)
    used = dict(
        Funding.objects.filter(tranche__in=found.values("pk"), kind=Funding.Kind.FIRST_USE)
        .order_by()
        .values("tranche_id")
        .annotate(total=Sum("amount_minor"))
        .values_list("tranche_id", "total")
    )
    rows = [
        (
            tranche.pk,
            tranche.number,
            tranche.agreement_id,
            tranche.agreement.programme_id,
            tranche.facility.application.cluster_id,
            tranche.facility.application.cluster.code,
            str(tranche.requested_amount.currency),
            tranche.value_date,
            tranche.agreement.contract_mode,
            to_minor(tranche.approved_amount.amount) - int(used.get(tranche.pk, 0)),
        )
        for tranche in found.select_related("agreement", "facility__application__cluster").order_by(
            "value_date", "id"
        )
        if tranche.approved_amount is not None
    ]
    table = pd.DataFrame(rows, columns=list(TRANCHE_COLUMNS))
    return table.set_index("number", drop=False)


def with_contracts(rows: pd.DataFrame, split: Split, tranches: pd.DataFrame) -> pd.DataFrame:
    """The rows with the contract mode of the agreement that pays for each; interest where none does yet."""
    modes = split.first_tranche.map(tranches["contract_mode"].to_dict())
    return rows.assign(contract_mode=modes.fillna("interest"))


def named_tranches(text: str) -> list[str]:
    """``TR-000001; TR-000004`` names two, to be used in that order."""
    return [part.upper() for part in re.split(r"[;,/+\s]+", text) if part]


@dataclass(frozen=True)
class Split:
    """Parts of sub-loans paid by tranches: position of the row, tranche id, minor units."""

    position: np.ndarray
    tranche_id: np.ndarray
    amount: np.ndarray
    first_tranche: pd.Series
    short: pd.Series
    """Minor units that no tranche has room for, by the rows' index."""


def split_over_tranches(rows: pd.DataFrame, tranches: pd.DataFrame) -> Split:
    """Fill tranches in order with sub-loans in order of disbursement.

    Works on cumulative sums per group of rows that may use the same tranches, so there is no loop
    over rows: the part of a row in a tranche is the overlap of two intervals.
    """
    room = tranches["room"].to_dict()
    order = rows.assign(position=np.arange(len(rows))).sort_values(["disbursed_date", "position"])
    positions: list[np.ndarray] = []
    ids: list[np.ndarray] = []
    amounts: list[np.ndarray] = []
    short = pd.Series(0, index=rows.index, dtype="int64")
    first = pd.Series("", index=rows.index, dtype="object")
    for (text, cluster), group in order.groupby(["tranche_number", "cluster_code"], sort=False):
        numbers = _candidates(str(text), str(cluster), tranches)
        need = group["amount_minor"].fillna(0).to_numpy(dtype=np.int64)
        free = np.array([max(0, room[number]) for number in numbers], dtype=np.int64)
        row_end, room_end = np.cumsum(need), np.cumsum(free)
        part = np.minimum(row_end[:, None], room_end) - np.maximum((row_end - need)[:, None], room_end - free)
        part = np.clip(part, 0, None)
        for number, taken in zip(numbers, part.sum(axis=0), strict=True):
            room[number] -= int(taken)
        at, which = np.nonzero(part)
        positions.append(group["position"].to_numpy()[at])
        ids.append(tranches.loc[numbers, "id"].to_numpy(dtype=np.int64)[which])
        amounts.append(part[at, which])
        short.loc[group.index] = need - part.sum(axis=1)
        if numbers:
            first.loc[group.index] = np.array(numbers, dtype="object")[np.argmax(part > 0, axis=1)]
    return Split(_joined(positions), _joined(ids), _joined(amounts), first, short)


def _candidates(text: str, cluster: str, tranches: pd.DataFrame) -> list[str]:
    if text:
        return [number for number in named_tranches(text) if number in tranches.index]
    return list(tranches.loc[tranches["cluster_code"] == cluster, "number"])


def _joined(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)
