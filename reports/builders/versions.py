"""The numbered plans of a loan: what each said, why it came, and what of it a later one took back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from calc.money import Component
from lending.builders.workings import Working
from lending.models import Schedule
from repayments.models import LoanEvent
from reports.builders.objects import Words
from reports.selectors.frames import Frame

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Planned:
    """One instalment as a version planned it; `taken_back_by` is the version that replaced it, or 0."""

    number: int
    late_date: date
    principal_minor: int
    interest_minor: int
    other_minor: int
    taken_back_by: int
    working: Working | None

    @property
    def total_minor(self) -> int:
        """All that was planned to fall due."""
        return self.principal_minor + self.interest_minor + self.other_minor


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the plan. `event` is what made it, where a person proposed and another approved."""

    schedule: Schedule
    event: LoanEvent | None
    terms: Sequence[tuple[Words, Words]]
    rows: Sequence[Planned]
    quiet: Sequence[tuple[date, Working]]
    differing: Sequence[int]
    replaced_by: Schedule | None
    is_in_force: bool

    @property
    def kept_count(self) -> int:
        """Instalments that no later version took back."""
        return sum(not row.taken_back_by for row in self.rows)


@dataclass(frozen=True, slots=True)
class Worked:
    """What rebuilding a version gave: terms in words, and the working of each instalment and quiet period.

    ``differing`` are the instalments of which the books hold other figures than the terms give.
    """

    terms: Sequence[tuple[Words, Words]]
    workings: Mapping[int, Working]
    quiet: Sequence[tuple[date, Working]]
    differing: Sequence[int] = ()


def build_versions(
    schedules: Sequence[Schedule],
    history: Frame,
    worked: Mapping[int, Worked],
    events: Mapping[int, LoanEvent],
) -> list[Version]:
    """The versions, newest first. `history` is `facts.plan_history`; `events` by schedule id."""
    following = dict(zip(schedules, [*schedules[1:], None], strict=True))
    parts = dict(iter(history[history["instalment"] > 0].groupby("version")))
    found = []
    for schedule in reversed(schedules):
        mine = worked.get(schedule.version, Worked((), {}, ()))
        part = parts.get(schedule.version)
        rows = _rows(part, mine.workings) if part is not None else []
        found.append(
            Version(
                schedule=schedule,
                event=events.get(schedule.pk),
                terms=mine.terms,
                rows=rows,
                quiet=mine.quiet,
                differing=mine.differing,
                replaced_by=following[schedule],
                is_in_force=following[schedule] is None,
            )
        )
    return found


def _rows(part: Frame, workings: Mapping[int, Working]) -> list[Planned]:
    rows = []
    for number, dues in part.groupby("instalment"):
        sums = dues.groupby("component")["amount_minor"].sum()
        principal, interest = int(sums.get(PRINCIPAL, 0)), int(sums.get(INTEREST, 0))
        rows.append(
            Planned(
                number=int(number),
                late_date=dues["late_date"].min(),
                principal_minor=principal,
                interest_minor=interest,
                other_minor=int(sums.sum()) - principal - interest,
                taken_back_by=int(dues["taken_back_by"].max()),
                working=workings.get(int(number)),
            )
        )
    return sorted(rows, key=lambda row: (row.late_date, row.number))
