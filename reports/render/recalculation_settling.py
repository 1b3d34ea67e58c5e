"""The sheet that settles anew: event by event, what each sum of money meets and why, in the loan's own order.

An event is a receipt, or a day on which an advance meets what falls due. Its rows are the dues it may meet,
in order of rank; each row takes what is left of the money. Which rows to list is our own reading of the
order; that the order is kept and that no due was left out are formulas again (columns M and N).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.allocation import Grid, Order, Source, Timing
from calc.money import OWED
from reports.builders.recalculation_rows import ADVANCE, RECOVERY, REFUND, Recalculation, ReceiptRow
from reports.render.recalculation_cells import (
    Formula,
    Page,
    cents,
    least,
    most,
    number,
    taka,
    when,
)
from reports.render.recalculation_dues import DueCells

KINDS = (*(int(kind) for kind in OWED), REFUND, RECOVERY)
_LETTERS = "BCDEFG"


@dataclass(frozen=True, slots=True)
class OrderCells:
    """The sheet of ranks: for receipts in rows 4 to 6, for advances in rows 10 to 12; blank: not met."""

    ranks: dict[tuple[bool, Timing, int], int]
    places: dict[int, int]
    settles_early: bool

    def rank(self, row: int, *, by_advance: bool) -> str:
        """The rank of a row of the sheet of settlement, by its timing and component."""
        top = 10 if by_advance else 4
        return f"INDEX(Order!$B${top}:$G${top + 2},H{row},MATCH(F{row},Order!$B$3:$G$3,0))"


def write_order(book: Any, styles: dict[str, Any], sheet: Recalculation) -> OrderCells:
    """The order of the agreement as a table of ranks: the lower goes first, of equals the older."""
    page = Page(book, "Order", styles, (30, 16, 16, 16, 16, 16, 16))
    ranks = _ranks(sheet.rule)
    timings = {
        Timing.PAST_DUE: _("Past due"),
        Timing.DUE: _("Due that day"),
        Timing.IN_ADVANCE: _("In advance"),
    }
    page.text(
        1,
        "A",
        _("Rank in which money settles: the lower first, of equals the older due; blank: not met"),
        "muted",
    )
    for by_advance, top, words in ((False, 3, _("A receipt meets")), (True, 9, _("An advance meets"))):
        page.text(top, "A", words, "head")
        for letter, kind in zip(_LETTERS, KINDS, strict=True):
            page.text(top, letter, sheet.labels[kind], "head")
        for row, (timing, said) in enumerate(timings.items(), start=top + 1):
            page.text(row, "A", said)
            for letter, kind in zip(_LETTERS, KINDS, strict=True):
                rank = ranks.get((by_advance, timing, kind))
                if rank is None:
                    page.text(row, letter, "")
                else:
                    page.given(row, letter, rank, "count")
    early = isinstance(sheet.rule, Grid) and sheet.rule.settles_in_advance
    return OrderCells(ranks, {kind: at for at, kind in enumerate(KINDS)}, early)


def _ranks(rule: Order | Grid) -> dict[tuple[bool, Timing, int], int]:
    """docs/arithmetic.md section 9, as plain numbers: written anew here, for it is what is being checked."""
    fallen = (Timing.PAST_DUE, Timing.DUE)
    if isinstance(rule, Grid):
        owed = {(timing, int(kind)): at for at, (timing, kind) in enumerate(rule.cells, start=1)}
    elif rule is Order.BY_COMPONENT:
        owed = {(timing, int(kind)): at for timing in fallen for at, kind in enumerate(OWED, start=1)}
    elif rule is Order.PRINCIPAL_FIRST:
        owed = {(timing, int(kind)): at for timing in fallen for at, kind in enumerate(OWED[::-1], start=1)}
    else:
        owed = {(timing, int(kind)): 1 for timing in fallen for kind in OWED}
    ranks = {(payer, *cell): rank for payer in (False, True) for cell, rank in owed.items()}
    for timing in fallen:
        ranks[True, timing, REFUND] = -1
        ranks |= {(payer, timing, RECOVERY): 0 for payer in (False, True)}
    return ranks


@dataclass(slots=True)
class Settling:
    """What the sheet found. Amounts in taka.

    ``kept`` is what a receipt left as an advance; ``used`` the stretches of all advances, laid end to end,
    that a day's due took, by day, instalment and component.
    """

    last: int = 1
    settled: dict[tuple[int, int], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    at_once: dict[tuple[int, int, int], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    of_receipt: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    used: dict[tuple[date, int, int], list[tuple[Formula, Formula]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    held: Formula = field(default_factory=lambda: number(0))
    booked_differ: list[Fraction] = field(default_factory=list)
    out_of_order: list[Fraction] = field(default_factory=list)
    left_out: list[Fraction] = field(default_factory=list)


def write_settling(
    book: Any,
    styles: dict[str, Any],
    sheet: Recalculation,
    dues: Sequence[DueCells],
    order: OrderCells,
    receipts: dict[int, Formula],
) -> Settling:
    """Settle every receipt of value by the date, oldest first, as nobody had before."""
    page = Page(
        book,
        "Settling",
        styles,
        (13, 9, 19, 8, 11, 18, 13, 9, 8, 19, 19, 19, 9, 14, 19, 19, 19, 14, 19, 19),
    )
    page.heads(
        (
            *(_("Day"), _("Receipt"), _("Money"), _("Row of dues"), _("Instalment"), _("Component")),
            *(_("Late date"), _("Timing"), _("Rank"), _("Open"), _("Goes before"), _("Settled")),
            *(_("Out of order"), _("Left out"), _("Held afterwards"), _("In all"), _("As booked")),
            *(_("Difference"), _("Advances used before"), _("Advances used after")),
        )
    )
    writer = _Writer(page, sheet, dues, order, receipts)
    for day, receipt in _events(sheet, dues, order):
        writer.event(day, receipt)
    writer.found.last = max(writer.row - 1, 2)
    page.stand_out("MNR", writer.found.last)
    return writer.found


def _events(
    sheet: Recalculation, dues: Sequence[DueCells], order: OrderCells
) -> Iterator[tuple[date, ReceiptRow | None]]:
    """Days on which something falls due, and receipts, in time; what falls due on a day comes first."""
    days = {due.late_on for due in dues if due.net.value}
    if order.settles_early:
        days |= {due.from_on for due in dues if due.net.value}
    times: list[tuple[date, int, ReceiptRow | None]] = [(day, 0, None) for day in days]
    times += [(row.on, row.pk, row) for row in sheet.receipts if row.stands]
    for day, _number, receipt in sorted(times, key=lambda event: event[:2]):
        if day <= sheet.as_of:
            yield day, receipt


class _Writer:
    """The sheet while it is written: what of each due is still open, and what is held."""

    def __init__(
        self,
        page: Page,
        sheet: Recalculation,
        dues: Sequence[DueCells],
        order: OrderCells,
        receipts: dict[int, Formula],
    ) -> None:
        self._page, self._sheet, self._dues, self._order, self._receipts = page, sheet, dues, order, receipts
        self._open = [due.net for due in dues]
        self._used = number(0)
        self._has_refunds = any(due.component == REFUND for due in dues)
        self._numbers = {row.pk: at for at, row in enumerate(sheet.receipts, start=1)}
        self.row = 2
        self.found = Settling()

    def event(self, day: date, receipt: ReceiptRow | None) -> None:
        """A receipt; or, where something is held, what it meets of what falls due."""
        if receipt is not None:
            self._pay(day, receipt)
            if not (self._has_refunds and self.found.held.value):
                return
        if self.found.held.value:
            self._pay(day, None)

    def _payable(self, day: date, *, by_advance: bool) -> list[tuple[tuple[int, int], int]]:
        """Dues that are open and may be met, as they rank: (rank, timing) and position."""
        found = []
        for at, due in enumerate(self._dues):
            if self._open[at].value <= 0:
                continue
            timing = Timing.PAST_DUE if due.late_on < day else Timing.IN_ADVANCE
            timing = Timing.DUE if due.late_on == day else timing
            rank = self._order.ranks.get((by_advance, timing, due.component))
            if rank is None or (timing is Timing.IN_ADVANCE and due.from_on > day):
                continue
            found.append(((rank, int(timing)), at))
        return sorted(found, key=lambda one: (one[0][0], one[1]))

    def _pay(self, day: date, receipt: ReceiptRow | None) -> None:
        rows = self._payable(day, by_advance=receipt is None)
        if receipt is None and not rows:
            return
        page, first, found = self._page, self.row, self.found
        number_of = self._numbers[receipt.pk] if receipt else 0
        money_of = self._receipts[receipt.pk] if receipt else found.held
        taken, listed, key = Fraction(0), Fraction(0), ""
        for at, ((rank, timing), place) in enumerate(rows or [((0, 0), -1)]):
            row = self.row
            page.day(row, "A", day)
            page.given(row, "B", number_of, "count")
            money = page.works(row, "C", money_of if not at else Formula(f"C{row - 1}", money_of.value))
            self.row += 1
            if place < 0:
                page.given(row, "L", 0)
                continue
            due, here = self._dues[place], f"Dues!{{}}{self._dues[place].row}"
            page.given(row, "D", due.row, "count")
            page.works(row, "E", Formula(here.format("A"), Fraction(due.instalment)), "count")
            page.says(row, "F", here.format("B"), self._sheet.labels[due.component])
            page.works(row, "G", due.late, "date")
            now = f"IF(G{row}<A{row},1,IF(G{row}=A{row},2,3))"
            page.works(row, "H", Formula(now, Fraction(timing + 1)), "count")
            ranked = Formula(self._order.rank(row, by_advance=receipt is None), Fraction(rank))
            page.works(row, "I", ranked, "count")
            still = page.works(row, "J", cents(self._open[place]))
            before = Formula(f"SUM(J${first}:J{row - 1})", listed) if at else number(0)
            before = page.works(row, "K", cents(before))
            paid = page.works(row, "L", cents(most(number(0), least(still, money - before))))
            self._open[place] = Formula(f"{still.text}-{paid.text}", still.value - paid.value, 1)
            mine = self._key(row)
            if key:
                kept = page.works(row, "M", when(f"{mine}>{key}", True, number(0), number(1)), "count")
                self.found.out_of_order.append(kept.value)
            key, listed = mine, listed + still.value
            self._note(day, receipt, due, paid)
            taken += paid.value
        self._close(first, day, receipt, money_of, taken)

    def _key(self, row: int) -> str:
        """Rank, late date, instalment and component of a row in one number."""
        place = f"MATCH(F{row},Order!$B$3:$G$3,0)"
        return f"(I{row}*10^11+G{row}*10^6+E{row}*10+{place})"

    def _note(self, day: date, receipt: ReceiptRow | None, due: DueCells, paid: Formula) -> None:
        key = (due.instalment, due.component)
        self.found.settled[key] += paid.value
        if receipt is not None:
            self.found.at_once[receipt.pk, *key] += paid.value
            self.found.of_receipt[receipt.pk] += paid.value
            return
        row = self.row - 1
        before = self._page.works(row, "S", self._used)
        after = self._page.works(row, "T", cents(before + paid))
        self._used = after
        self.found.used[day, *key].append((before, after))

    def _close(
        self,
        first: int,
        day: date,
        receipt: ReceiptRow | None,
        money: Formula,
        taken: Fraction,
    ) -> None:
        """On the last row of an event: is anything left out, what is held, what is booked of it."""
        page, last = self._page, self.row - 1
        missing = f"ROUND({self._owed(last, receipt, first)}-SUM(J{first}:J{last}),2)"
        self.found.left_out.append(page.works(last, "N", Formula(missing, Fraction(0))).value)
        paid = Formula(f"SUM(L{first}:L{last})", taken)
        held = self.found.held + money - paid if receipt is not None else self.found.held - paid
        self.found.held = page.works(last, "O", cents(held))
        total = page.works(last, "P", cents(paid))
        booked = sum(
            row.minor
            for row in self._sheet.allocations
            if row.component != ADVANCE
            and (
                (row.source == Source.RECEIPT and row.receipt == receipt.pk)
                if receipt is not None
                else (row.source == Source.ADVANCE and row.on == day)
            )
        )
        size = max(len(self._sheet.allocations) + 1, 2)
        span = {letter: f"Allocations!${letter}$2:${letter}${size}" for letter in "ABDFG"}
        advance = self._sheet.labels[ADVANCE]
        source = next(
            (row.source_words for row in self._sheet.allocations if row.source == Source.ADVANCE), ""
        )
        name = f'"{advance}"'
        if receipt is not None:
            text = (
                f'SUMIFS({span["G"]},{span["B"]},B{last},{span["F"]},"<>"&{name},{span["D"]},'
                f'"<>{source or "-"}")'
            )
        else:
            text = f'SUMIFS({span["G"]},{span["A"]},A{last},{span["F"]},"<>"&{name},{span["D"]},"{source}")'
        stands = page.works(last, "Q", cents(Formula(text, taka(booked))))
        differs = page.works(last, "R", cents(total - stands))
        self.found.booked_differ.append(differs.value)

    def _owed(self, last: int, receipt: ReceiptRow | None, first: int) -> str:
        """All that is open on the day and may be met, summed from the dues and from what went before."""
        size = max(len(self._dues) + 1, 2)
        span = {letter: f"Dues!${letter}$2:${letter}${size}" for letter in "BCDI"}
        if receipt is not None and self._has_refunds:  # only advances meet a refund
            label = f'"<>{self._sheet.labels[REFUND]}"'
            text = f'SUMIFS({span["I"]},{span["C"]},"<="&A{last},{span["B"]},{label})'
            before = f"SUMIFS(L$1:L{first - 1},F$1:F{first - 1},{label})"
        else:
            text = f'SUMIFS({span["I"]},{span["C"]},"<="&A{last})'
            before = f"SUM(L$1:L{first - 1})"
        if self._order.settles_early:
            text += f'+SUMIFS({span["I"]},{span["C"]},">"&A{last},{span["D"]},"<="&A{last})'
        return f"{text}-{before}"
