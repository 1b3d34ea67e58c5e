"""The sheets of what is owed: every due as booked, and one row for each thing that money may settle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.allocation import Source
from reports.builders.recalculation_rows import INTEREST, PRINCIPAL, RECOVERY, AllocationRow, Recalculation
from reports.render.recalculation_cells import (
    Formula,
    Page,
    added,
    cents,
    least,
    most,
    number,
    serial,
    taka,
    when,
)

Key = tuple[date, int, int]
"""Late date, instalment, component: what money settles, oldest first."""


@dataclass(slots=True)
class DueCells:
    """One row of the sheet of dues while it is written."""

    row: int
    late_on: date
    instalment: int
    component: int
    from_on: date
    stands: Formula
    net: Formula
    late: Formula


@dataclass(slots=True)
class PlanCells:
    """The sheet of every due as booked: for each row of it, what stands and what was never taken back."""

    page: Page
    last: int
    stands: dict[Key, list[Formula]] = field(default_factory=lambda: defaultdict(list))
    live: dict[Key, list[Formula]] = field(default_factory=lambda: defaultdict(list))
    in_force: dict[Key, date] = field(default_factory=dict)


def write_plan(book: Any, styles: dict[str, Any], sheet: Recalculation, as_of: Formula) -> PlanCells:
    """Every due the loan ever had. Column L is what counts by the date, column M what was never taken back;
    N and O between which days principal and interest bear what late money bears."""
    page = Page(book, "Plan", styles, (9, 11, 18, 13, 13, 13, 19, 10, 13, 10, 9, 19, 19, 14, 14))
    page.heads(
        (
            *(_("Version"), _("Instalment"), _("Component"), _("Nominal date"), _("Late date"), _("From")),
            *(_("Falls due"), _("Booking"), _("Taken back on"), _("By version"), _("Raised")),
            *(_("Stands by the date"), _("Never taken back"), _("May be late from"), _("Until")),
        )
    )
    cells = PlanCells(page, len(sheet.plan) + 1)
    for row, due in enumerate(sheet.plan, start=2):
        page.given(row, "A", due.version, "count")
        page.given(row, "B", due.instalment, "count")
        page.text(row, "C", sheet.labels[due.component])
        page.day(row, "D", due.nominal_on)
        page.day(row, "E", due.late_on)
        page.day(row, "F", due.from_on)
        amount = page.given(row, "G", taka(due.minor))
        page.given(row, "H", due.booking, "count")
        if due.back_on is not None:
            page.day(row, "I", due.back_on)
            page.given(row, "J", due.back_by, "count")
        else:
            page.text(row, "I", "")
            page.text(row, "J", "")
        page.given(row, "K", int(due.is_raised), "count")
        stands = due.from_on <= sheet.as_of and (due.back_on is None or due.back_on > sheet.as_of)
        counts = f'AND(F{row}<={as_of.text},OR(I{row}="",I{row}>{as_of.text}))'
        key = (due.late_on, due.instalment, due.component)
        cells.stands[key].append(page.works(row, "L", when(counts, stands, amount, number(0))))
        never = when(f'I{row}=""', due.back_on is None, amount, number(0))
        cells.live[key].append(page.works(row, "M", never))
        if due.component in (INTEREST, PRINCIPAL):
            begins = Fraction(serial(max(due.late_on, due.from_on)))
            page.works(row, "N", Formula(f"MAX(E{row},F{row})", begins), "date")
            ends = str(serial(max(due.late_on, due.back_on))) if due.back_on else ""
            page.says(row, "O", f'IF(I{row}="","",MAX(E{row},I{row}))', ends, "date")
        turns = due.from_on if due.back_on is None else due.back_on
        cells.in_force[key] = max(cells.in_force.get(key, due.from_on), turns, due.from_on)
    return cells


def write_dues(
    book: Any, styles: dict[str, Any], sheet: Recalculation, plan: PlanCells, given: WithoutMoney
) -> tuple[Page, list[DueCells]]:
    """One row a late date, instalment and component, oldest first: what falls due, and what of it money may
    still settle. The columns of what was settled come later (``settle_dues``)."""
    page = Page(book, "Dues", styles, (11, 18, 13, 13, 19, 19, 19, 19, 19, 19, 19, 19, 19, 14, 19))
    page.heads(
        (
            *(_("Instalment"), _("Component"), _("Late date"), _("In force from"), _("Falls due")),
            *(_("Stands by the date"), _("Same component before"), _("Without money"), _("Left to money")),
            *(_("Standing before"), _("Settled"), _("Left"), _("Overdue"), _("Overdue since")),
            _("Principal left"),
        )
    )
    found, before = [], defaultdict[tuple[int, int], Formula](lambda: number(0))
    keys = [
        key for key in sorted(plan.live) if any(cell.value for cell in (*plan.live[key], *plan.stands[key]))
    ]
    for row, key in enumerate(keys, start=2):
        late_on, instalment, component = key
        same = (instalment, component)
        page.given(row, "A", instalment, "count")
        page.text(row, "B", sheet.labels[component])
        late = page.day(row, "C", late_on)
        page.day(row, "D", plan.in_force[key])
        whole = page.works(row, "E", added(plan.live[key]))
        stands = page.works(row, "F", added(plan.stands[key]))
        earlier = page.works(row, "G", before[same])
        before[same] = earlier + whole
        total = given.of(same, f"A{row}", f"B{row}")
        without = page.works(row, "H", cents(most(number(0), least(whole, total - earlier))))
        net = page.works(row, "I", cents(whole - without))
        found.append(DueCells(row, late_on, instalment, component, plan.in_force[key], stands, net, late))
    return page, found


@dataclass(frozen=True, slots=True)
class WithoutMoney:
    """What was waived, written off or moved, summed from the sheet of allocations by
    instalment and component."""

    page_name: str
    last: int
    amounts: dict[tuple[int, int], Fraction]
    by_date: dict[tuple[int, int], Fraction]

    @classmethod
    def of_rows(cls, rows: Sequence[AllocationRow], as_of: date, *, first: int = 2) -> WithoutMoney:
        """Summed from the rows that no receipt stands behind."""
        amounts, by_date = (
            defaultdict[tuple[int, int], Fraction](Fraction),
            defaultdict[tuple[int, int], Fraction](Fraction),
        )
        for row in rows:
            if row.source >= Source.WAIVER:
                amounts[row.instalment, row.component] += taka(row.minor)
                if row.on <= as_of:
                    by_date[row.instalment, row.component] += taka(row.minor)
        return cls("Allocations", len(rows) + first - 1, dict(amounts), dict(by_date))

    def of(self, key: tuple[int, int], instalment: str, component: str) -> Formula:
        """All of it, whenever it counts from; 0 where nothing of the loan was settled so."""
        return self._sum(self.amounts, key, instalment, component, "")

    def until(self, key: tuple[int, int], instalment: str, component: str, day: Formula) -> Formula:
        """What counts by a day."""
        return self._sum(self.by_date, key, instalment, component, f',{self._span("A")},"<="&{day.text}')

    def _sum(
        self,
        amounts: dict[tuple[int, int], Fraction],
        key: tuple[int, int],
        instalment: str,
        component: str,
        until: str,
    ) -> Formula:
        if not self.amounts:
            return number(0)
        text = (
            f"SUMIFS({self._span('G')},{self._span('B')},0,{self._span('E')},{instalment},"
            f"{self._span('F')},{component}{until})"
        )
        return Formula(text, amounts.get(key, Fraction(0)))

    def _span(self, column: str) -> str:
        return f"{self.page_name}!${column}$2:${column}${max(self.last, 2)}"


@dataclass(frozen=True, slots=True)
class DueTotals:
    """What the dues come to by the date."""

    overdue: Formula
    principal: Formula
    days: Formula


def settle_dues(
    page: Page,
    sheet: Recalculation,
    dues: Sequence[DueCells],
    as_of: Formula,
    settled: dict[tuple[int, int], Fraction],
    last_settled: int,
    given: WithoutMoney,
) -> DueTotals:
    """What each due is settled with by the date, from the rows of settlement; of one instalment and component
    the oldest due first."""
    before = defaultdict[tuple[int, int], Formula](lambda: number(0))
    overdue_since, overdue_sum, principal_sum = [], Fraction(0), Fraction(0)
    spans = {column: f"Settling!${column}$2:${column}${max(last_settled, 2)}" for column in "EFL"}
    for due in dues:
        row, same = due.row, (due.instalment, due.component)
        earlier = page.works(row, "J", before[same])
        before[same] = earlier + due.stands
        by_money = Formula(
            f"SUMIFS({spans['L']},{spans['E']},A{row},{spans['F']},B{row})", settled.get(same, Fraction(0))
        )
        total = by_money + given.until(same, f"A{row}", f"B{row}", as_of)
        paid = page.works(row, "K", cents(most(number(0), least(due.stands, total - earlier))))
        left = page.works(row, "L", cents(due.stands - paid))
        is_late = due.late_on < sheet.as_of and due.component != RECOVERY
        owed = when(f"C{row}<{as_of.text}", is_late, left, number(0))
        late = page.works(row, "M", owed if due.component != RECOVERY else number(0))
        since = serial(due.late_on) if late.value else ""
        page.says(row, "N", f'IF(M{row}>0,C{row},"")', str(since), "date")
        principal = page.works(row, "O", left if due.component == PRINCIPAL else number(0))
        overdue_sum += late.value
        principal_sum += principal.value
        if late.value:
            overdue_since.append(due.late_on)
    last = max(len(dues) + 1, 2)
    days = (sheet.as_of - min(overdue_since)).days if overdue_since else 0
    found = page.span("N", last)
    return DueTotals(
        cents(Formula(f"SUM({page.span('M', last)})", overdue_sum)),
        cents(Formula(f"SUM({page.span('O', last)})", principal_sum)),
        Formula(f"IF(COUNT({found})=0,0,{as_of.text}-MIN({found}))", Fraction(days)),
    )
