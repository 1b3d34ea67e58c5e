"""The plan of a tranche before and when it is sent, from the agreement's terms and the tranche's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from djmoney.money import Money

from calc.calendar import BusinessCalendar
from calc.money import to_minor
from calc.schedule import CannotSchedule, Method, Schedule, Terms, build_schedule
from daybook.selectors import business_calendar
from lending.models import Agreement
from lending.services.terms import example_plan, wholesale_terms
from lending.term_words import say_refusal
from partners.services.refusals import Refused


class CannotPlanTranche(Refused):
    """The terms make no plan for this amount and these dates; ``field`` is the one to change."""

    def __init__(self, refusal: CannotSchedule, agreement: Agreement) -> None:
        super().__init__(say_refusal(refusal, agreement.contract_mode))
        self.field = {"first_due_on": "first_due_date", "amounts": "instalment_amounts"}.get(refusal.term, "")


def plan_tranche(
    agreement: Agreement,
    *,
    amount: Money,
    value_date: date,
    first_due_date: date | None,
    amounts: Sequence[int],
    calendar: BusinessCalendar,
) -> tuple[Terms, Schedule]:
    """The terms and plan of money sent on a day. ``amounts`` in minor units, for an irregular plan.

    Raises ``CannotPlanTranche``.
    """
    try:
        terms = wholesale_terms(
            agreement,
            principal_minor=to_minor(amount.amount),
            disbursed_on=value_date,
            first_due_on=first_due_date,
            amounts=amounts,
        )
        return terms, build_schedule(terms, calendar)
    except CannotSchedule as refusal:
        raise CannotPlanTranche(refusal, agreement) from refusal


def sketch_tranche(
    agreement: Agreement,
    *,
    amount: Money,
    value_date: date,
    first_due_date: date | None,
    amounts: Sequence[int],
    calendar: BusinessCalendar,
) -> Schedule:
    """The plan as it would be; an irregular one without its amounts yet is shown in equal parts.

    Raises ``CannotPlanTranche``.
    """
    if agreement.method == Method.IRREGULAR and not amounts:
        try:
            return example_plan(
                agreement, calendar, disbursed_on=value_date, principal_minor=to_minor(amount.amount)
            )
        except CannotSchedule as refusal:
            raise CannotPlanTranche(refusal, agreement) from refusal
    _terms, plan = plan_tranche(
        agreement,
        amount=amount,
        value_date=value_date,
        first_due_date=first_due_date,
        amounts=amounts,
        calendar=calendar,
    )
    return plan


def refuse_no_plan(
    agreement: Agreement, amount: Money, on: date, first_due_date: date | None, amounts: Sequence[int]
) -> None:
    """Raise ``CannotPlanTranche`` unless the terms make a plan for the amount, sent on the open day."""
    plan_tranche(
        agreement,
        amount=amount,
        value_date=on,
        first_due_date=first_due_date,
        amounts=amounts,
        calendar=business_calendar(),
    )
