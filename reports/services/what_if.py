"""The same book under two sets of policies, side by side. Computed in columns, never written to the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection

from calc.money import IntColumn
from repayments.frames import Scope, pack_currency
from repayments.models import ClassificationPolicy, ProvisionPolicy, RulingProposal
from repayments.selectors.measuring import measure_loans
from repayments.selectors.policies import PolicySet, policies_as_if, policies_on
from repayments.services.rulings import class_policy_of, provision_policy_of
from reports.builders.objects import Asked, Report
from reports.builders.what_if import Compared, build_what_if

LOANS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The report and the columns behind it."""

    report: Report
    compared: Compared


def make_what_if(asked: Asked, facts: Mapping[str, str]) -> WhatIf:
    """Measure one tier in one currency under set A (as in force) and set B, and compare.

    ``facts``: tier, currency, ``other`` (ISO date whose policies are set B; empty: the same date) and
    ``draft`` (number of a proposed policy put into set B; empty: none).
    """
    currency = facts.get("currency", "BDT")
    other = date.fromisoformat(facts["other"]) if facts.get("other") else asked.as_of
    draft = draft_policy(facts.get("draft", ""))
    known = asked.last_booking_id
    set_a = policies_on(asked.as_of, last_booking_id=known)
    set_b = policies_as_if(asked.as_of, in_force_on=other, last_booking_id=known, draft=draft)
    compared = compare(asked, facts["tier"], currency, set_a, set_b)
    return WhatIf(
        build_what_if(asked, compared, currency=currency, other=other, draft=draft, facts=dict(facts)),
        compared,
    )


def draft_policy(number: str) -> ClassificationPolicy | ProvisionPolicy | None:
    """The unsaved policy of a proposal; None where no such proposal of a policy exists."""
    if not number.isdecimal():
        return None
    kinds = (RulingProposal.Kind.CLASS_POLICY, RulingProposal.Kind.PROVISION_POLICY)
    proposal = RulingProposal.objects.filter(pk=int(number), kind__in=kinds).first()
    if proposal is None:
        return None
    make = class_policy_of if proposal.kind == RulingProposal.Kind.CLASS_POLICY else provision_policy_of
    return make(proposal.parameters)


def compare(asked: Asked, tier: str, currency: str, set_a: PolicySet, set_b: PolicySet) -> Compared:
    """Both measurements of every loan, loans side by side, some thousand at a time."""
    parts = [
        _part(asked, Scope(first_id=first, last_id=last, tier=tier), currency, set_a, set_b)
        for first, last in _ranges(asked, tier)
    ]
    return Compared.joined(parts)


def _part(asked: Asked, scope: Scope, currency: str, set_a: PolicySet, set_b: PolicySet) -> Compared:
    when = {"as_of": asked.as_of, "last_booking_id": asked.last_booking_id}
    a = measure_loans(scope, policies=set_a, **when)  # type: ignore[arg-type]
    b = measure_loans(scope, policies=set_b, **when).rows  # type: ignore[arg-type]
    mine = a.rows["currency"] == pack_currency(currency)
    rows, other = a.rows[mine], b[mine]

    def column(name: str, table: np.ndarray) -> IntColumn:
        return np.ascontiguousarray(table[name]).astype(np.int64)

    return Compared(
        loan=column("loan_id", rows),
        institution=column("institution_id", rows),
        size=a.profiles["size_tier"][mine].astype(np.int64),
        outstanding=column("outstanding_minor", rows),
        class_a=column("loan_class", rows),
        class_b=column("loan_class", other),
        provision_a=column("provision_minor", rows),
        provision_b=column("provision_minor", other),
    )


def _ranges(asked: Asked, tier: str) -> list[tuple[int, int]]:
    """Ranges of loan ids with equally many loans of the tier."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(id), max(id) FROM (
                SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS part FROM lending_loan
                 WHERE tier = %s AND booking_id <= %s AND disbursed_date <= %s) AS numbered
             GROUP BY part ORDER BY part
            """,
            [LOANS_AT_ONCE, tier, asked.last_booking_id, asked.as_of],
        )
        return cursor.fetchall()
