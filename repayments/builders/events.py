"""An event's preview as a page or a paper shows it, in the reader's language and the contract's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lending.contract_words import ContractWords
from repayments import event_words


@dataclass(frozen=True)
class ShownPreview:
    """Sentences, figures, what changes, and the two plans side by side."""

    says: list[str]
    fees: list[str]
    """Of the sentences those about a fee: a paper of figures repeats them."""
    cautions: list[str]
    figures: list[tuple[str, str]]
    changes: list[tuple[str, str, str]]
    rows: list[dict[str, Any]]
    totals: Mapping[str, Any]
    loans: list[dict[str, Any]]
    refusals: list[dict[str, Any]]
    days: list[dict[str, Any]]
    loan_count: int
    """Loans of a scope; ``loans`` lists the first of them."""


def shown_preview(kept: Mapping[str, Any], words: ContractWords) -> ShownPreview:
    """What was kept with an event, or has just been worked out, in words."""
    return ShownPreview(
        says=[event_words.say(each, words) for each in kept.get("says", [])],
        fees=[
            event_words.say(each, words)
            for each in kept.get("says", [])
            if each["say"].partition(".")[0] in ("fee", "bank_fee")
        ],
        cautions=[event_words.say(each, words) for each in kept.get("cautions", [])],
        figures=event_words.figures(kept.get("figures", []), words),
        changes=event_words.changes(kept.get("changes", []), words),
        rows=[{**row, "on": date.fromisoformat(row["on"])} for row in kept.get("rows", [])],
        totals=kept.get("totals", {}),
        loans=[
            {
                **row,
                "old_last": date.fromisoformat(row["old_last"]) if row["old_last"] else None,
                "new_last": date.fromisoformat(row["new_last"]),
            }
            for row in kept.get("loans", [])
        ],
        refusals=list(kept.get("refusals", [])),
        days=[{**row, "on": date.fromisoformat(row["on"])} for row in kept.get("figures", []) if "on" in row],
        loan_count=next((row["count"] for row in kept.get("figures", []) if row.get("name") == "loans"), 0),
    )
