"""A new plan for what is owed: rescheduling of a classified loan, restructuring of an unclassified one.

The unpaid rest of earlier dues may be moved into the new plan; the old plan stays readable, the count is
kept, the class is held (domain.md 5.1). What the circulars limit stands in ``ReschedulePolicy``.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calc.allocation import Source
from calc.calendar import add_months
from calc.events import Moved, Replans, reschedule, resupply, settle
from calc.money import Component, from_minor
from calc.schedule import CannotSchedule, Rules
from daybook.formats import number
from daybook.selectors import latest_booking_id
from lending.models import Agreement, Schedule
from lending.services.terms import StatedTerms
from repayments.models import LoanEvent, ReschedulePolicy
from repayments.selectors.event_policies import reschedule_policy
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent, Parameters, in_taka
from repayments.services.events.facts import Facts, times_changed
from repayments.services.events.money import merged, open_under
from repayments.services.events.outcome import Outcome, Say, single_plan, with_raised, without_money
from repayments.services.events.plans import refuse_dearer_sale, supplied_rows
from repayments.services.events.prepaying import take_money
from repayments.services.events.raised import is_daily, period_broken, raising_until
from repayments.services.events.standing import LoanStanding, kind_of_institution, standing_of

Kind = LoanEvent.Kind
InterestBasis = Agreement.InterestBasis
CAUSES = {Kind.RESCHEDULE: Schedule.Cause.RESCHEDULE, Kind.RESTRUCTURE: Schedule.Cause.RESTRUCTURE}


def new_plan(facts: Facts, on: date, parameters: Parameters, *, kind: str) -> Outcome:
    """Reschedule or restructure. Raises ``CannotMakeEvent`` with the term to change."""
    stands = standing_of(facts, facts.business_date)
    _refuse_wrong_name(kind, stands)
    down_payment = asked.whole(parameters, "down_payment_minor", least=0, default=0)
    capitalise = bool(parameters.get("capitalise"))
    moves = bool(parameters.get("moves_overdue", True))
    if capitalise and facts.agreement.contract_mode != Agreement.ContractMode.INTEREST:
        raise CannotMakeEvent(
            "capitalise", _("Under this contract nothing unpaid joins what bears profit or rent.")
        )
    try:
        rows = supplied_rows(facts, parameters)
        plan = facts.supplied if facts.is_supplied else facts.running
        rest = settle(plan, on).rest
        for early in rest.refused.values():
            raise early
        kept = int(rest.kept[0])
        raising = raising_until(facts, on)
        overdue = open_under(facts, on, keeps_to=kept, raised=raising.upto(on, keeps_to=kept))
        moved = list(overdue.rows) if moves else []
        accrued = None
        if is_daily(facts) and capitalise:
            accrued = raising.accrued(on, keeps_to=kept)
        elif is_daily(facts):  # the closes raise all interest of the new plan from facts, so none can wait
            moved = [row for row in moved if row["component"] == Component.PRINCIPAL]
        principal = sum(row["amount_minor"] for row in moved if row["component"] == Component.PRINCIPAL)
        others = sum(row["amount_minor"] for row in moved) - principal
        taken = Moved(principal, others, down_payment, capitalise, accrued)
        replans = (
            resupply(facts.supplied, on, rows, moved=taken) if rows else _replan(facts, on, parameters, taken)
        )
        outcome, replan = single_plan(facts, replans, cause=CAUSES[Kind(kind)], on=on)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    refuse_dearer_sale(facts, outcome, kept=kept, moved_minor=others, term="rows" if rows else "annual_rate")
    if rows:
        outcome.versions["terms"] = pd.Series([{}], dtype="object")
    raised = with_raised(facts, outcome, raising)
    if accrued:
        number = period_broken(facts, outcome.versions, outcome.dues, on)
        moved.append({"instalment": number, "component": int(Component.INTEREST), "amount_minor": accrued})
    outcome.settling = without_money(facts, Source.TRANSFER, on, merged(moved))
    owed = int(replan.taken_back_minor) + principal
    outcome.amount_minor = owed
    outcome.amounts = {facts.loan.pk: owed}
    outcome.holds_class = "rescheduled"
    needed = open_under(facts, on, dues=outcome.dues, keeps_to=kept, settling=outcome.settling, raised=raised)
    if needed.of():
        take_money(outcome, parameters, needed)
    _refuse_beyond_policy(facts, on, parameters, kind, outcome, owed, down_payment)
    gaps = {"owed": owed, "on": on.isoformat(), "times": times_changed(facts.loan.pk) + 1}
    outcome.says.insert(0, Say(kind, gaps))
    if moved:
        others += accrued or 0
        outcome.says.append(Say("moved", {"principal": principal, "rest": others, "capitalised": capitalise}))
    outcome.figures = [
        {"name": "moved_principal", "amount": principal},
        {"name": "moved_rest", "amount": others},
        {"name": "down_payment", "amount": down_payment},
    ]
    return outcome


def _replan(facts: Facts, on: date, parameters: Parameters, moved: Moved) -> Replans:
    return reschedule(
        facts.supplied if facts.is_supplied else facts.running,
        on,
        rules=_rules(facts, parameters),
        annual_rate=asked.percent(parameters, "annual_rate"),
        first_due_on=asked.day_or_none(parameters, "first_due_on"),
        moved=moved,
    )


def _rules(facts: Facts, parameters: Parameters) -> Rules:
    """The new terms as they were stated; what was not asked is as in the agreement."""
    agreement = facts.agreement
    return StatedTerms(
        method=asked.text(parameters, "method"),
        frequency=asked.text(parameters, "frequency"),
        instalments=asked.whole(parameters, "instalments", least=1),
        grace_months=asked.whole(parameters, "grace_months", least=0, default=0),
        grace_kind=asked.text(parameters, "grace_kind") or "none",
        day_count=asked.text(parameters, "day_count") or agreement.day_count,
        roll_rule=agreement.roll_rule,
        interest_to=agreement.interest_to,
        contract_mode=agreement.contract_mode,
        interest_basis=agreement.interest_basis if facts.is_wholesale else InterestBasis.SCHEDULED,
    ).rules()


def _refuse_wrong_name(kind: str, stands: LoanStanding) -> None:
    """Rescheduling is for classified loans, restructuring for the others: each has limits of its own."""
    if kind == Kind.RESCHEDULE and not stands.is_classified:
        raise CannotMakeEvent("", _("The loan is not classified: a new plan for it is a restructuring."))
    if kind == Kind.RESTRUCTURE and stands.is_classified:
        raise CannotMakeEvent("", _("The loan is classified: a new plan for it is a rescheduling."))


def _refuse_beyond_policy(
    facts: Facts,
    on: date,
    parameters: Parameters,
    kind: str,
    outcome: Outcome,
    owed: int,
    down_payment: int,
) -> None:
    policy = reschedule_policy(
        facts.loan,
        event=kind,
        on=on,
        outstanding=from_minor(owed),
        kind=kind_of_institution(facts.loan.institution_id, on),
        last_booking_id=latest_booking_id(),
    )
    if policy is None:
        outcome.cautions.append(Say("no_policy", {"on": on.isoformat()}))
        return
    times = times_changed(facts.loan.pk) + 1
    if times > policy.special_times:
        raise CannotMakeEvent(
            "",
            _("This would be time %(times)s; %(policy)s allows %(most)s, special cases included.")
            % {"times": number(times), "policy": policy, "most": number(policy.special_times)},
        )
    if times > policy.times:
        if not parameters.get("is_special"):
            raise CannotMakeEvent(
                "is_special",
                _("This would be time %(times)s; %(policy)s allows %(most)s, more only as a special case.")
                % {"times": number(times), "policy": policy, "most": number(policy.times)},
            )
        outcome.cautions.append(Say("special_case", {"times": times}))
    _refuse_too_long(policy, times, on, outcome)
    share = _of_time(policy.down_payment_percent, times)
    least = int((Decimal(owed) * share / 100).to_integral_value(rounding="ROUND_UP"))
    if down_payment < least:
        raise CannotMakeEvent(
            "down_payment_minor",
            _("%(policy)s asks for a down payment of %(share)s %%: at least %(least)s.")
            % {"policy": policy, "share": number(share), "least": in_taka(least)},
        )
    outcome.says.append(Say("within_policy", {"policy": str(policy), "times": times, "most": policy.times}))


def _refuse_too_long(policy: ReschedulePolicy, times: int, on: date, outcome: Outcome) -> None:
    months = _of_time(policy.tenor_months, times)
    last = outcome.dues["nominal_date"].max().date()
    if last > add_months(on, int(months)):
        raise CannotMakeEvent(
            "instalments",
            ngettext(
                "%(policy)s allows a new term of %(months)s month, grace included.",
                "%(policy)s allows a new term of %(months)s months, grace included.",
                int(months),
            )
            % {"policy": policy, "months": number(int(months))},
        )


def _of_time(values: list[Any], times: int) -> Any:
    """The first entry for the first time; the last for every later one."""
    return values[min(times, len(values)) - 1]
