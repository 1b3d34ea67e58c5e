"""The same book under two sets of policies, side by side. Computed in columns, never written to the books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection

from calc.money import IntColumn
from lending.models import Loan
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


@dataclass(frozen=True, slots=True)
class Sets:
    """Set A (as in force on the date) and set B, and what makes B another."""

    other: date
    draft: ClassificationPolicy | ProvisionPolicy | None
    a: PolicySet
    b: PolicySet


def make_what_if(asked: Asked, facts: Mapping[str, str]) -> WhatIf:
    """Measure one tier in one currency under set A and set B here and now, and compare.

    ``facts``: tier, currency, ``other`` (ISO date whose policies are set B; empty: the same date) and
    ``draft`` (number of a proposed policy put into set B; empty: none). A tier that `takes_long` is for
    the workers.
    """
    sets = sets_of(asked, facts)
    parts = [compare_range(asked, facts, sets, one) for one in ranges(asked, facts["tier"])]
    return told(asked, facts, Compared.joined(parts), sets)


def takes_long(asked: Asked, tier: str) -> bool:
    """Whether a tier is too large to be measured while a person waits (about 60 µs a loan and set)."""
    loans = Loan.objects.filter(
        tier=tier, booking_id__lte=asked.last_booking_id, disbursed_date__lte=asked.as_of
    )
    return loans[: LOANS_AT_ONCE + 1].count() > LOANS_AT_ONCE


def sets_of(asked: Asked, facts: Mapping[str, str]) -> Sets:
    """The two sets of policies of a question."""
    other = date.fromisoformat(facts["other"]) if facts.get("other") else asked.as_of
    draft = draft_policy(facts.get("draft", ""))
    known = asked.last_booking_id
    return Sets(
        other,
        draft,
        policies_on(asked.as_of, last_booking_id=known),
        policies_as_if(asked.as_of, in_force_on=other, last_booking_id=known, draft=draft),
    )


def told(asked: Asked, facts: Mapping[str, str], compared: Compared, sets: Sets) -> WhatIf:
    """The comparison with its report."""
    currency = facts.get("currency", "BDT")
    report = build_what_if(
        asked, compared, currency=currency, other=sets.other, draft=sets.draft, facts=dict(facts)
    )
    return WhatIf(report, compared)


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


def compare_range(asked: Asked, facts: Mapping[str, str], sets: Sets, ids: tuple[int, int]) -> Compared:
    """Both measurements of the loans of a range of ids, side by side."""
    scope = Scope(first_id=ids[0], last_id=ids[1], tier=facts["tier"])
    when = {"as_of": asked.as_of, "last_booking_id": asked.last_booking_id}
    a = measure_loans(scope, policies=sets.a, **when)  # type: ignore[arg-type]
    b = measure_loans(scope, policies=sets.b, **when).rows  # type: ignore[arg-type]
    mine = a.rows["currency"] == pack_currency(facts.get("currency", "BDT"))
    rows, other = a.rows[mine], b[mine]

    def column(name: str, table: np.ndarray) -> IntColumn:
        return np.ascontiguousarray(table[name]).astype(np.int64)

    return Compared(
        loan=column("loan_id", rows),
        count=np.ones(rows.size, dtype=np.int64),
        institution=column("institution_id", rows),
        size=a.profiles["size_tier"][mine].astype(np.int64),
        outstanding=column("outstanding_minor", rows),
        class_a=column("loan_class", rows),
        class_b=column("loan_class", other),
        provision_a=column("provision_minor", rows),
        provision_b=column("provision_minor", other),
    )


def ranges(asked: Asked, tier: str) -> list[tuple[int, int]]:
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
