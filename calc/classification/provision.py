"""What must be set aside for each loan: a percentage, by class, of a base.

Base of a Standard or SMA loan: outstanding - interest suspense; security does not count there. Of a
classified loan (SS, DF, BL): outstanding - interest suspense - eligible security, not below the policy's
floor share of the outstanding (15 % under BRPD 14/2012) unless the security is cash-like. Never below
nothing. Source: domain.md section 4.3.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calc.classification.policies import Chosen, LoanClass, ProvisionPolicies
from calc.money import HALF_UP, RATE_DENOMINATOR, IntColumn, Rounding, round_ratios


@dataclass(frozen=True)
class Provisions:
    """Provisions side by side: base, amount int64 minor units; rate int64 rate units; policy int64.

    `known` is False where no policy or no class exists; the figures there are 0 and mean nothing.
    """

    base: IntColumn
    rate: IntColumn
    amount: IntColumn
    policy: IntColumn
    known: npt.NDArray[np.bool_]


def provision(
    outstanding: IntColumn,
    suspense: IntColumn,
    security: IntColumn,
    loan_class: npt.NDArray[np.int8],
    policies: ProvisionPolicies,
    chosen: Chosen,
    *,
    floor_waived: npt.NDArray[np.bool_] | None = None,
    rounding: Rounding = HALF_UP,
) -> Provisions:
    """Provision for every loan; all money in int64 minor units.

    5,00,000.00 outstanding, 18,000.00 in suspense, no security, DF at 50 %: base 4,82,000.00,
    provision 2,41,000.00.
    """
    known = (chosen.row >= 0) & (loan_class >= LoanClass.STANDARD)
    if not policies.floor.size:
        known = np.zeros(outstanding.size, dtype=bool)
        nothing = np.zeros(outstanding.size, dtype=np.int64)
        return Provisions(nothing, nothing, nothing, chosen.policy, known)
    row = np.where(known, chosen.row, 0)
    grade = np.where(known, loan_class, LoanClass.STANDARD)
    rate = np.where(known, policies.rate[row, grade], 0)
    floor = round_ratios(outstanding, policies.floor[row], RATE_DENOMINATOR, rounding)
    if floor_waived is not None:
        floor = np.where(floor_waived, 0, floor)
    net = np.maximum(outstanding - suspense - security, np.maximum(floor, 0))
    base = np.where(grade >= LoanClass.SS, net, outstanding - suspense)
    base = np.where(known, np.maximum(base, 0), 0)
    amount = round_ratios(base, rate, RATE_DENOMINATOR, rounding)
    return Provisions(base, rate, amount, chosen.policy, known)
