"""The sheet of what late money bears: night by night, on each late instalment by itself.

Simple, on what is unpaid of its principal and interest, at the rate of the day before; the amount of a night
is the rounded total to it less that of the night before, so that the nights add up to the rounded total.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.allocation import Source
from calc.calendar import add_months
from calc.daycount import DayCount
from calc.money import HALF_UP
from reports.builders.recalculation_rows import INTEREST, PENAL, PRINCIPAL, Recalculation
from reports.render.recalculation_cells import (
    SINCE_LATE,
    Formula,
    Page,
    cents,
    most,
    number,
    rounded,
    serial,
    taka,
    year_part,
)
from reports.render.recalculation_raised import RateCells

NIGHT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Late:
    """One instalment that fell due and was not paid, from its late date on. Minor units by day."""

    instalment: int
    late_on: date
    moved: dict[date, int]
    booked: dict[date, int]
    fixed: dict[date, int]


def write_penal(
    book: Any, styles: dict[str, Any], sheet: Recalculation, rates: RateCells
) -> tuple[int, list[Fraction]]:
    """Every night of every late instalment. Returns the last row and the differences."""
    page = Page(book, "Penal", styles, (11, 13, 13, 19, 12, 16, 16, 19, 19, 16, 16, 14, 14, 12))
    page.heads(
        (
            *(_("Instalment"), _("Late date"), _("Night to"), _("Unpaid"), _("Rate, percent a year")),
            *(_("Part of a year to it"), _("To the night before"), _("Product"), _("Total, unrounded")),
            *(_("Total, rounded"), _("Waived stays"), _("Of the night"), _("As booked"), _("Difference")),
        )
    )
    writer = _Writer(page, sheet, rates)
    for late in _late_instalments(sheet):
        writer.instalment(late)
    page.stand_out("N", writer.row - 1)
    return max(writer.row - 1, 2), writer.differences


def _late_instalments(sheet: Recalculation) -> Iterator[Late]:
    """Instalments late by the date; each counts from the latest date of its principal and interest."""
    if sheet.raised_to is None:
        return
    days = defaultdict[int, dict[date, int]](lambda: defaultdict(int))
    moved, booked, fixed = (defaultdict[int, dict[date, int]](lambda: defaultdict(int)) for _at in range(3))
    for due in sheet.plan:
        if due.from_on > sheet.as_of:
            continue
        stands = due.back_on is None or due.back_on > sheet.as_of
        if due.component == PENAL and due.is_raised and stands:
            booked[due.instalment][due.late_on] += due.minor
        if due.component in (INTEREST, PRINCIPAL) and due.late_on < sheet.as_of:
            days[due.instalment][due.late_on] += due.minor if stands else 0
            moved[due.instalment][max(due.late_on, due.from_on)] += due.minor
            if not stands and due.back_on is not None:
                moved[due.instalment][max(due.late_on, due.back_on)] -= due.minor
    for piece in sheet.allocations:
        if piece.component in (INTEREST, PRINCIPAL):
            moved[piece.instalment][piece.on] -= piece.minor
        elif piece.component == PENAL and piece.source >= Source.WAIVER:
            fixed[piece.instalment][piece.on] += piece.minor
    for number_of in sorted(set(days) | set(booked)):
        standing = [on for on, minor in days[number_of].items() if minor] or list(booked[number_of])
        if standing:
            late_on = max(standing) if days[number_of] else min(standing) - NIGHT
            yield Late(number_of, late_on, moved[number_of], booked[number_of], fixed[number_of])


class _Writer:
    """The sheet while it is written."""

    def __init__(self, page: Page, sheet: Recalculation, rates: RateCells) -> None:
        self._page, self._sheet, self._rates = page, sheet, rates
        self._plan = max(len(sheet.plan) + 1, 2)
        self._pieces = max(len(sheet.allocations) + 1, 2)
        self.row = 2
        self.differences: list[Fraction] = []

    def instalment(self, late: Late) -> None:
        """Its nights, one row each, up to the last close that raised."""
        zero = number(0)
        exact, rounded_to, topped = zero, zero, zero
        for night in self._nights(late):
            row, page = self.row, self._page
            self.row += 1
            product = self._product(row, late, night)
            exact = page.works(row, "I", exact + product)
            total = page.works(row, "J", rounded(exact, HALF_UP))
            more = page.works(row, "K", self._waived_stays(late, night, row, total, topped))
            comes = page.works(row, "L", cents(total + more - (rounded_to + topped)))
            rounded_to, topped = total, more
            booked = Formula(self._booked(row), taka(late.booked.get(night, 0)))
            stands = page.works(row, "M", cents(booked))
            self.differences.append(page.works(row, "N", cents(comes - stands)).value)

    def _nights(self, late: Late) -> Iterator[date]:
        """Nights on which something is late at a rate, was raised, or was waived."""
        last = min(self._sheet.as_of, self._sheet.raised_to or self._sheet.as_of)
        named = {on for on in (*late.booked, *late.fixed) if on <= last}
        night = min({late.late_on + NIGHT, *named})
        unpaid = sum(minor for on, minor in late.moved.items() if on < night - NIGHT)
        while night <= last:
            unpaid += late.moved.get(night - NIGHT, 0)
            bears = night > late.late_on and unpaid > 0 and self._rate_on(night - NIGHT) > 0
            if bears or night in named:
                yield night
            night += NIGHT

    def _product(self, row: int, late: Late, night: date) -> Formula:
        """Unpaid × rate × the part of a year that the night adds."""
        page, sheet, eve_on = self._page, self._sheet, night - NIGHT
        page.given(row, "A", late.instalment, "count")
        start, day = page.day(row, "B", late.late_on), page.day(row, "C", night)
        eve = Formula(f"(C{row}-1)", Fraction(serial(eve_on)))
        held = max(sum(minor for on, minor in late.moved.items() if on <= eve_on), 0)
        unpaid = page.works(row, "D", Formula(self._unpaid(row, eve.text), taka(held)))
        rate = page.works(row, "E", Formula(self._rates.late_on(eve.text), self._rate_on(eve_on)), "rate")
        until = page.works(row, "F", _since_late(start, day, late.late_on, night, sheet.day_count), "part")
        since = page.works(row, "G", _since_late(start, eve, late.late_on, eve_on, sheet.day_count), "part")
        return page.works(row, "H", unpaid * rate / number(100) * (until - since))

    def _unpaid(self, row: int, eve: str) -> str:
        """What is unpaid at the end of the day before, from the plan and what was settled."""
        plan, pieces = self._plan, self._pieces
        mine = f"Plan!$G$2:$G${plan},Plan!$B$2:$B${plan},A{row}"
        paid = (
            f"SUMIFS(Allocations!$G$2:$G${pieces},Allocations!$E$2:$E${pieces},A{row},"
            f'Allocations!$K$2:$K${pieces},1,Allocations!$A$2:$A${pieces},"<="&{eve})'
        )
        return (
            f'ROUND(MAX(0,SUMIFS({mine},Plan!$N$2:$N${plan},"<="&{eve})'
            f'-SUMIFS({mine},Plan!$O$2:$O${plan},"<="&{eve})-{paid}),2)'
        )

    def _waived_stays(self, late: Late, night: date, row: int, total: Formula, topped: Formula) -> Formula:
        """What was waived stays raised, though later facts ask for less: what is missing, night by night."""
        waived = sum(minor for on, minor in late.fixed.items() if on <= night)
        if not late.fixed:
            return number(0)
        pieces = self._pieces
        text = (
            f"SUMIFS(Allocations!$G$2:$G${pieces},Allocations!$B$2:$B${pieces},0,"
            f"Allocations!$E$2:$E${pieces},A{row},Allocations!$F$2:$F${pieces},"
            f'"{self._sheet.labels[PENAL]}",Allocations!$A$2:$A${pieces},"<="&C{row})'
        )
        return cents(most(topped, Formula(text, taka(waived)) - total))

    def _booked(self, row: int) -> str:
        """What stands raised of the night by the date."""
        plan = self._plan
        return (
            f"SUMIFS(Plan!$L$2:$L${plan},Plan!$B$2:$B${plan},A{row},Plan!$K$2:$K${plan},1,"
            f'Plan!$C$2:$C${plan},"{self._sheet.labels[PENAL]}",Plan!$E$2:$E${plan},C{row})'
        )

    def _rate_on(self, on: date) -> Fraction:
        term = next((term for term in reversed(self._sheet.penal) if term.from_on <= on), None)
        return Fraction(min(term.agreed, term.cap) if term and term.cap is not None else Decimal(0))


def _since_late(start: Formula, day: Formula, late_on: date, on: date, day_count: DayCount) -> Formula:
    """The part of a year from a late date to a day; under monthly/12 a broken month by its days."""
    if on < late_on:
        return number(0)
    if day_count is not DayCount.MONTHLY_12:
        return year_part(start, day, late_on, on, day_count)
    months = max(n for n in range(12 * (on.year - late_on.year) + on.month - late_on.month + 1)
                 if add_months(late_on, n) <= on)  # fmt: skip
    reached = add_months(late_on, months)
    share = Fraction((on - reached).days, (add_months(late_on, months + 1) - reached).days)
    return Formula(SINCE_LATE.format(a=start.text, b=day.text), (months + share) / 12, 2)
