"""The sheets of the auditor's workbook that hold money: receipts, allocations, dues and what settled them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from daybook.formats import from_minor
from reports.render.recalculation_walk import PRINCIPAL, Recalculation, walk_dues

DAY_ZERO = date(1899, 12, 30)  # day 0 of spreadsheets


def write_receipts(page: Any, styles: dict[str, Any], sheet: Recalculation) -> None:
    """Every receipt and reversal as booked; column C counts those of value by the date, column F sums what
    the allocations say it settled or left as an advance."""
    heads = (_("Value date"), _("Amount"), _("Counts"), _("Reference"), _("Booking"), _("Allocated"))
    write_heads(page, styles, heads, (13, 19, 19, 26, 10, 19))
    allocated: dict[str, int] = {}
    for row in sheet.allocations:
        allocated[row.reference] = allocated.get(row.reference, 0) + row.minor
    for line, (_pk, on, minor, reference, booking) in enumerate(sheet.receipts, start=1):
        page.write_datetime(line, 0, on, styles["date"])
        page.write_number(line, 1, from_minor(minor), styles["money"])
        counts = from_minor(minor if on <= sheet.as_of else 0)
        page.write_formula(line, 2, f"=IF(A{line + 1}<=Inputs!$B$1,B{line + 1},0)", styles["money"], counts)
        page.write_string(line, 3, reference, styles["text"])
        page.write_number(line, 4, booking, styles["count"])
        summed = f"=SUMIFS(Allocations!$F:$F,Allocations!$B:$B,D{line + 1})"
        page.write_formula(line, 5, summed, styles["money"], from_minor(allocated.get(reference, 0)))


def write_allocations(page: Any, styles: dict[str, Any], sheet: Recalculation) -> int:
    """Live rows of settlement as booked. Returns the number of the last row."""
    heads = (
        *(_("Value date"), _("Reference"), _("Source"), _("Instalment"), _("Component"), _("Amount")),
        _("Booking"),
    )
    write_heads(page, styles, heads, (13, 26, 16, 11, 18, 19, 10))
    for line, row in enumerate(sheet.allocations, start=1):
        page.write_datetime(line, 0, row.on, styles["date"])
        page.write_string(line, 1, row.reference, styles["text"])
        page.write_string(line, 2, row.source, styles["text"])
        page.write_number(line, 3, row.instalment, styles["count"])
        page.write_string(line, 4, row.label, styles["text"])
        page.write_number(line, 5, from_minor(row.minor), styles["money"])
        page.write_number(line, 6, row.booking, styles["count"])
    return max(len(sheet.allocations) + 1, 2)


def write_dues(page: Any, styles: dict[str, Any], sheet: Recalculation, last_piece: int) -> int:
    """Dues in the order in which they are settled. Returns the number of the last row."""
    heads = (
        _("Instalment"),
        _("Component"),
        _("Late date"),
        _("Falls due"),
        _("Due before it"),
        _("Settled"),
        _("Left"),
        _("Overdue"),
        _("Overdue since"),
        _("Principal left"),
        _("Without money"),
    )
    write_heads(page, styles, heads, (11, 18, 13, 19, 19, 19, 19, 19, 14, 19, 19))
    last = len(sheet.dues) + 1
    money = styles["money"]
    for line, (due, seen) in enumerate(zip(sheet.dues, walk_dues(sheet), strict=True), start=1):
        row = line + 1
        before, settles = _settles(sheet, row, last_piece)
        page.write_number(line, 0, due.instalment, styles["count"])
        page.write_string(line, 1, due.label, styles["text"])
        page.write_datetime(line, 2, due.late_date, styles["date"])
        page.write_number(line, 3, from_minor(due.minor), money)
        page.write_formula(line, 4, before, money, from_minor(seen.before))
        page.write_formula(line, 5, settles, money, from_minor(seen.settled))
        page.write_formula(line, 6, f"=ROUND(D{row}-F{row},2)", money, from_minor(seen.left))
        page.write_formula(line, 7, f"=IF(C{row}<Inputs!$B$1,G{row},0)", money, from_minor(seen.overdue))
        since = (due.late_date - DAY_ZERO).days if seen.overdue else ""
        page.write_formula(line, 8, f'=IF(H{row}>0,C{row},"")', styles["date"], since)
        is_principal = due.component == PRINCIPAL
        left = from_minor(seen.left if is_principal else 0)
        page.write_formula(line, 9, f"=IF({int(is_principal)}=1,G{row},0)", money, left)
        page.write_number(line, 10, from_minor(due.waived_minor), money)
    return last


def _settles(sheet: Recalculation, row: int, last_piece: int) -> tuple[str, str]:
    """What stands before a due, and what it is settled with; see `walk_dues`."""
    if sheet.is_oldest_first:
        received = f"({received_formula(sheet)})"
        before = "=0" if row == 2 else f"=ROUND(E{row - 1}+D{row - 1}-K{row - 1},2)"
        takes = f"IF(C{row}<=Inputs!$B$1,MAX(0,MIN(D{row}-K{row},{received}-E{row})),0)"
        return before, f"=ROUND(K{row}+{takes},2)"
    above = f"D$1:D{row - 1},A$1:A{row - 1},A{row},B$1:B{row - 1},B{row}"
    booked = (
        f"SUMIFS(Allocations!$F$2:$F${last_piece},Allocations!$D$2:$D${last_piece},A{row},"
        f'Allocations!$E$2:$E${last_piece},B{row},Allocations!$A$2:$A${last_piece},"<="&Inputs!$B$1)'
    )
    return f"=SUMIFS({above})", f"=ROUND(MAX(0,MIN(D{row},{booked}-E{row})),2)"


def received_formula(sheet: Recalculation) -> str:
    """Money of value by the date that may meet the dues of the plan."""
    return f"SUM(Receipts!$C$2:$C${max(len(sheet.receipts) + 1, 2)})-Inputs!$B$5"


def write_heads(
    page: Any, styles: dict[str, Any], heads: Sequence[str], widths: Sequence[int], *, top: int = 0
) -> None:
    """The head row of a sheet, its column widths, and what stays in view."""
    for at, head in enumerate(heads):
        page.write_string(top, at, head, styles["head"])
    for at, width in enumerate(widths):
        page.set_column(at, at, width)
    if widths:
        page.freeze_panes(top + 1, 0)
