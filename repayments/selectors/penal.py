"""What late money costs under an agreement: its own dated rate, but never more than the limit in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from calc.classification import Scope as PolicyScope
from calc.classification import Scopes, Tier, Traits, choose_policies
from calc.interest import Rates
from calc.money import IntColumn, to_rate_units
from lending.models import Agreement, PenalRate
from repayments.frames import SIZE_CODES, TIERS
from repayments.models import ChargePolicy
from repayments.selectors.measuring import institution_kinds
from repayments.selectors.policies import KIND_CODES

BEFORE_ALL = date(1970, 1, 1)
"""From this day the rate of an agreement itself counts."""
_ALL = 2**62
_TIER_NAMES = {code: name for name, code in TIERS.items()}


@dataclass(frozen=True, slots=True)
class PenalTerm:
    """What late money bears under one agreement from a date: its own rate, the limit, and the lesser.

    ``policy_id`` 0: no limit is in force, so nothing may be charged.
    """

    from_date: date
    agreed: int
    cap: int
    policy_id: int

    @property
    def rate(self) -> int:
        """The rate that counts, in rate units."""
        return min(self.agreed, self.cap) if self.policy_id else 0


def penal_terms(
    agreement_ids: list[int], day: date, *, last_booking_id: int | None = None
) -> dict[int, list[PenalTerm]]:
    """The penal rates of agreements from the beginning to a day, as known by a booking, oldest first.

    The agreement's dated rate, but never more than the limit of the wholesale tier in force on each date.
    """
    known = last_booking_id if last_booking_id is not None else _ALL
    own: dict[int, list[tuple[date, int]]] = {}
    kinds = institution_kinds(day, known)
    owner: dict[int, int] = {}
    for agreement in Agreement.objects.filter(pk__in=agreement_ids).only("penal_rate", "institution_id"):
        own[agreement.pk] = [(BEFORE_ALL, to_rate_units(agreement.penal_rate))]
        owner[agreement.pk] = agreement.institution_id
    changes = PenalRate.objects.filter(
        agreement_id__in=agreement_ids,
        state=PenalRate.State.APPROVED,
        effective_date__lte=day,
        booking_id__lte=known,
    )
    for change in changes.order_by("effective_date", "id"):
        own[change.agreement_id].append((change.effective_date, to_rate_units(change.annual_rate)))
    ids = sorted(own)
    caps = _caps(Tier.WHOLESALE, [kinds.get(owner[pk], 0) for pk in ids], day, known)
    return {pk: _merged(own[pk], cap) for pk, cap in zip(ids, caps, strict=True)}


def cap_terms(institution_id: int, day: date, *, last_booking_id: int) -> list[PenalTerm]:
    """The most an institution may charge its own borrowers when they are late, by date."""
    kind = institution_kinds(day, last_booking_id).get(institution_id, 0)
    (caps,) = _caps(Tier.SUBLOAN, [kind], day, last_booking_id)
    return [PenalTerm(on, units, units, policy) for on, policy, units in caps]


def _caps(tier: Tier, kinds: list[int], day: date, known: int) -> list[list[tuple[date, int, int]]]:
    """For each kind of institution the limits by date: from when, which policy (0: none), rate units."""
    policies = list(
        ChargePolicy.objects.filter(
            kind=ChargePolicy.Kind.PENAL_CAP,
            tier=_TIER_NAMES[tier],
            from_date__lte=day,
            booking_id__lte=known,
        ).order_by("id")
    )
    units = {row.pk: to_rate_units(row.percent) for row in policies}
    turns = {row.from_date for row in policies} | {
        row.to_date + timedelta(days=1) for row in policies if row.to_date is not None and row.to_date < day
    }
    scopes, traits = scopes_of(policies), _traits(tier, kinds)
    chosen = {turn: choose_policies(scopes, traits, turn).policy for turn in sorted({BEFORE_ALL, *turns})}
    return [
        [(turn, max(int(policy[at]), 0), units.get(int(policy[at]), 0)) for turn, policy in chosen.items()]
        for at in range(len(kinds))
    ]


def penal_rates(
    loan_ids: IntColumn, agreement_ids: IntColumn, day: date, *, last_booking_id: int | None = None
) -> Rates:
    """The penal rates of wholesale loans in rate units, by loan and date."""
    terms = penal_terms(np.unique(agreement_ids).tolist(), day, last_booking_id=last_booking_id)
    pairs = [(pk, term) for pk in sorted(terms) for term in terms[pk]]
    owner = np.array([pk for pk, _term in pairs], dtype=np.int64)
    first = np.searchsorted(owner, agreement_ids, side="left")
    length = np.searchsorted(owner, agreement_ids, side="right") - first
    at = np.arange(int(length.sum())) + np.repeat(first - np.cumsum(length) + length, length)
    on = np.array([term.from_date for _pk, term in pairs], dtype="datetime64[D]")
    rate = np.array([term.rate for _pk, term in pairs], dtype=np.int64)
    return Rates(np.repeat(loan_ids, length), on[at], rate[at])


def scopes_of(policies: list[ChargePolicy]) -> Scopes:
    """Scopes of charge policies as calc chooses among them."""
    return Scopes.of(
        [
            PolicyScope(
                policy=row.pk,
                tier=TIERS[row.tier],
                institution_kind=KIND_CODES[row.applies_to],
                sizes=frozenset(SIZE_CODES[size] for size in row.scope),
                effective_from=row.from_date,
                effective_to=row.to_date,
            )
            for row in policies
        ]
    )


def _traits(tier: Tier, kinds: list[int]) -> Traits:
    count = len(kinds)
    return Traits(
        tier=np.full(count, tier, dtype=np.int8),
        institution_kind=np.array(kinds, dtype=np.int8),
        size=np.zeros(count, dtype=np.int8),
        term_months=np.zeros(count, dtype=np.int64),
    )


def _merged(own: list[tuple[date, int]], caps: list[tuple[date, int, int]]) -> list[PenalTerm]:
    """Both histories in one: a term for each date on which either changes."""
    terms = []
    for turn in sorted({on for on, _ in own} | {on for on, _, _ in caps}):
        agreed = [rate for on, rate in own if on <= turn][-1]
        policy, cap = [(policy, cap) for on, policy, cap in caps if on <= turn][-1]
        terms.append(PenalTerm(turn, agreed, cap, policy))
    return terms
