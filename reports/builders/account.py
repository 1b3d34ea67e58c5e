"""One loan's facts for its page and its statement, and what of its dues is not settled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from calc.money import Component
from reports.builders.objects import (
    Words,
)
from reports.builders.wording import component_labels
from reports.selectors.frames import Frame

OWED = tuple(
    int(kind) for kind in (Component.CHARGE, Component.PENAL, Component.INTEREST, Component.PRINCIPAL)
)
PRINCIPAL = int(Component.PRINCIPAL)
CHARGE, REFUND, RECOVERY = int(Component.CHARGE), int(Component.REFUND), int(Component.RECOVERY)


@dataclass(frozen=True, slots=True)
class Account:
    """One loan's facts for a statement: its header, and frames as `reports.selectors.facts` reads them."""

    as_of: date
    header: Mapping[str, Any]
    plan: Frame
    growth: Frame
    receipts: Frame
    allocations: Frame
    standing: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[int, Words]:
        """What its components are called: no paper of a contract without interest says interest."""
        return component_labels(self.header["contract_mode"])

    @property
    def name(self) -> str:
        """The loan's number."""
        return str(self.header["number"])


def unpaid(account: Account) -> Frame:
    """What of each due is not settled, with its late date: instalment, component, late_date, unpaid_minor.

    A key due on several dates is filled from the oldest, as `calc.arrears` does; as there, a refund whose
    advance proved short is owed like a charge, and what was written off is not owed on the books.
    """
    kinds = (*OWED, REFUND)
    planned = account.plan[account.plan["component"].isin(kinds)]
    planned = planned.groupby(["instalment", "component", "late_date"], as_index=False)["amount_minor"].sum()
    owed = account.allocations[account.allocations["component"].isin(kinds)]
    settled = owed.groupby(["instalment", "component"])["amount_minor"].sum()
    keys = pd.MultiIndex.from_frame(planned[["instalment", "component"]])
    paid = settled.reindex(keys, fill_value=0).to_numpy(np.int64)
    before = planned.groupby(["instalment", "component"])["amount_minor"].cumsum() - planned["amount_minor"]
    covered = np.clip(paid - before.to_numpy(np.int64), 0, planned["amount_minor"].to_numpy(np.int64))
    planned["unpaid_minor"] = planned["amount_minor"].to_numpy(np.int64) - covered
    planned["component"] = planned["component"].replace(REFUND, CHARGE)
    return planned


def written_off_minor(account: Account) -> int:
    """What was written off and has not come in since: a memo beside the books."""
    claimed = account.plan.loc[account.plan["component"] == RECOVERY, "amount_minor"].sum()
    came = account.allocations.loc[account.allocations["component"] == RECOVERY, "amount_minor"].sum()
    return int(claimed) - int(came)


def overdue_minor(standing: Mapping[str, Any]) -> int:
    return sum(
        int(standing[f"overdue_{kind}_minor"]) for kind in ("charge", "penal", "interest", "principal")
    )
