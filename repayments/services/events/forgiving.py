"""What is settled without money, and money given back: write-off, waiver, refund of an advance.

A write-off leaves a memo balance (a due of the kind recovery): the borrower still owes it, later receipts
settle it first, and it counts in no outstanding, overdue, class or provision (domain.md 5.2).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from django.utils.translation import gettext as _

from calc.allocation import Source
from calc.calendar import add_months
from calc.classification import LoanClass
from calc.events import Accrued, Effect, prepay, settle
from calc.money import Component
from calc.schedule import CannotSchedule
from daybook.formats import day, number
from daybook.selectors import latest_booking_id
from lending.models import Schedule
from repayments.models import WriteOffPolicy
from repayments.selectors.event_policies import write_off_policy
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent, Parameters, in_taka
from repayments.services.events.facts import Facts
from repayments.services.events.money import Open, merged, oldest_first, open_under
from repayments.services.events.outcome import (
    Outcome,
    Say,
    empty_version,
    side_by_side,
    single_plan,
    totals_of,
    with_raised,
    without_money,
)
from repayments.services.events.raised import EVERY, Raising, raising_until
from repayments.services.events.standing import LoanStanding, kind_of_institution, standing_of


class Extent(StrEnum):
    """How much of a loan is written off."""

    WHOLE = "whole"
    PART = "part"


class Waived(StrEnum):
    """What a waiver may forgive; never principal."""

    PENAL = "penal"
    INTEREST = "interest"
    CHARGE = "charge"

    @property
    def component(self) -> Component:
        """Its component."""
        return Component[self.name]


def write_off(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Take a loan, or an amount of it, off the books; what is owed stays as a memo balance."""
    extent = asked.code(parameters, "extent", Extent)
    stands = standing_of(facts, on)
    outcome = _all_of_it(facts, on) if extent is Extent.WHOLE else _a_part(facts, on, parameters)
    total = sum(int(row["amount_minor"]) for row in outcome.settling)
    if not total:
        raise CannotMakeEvent("extent", _("Nothing is owed on the loan."))
    outcome.amount_minor = total
    outcome.amounts = {facts.loan.pk: total}
    outcome.memo = [_memo(facts, Component.RECOVERY, on, total)]
    _refuse_against_policy(facts, on, parameters, extent, stands, outcome)
    by_kind = {
        name: sum(int(row["amount_minor"]) for row in outcome.settling if row["component"] == int(component))
        for name, component in (
            ("principal", Component.PRINCIPAL),
            ("interest", Component.INTEREST),
            ("penal", Component.PENAL),
            ("charge", Component.CHARGE),
        )
    }
    outcome.figures = [{"name": name, "amount": minor} for name, minor in by_kind.items() if minor]
    outcome.figures.append({"name": "memo", "amount": total})
    outcome.says = [
        Say(f"write_off.{extent.value}", {"amount": total, "on": on.isoformat()}),
        Say("write_off.memo", {"amount": total}),
        *outcome.says,
    ]
    return outcome


def _all_of_it(facts: Facts, on: date) -> Outcome:
    """Everything falls due on the day, without future interest, and is settled without money."""
    plan = facts.supplied if facts.is_supplied else facts.running
    replans = settle(plan, on)
    if replans.refused and not _left_to_plan(facts, on):
        outcome = empty_version(facts, Schedule.Cause.WRITE_OFF, on)
        kept = int(outcome.versions["keeps_to"].iloc[0])
    else:
        try:
            outcome, replan = single_plan(facts, replans, cause=Schedule.Cause.WRITE_OFF, on=on)
        except CannotSchedule as error:
            raise asked.refused(error) from error
        kept = int(replan.kept)
    outcome.versions["terms"] = pd.Series([{}], dtype="object")
    raised = with_raised(facts, outcome, raising_until(facts, on), ends=True)
    left = open_under(facts, on, dues=outcome.dues, keeps_to=kept, raised=raised, ends=True)
    outcome.settling = without_money(facts, Source.WRITE_OFF, on, merged(left.rows))
    return outcome


def _left_to_plan(facts: Facts, on: date) -> bool:
    return any(row["component"] in (3, 4) and row["nominal_date"].item() >= on for row in facts.dues)


