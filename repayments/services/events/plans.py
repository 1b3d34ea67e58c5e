"""The institution's own new plan, as an event is given it, and what a sale at a fixed price allows of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from calc.money import Component
from calc.schedule import SuppliedRow
from lending.models import Agreement
from repayments.services.events.asked import CannotMakeEvent, Parameters, in_taka
from repayments.services.events.facts import Facts
from repayments.services.events.outcome import Outcome


def supplied_rows(facts: Facts, parameters: Parameters) -> list[SuppliedRow]:
    """The plan that the institution supplied, a line an instalment: number, date, principal, interest.

    ``rows`` of the parameters: instalment, due_on (2026-11-22), principal_minor, interest_minor. Raises
    ``CannotMakeEvent`` where a line is not that, or the loan is the foundation's own.
    """
    given: list[Mapping[str, Any]] = list(parameters.get("rows") or [])
    if given and facts.is_wholesale:
        raise CannotMakeEvent("rows", _("The foundation makes the plan of its own loan; state its terms."))
    try:
        return [
            SuppliedRow(
                int(row["instalment"]),
                date.fromisoformat(row["due_on"]),
                int(row["principal_minor"]),
                int(row["interest_minor"]),
            )
            for row in given
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise CannotMakeEvent(
            "rows", _("A line of the new plan lacks its number, its date or an amount. Give the plan again.")
        ) from error


def refuse_dearer_sale(facts: Facts, outcome: Outcome, *, kept: int, moved_minor: int = 0, term: str) -> None:
    """What a murabaha was sold for is fixed: a new plan spreads what is left of its profit, and adds none."""
    if facts.agreement.contract_mode != Agreement.ContractMode.MURABAHA:
        return
    interest = int(Component.INTEREST)
    ahead = facts.dues[(facts.dues["component"] == interest) & (facts.dues["instalment"] > kept)]
    left = int(ahead["amount_minor"].sum()) + moved_minor
    planned = int(outcome.dues.loc[outcome.dues["component"] == interest, "amount_minor"].sum())
    if planned > left:
        raise CannotMakeEvent(
            term,
            _("The price of a murabaha is fixed at the sale: %(left)s of profit is left of it, the new plan "
              "would hold %(planned)s.")
            % {"left": in_taka(left), "planned": in_taka(planned)},
        )  # fmt: skip
