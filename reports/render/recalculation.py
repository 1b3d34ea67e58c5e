"""The auditor's workbook of one loan: raw rows of the books, and formulas that recompute what we report.

No figure of our engine feeds a formula. What each due is settled with and by which money, the interest and
the principal of each period, what closes raised by the day: all come from spreadsheet arithmetic over terms,
dues and receipts. What is booked and what we report stand beside it only to be subtracted.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from daybook import formats
from reports.builders.recalculation_rows import Recalculation
from reports.render.recalculation_cells import Formula, Page, cents, sheet_styles, taka
from reports.render.recalculation_dues import (
    DueCells,
    DueTotals,
    WithoutMoney,
    settle_dues,
    write_dues,
    write_plan,
)
from reports.render.recalculation_money import (
    close_allocations,
    close_receipts,
    write_allocations,
    write_receipts,
)
from reports.render.recalculation_penal import write_penal
from reports.render.recalculation_periods import write_versions
from reports.render.recalculation_raised import write_daily, write_rates
from reports.render.recalculation_settling import OrderCells, Settling, write_order, write_settling


@dataclass(frozen=True, slots=True)
class Check:
    """Cells of differences that must all be nothing, and what they come to."""

    label: str
    where: str
    differences: Sequence[Fraction]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure recomputed, and the one we report by its key."""

    label: str
    formula: Formula
    key: str


