"""What settling a loan early may cost, by size of enterprise (domain.md 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _

from calc.classification import Traits, choose_policies
from calc.money import HALF_UP, RATE_DENOMINATOR, from_rate_units, round_ratio, to_rate_units
from daybook.formats import day
from lending.models import Agreement, Loan, LoanProfile, Tier
from repayments.frames import SIZE_CODES, TIERS
from repayments.models import ChargePolicy
from repayments.selectors.measuring import institution_kinds
from repayments.selectors.penal import scopes_of

_ALL = 2**62


class NoChargePolicy(Exception):
    """No limit of the fee is in force for the loan on that day; no policy is not the same as no fee."""


@dataclass(frozen=True, slots=True)
class EarlyFee:
    """The fee in minor units, the percent it is of what is settled, and the policy that limits it."""

    amount_minor: int
    percent: Decimal
    policy_id: int


def early_fee(*, loan: Loan, settled_minor: int, on: date, last_booking_id: int | None = None) -> EarlyFee:
    """The fee for paying so much principal (minor units) before it is due, rounded half up to the poisha.

    Wholesale: the agreement's ``early_fee_percent``, but never more than the limit in force. Sub-loan: the
    limit itself, nothing for cottage, micro and small enterprises; it bounds what the bank may state.
    A murabaha bears none. 0.5 % of 10,00,000.00 is 5,000.00. Raises ``NoChargePolicy``.
    """
    known = last_booking_id if last_booking_id is not None else _ALL
    limits = ChargePolicy.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=on),
        kind=ChargePolicy.Kind.EARLY_FEE,
        from_date__lte=on,
        booking_id__lte=known,
    )
    rows = {row.pk: row for row in limits.order_by("id")}
    kind = institution_kinds(on, known).get(loan.institution_id, 0)
    traits = Traits(
        tier=np.array([TIERS[loan.tier]], dtype=np.int8),
        institution_kind=np.array([kind], dtype=np.int8),
        size=np.array([SIZE_CODES[_size_of(loan, on, known)]], dtype=np.int8),
        term_months=np.zeros(1, dtype=np.int64),
    )
    policy = rows.get(int(choose_policies(scopes_of(list(rows.values())), traits, on).policy[0]))
    if policy is None:
        raise NoChargePolicy(
            _("No limit of the fee for settling early is in force for loan %(loan)s on %(day)s.")
            % {"loan": loan.number, "day": day(on)}
        )
    rate = to_rate_units(policy.percent)
    if loan.agreement.contract_mode == Agreement.ContractMode.MURABAHA:
        rate = 0
    elif loan.tier == Tier.WHOLESALE:
        rate = min(rate, to_rate_units(loan.agreement.early_fee_percent))
    return EarlyFee(
        amount_minor=round_ratio(settled_minor * rate, RATE_DENOMINATOR, HALF_UP),
        percent=from_rate_units(rate),
        policy_id=policy.pk,
    )


def _size_of(loan: Loan, on: date, known: int) -> str:
    """The size of a sub-loan's enterprise as reported for that day; empty where nothing is."""
    profile = (
        LoanProfile.objects.filter(loan=loan, effective_date__lte=on, booking_id__lte=known)
        .order_by("-effective_date", "-booking_id", "-id")
        .first()
    )
    return profile.size_tier if profile else ""
