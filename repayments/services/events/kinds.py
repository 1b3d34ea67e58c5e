"""Every kind of event by name: what it is worked out with, and what a partner may propose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from calc.schedule import CannotSchedule
from repayments.models import LoanEvent
from repayments.services.events import asked, forgiving, prepaying, rescheduling, scoped
from repayments.services.events.asked import Parameters
from repayments.services.events.facts import Facts, read_facts
from repayments.services.events.outcome import Outcome

Kind = LoanEvent.Kind
OF_PARTNERS = frozenset(
    {
        Kind.PREPAYMENT,
        Kind.SETTLEMENT,
        Kind.RESCHEDULE,
        Kind.RESTRUCTURE,
        Kind.RATE_CHANGE,
        Kind.WRITE_OFF,
        Kind.WAIVER,
        Kind.REFUND,
    }
)
"""What a bank's maker may propose for one of its own sub-loans; a moratorium is the foundation's."""


@dataclass(frozen=True)
class Asked:
    """An event as it is asked: of which kind, on what loan (none: a scope), from when, with which choices."""

    kind: str
    loan_id: int | None
    effective_on: date
    parameters: Parameters
    valid_until: date | None = None


def read_for(wanted: Asked) -> Facts:
    """The facts of the loan, or of every loan in the scope."""
    if wanted.loan_id is None:
        return scoped.facts_of_scope(wanted.parameters, wanted.effective_on)
    return read_facts([wanted.loan_id])


def work_out(facts: Facts, wanted: Asked) -> Outcome:
    """What the event would do. Raises ``CannotMakeEvent`` with the term to change and the reason."""
    on, parameters = wanted.effective_on, wanted.parameters
    try:
        match Kind(wanted.kind):
            case Kind.PREPAYMENT:
                return prepaying.prepayment(facts, on, parameters)
            case Kind.SETTLEMENT:
                return prepaying.settlement(facts, on, parameters, wanted.valid_until)
            case Kind.RESCHEDULE | Kind.RESTRUCTURE:
                return rescheduling.new_plan(facts, on, parameters, kind=wanted.kind)
            case Kind.MORATORIUM:
                return scoped.moratorium_on(facts, on, parameters)
            case Kind.RATE_CHANGE:
                return scoped.rate_change(facts, on, parameters)
            case Kind.WRITE_OFF:
                return forgiving.write_off(facts, on, parameters)
            case Kind.WAIVER:
                return forgiving.waiver(facts, on, parameters)
            case Kind.REFUND:
                return forgiving.refund(facts, on, parameters)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    raise ValueError(f"no event of kind {wanted.kind}")
