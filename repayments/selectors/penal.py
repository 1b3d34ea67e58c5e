"""What late money costs under an agreement: its own dated rate, but never more than the limit in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db.models import Q

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
    agreement_ids: list[int], day: date, *, tier: Tier = Tier.WHOLESALE, last_booking_id: int | None = None
) -> dict[int, list[PenalTerm]]:
    """The penal rates of agreements from the beginning to a day, as known by a booking, oldest first.

    The agreement's dated rate, but never more than the limit in force on each date.
    """
    known = Q() if last_booking_id is None else Q(booking_id__lte=last_booking_id)
    own: dict[int, list[tuple[date, int]]] = {}
    kinds = institution_kinds(day, last_booking_id if last_booking_id is not None else 2**62)
    owner: dict[int, int] = {}
    for agreement in Agreement.objects.filter(pk__in=agreement_ids).only("penal_rate", "institution_id"):
        own[agreement.pk] = [(BEFORE_ALL, to_rate_units(agreement.penal_rate))]
        owner[agreement.pk] = agreement.institution_id
    changes = PenalRate.objects.filter(
        known, agreement_id__in=agreement_ids, state=PenalRate.State.APPROVED, effective_date__lte=day
    )
    for change in changes.order_by("effective_date", "id"):
        own[change.agreement_id].append((change.effective_date, to_rate_units(change.annual_rate)))
    caps = list(
        ChargePolicy.objects.filter(
            known, kind=ChargePolicy.Kind.PENAL_CAP, tier=_TIER_NAMES[tier], from_date__lte=day
        ).order_by("id")
    )
    scopes, percent = scopes_of(caps), {cap.pk: to_rate_units(cap.percent) for cap in caps}
    turns = {cap.from_date for cap in caps} | {
        cap.to_date + timedelta(days=1) for cap in caps if cap.to_date is not None and cap.to_date < day
    }
    ids = sorted(own)
    traits = _traits(tier, [kinds.get(owner[pk], 0) for pk in ids])
    limits = {turn: choose_policies(scopes, traits, turn).policy for turn in sorted({BEFORE_ALL, *turns})}
    return {pk: _merged(own[pk], [(turn, int(limits[turn][at])) for turn in limits], percent)
            for at, pk in enumerate(ids)}  # fmt: skip


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


def _merged(
    own: list[tuple[date, int]], limits: list[tuple[date, int]], percent: dict[int, int]
) -> list[PenalTerm]:
    """Both histories in one: a term for each date on which either changes."""
    terms = []
    for turn in sorted({on for on, _ in own} | {on for on, _ in limits}):
        agreed = [rate for on, rate in own if on <= turn][-1]
        policy = [chosen for on, chosen in limits if on <= turn][-1]
        terms.append(PenalTerm(turn, agreed, percent.get(policy, 0), max(policy, 0)))
    return terms
