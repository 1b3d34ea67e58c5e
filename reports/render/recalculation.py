"""The auditor's workbook of one loan: raw rows of the books, and formulas that recompute what we report.

No figure of our engine feeds a formula. Interest of each period, what each due is settled with, what is
overdue and for how many days come from spreadsheet arithmetic over terms, dues and receipts; the figures
we report stand beside them only to be subtracted.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from calc.daycount import DayCount
from daybook.formats import from_minor
from reports.render.recalculation_dues import (
    received_formula,
    write_allocations,
    write_dues,
    write_heads,
    write_receipts,
)
from reports.render.recalculation_walk import (
    PRINCIPAL,
    Recalculation,
    received_minor,
    walk_dues,
    walk_periods,
)
from reports.render.xlsx import make_styles

# Part of a year from cell {a} to cell {b}. Sources: calc/daycount.py names them.
YEAR_PART = {
    DayCount.ACT_360: "({b}-{a})/360",
    DayCount.ACT_365F: "({b}-{a})/365",
    DayCount.THIRTY_360: "(360*(YEAR({b})-YEAR({a}))+30*(MONTH({b})-MONTH({a}))"
    "+IF(AND(DAY({b})=31,DAY({a})>=30),30,DAY({b}))-MIN(DAY({a}),30))/360",
    DayCount.THIRTY_E_360: "(360*(YEAR({b})-YEAR({a}))+30*(MONTH({b})-MONTH({a}))"
    "+MIN(DAY({b}),30)-MIN(DAY({a}),30))/360",
    DayCount.MONTHLY_12: "(12*(YEAR({b})-YEAR({a}))+MONTH({b})-MONTH({a}))/12",
    DayCount.ACT_ACT: "IF(YEAR({a})=YEAR({b}),({b}-{a})/(DATE(YEAR({a})+1,1,1)-DATE(YEAR({a}),1,1)),"
    "(DATE(YEAR({a})+1,1,1)-{a})/(DATE(YEAR({a})+1,1,1)-DATE(YEAR({a}),1,1))+YEAR({b})-YEAR({a})-1"
    "+({b}-DATE(YEAR({b}),1,1))/(DATE(YEAR({b})+1,1,1)-DATE(YEAR({b}),1,1)))",
}


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
    styles = make_styles(book)
    result = book.add_worksheet("Result")
    inputs = book.add_worksheet("Inputs")
    has_terms = bool(sheet.periods) and sheet.annual_rate is not None and sheet.day_count in YEAR_PART
    _inputs(inputs, styles, sheet)
    write_receipts(book.add_worksheet("Receipts"), styles, sheet)
    last_piece = write_allocations(book.add_worksheet("Allocations"), styles, sheet)
    last_due = write_dues(book.add_worksheet("Dues"), styles, sheet, last_piece)
    last_period = _periods(book.add_worksheet("Periods"), styles, sheet) if has_terms else 0
    _result(result, styles, sheet, last_due, last_period)
    result.activate()
    book.close()
    return out.getvalue()


def _inputs(page: Any, styles: dict[str, Any], sheet: Recalculation) -> None:
    """B1 as-of date, B2 principal, B3 rate; the other lines are for reading."""
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 40)
    page.write_string(0, 0, _("As of"), styles["text"])
    page.write_datetime(0, 1, sheet.as_of, styles["date"])
    page.write_string(1, 0, _("Principal of the plan"), styles["text"])
    page.write_number(1, 1, from_minor(sheet.principal_minor), styles["money"])
    page.write_string(2, 0, _("Rate, percent a year"), styles["text"])
    if sheet.annual_rate is not None:
        page.write_number(2, 1, sheet.annual_rate, styles["rate"])
    page.write_string(3, 0, _("Day count"), styles["text"])
    page.write_string(3, 1, sheet.day_count, styles["text"])
    page.write_string(4, 0, _("Money that met recoveries and refunds"), styles["text"])
    page.write_number(4, 1, from_minor(sheet.apart_minor), styles["money"])
    for number, (label, value) in enumerate(sheet.parameters, start=6):
        page.write_string(number, 0, label, styles["text"])
        page.write_string(number, 1, value, styles["text"])


def _periods(page: Any, styles: dict[str, Any], sheet: Recalculation) -> int:
    """Interest of each period from balance, rate and days. Returns the number of the last row."""
    heads = (
        _("Instalment"),
        _("From"),
        _("To"),
        _("Days"),
        _("Part of a year"),
        _("Balance"),
        sheet.said.tell(_("Interest, unrounded")),
        str(sheet.said.interest),
        _("Added to principal"),
        _("As booked"),
        _("Difference"),
        _("Principal repaid"),
        _("Rate, percent a year"),
    )
    write_heads(page, styles, heads, (11, 13, 13, 8, 14, 19, 19, 19, 19, 19, 14, 19, 12))
    last = len(sheet.periods) + 1
    year_part = YEAR_PART[DayCount(sheet.day_count)]
    paying = [row for row, period in enumerate(sheet.periods, start=2) if period.principal_minor]
    chain, since = 0, 2  # the row whose balance goes on, the first row of what falls due together
    for line, (period, seen) in enumerate(zip(sheet.periods, walk_periods(sheet), strict=True), start=1):
        row = line + 1
        page.write_number(line, 0, period.instalment, styles["count"])
        page.write_datetime(line, 1, period.from_on, styles["date"])
        page.write_datetime(line, 2, period.to_on, styles["date"])
        page.write_formula(line, 3, f"=C{row}-B{row}", styles["count"], (period.to_on - period.from_on).days)
        part = "=" + year_part.format(a=f"B{row}", b=f"C{row}")
        if period.part is not None:  # the rest of a broken period: both parts make the whole
            part = f"={period.part.numerator}/{period.part.denominator}"
        page.write_formula(line, 4, part, styles["rate"], _cut(seen.year_part, 12))
        if period.balance_minor is not None:
            page.write_number(line, 5, from_minor(period.balance_minor), styles["money"])
        else:
            opening = f"=ROUND(F{chain}+I{chain}-L{chain},2)" if chain else "=Inputs!$B$2"
            page.write_formula(line, 5, opening, styles["money"], from_minor(seen.balance))
            chain = row
        exact = _cut(seen.exact / 100, 8)
        page.write_formula(line, 6, _interest(sheet, row, paying), styles["money"], exact)
        falls_due = f"=ROUND(SUM(G{since}:G{row}),2)"
        page.write_formula(line, 7, falls_due, styles["money"], from_minor(seen.interest))
        since = since if period.adds_on else row + 1
        page.write_number(line, 8, from_minor(period.capitalised_minor), styles["money"])
        page.write_number(line, 9, from_minor(period.interest_minor), styles["money"])
        if period.instalment and not period.adds_on:
            differs = from_minor(seen.interest - period.interest_minor)
            page.write_formula(line, 10, f"=ROUND(H{row}-J{row},2)", styles["money"], differs)
        page.write_number(line, 11, from_minor(period.principal_minor), styles["money"])
        rate = sheet.annual_rate if period.rate is None else period.rate
        page.write_number(line, 12, rate if rate is not None else 0, styles["rate"])
    return last


def _interest(sheet: Recalculation, row: int, paying: Sequence[int]) -> str:
    """Balance × rate × part of a year; flat interest is that of the whole term in equal parts, the last one
    taking what rounding leaves."""
    if not sheet.is_flat or row not in paying:
        return f"=F{row}*M{row}/100*E{row}"
    first, last = paying[0], paying[-1]
    whole = f"ROUND($F${first}*Inputs!$B$3/100*SUM($E${first}:$E${last}),2)"
    if row == last and len(paying) > 1:
        return f"={whole}-SUM($H${first}:$H${last - 1})"
    return f"={whole}/{len(paying)}"


def _result(page: Any, styles: dict[str, Any], sheet: Recalculation, last_due: int, last_period: int) -> None:
    """Recomputed beside reported, and whether they agree."""
    page.set_column(0, 0, 44)
    page.set_column(1, 3, 20)
    page.set_column(4, 4, 12)
    page.write_string(0, 0, _("Recalculation of %(loan)s") % {"loan": sheet.number}, styles["title"])
    page.write_string(
        1,
        0,
        _("Formulas over raw dues and receipts; nothing here comes from the system's engine but column C."),
        styles["muted"],
    )
    write_heads(
        page,
        styles,
        (_("Figure"), _("Recomputed"), _("As reported"), _("Difference"), _("Agrees")),
        (),
        top=3,
    )
    dues, since = walk_dues(sheet), f"Dues!I2:I{last_due}"
    overdue_since = [due.late_date for due, seen in zip(sheet.dues, dues, strict=True) if seen.overdue]
    principal = [seen.left for due, seen in zip(sheet.dues, dues, strict=True) if due.component == PRINCIPAL]
    days = (sheet.as_of - min(overdue_since)).days if overdue_since else 0
    lines = [
        (_("Principal outstanding"), f"=ROUND(SUM(Dues!J2:J{last_due}),2)", "outstanding", sum(principal)),
        (_("Overdue"), f"=ROUND(SUM(Dues!H2:H{last_due}),2)", "overdue", sum(d.overdue for d in dues)),
        (
            _("Advance held"),
            f"=ROUND({received_formula(sheet)}-SUM(Dues!F2:F{last_due})+SUM(Dues!K2:K{last_due}),2)",
            "advance",
            received_minor(sheet) - sum(d.settled for d in dues) + sum(d.waived_minor for d in sheet.dues),
        ),
        (_("Days past due"), f"=IF(COUNT({since})=0,0,Inputs!B1-MIN({since}))", "days", days),
    ]
    if last_period:
        span = f"Periods!K2:K{last_period}"
        seen = zip(sheet.periods, walk_periods(sheet), strict=True)
        differs = [
            abs(result.interest - p.interest_minor) for p, result in seen if p.instalment and not p.adds_on
        ]
        worst = max(differs, default=0)
        largest = f"=MAX(0,MAX({span}),-MIN({span}))"
        lines.append(
            (sheet.said.tell(_("Interest of all periods: largest difference")), largest, "interest", worst)
        )
    for line, (label, formula, key, value) in enumerate(lines, start=4):
        row = line + 1
        reported = sheet.reported.get(key, 0)
        scale = int if key == "days" else from_minor
        style = styles["count" if key == "days" else "money"]
        words = (_("yes"), _("NO"))
        page.write_string(line, 0, label, styles["text"])
        page.write_formula(line, 1, formula, style, scale(value))
        page.write_number(line, 2, scale(reported), style)
        page.write_formula(line, 3, f"=ROUND(B{row}-C{row},2)", style, scale(value - reported))
        page.write_formula(
            line, 4, f'=IF(D{row}=0,"{words[0]}","{words[1]}")', styles["text"], words[value != reported]
        )
    page.write_string(len(lines) + 5, 0, f"SHA-256 {sheet.checksum}", styles["muted"])


def _cut(value: Fraction, places: int) -> Decimal:
    """A fraction to so many decimals, as the cell shows before anyone recalculates."""
    return Decimal(value.numerator * 10**places // value.denominator).scaleb(-places)
