"""Plans: what falls due on a loan and when, built from terms or supplied by the bank."""

from calc.schedule.build import build_schedule, build_schedules, instalments_needed
from calc.schedule.checks import check_rules
from calc.schedule.dues import Dues
from calc.schedule.plan import Period, Schedule, ScheduleColumns
from calc.schedule.supplied import SuppliedColumns, SuppliedRow, supplied_schedule, supplied_schedules
from calc.schedule.terms import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    LevelFrom,
    Method,
    Residue,
    Rules,
    Terms,
    TermsColumns,
)

__all__ = [
    "CannotSchedule",
    "Dues",
    "GraceKind",
    "InterestTo",
    "LevelFrom",
    "Method",
    "Period",
    "Residue",
    "Rules",
    "Schedule",
    "ScheduleColumns",
    "SuppliedColumns",
    "SuppliedRow",
    "Terms",
    "TermsColumns",
    "build_schedule",
    "build_schedules",
    "check_rules",
    "instalments_needed",
    "supplied_schedule",
    "supplied_schedules",
]
