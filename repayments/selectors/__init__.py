"""What repayments can tell: standings at any date, policies in force, closes and their exceptions."""

from repayments.selectors.measuring import Measured, measure_loans
from repayments.selectors.policies import PolicySet, lapsing_policies, policies_on
from repayments.selectors.standings import finished_run, read_snapshot, standings

__all__ = [
    "Measured",
    "PolicySet",
    "finished_run",
    "lapsing_policies",
    "measure_loans",
    "policies_on",
    "read_snapshot",
    "standings",
]
