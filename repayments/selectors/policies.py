"""The dated rules of class and provision, as known by a booking, in the columns calc works with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeVar

from django.db.models import Q, QuerySet

from calc.classification import (
    ClassificationPolicies,
    ClassTest,
    InstitutionKind,
    ProvisionPolicies,
)
from calc.classification import ClassificationPolicy as ClassificationRule
from calc.classification import ProvisionPolicy as ProvisionRule
from repayments.frames import SIZE_CODES, TIERS
from repayments.models import ClassificationPolicy, ProvisionPolicy
from repayments.models.policies import DatedPolicy

KIND_CODES = {
    "bank": InstitutionKind.BANK,
    "finance_company": InstitutionKind.FINANCE_COMPANY,
    "any": InstitutionKind.ANY,
}
MONTHS_A_YEAR = 12
LAPSING_WITHIN_DAYS = 90
"""So many days before its last day a policy comes on worklists and into the notes of closes."""

P = TypeVar("P", ClassificationPolicy, ProvisionPolicy)


@dataclass(frozen=True)
class PolicySet:
    """The policies in force on a date, as known by a booking."""

    on: date
    classification: ClassificationPolicies
    provision: ProvisionPolicies


def policies_on(day: date, *, last_booking_id: int | None = None) -> PolicySet:
    """Every policy in force on a day, of both kinds and all scopes, as columns."""
    return PolicySet(
        on=day,
        classification=ClassificationPolicies.of(
            [class_rule(row) for row in _in_force(ClassificationPolicy.objects.all(), day, last_booking_id)]
        ),
        provision=ProvisionPolicies.of(
            [provision_rule(row) for row in _in_force(ProvisionPolicy.objects.all(), day, last_booking_id)]
        ),
    )


DRAFT_NUMBER = 2**40
"""The id a draft goes by while it is tried: no policy in the books has it."""


def policies_as_if(
    as_of: date,
    *,
    in_force_on: date,
    last_booking_id: int,
    draft: ClassificationPolicy | ProvisionPolicy | None = None,
) -> PolicySet:
    """The policies in force on another date, and a draft, as if they were in force on ``as_of``.

    Their order of starts is kept; the draft starts last, so it stands in the place of any policy of a
    scope as specific as its own.
    """
    later = max((in_force_on - as_of).days, 0)
    moved = timedelta(days=later)
    classes = [
        replace(class_rule(row), effective_from=row.from_date - moved, effective_to=None)
        for row in _in_force(ClassificationPolicy.objects.all(), in_force_on, last_booking_id)
    ]
    provisions = [
        replace(provision_rule(row), effective_from=row.from_date - moved, effective_to=None)
        for row in _in_force(ProvisionPolicy.objects.all(), in_force_on, last_booking_id)
    ]
    if draft is not None:
        draft.pk = DRAFT_NUMBER
        if isinstance(draft, ClassificationPolicy):
            classes.append(replace(class_rule(draft), effective_from=as_of, effective_to=None))
        else:
            provisions.append(replace(provision_rule(draft), effective_from=as_of, effective_to=None))
        draft.pk = None
    return PolicySet(
        on=as_of,
        classification=ClassificationPolicies.of(classes),
        provision=ProvisionPolicies.of(provisions),
    )


def policy_codes(rules: PolicySet) -> dict[str, dict[str, str]]:
    """The codes of a set's policies by id, of class and of provision: what a return is fixed by."""
    found: dict[str, dict[str, str]] = {}
    for kind, model, numbers in (
        ("classification", ClassificationPolicy, rules.classification.scopes.policy),
        ("provision", ProvisionPolicy, rules.provision.scopes.policy),
    ):
        rows = model.objects.filter(pk__in=[int(number) for number in numbers]).order_by("pk")
        found[kind] = {str(pk): code for pk, code in rows.values_list("pk", "code")}
    return found


def lapsing_policies(day: date, *, within_days: int) -> list[DatedPolicy]:
    """Policies in force on a day whose last day comes within so many days, soonest first.

    What follows a lapsed policy may be another one, of wider scope and other rates, or none.
    """
    until = day + timedelta(days=within_days)
    lapsing = Q(from_date__lte=day, to_date__range=(day, until))
    found: Iterable[DatedPolicy] = [
        *ClassificationPolicy.objects.filter(lapsing),
        *ProvisionPolicy.objects.filter(lapsing),
    ]
    return sorted(found, key=lambda policy: (policy.to_date or until, policy.code))


def _in_force(rows: QuerySet[P], day: date, last_booking_id: int | None) -> list[P]:
    rows = rows.filter(from_date__lte=day).filter(Q(to_date__isnull=True) | Q(to_date__gte=day))
    if last_booking_id is not None:
        rows = rows.filter(booking_id__lte=last_booking_id)
    return list(rows.order_by("id"))


def class_rule(row: ClassificationPolicy) -> ClassificationRule:
    """A policy of class as calc knows it."""
    return ClassificationRule(
        policy=row.pk,
        tier=TIERS[row.tier],
        institution_kind=KIND_CODES[row.applies_to],
        sizes=frozenset(SIZE_CODES[size] for size in row.scope),
        effective_from=row.from_date,
        effective_to=row.to_date,
        term_over=None if row.term_years_min is None else row.term_years_min * MONTHS_A_YEAR,
        term_up_to=None if row.term_years_max is None else row.term_years_max * MONTHS_A_YEAR,
        test=ClassTest(row.test),
        lag=row.lag_months,
        sma=row.sma_months,
        ss=row.ss_months,
        df=row.df_months,
        bl=row.bl_months,
    )


def provision_rule(row: ProvisionPolicy) -> ProvisionRule:
    """A policy of provision as calc knows it."""
    return ProvisionRule(
        policy=row.pk,
        tier=TIERS[row.tier],
        institution_kind=KIND_CODES[row.applies_to],
        sizes=frozenset(SIZE_CODES[size] for size in row.scope),
        effective_from=row.from_date,
        effective_to=row.to_date,
        standard=row.standard_percent,
        sma=row.sma_percent,
        ss=row.ss_percent,
        df=row.df_percent,
        bl=row.bl_percent,
        floor=row.floor_percent,
    )