def render_recalculation(sheet: Recalculation) -> bytes:
    """The workbook. Its creation date is the as-of date: the same books give the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {
            "title": f"{sheet.number} {sheet.as_of}",
            "created": datetime.combine(sheet.as_of, datetime.min.time()),
        }
    )
    book.set_calc_mode("auto")
    styles = sheet_styles(book)
    result = Page(book, "Result", styles, (58, 20, 20, 20, 14, 16))
    as_of = _inputs(book, styles, sheet)
    figures, checks = _sheets(book, styles, sheet, as_of)
    _result(result, sheet, figures, checks)
    result.sheet.activate()
    book.close()
    return out.getvalue()


def _sheets(
    book: Any, styles: dict[str, Any], sheet: Recalculation, as_of: Formula
) -> tuple[list[Figure], list[Check]]:
    """Every sheet but the first two, in the order in which an auditor reads them."""
    versions = write_versions(book, styles, sheet)
    has_rates = bool(sheet.penal)
    rates = write_rates(book, styles, sheet) if has_rates or sheet.is_daily else None
    daily = write_daily(book, styles, sheet, rates) if rates and sheet.is_daily else None
    penal = write_penal(book, styles, sheet, rates) if rates and has_rates else None
    plan = write_plan(book, styles, sheet, as_of)
    given = WithoutMoney.of_rows(sheet.allocations, sheet.as_of)
    dues_page, dues = write_dues(book, styles, sheet, plan, given)
    receipts_page, receipts = write_receipts(book, styles, sheet, as_of)
    order = write_order(book, styles, sheet)
    settling = write_settling(book, styles, sheet, dues, order, receipts)
    kept, receipts_differ = close_receipts(receipts_page, sheet, settling)
    allocations_page = write_allocations(book, styles, sheet)
    pieces = close_allocations(allocations_page, sheet, settling, kept)
    totals = settle_dues(dues_page, sheet, dues, as_of, settling.settled, settling.last, given)
    rows = versions.periods.span
    checks = [
        Check(_("Plans: principal adds up"), versions.versions.span("I", len(sheet.versions) + 1),
              versions.versions_differ),
        Check(sheet.said.tell(_("Periods: interest")), rows("L", versions.last), versions.interest_differs),
        Check(_("Periods: principal"), rows("S", versions.last), versions.principal_differs),
    ]  # fmt: skip
    if daily:
        checks.append(Check(sheet.said.tell(_("Interest by the day")), f"Daily!$L$2:$L${daily[0]}", daily[1]))
        checks.append(Check(_("Changes inside a stretch of days"), f"Daily!$M$2:$M${daily[0]}", daily[2]))
    if penal:
        checks.append(
            Check(_("What late money bears, night by night"), f"Penal!$N$2:$N${penal[0]}", penal[1])
        )
    last = settling.last
    checks += [
        Check(_("Settlement: out of order"), f"Settling!$M$2:$M${last}", settling.out_of_order),
        Check(_("Settlement: dues left out"), f"Settling!$N$2:$N${last}", settling.left_out),
        Check(_("Settlement: events against the books"), f"Settling!$R$2:$R${last}", settling.booked_differ),
        Check(
            _("Receipts: settled and kept"), receipts_page.span("M", len(sheet.receipts) + 1), receipts_differ
        ),
        Check(_("Rows of settlement"), allocations_page.span("J", len(sheet.allocations) + 1), pieces),
    ]
    return _figures(totals, settling, dues, order, as_of), checks


def _figures(
    totals: DueTotals,
    settling: Settling,
    dues: Sequence[DueCells],
    order: OrderCells,
    as_of: Formula,
) -> list[Figure]:
    """What the loan stands at, recomputed."""
    size = max(len(dues) + 1, 2)
    open_text = f'SUMIFS(Dues!$I$2:$I${size},Dues!$C$2:$C${size},"<="&{as_of.text})'
    if order.settles_early:
        open_text += (
            f'+SUMIFS(Dues!$I$2:$I${size},Dues!$C$2:$C${size},">"&{as_of.text},'
            f'Dues!$D$2:$D${size},"<="&{as_of.text})'
        )
    idle = f"ROUND(MIN({settling.held.text},{open_text}-SUM(Settling!$L$2:$L${settling.last})),2)"
    return [
        Figure(_("Principal outstanding"), totals.principal, "outstanding"),
        Figure(_("Overdue"), totals.overdue, "overdue"),
        Figure(_("Advance held"), cents(settling.held), "advance"),
        Figure(_("Days past due"), totals.days, "days"),
        Figure(_("Advance held while something may be met"), Formula(idle, Fraction(0)), "idle"),
    ]


def _inputs(book: Any, styles: dict[str, Any], sheet: Recalculation) -> Formula:
    """The sheet of the question; returns the cell of the as-of date, on which the formulas hang."""
    page = Page(book, "Inputs", styles, (40, 96))
    page.text(1, "A", _("As of"))
    as_of = page.day(1, "B", sheet.as_of)
    lines = [
        *sheet.parameters,
        (_("Day count"), str(sheet.day_count)),
        (
            _("Raised by closes up to"),
            formats.day(sheet.raised_to) if sheet.raised_to else _("nothing is raised on this loan"),
        ),
        (
            _("Rounding in formulas"),
            _("Amounts are cut to the seventh decimal before they are rounded as the contract says."),
        ),
        (
            _("Given, not worked out"),
            _("Dates, terms, receipts, decisions of people, plans that were supplied."),
        ),
    ]
    for row, (label, value) in enumerate(lines, start=2):
        page.text(row, "A", label)
        page.text(row, "B", value)
    return Formula("Inputs!$B$1", as_of.value)


def _result(page: Page, sheet: Recalculation, figures: Sequence[Figure], checks: Sequence[Check]) -> None:
    """Recomputed beside reported, how many rows differ, and by how much at most."""
    page.text(1, "A", _("Recalculation of %(loan)s") % {"loan": sheet.number}, "title")
    page.text(
        2,
        "A",
        _("Formulas over raw dues, receipts and terms; beside them what the system booked and reports."),
        "muted",
    )
    yes, no = _("yes"), _("NO")
    heads = (_("Figure"), _("Recomputed"), _("As reported"), _("Difference"), _("Agrees"))
    for letter, head in zip("ABCDE", heads, strict=True):
        page.text(6, letter, head, "head")
    for row, figure in enumerate(figures, start=7):
        is_count = figure.key == "days"
        style = "count" if is_count else "money"
        ours = sheet.reported.get(figure.key, 0)
        page.text(row, "A", figure.label)
        again = page.works(row, "B", figure.formula, style)
        ours_cell = page.given(row, "C", ours if is_count else taka(ours), style)
        differs = page.works(row, "D", cents(again - ours_cell), style)
        page.says(row, "E", f'IF(D{row}=0,"{yes}","{no}")', no if differs.value else yes)
    top = len(figures) + 9
    tops = (_("Rows"), _("Worked out"), _("Differ"), _("Largest difference"), _("Agrees"), _("Where"))
    for letter, head in zip("ABCDEF", tops, strict=True):
        page.text(top - 1, letter, head, "head")
    for row, check in enumerate(checks, start=top):
        found = [abs(value) for value in check.differences]
        page.text(row, "A", check.label)
        page.works(row, "B", Formula(f"COUNT({check.where})", Fraction(len(found))), "count")
        wrong = Fraction(sum(1 for value in found if value))
        counted = Formula(f"SUMPRODUCT((ABS({check.where})>1/250)*1)", wrong)
        differ = page.works(row, "C", counted, "count")
        largest = Formula(
            f"ROUND(MAX(0,MAX({check.where}),-MIN({check.where})),2)", max(found, default=Fraction(0))
        )
        page.works(row, "D", largest)
        page.says(row, "E", f'IF(C{row}=0,"{yes}","{no}")', no if differ.value else yes)
        page.text(row, "F", check.where.replace("$", "").split(":")[0].rstrip("0123456789"))
    last = top + len(checks) - 1
    wrong = sum((Fraction(sum(1 for v in check.differences if v)) for check in checks), Fraction(0))
    wrong += sum(1 for f in figures if f.formula.value != _ours(sheet, f))
    page.text(4, "A", _("Differences in all"), "head")
    total = f'SUM(C{top}:C{last})+COUNTIF(E7:E{len(figures) + 6},"{no}")'
    cell = page.works(4, "B", Formula(total, wrong), "count")
    agrees = _("everything agrees")
    page.says(4, "C", f'IF(B4=0,"{agrees}","{no}")', no if cell.value else agrees)
    page.stand_out("D", len(figures) + 6, 7)
    page.stand_out("CD", last, top)
    page.stand_out("B", 4, 4)
    page.text(last + 2, "A", f"SHA-256 {sheet.checksum}", "muted")


def _ours(sheet: Recalculation, figure: Figure) -> Fraction:
    ours = sheet.reported.get(figure.key, 0)
    return Fraction(ours) if figure.key == "days" else taka(ours)
