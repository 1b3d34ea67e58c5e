"""Plans: what falls due on a loan and when, built from terms or supplied by the bank."""

from calc.schedule.build import build_schedule, build_schedules
from calc.schedule.dues import Dues
from calc.schedule.plan import Period, Schedule, ScheduleColumns
from calc.schedule.supplied import SuppliedColumns, SuppliedRow, supplied_schedule, supplied_schedules
from calc.schedule.terms import (
    CannotSchedule,
    GraceKind,
    InterestTo,
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
    "supplied_schedule",
    "supplied_schedules",
]