def _a_part(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Accrued interest and charges first, then overdue principal, then principal not due yet."""
    amount = asked.whole(parameters, "amount_minor", least=1)
    raising = raising_until(facts, on)
    outcome = Outcome(amount_minor=amount, effective_on=on)
    paid = facts.settled(as_of=facts.business_date)
    outcome.rows = side_by_side(facts, outcome.dues, kept=EVERY, paid=paid)
    outcome.totals = totals_of(outcome.rows)
    owed = open_under(facts, on, raised=with_raised(facts, outcome, raising))
    if amount > owed.of():
        outcome, owed = _with_principal_to_come(facts, on, raising, amount, owed.of())
    rows = [row for row in owed.rows if row["component"] != Component.PRINCIPAL]
    rows += [row for row in owed.rows if row["component"] == Component.PRINCIPAL]
    outcome.settling = without_money(facts, Source.WRITE_OFF, on, merged(oldest_first(rows, amount)))
    return outcome


def _with_principal_to_come(
    facts: Facts, on: date, raising: Raising, amount: int, due_minor: int
) -> tuple[Outcome, Open]:
    """The part reaches principal not due yet: so much of it falls due on the day, and with it, by daily
    product, the interest since the last due date, which goes before it."""
    outcome, owed = _brought_forward(facts, on, raising, amount - due_minor)
    ended = owed.of() - amount
    if 0 < ended < amount - due_minor:
        outcome, owed = _brought_forward(facts, on, raising, amount - due_minor - ended)
    elif ended > 0:
        raise CannotMakeEvent(
            "amount_minor",
            _("Interest accrued goes before principal: write off %(least)s or less, or more than %(most)s.")
            % {"least": in_taka(due_minor), "most": in_taka(due_minor + ended)},
        )
    if owed.of() < amount:
        raise CannotMakeEvent(
            "amount_minor", _("An advance is held on that day; it settles what falls due. Refund it first.")
        )
    return outcome, owed


def _brought_forward(facts: Facts, on: date, raising: Raising, principal: int) -> tuple[Outcome, Open]:
    """The plan with so much principal falling due on the day, and everything that is open then."""
    try:
        replans = prepay(
            facts.running, on, amount=principal, effect=Effect.INSTALMENT, interest=Accrued.CARRIED
        )
        outcome, replan = single_plan(facts, replans, cause=Schedule.Cause.WRITE_OFF, on=on)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    raised = with_raised(facts, outcome, raising)
    return outcome, open_under(facts, on, dues=outcome.dues, keeps_to=int(replan.kept), raised=raised)


def _refuse_against_policy(
    facts: Facts,
    on: date,
    parameters: Parameters,
    extent: Extent,
    stands: LoanStanding,
    outcome: Outcome,
) -> None:
    policy = write_off_policy(
        facts.loan,
        on=on,
        kind=kind_of_institution(facts.loan.institution_id, on),
        last_booking_id=latest_booking_id(),
    )
    if stands.loan_class != LoanClass.BL:
        raise CannotMakeEvent(
            "extent", _("Only a loan in the class bad or loss is written off; this one is not.")
        )
    _refuse_short_notice(facts, on, parameters, policy)
    if policy is None:
        outcome.cautions.append(Say("no_policy", {"on": on.isoformat()}))
    elif extent is Extent.PART and not policy.is_partial_allowed:
        raise CannotMakeEvent(
            "extent", _("%(policy)s does not allow a part to be written off.") % {"policy": policy}
        )
    elif policy.months_in_bad:
        since = add_months(on, -policy.months_in_bad)
        if standing_of(facts, since).loan_class != LoanClass.BL:
            raise CannotMakeEvent(
                "effective_date",
                _("%(policy)s asks for %(months)s months in the class bad or loss; on %(since)s the loan was "
                  "not in it.")
                % {"policy": policy, "months": number(policy.months_in_bad), "since": day(since)},
            )  # fmt: skip
    share = Decimal(policy.provision_percent) if policy else Decimal(100)
    held = stands.provision_minor + stands.suspense_minor
    booked = _to_provide_for(outcome)
    if Decimal(held) < Decimal(booked) * share / 100:
        raise CannotMakeEvent(
            "amount_minor" if extent is Extent.PART else "extent",
            _("Provision of %(share)s %% comes first: %(held)s is held in provision and suspense, %(total)s "
              "would be written off.")
            % {"share": number(share), "held": in_taka(held), "total": in_taka(booked)},
        )  # fmt: skip
    outcome.says.append(Say("write_off.provision", {"held": held, "amount": booked}))
    if policy is not None:
        outcome.says.append(Say("policy_met", {"policy": str(policy)}))


def _to_provide_for(outcome: Outcome) -> int:
    """What of it stood in the base for provision: principal, and interest that was charged.

    Penal interest and charges stand in no base, and interest that only this event makes due was never
    charged: nothing could be provided for either (docs/decisions/0010).
    """
    kept = int(outcome.versions["keeps_to"].iloc[0]) if len(outcome.versions) else EVERY
    return sum(
        int(row["amount_minor"])
        for row in outcome.settling
        if row["component"] == int(Component.PRINCIPAL)
        or (row["component"] == int(Component.INTEREST) and row["instalment"] <= kept)
    )


def _refuse_short_notice(
    facts: Facts, on: date, parameters: Parameters, policy: WriteOffPolicy | None
) -> None:
    """Notice goes to the borrower so many working days before."""
    if facts.is_wholesale and not parameters.get("notice_date"):
        return
    given = asked.day(parameters, "notice_date")
    needed = policy.notice_days if policy else 0
    between = np.arange(np.datetime64(given, "D") + 1, np.datetime64(max(on, given), "D") + 1)
    working = int(facts.calendar.is_business_day(between).sum())
    if given > on or working < needed:
        raise CannotMakeEvent(
            "notice_date",
            _("Notice goes out %(needed)s working days before; from %(given)s there are %(working)s.")
            % {"needed": number(needed), "given": day(given), "working": number(working)},
        )


def waiver(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Forgive penal interest, interest or a charge that has fallen due, oldest first."""
    what = asked.code(parameters, "component", Waived)
    amount = asked.whole(parameters, "amount_minor", least=1)
    owed = open_under(facts, on)
    mine = [row for row in owed.rows if row["component"] == what.component]
    instalment = asked.whole(parameters, "instalment", least=0, default=0)
    if instalment:
        mine = [row for row in mine if row["instalment"] == instalment]
    open_minor = sum(row["amount_minor"] for row in mine)
    if amount > open_minor:
        raise CannotMakeEvent(
            "amount_minor",
            _("%(open)s of it is open on that day; no more can be waived.") % {"open": in_taka(open_minor)},
        )
    rows = oldest_first(mine, amount)
    outcome = Outcome(
        amount_minor=amount, effective_on=on, amounts={facts.loan.pk: amount},
        settling=without_money(facts, Source.WAIVER, on, merged(rows)),
    )  # fmt: skip
    outcome.says = [Say(f"waiver.{what.value}", {"amount": amount, "open": open_minor})]
    outcome.figures = [
        {"name": "open", "amount": open_minor},
        {"name": "waived", "amount": amount},
        {"name": "left", "amount": open_minor - amount},
    ]
    outcome.changes = [
        {
            "what": "waived",
            "instalment": int(row["instalment"]),
            "old": {"number": int(row["amount_minor"])},
            "new": {"number": 0},
        }
        for row in merged(rows)
    ]
    return outcome


def refund(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Give back money that was held as an advance."""
    amount = asked.whole(parameters, "amount_minor", least=1)
    held = min(open_under(facts, day_).advance_minor for day_ in {on, facts.business_date})
    if amount > held:
        raise CannotMakeEvent(
            "amount_minor",
            _("%(held)s is held as an advance from that day to now; no more can be given back.")
            % {"held": in_taka(held)},
        )
    reference = asked.text(parameters, "reference")
    if not reference:
        raise CannotMakeEvent("reference", _("Give the bank's reference of the transfer."))
    outcome = Outcome(
        amount_minor=amount, effective_on=on, amounts={facts.loan.pk: amount},
        memo=[_memo(facts, Component.REFUND, on, amount)],
    )  # fmt: skip
    outcome.says = [Say("refund", {"amount": amount, "on": on.isoformat(), "reference": reference})]
    outcome.figures = [
        {"name": "advance", "amount": held},
        {"name": "refunded", "amount": amount},
        {"name": "left", "amount": held - amount},
    ]
    return outcome


def _memo(facts: Facts, component: Component, on: date, amount: int) -> dict[str, Any]:
    """A due of its own kind; one a day, as the books tell dues apart by version, number, kind and date."""
    same = (facts.dues["component"] == int(component)) & (facts.dues["late_date"] == np.datetime64(on, "D"))
    if same.any():
        raise CannotMakeEvent(
            "effective_date", _("There is one on this loan that day already; choose another day.")
        )
    return {
        "loan_id": int(facts.ids[0]),
        "component": int(component),
        "date": on.isoformat(),
        "amount_minor": amount,
    }
