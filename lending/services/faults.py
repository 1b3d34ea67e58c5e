"""Faults of rows, gathered as values: which row, which field, how bad, why, and what to do."""

from __future__ import annotations

from typing import Literal

import pandas as pd

Severity = Literal["invalid", "warning"]
FAULT_COLUMNS = ["index", "field", "severity", "reason", "remedy"]


class Faults:
    """A list of faults that grows check by check."""

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def add(
        self,
        wrong: pd.Series,
        field: str,
        reason: str | pd.Series,
        remedy: str,
        *,
        severity: Severity = "invalid",
    ) -> None:
        """Note the rows where ``wrong`` holds; ``reason`` may differ by row."""
        chosen = wrong.fillna(False).astype(bool)
        if not chosen.any():
            return
        self._parts.append(
            pd.DataFrame(
                {
                    "index": chosen.index[chosen],
                    "field": field,
                    "severity": severity,
                    "reason": reason[chosen].to_numpy() if isinstance(reason, pd.Series) else reason,
                    "remedy": remedy,
                }
            )
        )

    def refused(self, index: pd.Index) -> pd.Series:
        """Which of the rows have a fault that keeps them out."""
        invalid = [part.loc[part["severity"] == "invalid", "index"] for part in self._parts]
        return pd.Series(index.isin(pd.concat(invalid)) if invalid else False, index=index)

    def table(self) -> pd.DataFrame:
        """All faults: index (of the row), field, severity, reason, remedy; worst first within a row."""
        if not self._parts:
            return pd.DataFrame(columns=FAULT_COLUMNS)
        return (
            pd.concat(self._parts, ignore_index=True)
            .sort_values(["index", "severity"], kind="stable")
            .reset_index(drop=True)[FAULT_COLUMNS]
        )


def shown(minor: pd.Series) -> pd.Series:
    """Amounts in minor units as text for a reason: 1234567 gives 12345.67."""
    whole = minor.astype("Int64")
    return (whole // 100).astype(str) + "." + (whole % 100).astype(str).str.zfill(2)
