"""Which policy governs whom and when, and what a proposed one would change: overlaps, ties and gaps in words.

Reckoned by the same choice the close makes (``calc.classification.choose_policies``), for one loan of each
kind of institution, size of enterprise and side of the term bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from calc.classification import (
    AMBIGUOUS_POLICY,
    ClassificationPolicies,
    InstitutionKind,
    ProvisionPolicies,
    Scopes,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
)
from repayments.frames import TIERS
from repayments.models import ClassificationPolicy, ProvisionPolicy
from repayments.selectors.policies import class_rule, provision_rule

NOBODY = ""
TIE = "="
SIZES = (SizeTier.COTTAGE, SizeTier.MICRO, SizeTier.SMALL, SizeTier.MEDIUM, SizeTier.UNKNOWN)
KINDS = (InstitutionKind.BANK, InstitutionKind.FINANCE_COMPANY)


@dataclass(frozen=True, slots=True)
class Change:
    """For one kind of loan, from a day to a day (None: without end): who governed and who would.

    ``before`` and ``after`` are policy codes, ``NOBODY`` or ``TIE``; ``term_years`` is a term on one side of
    a bound, 0 where no policy asks for it.
    """

    kind: InstitutionKind
    size: SizeTier
    term_years: int
    first: date
    last: date | None
    before: str
    after: str


def changes_by(proposed: ClassificationPolicy | ProvisionPolicy) -> list[Change]:
    """Where a proposed, unsaved policy would govern instead of another, tie with one, or fill a gap."""
    model = type(proposed)
    rows = [row for row in model.objects.order_by("pk") if row.tier == proposed.tier]
    number = max((row.pk for row in rows), default=0) + 1
    codes = {row.pk: row.code for row in rows} | {number: proposed.code}
    before = _scopes(rows)
    proposed.pk = number
    try:
        after = _scopes([*rows, proposed])
    finally:
        proposed.pk = None
    terms = _terms([*rows, proposed])
    traits, who = _traits(TIERS[proposed.tier], terms)
    found: list[Change] = []
    for first, last in _spans([*rows, proposed], proposed):
        old = choose_policies(before, traits, first).policy
        new = choose_policies(after, traits, first).policy
        for at in np.flatnonzero(old != new):
            kind, size, term = who[at]
            found.append(
                Change(kind, size, term, first, last, _code(int(old[at]), codes), _code(int(new[at]), codes))
            )
    return _joined(found)


def _code(number: int, codes: dict[int, str]) -> str:
    return TIE if number == AMBIGUOUS_POLICY else codes.get(number, NOBODY)


def _scopes(rows: Sequence[ClassificationPolicy | ProvisionPolicy]) -> Scopes:
    classes = [class_rule(row) for row in rows if isinstance(row, ClassificationPolicy)]
    provisions = [provision_rule(row) for row in rows if isinstance(row, ProvisionPolicy)]
    return ClassificationPolicies.of(classes).scopes if classes else ProvisionPolicies.of(provisions).scopes


def _terms(rows: Sequence[ClassificationPolicy | ProvisionPolicy]) -> list[int]:
    """A term in years on each side of every bound; 0 where there is none."""
    bounds = {
        years
        for row in rows
        if isinstance(row, ClassificationPolicy)
        for years in (row.term_years_min, row.term_years_max)
        if years is not None
    }
    return sorted({*bounds, *(years + 1 for years in bounds)}) or [0]


def _traits(tier: Tier, terms: Sequence[int]) -> tuple[Traits, list[tuple[InstitutionKind, SizeTier, int]]]:
    sizes = SIZES if tier == Tier.SUBLOAN else (SizeTier.UNKNOWN,)
    who = [(kind, size, term) for kind in KINDS for size in sizes for term in terms]
    return (
        Traits(
            tier=np.full(len(who), tier, dtype=np.int8),
            institution_kind=np.array([kind for kind, _, _ in who], dtype=np.int8),
            size=np.array([size for _, size, _ in who], dtype=np.int8),
            term_months=np.array([12 * term for _, _, term in who], dtype=np.int64),
        ),
        who,
    )


def _spans(
    rows: Sequence[ClassificationPolicy | ProvisionPolicy],
    proposed: ClassificationPolicy | ProvisionPolicy,
) -> list[tuple[date, date | None]]:
    """The days of the proposed policy, cut wherever another begins or ends."""
    first, last = proposed.from_date, proposed.to_date
    cuts = {first}
    for row in rows:
        cuts.update({row.from_date, *([row.to_date + timedelta(days=1)] if row.to_date else [])})
    starts = sorted(cut for cut in cuts if cut >= first and (last is None or cut <= last))
    ends: list[date | None] = [start - timedelta(days=1) for start in starts[1:]]
    return list(zip(starts, [*ends, last], strict=True))


def _joined(changes: Sequence[Change]) -> list[Change]:
    """Neighbouring spans with the same answer as one, by kind of loan."""
    found: list[Change] = []
    for change in sorted(changes, key=lambda one: (one.kind, one.size, one.term_years, one.first)):
        last = found[-1] if found else None
        if (
            last is not None
            and last.last is not None
            and last.last + timedelta(days=1) == change.first
            and (last.kind, last.size, last.term_years, last.before, last.after)
            == (change.kind, change.size, change.term_years, change.before, change.after)
        ):
            found[-1] = Change(
                last.kind,
                last.size,
                last.term_years,
                last.first,
                change.last,
                last.before,
                last.after,
            )
        else:
            found.append(change)
    return found
