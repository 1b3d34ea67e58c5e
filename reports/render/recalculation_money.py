"""The sheets of what came in and what it settled: as booked, and beside it what the sheet
of settlement says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.allocation import Source
from reports.builders.recalculation_rows import ADVANCE, INTEREST, PRINCIPAL, Recalculation
from reports.render.recalculation_cells import Formula, Page, cents, least, most, number, taka, when
from reports.render.recalculation_settling import Settling


def write_receipts(
    book: Any, styles: dict[str, Any], sheet: Recalculation, as_of: Formula
) -> tuple[Page, dict[int, Formula]]:
    """Every receipt and reversal as booked, and the amounts that count, by receipt."""
    page = Page(book, "Receipts", styles, (8, 13, 19, 26, 10, 12, 19, 19, 19, 19, 19, 19, 14))
    page.heads(
        (
            *(_("Receipt"), _("Value date"), _("Amount"), _("Reference"), _("Booking"), _("Stands")),
            *(_("Counts"), _("Settled at once"), _("Kept as advance"), _("Kept before")),
            *(_("In all"), _("As booked"), _("Difference")),
        )
    )
    counts = {}
    for row, receipt in enumerate(sheet.receipts, start=2):
        page.given(row, "A", row - 1, "count")
        page.day(row, "B", receipt.on)
        amount = page.given(row, "C", taka(receipt.minor))
        page.text(row, "D", receipt.reference)
        page.given(row, "E", receipt.booking, "count")
        page.given(row, "F", int(receipt.stands), "count")
        counting = f"AND(B{row}<={as_of.text},F{row}=1)"
        holds = receipt.on <= sheet.as_of and receipt.stands
        counts[receipt.pk] = page.works(row, "G", when(counting, holds, amount, number(0)))
    return page, counts


def close_receipts(
    page: Page, sheet: Recalculation, settling: Settling
) -> tuple[dict[int, tuple[Formula, Formula]], list[Fraction]]:
    """What each receipt settled at once and what it left as an advance; from and to where its advance lies
    when all advances are laid end to end, by receipt; and the differences from the books."""
    last_piece = max(len(sheet.allocations) + 1, 2)
    found, before = {}, number(0)
    differences: list[Fraction] = []
    booked = defaultdict[int, Fraction](Fraction)
    for piece in sheet.allocations:
        if piece.source == Source.RECEIPT:
            booked[piece.receipt] += taka(piece.minor)
    source = _source_words(sheet, Source.RECEIPT)
    for row, receipt in enumerate(sheet.receipts, start=2):
        span = f"Settling!$L$2:$L${settling.last},Settling!$B$2:$B${settling.last}"
        at_once = Formula(f"SUMIFS({span},A{row})", settling.of_receipt.get(receipt.pk, Fraction(0)))
        paid = page.works(row, "H", cents(at_once))
        counts = taka(receipt.minor) if receipt.on <= sheet.as_of and receipt.stands else Fraction(0)
        kept = page.works(row, "I", cents(Formula(f"G{row}", counts) - paid))
        earlier = page.works(row, "J", before)
        before = cents(earlier + kept)
        found[receipt.pk] = (earlier, kept)
        total = page.works(row, "K", cents(paid + kept))
        pieces = f"Allocations!$G$2:$G${last_piece},Allocations!$B$2:$B${last_piece},A{row}"
        text = f'SUMIFS({pieces},Allocations!$D$2:$D${last_piece},"{source}")'
        stands = page.works(row, "L", cents(Formula(text, booked.get(receipt.pk, Fraction(0)))))
        differences.append(page.works(row, "M", cents(total - stands)).value)
    page.stand_out("M", len(sheet.receipts) + 1)
    return found, differences


def write_allocations(book: Any, styles: dict[str, Any], sheet: Recalculation) -> Page:
    """Live rows of settlement as booked; what settled without money is a decision of people, and given."""
    page = Page(book, "Allocations", styles, (13, 9, 26, 16, 11, 18, 19, 16, 19, 14, 9))
    page.heads(
        (
            *(_("Value date"), _("Receipt"), _("Reference"), _("Source"), _("Instalment"), _("Component")),
            *(_("Amount"), _("Booking"), _("Recomputed"), _("Difference"), _("May be late")),
        )
    )
    numbers = {receipt.pk: at for at, receipt in enumerate(sheet.receipts, start=1)}
    references = {receipt.pk: receipt.reference for receipt in sheet.receipts}
    for row, piece in enumerate(sheet.allocations, start=2):
        page.day(row, "A", piece.on)
        page.given(row, "B", numbers.get(piece.receipt, 0), "count")
        page.text(row, "C", references.get(piece.receipt, ""))
        page.text(row, "D", piece.source_words)
        page.given(row, "E", piece.instalment, "count")
        page.text(row, "F", sheet.labels[piece.component])
        page.given(row, "G", taka(piece.minor))
        page.text(row, "H", piece.bookings)
        page.given(row, "K", int(piece.component in (INTEREST, PRINCIPAL)), "count")
    return page


def close_allocations(
    page: Page, sheet: Recalculation, settling: Settling, kept: dict[int, tuple[Formula, Formula]]
) -> list[Fraction]:
    """Each booked row worked out anew: from the sheet of settlement, and of advances from whose turn it was.

    Returns the differences.
    """
    differences = []
    used_by = defaultdict[tuple[int, object], list[Formula]](list)
    for row, piece in enumerate(sheet.allocations, start=2):
        if piece.source == Source.ADVANCE and piece.component != ADVANCE:
            formula = _of_advance(
                settling.used.get((piece.on, piece.instalment, piece.component), []),
                kept.get(piece.receipt, (number(0), number(0))),
            )
            used_by[piece.receipt, piece.on].append(page.works(row, "I", cents(formula)))
    for row, piece in enumerate(sheet.allocations, start=2):
        if piece.source >= Source.WAIVER:
            continue
        if piece.component == ADVANCE and piece.source == Source.RECEIPT:
            own = kept.get(piece.receipt, (number(0), number(0)))[1]
            again = page.works(row, "I", own)
        elif piece.component == ADVANCE:
            taken = used_by[piece.receipt, piece.on]
            again = page.works(row, "I", cents(number(0) - _sum(taken)))
        elif piece.source == Source.RECEIPT:
            again = page.works(row, "I", _at_once(settling, piece.receipt, piece, row))
        else:
            value = next(cell for cell in used_by[piece.receipt, piece.on] if cell.text.endswith(f"!I{row}"))
            again = value
        differs = page.works(row, "J", cents(again - Formula(f"G{row}", taka(piece.minor))))
        differences.append(differs.value)
    page.stand_out("J", len(sheet.allocations) + 1)
    return differences


def _at_once(settling: Settling, receipt: int, piece: Any, row: int) -> Formula:
    """What a receipt settled of an instalment and component, from the sheet of settlement."""
    span = {letter: f"Settling!${letter}$2:${letter}${settling.last}" for letter in "BEFL"}
    text = f"SUMIFS({span['L']},{span['B']},B{row},{span['E']},E{row},{span['F']},F{row})"
    value = settling.at_once.get((receipt, piece.instalment, piece.component), Fraction(0))
    return cents(Formula(text, value))


def _of_advance(stretches: Sequence[tuple[Formula, Formula]], kept: tuple[Formula, Formula]) -> Formula:
    """What of these stretches of all advances lies in the advance of one receipt."""
    before, own = kept
    end = before + own
    return _sum([most(number(0), least(after, end) - most(start, before)) for start, after in stretches])


def _sum(parts: Sequence[Formula]) -> Formula:
    total = number(0)
    for at, part in enumerate(parts):
        total = total + part if at else part
    return Formula(f"({total.text})", total.value) if len(parts) > 1 else total


def _source_words(sheet: Recalculation, source: Source) -> str:
    """How the books call a source; any word will do where no row has it."""
    return next((row.source_words for row in sheet.allocations if row.source == source), "-")
