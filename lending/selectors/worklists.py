"""Worklists: what each means in words, and which rows belong to it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lending.models import Agreement, Application, PenalRate, Programme, Proposal, Tranche

WORKLISTS: dict[str, Promise] = {
    "applications-returned": _("Applications to complete"),
    "applications-submit": _("Applications to send"),
    "applications-appraise": _("Applications to appraise"),
    "applications-decide": _("Applications to decide"),
    "agreements-approve": _("Agreements to approve"),
    "agreements-proposed": _("Changes of agreements to decide"),
    "penal-rates-decide": _("Penal rates to decide"),
    "programmes-proposed": _("Terms of programmes to decide"),
    "tranches-clear": _("Tranches to clear"),
    "tranches-approve": _("Tranches to approve"),
    "tranches-disburse": _("Tranches to disburse"),
}
"""Key → what waits. The part before the last hyphen names the list page."""

OPEN_DRAFTS = [Application.State.DRAFT, Application.State.RETURNED]


def narrowed(rows: QuerySet[Any], worklist: str, user_id: int) -> QuerySet[Any]:
    """The rows on which this person may take the step: what one made oneself waits for somebody else."""
    if worklist == "applications-returned":
        return rows.filter(state__in=OPEN_DRAFTS)
    if worklist == "applications-submit":
        return rows.filter(state__in=OPEN_DRAFTS).exclude(made_by_id=user_id)
    if worklist == "applications-appraise":
        return rows.filter(state=Application.State.SUBMITTED)
    if worklist == "applications-decide":
        return (
            rows.filter(state=Application.State.APPRAISED)
            .exclude(made_by_id=user_id)
            .exclude(appraised_by_id=user_id)
        )
    if worklist == "agreements-approve":
        return rows.filter(state=Agreement.State.DRAFT).exclude(made_by_id=user_id)
    if worklist == "penal-rates-decide":
        return rows.filter(state=PenalRate.State.PROPOSED).exclude(proposed_by_id=user_id)
    if worklist in ("agreements-proposed", "programmes-proposed"):
        open_ones = Proposal.objects.filter(state=Proposal.State.PROPOSED).exclude(made_by_id=user_id)
        subject = "agreement_id" if worklist == "agreements-proposed" else "programme_id"
        return rows.filter(pk__in=open_ones.values(subject))
    if worklist == "tranches-clear":
        return rows.filter(state=Tranche.State.REQUESTED)
    if worklist == "tranches-approve":
        return rows.filter(state=Tranche.State.CLEARED).exclude(cleared_by_id=user_id)
    return (
        rows.filter(state=Tranche.State.APPROVED)
        .exclude(approved_by_id=user_id)
        .exclude(cleared_by_id=user_id)
    )


_DECIDED = ("agreements-approve", "agreements-proposed", "penal-rates-decide", "programmes-proposed")
LISTS_OF_ROLE: dict[str, list[str]] = {
    "maker": ["applications-returned"],
    "checker": ["applications-submit"],
    "officer": ["applications-appraise", "tranches-clear", "tranches-disburse"],
    "approver": [*_DECIDED, "applications-decide", "tranches-approve"],
    "finance_head": [*_DECIDED, "applications-decide", "tranches-approve", "tranches-disburse"],
}


def waiting(roles: frozenset[str], user_id: int) -> dict[str, int]:
    """How many rows wait for this person, by worklist; row-level security leaves a partner its own."""
    sources: dict[str, QuerySet[Any]] = {
        "applications": Application.objects.all(),
        "agreements": Agreement.objects.all(),
        "penal-rates": PenalRate.objects.all(),
        "programmes": Programme.objects.all(),
        "tranches": Tranche.objects.all(),
    }
    wanted = {worklist for role in roles for worklist in LISTS_OF_ROLE.get(role, [])}
    return {
        worklist: narrowed(sources[worklist.rpartition("-")[0]], worklist, user_id).count()
        for worklist in WORKLISTS
        if worklist in wanted
    }
