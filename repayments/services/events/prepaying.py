"""Money that comes early: part of the principal (the term shortens or the instalment falls), or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _

from calc.allocation import Source
from calc.events import Accrued, Effect, prepay, prepay_supplied, settle
from calc.money import Component
from calc.schedule import CannotSchedule, SuppliedRow
from lending.models import Agreement, Schedule
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent, Parameters, in_taka
from repayments.services.events.facts import Facts
from repayments.services.events.fees import check_banks_fee, fee_for
from repayments.services.events.money import Open, open_under
from repayments.services.events.outcome import Outcome, Say, single_plan, with_raised, without_money
from repayments.services.events.plans import refuse_dearer_sale, supplied_rows
from repayments.services.events.raised import Raising, raising_until

LONGEST_QUOTATION = 92
"""Days a settlement quotation may hold; every day's figure stands in it."""


def prepayment(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Principal paid before it falls due: it falls due on the day, so that the money meets it."""
    amount = asked.whole(parameters, "amount_minor", least=1)
    effect = asked.code(parameters, "effect", Effect)
    rows = supplied_rows(facts, parameters)
    by_bank = bool(rows) or facts.is_supplied
    interest = Accrued.DUE if by_bank else asked.code(parameters, "interest", Accrued, Accrued.CARRIED)
    fee = fee_for(facts, on, settled_minor=amount)
    try:
        if by_bank:
            _refuse_unsaid_price(facts, rows)
            replans = prepay_supplied(facts.supplied, on, amount=amount, effect=effect, rows=rows)
        else:
            replans = prepay(
                facts.running, on, amount=amount, effect=effect, interest=interest, fee_percent=fee.percent
            )
        outcome, replan = single_plan(facts, replans, cause=Schedule.Cause.PREPAYMENT, on=on)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    if by_bank:
        outcome.versions["terms"] = pd.Series([{}], dtype="object")
        refuse_dearer_sale(facts, outcome, kept=int(replan.kept), term="rows")
    outcome.amount_minor = amount
    outcome.amounts = {facts.loan.pk: amount}
    raised = with_raised(facts, outcome, raising_until(facts, on))
    needed = open_under(facts, on, dues=outcome.dues, keeps_to=int(replan.kept), raised=raised)
    take_money(outcome, parameters, needed)
    check_banks_fee(facts, outcome, early_minor=amount, needed_minor=needed.of())
    outcome.figures = _figures(needed, fee=int(replan.fee_minor), principal=amount)
    gaps = {"amount": amount, "on": on.isoformat()}
    outcome.says[:0] = [
        Say("prepayment.bank_plan" if rows else f"prepayment.{effect.value}", gaps),
        *([Say("prepayment.supplied", gaps)] if by_bank and not rows else []),
        Say(f"prepayment.interest_{interest.value}", gaps),
        *fee.says,
    ]
    return outcome


def _refuse_unsaid_price(facts: Facts, rows: Sequence[SuppliedRow]) -> None:
    """How the profit left of a sale at a fixed price falls due only the bank can say: it made the plan."""
    if not rows and facts.agreement.contract_mode == Agreement.ContractMode.MURABAHA:
        raise CannotMakeEvent(
            "rows",
            _("The institution supplied the plan of this sale, its price is fixed: give its own new plan."),
        )


def settlement(facts: Facts, on: date, parameters: Parameters, valid_until: date | None) -> Outcome:
    """Everything falls due on one day; what a murabaha had not earned yet is waived."""
    last = max(on, valid_until or on)
    raising = raising_until(facts, last)
    outcome, needed, rebate, early = _settled_on(facts, on, raising)
    outcome.amount_minor = needed.of()
    outcome.amounts = {facts.loan.pk: needed.of()}
    outcome.figures = settlement_figures(facts, on, valid_until or on, raising)
    if asked.text(parameters, "reference"):
        take_money(outcome, parameters, needed)
    outcome.says.append(Say("settlement", {"amount": needed.of(), "on": on.isoformat()}))
    if rebate:
        outcome.says.append(Say("settlement.rebate", {"amount": rebate}))
    outcome.says += fee_for(facts, on).says
    check_banks_fee(facts, outcome, early_minor=early, needed_minor=needed.of())
    return outcome


def settlement_figures(facts: Facts, first: date, last: date, raising: Raising) -> list[dict[str, Any]]:
    """What settles the loan on each day up to the last one the quotation holds.

    Penal interest is counted on to each day, so that the figure of a day still holds when it has come.
    """
    if last < first:
        raise CannotMakeEvent("valid_until", _("The quotation cannot end before its first day."))
    if (last - first).days >= LONGEST_QUOTATION:
        raise CannotMakeEvent(
            "valid_until", _("A quotation holds at most %(days)s days.") % {"days": LONGEST_QUOTATION}
        )
    figures = []
    for offset in range((last - first).days + 1):
        on = first + timedelta(days=offset)
        _outcome, needed, rebate, _early = _settled_on(facts, on, raising)
        figures.append(
            {
                "on": on.isoformat(),
                "principal": needed.of(Component.PRINCIPAL),
                "interest": needed.of(Component.INTEREST),
                "penal": needed.of(Component.PENAL),
                "charge": needed.of(Component.CHARGE),
                "rebate": rebate,
                "total": needed.of(),
            }
        )
    return figures


def _settled_on(facts: Facts, on: date, raising: Raising) -> tuple[Outcome, Open, int, int]:
    """The plan in which everything falls due on a day, what that takes, the rebate of a murabaha, and the
    principal that was not due yet."""
    unearned = facts.agreement.contract_mode == Agreement.ContractMode.MURABAHA
    plan = facts.supplied if facts.is_supplied else facts.running
    try:
        replans = settle(plan, on, fee_percent=fee_for(facts, on).percent, unearned=unearned)
        outcome, replan = single_plan(facts, replans, cause=Schedule.Cause.SETTLEMENT, on=on)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    rebate = int(replan.rebate_minor)
    if rebate:
        number = int(outcome.dues["instalment"].max())
        row = {"instalment": number, "component": int(Component.INTEREST), "amount_minor": rebate}
        outcome.settling = without_money(facts, Source.WAIVER, on, [row])
    kept = int(replan.kept)
    raised = with_raised(facts, outcome, raising, ends=True)
    needed = open_under(
        facts, on, dues=outcome.dues, keeps_to=kept, settling=outcome.settling, raised=raised, ends=True
    )
    return outcome, needed, rebate, int(replans.rest.balance[0])


def take_money(outcome: Outcome, parameters: Parameters, needed: Open) -> None:
    """The receipt that comes with the event, unless an advance held already covers everything."""
    minor = needed.of()
    if not minor:
        outcome.says.append(Say("money.advance"))
        return
    reference = asked.text(parameters, "reference")
    if not reference:
        raise CannotMakeEvent(
            "reference",
            _("%(amount)s must come in on that day. Give the bank's reference of the payment.")
            % {"amount": in_taka(minor)},
        )
    received = asked.whole(parameters, "received_minor", default=minor)
    if received < minor:
        raise CannotMakeEvent(
            "received_minor",
            _("%(needed)s is needed on that day: what is overdue is paid first.")
            % {"needed": in_taka(minor)},
        )
    outcome.receipt = {
        "amount_minor": received,
        "value_date": outcome.effective_on.isoformat(),
        "reference": reference,
    }
    outcome.says.append(Say("money.receipt", {"amount": received, "reference": reference}))
    if received > minor:
        outcome.says.append(Say("money.over", {"amount": received - minor}))


def _figures(needed: Open, *, fee: int, principal: int) -> list[dict[str, Any]]:
    """What the money must cover, line by line."""
    total = needed.of()
    rest = total - principal - fee
    return [
        {"name": "prepaid", "amount": principal},
        *([{"name": "fee", "amount": fee}] if fee else []),
        *([{"name": "other", "amount": rest}] if rest > 0 else []),
        *([{"name": "advance_used", "amount": rest}] if rest < 0 else []),
        {"name": "needed", "amount": total},
    ]
