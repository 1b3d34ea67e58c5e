"""The sheets of rates, and of interest by daily product: on the principal really outstanding each day.

Balances are summed from the plan and from what was settled; rates are those of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from calc.allocation import Source
from calc.daycount import DayCount
from reports.builders.recalculation_rows import (
    INTEREST,
    PRINCIPAL,
    PenalRow,
    PeriodRow,
    Recalculation,
)
from reports.render.recalculation_cells import (
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


@dataclass(frozen=True, slots=True)
class RateCells:
    """The sheet of rates: those of the contract, and those of late money after their limit."""

    contract: int
    late: int

    def contract_on(self, cell: str) -> str:
        """The contract's rate on the day in a cell."""
        return _looked_up(cell, "A", "B", self.contract)

    def late_on(self, cell: str) -> str:
        """What late money bears on the day in a cell."""
        return _looked_up(cell, "D", "G", self.late)


def _looked_up(cell: str, days: str, values: str, last: int) -> str:
    span = f"Rates!${days}$2:${days}${last}"
    return f"IF({cell}<Rates!${days}$2,0,LOOKUP({cell},{span},Rates!${values}$2:${values}${last}))"


def write_rates(book: Any, styles: dict[str, Any], sheet: Recalculation) -> RateCells:
    """Rates by date, percent a year: of the contract; and of late money the agreed one, but never more than
    the limit in force, and none where no limit is."""
    page = Page(book, "Rates", styles, (14, 16, 3, 14, 16, 16, 16))
    page.heads(
        (
            *(_("From"), str(sheet.said.rate), "", _("From"), str(sheet.said.penal_rate)),
            *(_("Limit in force"), _("Counts")),
        )
    )
    for row, (on, rate) in enumerate(sheet.rates, start=2):
        page.day(row, "A", on)
        page.given(row, "B", rate, "rate")
    for row, term in enumerate(sheet.penal, start=2):
        page.day(row, "D", term.from_on)
        page.given(row, "E", term.agreed, "rate")
        if term.cap is None:
            page.text(row, "F", "")
        else:
            page.given(row, "F", term.cap, "rate")
        counts = Fraction(_late_rate(term))
        page.works(row, "G", Formula(f'IF(F{row}="",0,MIN(E{row},F{row}))', counts), "rate")
    return RateCells(max(len(sheet.rates) + 1, 2), max(len(sheet.penal) + 1, 2))


def _late_rate(term: PenalRow) -> Decimal:
    return min(term.agreed, term.cap) if term.cap is not None else Decimal(0)


def write_daily(
    book: Any, styles: dict[str, Any], sheet: Recalculation, rates: RateCells
) -> tuple[int, list[Fraction], list[Fraction]]:
    """The interest of every period that has ended, on the principal outstanding on each of its days.

    Returns the last row, the differences, and of each stretch what changes inside it.
    """
    page = Page(book, "Daily", styles, (11, 13, 13, 13, 8, 14, 19, 12, 19, 19, 19, 14, 12))
    page.heads(
        (
            *(_("Instalment"), _("Period from"), _("From"), _("To"), _("Days"), _("Part of a year")),
            *(_("Outstanding"), _("Rate, percent a year"), _("Product")),
            *(str(sheet.said.interest), _("As booked"), _("Difference"), _("Changes inside")),
        )
    )
    row, differences, inside = 2, list[Fraction](), list[Fraction]()
    raised_to = min(sheet.as_of, sheet.raised_to) if sheet.raised_to else None
    for period in sheet.periods:
        if raised_to is None or period.to_on > raised_to:
            continue
        first, exact = row, Fraction(0)
        cuts = _cuts(sheet, period)
        for from_on, to_on in pairwise(cuts):
            exact += _stretch(page, sheet, rates, period, row, from_on, to_on)
            inside.append(Fraction(0))
            row += 1
        differences.append(_close_period(page, sheet, period, first, row - 1, exact))
    page.stand_out("LM", row - 1)
    return max(row - 1, 2), differences, inside


def _cuts(sheet: Recalculation, period: PeriodRow) -> list[date]:
    """Days of a period on which the principal or the rate changes, its ends among them."""
    inside = {on for on, _rate in sheet.rates}
    for due in sheet.plan:
        if due.component == PRINCIPAL:
            inside |= {due.from_on} | ({due.back_on} if due.back_on else set())
    inside |= {piece.on for piece in sheet.allocations if piece.component == PRINCIPAL}
    between = {on for on in inside if period.from_on < on < period.to_on}
    return sorted({period.from_on, period.to_on} | between)


