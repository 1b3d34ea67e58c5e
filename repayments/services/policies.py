"""Put dated policies of class, provision and charges in the books. They are appended, never edited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import yaml
from django.db import transaction

from daybook.models import Booking
from partners.models import User
from repayments.models import (
    ChargePolicy,
    ClassificationPolicy,
    ProvisionPolicy,
    ReschedulePolicy,
    WriteOffPolicy,
)
from repayments.models.policies import DatedPolicy

REFERENCE = Path(__file__).resolve().parent.parent / "reference" / "policies.yaml"

_SHARED = {"code", "reference", "tier", "applies_to", "from_date", "confidence"}
_CLASS = {"test", "ss_months", "df_months", "bl_months"}
_PERCENTS = {f"{name}_percent" for name in ("standard", "sma", "ss", "df", "bl")}
_CHARGE = {"kind", "percent"}
P = TypeVar("P", ClassificationPolicy, ProvisionPolicy, ChargePolicy, ReschedulePolicy, WriteOffPolicy)

_MAY_BE_ABSENT = {"to_date", "scope"}
_RESCHEDULE = {"event", "times", "special_times", "tenor_months", "down_payment_percent"}
_RESCHEDULE_MAY_BE_ABSENT = _MAY_BE_ABSENT | {"least", "below"}
_WRITE_OFF = {"notice_days", "months_in_bad", "is_partial_allowed", "provision_percent"}
_PROVISION_MAY_BE_ABSENT = _MAY_BE_ABSENT | {"floor_percent"}
_CLASS_MAY_BE_ABSENT = _MAY_BE_ABSENT | {"lag_months", "sma_months", "term_years_min", "term_years_max"}


class CannotLoadPolicies(Exception):
    """The file does not say what a policy needs, or says something else than the books already hold."""


@dataclass(frozen=True, slots=True)
class LoadedPolicies:
    """How many policies were added; the others were there already, word for word."""

    classification_count: int
    provision_count: int
    charge_count: int
    event_count: int


@transaction.atomic
def load_policies(
    *, booking: Booking, proposed_by: User, approved_by: User, path: Path = REFERENCE
) -> LoadedPolicies:
    """Add the policies of a file that the books do not hold yet; repeatable.

    Two people stand behind each. Raises ``CannotLoadPolicies`` where the file lacks a field, has an
    unknown one, or differs from a policy of the same code in the books: a changed rule is a new
    policy with its own code and dates.
    """
    if proposed_by == approved_by:
        raise CannotLoadPolicies("A policy needs two people: who proposes it cannot approve it.")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    people = {"proposed_by": proposed_by, "approved_by": approved_by, "booking": booking}
    classes = [
        ClassificationPolicy(**_fields(row, path, _SHARED | _CLASS, _CLASS_MAY_BE_ABSENT), **people)
        for row in content["classification_policies"]
    ]
    provisions = [
        ProvisionPolicy(**_fields(row, path, _SHARED | _PERCENTS, _PROVISION_MAY_BE_ABSENT), **people)
        for row in content["provision_policies"]
    ]
    charges = [
        ChargePolicy(**_fields(row, path, _SHARED | _CHARGE, _MAY_BE_ABSENT), **people)
        for row in content.get("charge_policies", [])
    ]
    reschedules = [
        ReschedulePolicy(**_with_shares(row, path), **people)
        for row in content.get("reschedule_policies", [])
    ]
    write_offs = [
        WriteOffPolicy(**_fields(row, path, _SHARED | _WRITE_OFF, _MAY_BE_ABSENT), **people)
        for row in content.get("write_off_policies", [])
    ]
    new_classes = _new(classes, {row.code: row for row in ClassificationPolicy.objects.all()}, path)
    new_provisions = _new(provisions, {row.code: row for row in ProvisionPolicy.objects.all()}, path)
    new_charges = _new(charges, {row.code: row for row in ChargePolicy.objects.all()}, path)
    new_reschedules = _new(reschedules, {row.code: row for row in ReschedulePolicy.objects.all()}, path)
    new_write_offs = _new(write_offs, {row.code: row for row in WriteOffPolicy.objects.all()}, path)
    ReschedulePolicy.objects.bulk_create(new_reschedules)
    WriteOffPolicy.objects.bulk_create(new_write_offs)
    ClassificationPolicy.objects.bulk_create(new_classes)
    ProvisionPolicy.objects.bulk_create(new_provisions)
    ChargePolicy.objects.bulk_create(new_charges)
    return LoadedPolicies(
        len(new_classes), len(new_provisions), len(new_charges), len(new_reschedules) + len(new_write_offs)
    )


def _fields(row: dict[str, Any], path: Path, needed: set[str], may_be_absent: set[str]) -> dict[str, Any]:
    name = row.get("code", "a policy without code")
    missing, unknown = needed - row.keys(), row.keys() - needed - may_be_absent
    if missing or unknown:
        raise CannotLoadPolicies(
            f"{path.name}: {name} "
            + ("lacks " + ", ".join(sorted(missing)) if missing else "")
            + (" and " if missing and unknown else "")
            + ("has the unknown field " + ", ".join(sorted(unknown)) if unknown else "")
            + "."
        )
    for field, value in row.items():
        if field.endswith("_date") and value is not None and not isinstance(value, date):
            raise CannotLoadPolicies(f"{path.name}: {name} has the {field} {value!r}; write 2026-12-31.")
        if isinstance(value, float):
            raise CannotLoadPolicies(f'{path.name}: {name}: put the {field} "{value}" in quotes.')
    return row


def _with_shares(row: dict[str, Any], path: Path) -> dict[str, Any]:
    """A limit of rescheduling, its list of percents as the database gives them back."""
    fields = _fields(row, path, _SHARED | _RESCHEDULE, _RESCHEDULE_MAY_BE_ABSENT)
    return fields | {"down_payment_percent": [Decimal(share) for share in fields["down_payment_percent"]]}


def _new(wanted: list[P], held: dict[str, P], path: Path) -> list[P]:
    for policy in wanted:
        before = held.get(policy.code)
        if before is not None and _terms(policy) != _terms(before):
            raise CannotLoadPolicies(
                f"{path.name}: {policy.code} differs from the policy of that code in the books, "
                "which are only added to. Give the changed rule a code and dates of its own."
            )
    return [policy for policy in wanted if policy.code not in held]


def _terms(policy: DatedPolicy) -> dict[str, Any]:
    """What a policy says, without who put it in the books and when."""
    skipped = {"id", "proposed_by", "approved_by", "booking"}
    return {
        field.name: field.to_python(getattr(policy, field.attname))
        for field in policy._meta.concrete_fields
        if field.name not in skipped
    }
