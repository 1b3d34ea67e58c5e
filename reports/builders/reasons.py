"""Why a loan is in its class, in words that name the policy: from the same figures that decided it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calc.calendar import to_date
from calc.classification import AMBIGUOUS_POLICY, Basis, LoanClass, Tier
from daybook import formats
from repayments.selectors import Measured
from reports.builders.wording import CLASS_LABELS


@dataclass(frozen=True, slots=True)
class Held:
    """The floor that holds a loan's class: since when, at which class, and whether since a rescheduling."""

    since: date
    at_least: LoanClass
    is_rescheduled: bool


def why_class(
    measured: Measured,
    position: int,
    policy_names: Mapping[int, str],
    *,
    held: Held | None = None,
) -> str:
    """The class of the loan at a position and what decided it. ``policy_names`` by policy id."""
    policy = int(measured.chosen.policy[position])
    on = formats.day(measured.as_of)
    if policy == AMBIGUOUS_POLICY:
        return _("No class: two policies fit this loan equally well on %(date)s.") % {"date": on}
    if policy <= 0:
        return _("No class: no policy covers this loan on %(date)s.") % {"date": on}
    loan_class = LoanClass(int(measured.classes.loan_class[position]))
    objective = LoanClass(int(measured.classes.objective[position]))
    figures = _("%(class)s under policy %(policy)s: %(reason)s") % {
        "class": CLASS_LABELS[objective],
        "policy": policy_names.get(policy, str(policy)),
        "reason": _reason(measured, position, objective),
    }
    match Basis(int(measured.classes.basis[position])):
        case Basis.FROZEN:
            return f"{_frozen(measured, position, loan_class)} " + _("Without the freeze: %(figures)s") % {
                "figures": figures
            }
        case Basis.FLOOR:
            return f"{_held(held, loan_class)} " + _("By the figures alone: %(figures)s") % {
                "figures": figures
            }
        case _:
            return figures


def _frozen(measured: Measured, position: int, loan_class: LoanClass) -> str:
    """Which freeze holds the class, and since which evening."""
    number = int(measured.frozen.number[position])
    freeze = next(one for one in measured.frozen.freezes if one.id == number)
    return _(
        "%(class)s: the freeze of %(reference)s stops the class from worsening from %(from)s to %(to)s, "
        "and on %(evening)s it was %(class)s. Days past due go on."
    ) % {
        "class": CLASS_LABELS[loan_class],
        "reference": freeze.reference,
        "from": formats.day(freeze.from_date),
        "to": formats.day(freeze.to_date),
        "evening": formats.day(freeze.from_date - timedelta(days=1)),
    }


def _held(held: Held | None, loan_class: LoanClass) -> str:
    """By what the class is held."""
    if held is not None and held.is_rescheduled:
        return _("%(class)s: the class is held since the rescheduling of %(date)s, until released.") % {
            "class": CLASS_LABELS[loan_class],
            "date": formats.day(held.since),
        }
    return _("%(class)s: the class is held by qualitative judgement since %(date)s, until released.") % {
        "class": CLASS_LABELS[loan_class],
        "date": formats.day(held.since) if held else "–",
    }


def why_suspense(measured: Measured, position: int, returned: date | None) -> str:
    """What was last reported, and what that does to the interest; empty of a sub-loan before any return."""
    row = measured.rows[position]
    suspense = formats.taka_minor(int(row["suspense_minor"]))
    is_ours = int(row["tier"]) == Tier.WHOLESALE
    if returned is None:
        if not is_ours:
            return ""
        return _(
            "No return covers it yet, so the nightly class decides: interest in suspense %(amount)s."
        ) % {"amount": suspense}
    reported = LoanClass(int(measured.reported.grade[position]))
    if reported is LoanClass.UNCLASSIFIED:
        told = _("It is not in the return of %(date)s.") % {"date": formats.day(returned)}
    else:
        told = _("In the return of %(date)s it is reported as %(class)s.") % {
            "date": formats.day(returned),
            "class": CLASS_LABELS[reported],
        }
    if not is_ours:
        return told
    if reported >= LoanClass.SS:
        return f"{told} " + _("So its interest fallen due and unpaid, %(amount)s, is in suspense.") % {
            "amount": suspense
        }
    return f"{told} " + _("So none of its interest is in suspense.")


def _reason(measured: Measured, position: int, loan_class: LoanClass) -> str:
    """What the figures say, by time or by amount, whichever decided."""
    arrears, classes = measured.arrears, measured.classes
    if np.isnat(arrears.overdue_since[position]):
        return _("nothing is overdue.")
    row = int(measured.chosen.row[position])
    lag = int(measured.policies.classification.lag[row])
    months = int(classes.months[position])
    age = ngettext(
        "the oldest unpaid due is of %(since)s, %(months)s month overdue on %(date)s",
        "the oldest unpaid due is of %(since)s, %(months)s months overdue on %(date)s",
        months,
    ) % {
        "since": formats.day(to_date(arrears.overdue_since[position])),
        "months": formats.number(months),
        "date": formats.day(measured.as_of),
    }
    if loan_class is LoanClass.STANDARD:
        return _("%(age)s, below every bound of the policy.") % {"age": age}
    bound = int(measured.policies.classification.bounds[row, loan_class - 1])
    if int(classes.by_time[position]) >= int(classes.by_amount[position]):
        return ngettext(
            "%(age)s; the class begins at %(bound)s month.",
            "%(age)s; the class begins at %(bound)s months.",
            lag + bound,
        ) % {"age": age, "bound": formats.number(lag + bound)} + (
            " " + _("The policy counts after a lag of %(lag)s months.") % {"lag": formats.number(lag)}
            if lag
            else ""
        )
    overdue = int(arrears.overdue_principal[position] + arrears.overdue_interest[position])
    return _("%(overdue)s is overdue, not less than the %(due)s due in %(bound)s months.") % {
        "overdue": formats.taka_minor(overdue),
        "due": formats.taka_minor(int(arrears.window(bound)[position])),
        "bound": formats.number(bound),
    }


def why_provision(
    *,
    base_minor: int,
    provision_minor: int,
    outstanding_minor: int,
    interest_minor: int,
    suspense_minor: int,
    security_minor: int,
    rate_percent: str,
    policy_name: str,
) -> str:
    """Base, rate and policy of a provision, as a sentence."""
    if not policy_name:
        return _("No provision: no provision policy covers this loan on the date.")
    return _(
        "%(provision)s = %(rate)s of a base of %(base)s under policy %(policy)s "
        "(principal %(outstanding)s, fallen due beside it %(interest)s, suspense %(suspense)s, "
        "eligible security %(security)s, which counts for SS, DF and BL)."
    ) % {
        "provision": formats.taka_minor(provision_minor),
        "rate": rate_percent,
        "base": formats.taka_minor(base_minor),
        "policy": policy_name,
        "outstanding": formats.taka_minor(outstanding_minor),
        "interest": formats.taka_minor(interest_minor),
        "suspense": formats.taka_minor(suspense_minor),
        "security": formats.taka_minor(security_minor),
    }
