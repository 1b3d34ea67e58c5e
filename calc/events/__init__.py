"""Events in the life of a loan: what each makes of its plan, always a new version and never an edit."""

from calc.events.changing import Accrued, Effect, add_tranche, change_rate, early_fee, prepay
from calc.events.replan import Change, Changed, Replan, Replans
from calc.events.running import AtEvent, CannotReplan, Running

__all__ = [
    "Accrued",
    "AtEvent",
    "CannotReplan",
    "Change",
    "Changed",
    "Effect",
    "Replan",
    "Replans",
    "Running",
    "add_tranche",
    "change_rate",
    "early_fee",
    "prepay",
]
