"""Plans: what falls due on a loan and when, built from terms or supplied by the bank."""

from calc.schedule.build import build_schedule, build_schedules
from calc.schedule.carried import Part, TakenOver
from calc.schedule.checks import check_rules
from calc.schedule.dues import Dues
from calc.schedule.needed import counts_needed, instalments_needed, nearest_instalment, with_counts
from calc.schedule.plain import terms_of
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
from calc.schedule.written import read_terms, write_terms

__all__ = [
    "CannotSchedule",
    "Dues",
    "GraceKind",
    "InterestTo",
    "LevelFrom",
    "Method",
    "Part",
    "Period",
    "Residue",
    "Rules",
    "Schedule",
    "ScheduleColumns",
    "SuppliedColumns",
    "SuppliedRow",
    "TakenOver",
    "Terms",
    "TermsColumns",
    "build_schedule",
    "build_schedules",
    "check_rules",
    "counts_needed",
    "instalments_needed",
    "nearest_instalment",
    "read_terms",
    "supplied_schedule",
    "supplied_schedules",
    "terms_of",
    "with_counts",
    "write_terms",
]
