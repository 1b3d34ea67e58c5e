"""Why a loan is in its class, in words that name the policy: from the same figures that decided it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calc.calendar import to_date
from calc.classification import AMBIGUOUS_POLICY, LoanClass
from daybook import formats
from repayments.selectors import Measured
from reports.builders.wording import CLASS_LABELS


def why_class(measured: Measured, position: int, policy_names: Mapping[int, str]) -> str:
    """The class of the loan at a position and what decided it. ``policy_names`` by policy id."""
    policy = int(measured.chosen.policy[position])
    on = formats.day(measured.as_of)
    if policy == AMBIGUOUS_POLICY:
        return _("No class: two policies fit this loan equally well on %(date)s.") % {"date": on}
    if policy <= 0:
        return _("No class: no policy covers this loan on %(date)s.") % {"date": on}
    loan_class = LoanClass(int(measured.classes.loan_class[position]))
    return _("%(class)s under policy %(policy)s: %(reason)s") % {
        "class": CLASS_LABELS[loan_class],
        "policy": policy_names.get(policy, str(policy)),
        "reason": _reason(measured, position, loan_class),
    }


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
        "eligible security %(security)s)."
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
