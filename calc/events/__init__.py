"""Events in the life of a loan: what each makes of its plan, always a new version and never an edit."""

from calc.events.changing import Accrued, Effect, add_tranche, change_rate, early_fee, prepay
from calc.events.pausing import Dates, moratorium
from calc.events.replan import Change, Changed, Replan, Replans
from calc.events.rescheduling import Moved, reschedule, resupply
from calc.events.running import AtEvent, CannotReplan, Running
from calc.events.settling import SettlementFigure, SettlementFigures, settle, settlement_figure
from calc.events.supplied import prepay_supplied

__all__ = [
    "Accrued",
    "AtEvent",
    "CannotReplan",
    "Change",
    "Changed",
    "Dates",
    "Effect",
    "Moved",
    "Replan",
    "Replans",
    "Running",
    "SettlementFigure",
    "SettlementFigures",
    "add_tranche",
    "change_rate",
    "early_fee",
    "moratorium",
    "prepay",
    "prepay_supplied",
    "reschedule",
    "resupply",
    "settle",
    "settlement_figure",
]
