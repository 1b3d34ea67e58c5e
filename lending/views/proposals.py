"""What an agreement's and a programme's page share: proposals that wait, and the step of deciding one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from daybook.selectors import open_business_date
from lending.builders.proposals import ProposalShown, show_proposal
from lending.forms.agreements import ProposalDecisionForm
from lending.models import Proposal
from lending.services.proposals import CHECKERS, decide_proposal
from partners.access import Context
from partners.models import User
from partners.views.offers import Offer

SHORT = 5


def waiting_proposals(proposals: QuerySet[Proposal], reader: Context) -> list[ProposalShown]:
    """Open proposals in words; partners see none."""
    if not reader.is_foundation:
        return []
    found = proposals.filter(state=Proposal.State.PROPOSED).select_related("made_by").order_by("id")
    return [show_proposal(proposal) for proposal in found]


def decisions(waiting: list[ProposalShown], reader: Context, user: User) -> Iterator[Offer]:
    """A step for each proposal that this person may decide."""
    if not reader.may(*CHECKERS):
        return
    for shown in waiting:
        if shown.proposal.made_by_id != user.pk:
            yield Offer(
                name=f"decide-{shown.proposal.pk}",
                label=_("Decide: %(what)s") % {"what": shown.title},
                done=_("Decided."),
                hint=", ".join(f"{label}: {value}" for label, value in _in_short(shown)),
                form_class=ProposalDecisionForm,
                icon="gavel",
                run=_decide(shown.proposal, user),
            )


def _in_short(shown: ProposalShown) -> tuple[tuple[str, str], ...]:
    """All that is proposed where it is little; else the first of it: the whole stands beside the step."""
    return shown.facts if len(shown.facts) <= SHORT else shown.facts[:1]


def _decide(proposal: Proposal, user: User) -> Callable[[dict[str, Any]], None]:
    def run(told: dict[str, Any]) -> None:
        decide_proposal(proposal=proposal, actor=user, business_date=open_business_date(), **told)

    return run
