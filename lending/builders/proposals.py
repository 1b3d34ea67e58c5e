"""What a proposal says, for the person who decides it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from djmoney.money import Money

from daybook.formats import day, number, percent, tk
from lending import words
from lending.models import Proposal

TERMS: dict[str, Promise] = {
    "fund_rate": gettext_lazy("Foundation to institution"),
    "borrower_rate_cap": gettext_lazy("Borrowers pay at most"),
    "min_amount": gettext_lazy("Smallest sub-loan"),
    "max_amount": gettext_lazy("Largest sub-loan"),
    "max_machinery_amount": gettext_lazy("Largest for machinery"),
    "collateral_free_to": gettext_lazy("Without collateral up to"),
    "tenor_months": gettext_lazy("Longest tenor, grace included"),
    "grace_months": gettext_lazy("Longest grace"),
    "women_share": gettext_lazy("To women at least"),
    "manufacturing_share": gettext_lazy("To manufacturing at least"),
    "trading_share_max": gettext_lazy("To trading at most"),
    "up_to_10_lakh_share": gettext_lazy("In loans up to 10 lakh at least"),
}


@dataclass(frozen=True)
class ProposalShown:
    """A proposal in words: what it is, its values, who made it and why."""

    proposal: Proposal
    title: str
    facts: tuple[tuple[str, str], ...]
    maker: str


def show_proposal(proposal: Proposal) -> ProposalShown:
    """In the reader's language."""
    facts = {
        Proposal.Kind.END: lambda _values: iter(()),
        Proposal.Kind.ALLOTMENT: _allotment,
        Proposal.Kind.TERMS: _terms,
    }[Proposal.Kind(proposal.kind)](proposal.values)
    return ProposalShown(
        proposal, str(Proposal.Kind(proposal.kind).label), tuple(facts), str(proposal.made_by)
    )


def _allotment(values: dict[str, str]) -> Iterator[tuple[str, str]]:
    yield _("Amount"), _taka(values["amount"])
    yield _("Fund source"), values["fund_source"]
    yield _("Cluster"), values["cluster"] or _("Any cluster")
    yield _("From"), _day(values["from_date"])
    yield _("To"), _day(values["to_date"])


def told_terms(values: Mapping[str, Any]) -> dict[str, str]:
    """The terms of a version in words by label, '' for what it does not set; to stand beside a proposal's."""
    unset = {str(label): "" for label in TERMS.values()} | {_("Excluded"): ""}
    told = unset | dict(_terms(values))
    return {label: shown for label, shown in told.items() if label != _("From")}


def _terms(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield _("From"), _day(values["effective_date"])
    for name, label in TERMS.items():
        if values.get(name) is not None:
            yield str(label), _figure(name, values[name])
    if values["excluded_sectors"]:
        yield _("Excluded"), ", ".join(values["excluded_sectors"])
    yield _("How sure these figures are"), str(words.CONFIDENCES.get(values["confidence"], ""))


def _figure(name: str, text: str) -> str:
    if name.endswith("_months"):
        return _("%(months)s months") % {"months": number(Decimal(text))}
    if "amount" in name or name == "collateral_free_to":
        return _taka(text)
    return percent(Decimal(text))


def _taka(text: str) -> str:
    return tk(Money(Decimal(text), "BDT"))


def _day(text: str) -> str:
    return day(date.fromisoformat(text))