def _stretch(
    page: Page,
    sheet: Recalculation,
    rates: RateCells,
    period: PeriodRow,
    row: int,
    from_on: date,
    to_on: date,
) -> Fraction:
    """One stretch of one balance and one rate; returns its product in taka."""
    page.given(row, "A", period.instalment, "count")
    since = page.day(row, "B", period.from_on)
    start, end = page.day(row, "C", from_on), page.day(row, "D", to_on)
    page.works(row, "E", end - start, "count")
    if sheet.day_count is DayCount.MONTHLY_12:  # a stretch takes its calendar days' share of the months
        last = number(serial(period.to_on))
        whole = year_part(since, last, period.from_on, period.to_on, sheet.day_count)
        share = (end - start) / (last - since)
        part = page.works(row, "F", whole * share, "part")
    else:
        until = year_part(since, end, period.from_on, to_on, sheet.day_count)
        part = until
        if from_on > period.from_on:
            part = until - year_part(since, start, period.from_on, from_on, sheet.day_count)
        part = page.works(row, "F", part, "part")
    held = page.works(row, "G", cents(most(number(0), _outstanding(sheet, from_on, f"C{row}"))))
    rate = page.works(row, "H", Formula(rates.contract_on(f"C{row}"), _rate_on(sheet.rates, from_on)), "rate")
    product = page.works(row, "I", held * rate / number(100) * part)
    inside = [*_moved_inside(sheet, f"C{row}", f"D{row}")]
    page.works(row, "M", Formula("+".join(inside), Fraction(0)), "count")
    return product.value


def _outstanding(sheet: Recalculation, on: date, cell: str) -> Formula:
    """Principal of the plan in force on a day, less what was settled of it by then."""
    plan, paid = max(len(sheet.plan) + 1, 2), max(len(sheet.allocations) + 1, 2)
    label = f'"{sheet.labels[PRINCIPAL]}"'
    mine = f"Plan!$G$2:$G${plan},Plan!$C$2:$C${plan},{label}"
    pieces = f"Allocations!$G$2:$G${paid},Allocations!$F$2:$F${paid},{label}"
    text = (
        f'SUMIFS({mine},Plan!$F$2:$F${plan},"<="&{cell})-SUMIFS({mine},Plan!$I$2:$I${plan},"<="&{cell})'
        f'-SUMIFS({pieces},Allocations!$A$2:$A${paid},"<="&{cell})'
    )
    value = sum(
        due.minor * ((due.from_on <= on) - (due.back_on is not None and due.back_on <= on))
        for due in sheet.plan
        if due.component == PRINCIPAL
    )
    value -= sum(
        piece.minor for piece in sheet.allocations if piece.component == PRINCIPAL and piece.on <= on
    )
    return Formula(text, taka(value), 1)


def _moved_inside(sheet: Recalculation, start: str, end: str) -> Iterator[str]:
    """Counts of what changes principal or rate inside a stretch: there must be none."""
    plan, paid = max(len(sheet.plan) + 1, 2), max(len(sheet.allocations) + 1, 2)
    label = f'"{sheet.labels[PRINCIPAL]}"'
    for days in ("F", "I"):
        span = f"Plan!${days}$2:${days}${plan}"
        yield f'COUNTIFS(Plan!$C$2:$C${plan},{label},{span},">"&{start},{span},"<"&{end})'
    span = f"Allocations!$A$2:$A${paid}"
    yield f'COUNTIFS(Allocations!$F$2:$F${paid},{label},{span},">"&{start},{span},"<"&{end})'
    span = f"Rates!$A$2:$A${max(len(sheet.rates) + 1, 2)}"
    yield f'COUNTIFS({span},">"&{start},{span},"<"&{end})'


def _rate_on(rates: Sequence[tuple[date, Decimal]], on: date) -> Fraction:
    return Fraction(next((rate for start, rate in reversed(rates) if start <= on), Decimal(0)))


def _close_period(
    page: Page, sheet: Recalculation, period: PeriodRow, first: int, last: int, exact: Fraction
) -> Fraction:
    """The interest of a period, rounded once, beside what the close raised. What was waived stays raised."""
    fixed, text = _without_money(sheet, period.instalment, INTEREST, f"A{last}")
    sums = rounded(Formula(f"SUM(I{first}:I{last})", exact), sheet.rounding)
    comes = page.works(last, "J", most(sums, Formula(text, fixed)) if fixed else sums)
    booked = _booked(sheet, period.instalment, INTEREST)
    size = max(len(sheet.plan) + 1, 2)
    raised = (
        f"SUMIFS(Plan!$L$2:$L${size},Plan!$B$2:$B${size},A{last},Plan!$K$2:$K${size},1,"
        f'Plan!$C$2:$C${size},"{sheet.labels[INTEREST]}")'
    )
    stands = page.works(last, "K", cents(Formula(raised, booked)))
    return page.works(last, "L", cents(comes - stands)).value


def _booked(sheet: Recalculation, instalment: int, component: int) -> Fraction:
    """What stands raised of an instalment and component by the date."""
    return taka(
        sum(
            due.minor
            for due in sheet.plan
            if due.is_raised
            and (due.instalment, due.component) == (instalment, component)
            and due.from_on <= sheet.as_of
            and (due.back_on is None or due.back_on > sheet.as_of)
        )
    )


def _without_money(sheet: Recalculation, instalment: int, component: int, cell: str) -> tuple[Fraction, str]:
    """What of an instalment was waived, written off or moved, and the formula that sums it."""
    size = max(len(sheet.allocations) + 1, 2)
    text = (
        f"SUMIFS(Allocations!$G$2:$G${size},Allocations!$B$2:$B${size},0,Allocations!$E$2:$E${size},{cell},"
        f'Allocations!$F$2:$F${size},"{sheet.labels[component]}")'
    )
    fixed = sum(
        piece.minor
        for piece in sheet.allocations
        if piece.source >= Source.WAIVER and (piece.instalment, piece.component) == (instalment, component)
    )
    return taka(fixed), text
