"""The sheets of the plans: every numbered version, and each of its periods with interest and principal again.

Dates, rate, rounding and method are terms of the contract; balances, interest, instalments and principal are
formulas. What a period holds in the books stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.daycount import year_fraction
from calc.interest import Segment
from calc.money import from_rate_units
from calc.schedule import GraceKind, InterestTo, Method, Period, Terms
from reports.builders.recalculation_rows import INTEREST, PRINCIPAL, Recalculation, VersionRow
from reports.render.recalculation_cells import (
    Formula,
    Page,
    added,
    cents,
    most,
    number,
    rounded,
    rounding_words,
    taka,
    year_part,
)
from reports.render.recalculation_repaid import flat_share, in_parts, repay


@dataclass(slots=True)
class Line:
    """A paying or grace period while it is written: its row and cells."""

    row: int
    period: Period
    balance: Formula
    rate: Formula
    part: Formula
    product: Formula
    interest: Formula = field(default_factory=lambda: number(0))


@dataclass(slots=True)
class PeriodSheets:
    """The two sheets, and what differed on them."""

    periods: Page
    versions: Page
    last: int = 1
    interest_differs: list[Fraction] = field(default_factory=list)
    principal_differs: list[Fraction] = field(default_factory=list)
    versions_differ: list[Fraction] = field(default_factory=list)


def write_versions(book: Any, styles: dict[str, Any], sheet: Recalculation) -> PeriodSheets:
    """Every version of the plan and its periods."""
    versions = Page(book, "Versions", styles, (9, 26, 13, 19, 19, 19, 19, 19, 14, 22, 19, 30, 30, 16, 10))
    versions.heads(
        (
            *(_("Version"), _("Cause"), _("From"), _("Lent, or taken back"), _("Added to principal")),
            *(_("Lent on top"), _("Moved in"), _("Principal of its plan"), _("Difference")),
            *(_("Instalments at their value today"), sheet.said.tell(_("Interest of the whole term"))),
            *(_("Instalment rounded"), sheet.said.tell(_("Interest rounded")), _("Day count"), _("Booking")),
        )
    )
    periods = Page(
        book,
        "Periods",
        styles,
        (9, 11, 13, 13, 8, 14, 19, 12, 19, 19, 19, 14, 19, 14, 12, 19, 19, 19, 14, 19, 30),
    )
    periods.heads(
        (
            *(_("Version"), _("Instalment"), _("From"), _("To"), _("Days"), _("Part of a year")),
            *(_("Balance"), _("Rate, percent a year"), _("Product"), str(sheet.said.interest)),
            *(_("As booked"), _("Difference"), _("Added to principal"), _("Worth today of 1")),
            *(_("Weight"), _("Instalment"), _("Principal"), _("As booked"), _("Difference")),
            *(_("Balance with what is added"), _("How")),
        )
    )
    sheets = PeriodSheets(periods, versions)
    writer = _Writer(sheets, sheet)
    for row, version in enumerate(sheet.versions, start=2):
        writer.version(row, version)
    sheets.last = max(writer.row - 1, 2)
    periods.stand_out("LS", sheets.last)
    versions.stand_out("I", len(sheet.versions) + 1)
    return sheets


class _Writer:
    """Both sheets while they are written."""

    def __init__(self, sheets: PeriodSheets, sheet: Recalculation) -> None:
        self._sheets, self._sheet = sheets, sheet
        self._page = sheets.periods
        self._plan = max(len(sheet.plan) + 1, 2)
        self.row = 2

    def version(self, row: int, version: VersionRow) -> None:
        """One version: that its principal adds up, then its periods."""
        self._head(row, version)
        planned: set[int] = set()
        if version.plan is not None and version.terms is not None:
            planned = {period.instalment for period in version.plan.periods}
        own = sorted(
            {
                due.instalment
                for due in self._sheet.plan
                if due.version == version.number
                and due.component in (INTEREST, PRINCIPAL)
                and not due.is_raised
            }
            - planned
        )
        for instalment in own:
            self._on_the_day(version, instalment, is_supplied=version.is_supplied)
        if version.plan is not None and version.terms is not None:
            self._plan_of(row, version, version.terms, version.plan.periods)

    def _head(self, row: int, version: VersionRow) -> None:
        page, sheet = self._sheets.versions, self._sheet
        page.given(row, "A", version.number, "count")
        page.text(row, "B", version.cause)
        page.day(row, "C", version.from_on)
        if version.number == 1:
            before = page.given(row, "D", taka(version.principal_minor))
        else:
            taken = sum(
                due.minor
                for due in sheet.plan
                if due.back_by == version.number and due.component == PRINCIPAL
            )
            text = self._summed("J", f"A{row}", PRINCIPAL)
            before = page.works(row, "D", cents(Formula(text, taka(taken))))
        parts = (
            page.given(row, "E", taka(version.capitalised_minor)),
            page.given(row, "F", taka(version.added_minor)),
            page.given(row, "G", taka(version.transferred_minor)),
        )
        own = sum(
            due.minor for due in sheet.plan if due.version == version.number and due.component == PRINCIPAL
        )
        planned = page.works(row, "H", cents(Formula(self._summed("A", f"A{row}", PRINCIPAL), taka(own))))
        differs = page.works(row, "I", cents(before + added(parts) - planned))
        self._sheets.versions_differ.append(differs.value)
        page.given(row, "O", version.booking, "count")
        if version.terms is not None:
            page.text(row, "L", rounding_words(version.terms.instalment_rounding))
            page.text(row, "M", rounding_words(version.terms.interest_rounding))
            page.text(row, "N", str(version.terms.day_count))

    def _summed(self, column: str, cell: str, component: int) -> str:
        """Planned dues of a component whose column of versions holds a number."""
        plan = self._plan
        return (
            f"SUMIFS(Plan!$G$2:$G${plan},Plan!${column}$2:${column}${plan},{cell},Plan!$K$2:$K${plan},0,"
            f'Plan!$C$2:$C${plan},"{self._sheet.labels[component]}")'
        )

    def _plan_of(self, row: int, version: VersionRow, terms: Terms, periods: Sequence[Period]) -> None:
        """Every period of a version: first what it was owed when it began, then its own."""
        carried = [self._stretch(version, terms, part) for part in terms.carried]
        owed: Formula | None = added(carried) if carried else None
        if terms.carried_minor:
            extra = number(taka(terms.carried_minor))
            owed = owed + extra if owed else extra
        lines: list[Line] = []
        whole = None
        for at, period in enumerate(periods):
            if lines:
                last = f"Periods!{{}}{lines[-1].row}"
                opening = Formula(
                    f"ROUND({last.format('G')}+{last.format('M')}-{last.format('Q')},2)",
                    taka(period.opening_minor),
                )
            else:
                opening = number(taka(terms.principal_minor))
            line = self._open(version, terms, period, opening, lines)
            lines.append(line)
            if at + 1 == terms.grace_periods:
                self._grace(terms, lines, owed)
        if not terms.grace_periods:
            self._grace(terms, lines, owed)
        paying = lines[terms.grace_periods :]
        if terms.method is Method.FLAT:
            whole = self._whole_term(row, terms, paying, owed if not terms.grace_periods else None)
        self._interest(terms, lines, owed, whole)
        repay(self._page, self._sheets.versions, row, terms, lines, owed, whole)
        for line in lines:
            self._beside(version, line)

    def _stretch(self, version: VersionRow, terms: Terms, part: Segment) -> Formula:
        """Days before the version began, on a balance of their own; their interest falls due
        with the first."""
        page, row = self._page, self.row
        self.row += 1
        page.given(row, "A", version.number, "count")
        start, end = page.day(row, "C", part.from_on), page.day(row, "D", part.to_on)
        page.works(row, "E", end - start, "count")
        share = page.works(row, "F", _part(start, end, part, terms), "part")
        held = page.given(row, "G", taka(part.balance_minor))
        rate = page.given(row, "H", from_rate_units(part.rate_units), "rate")
        page.text(row, "U", _("owed when the version began"))
        return page.works(row, "I", held * rate / number(100) * share)

    def _open(
        self, version: VersionRow, terms: Terms, period: Period, opening: Formula, lines: Sequence[Line]
    ) -> Line:
        """The raw cells of a period and its product."""
        page, row = self._page, self.row
        self.row += 1
        parts = period.segments[len(terms.carried) :] if not lines else period.segments
        part = parts[-1] if parts else None
        page.given(row, "A", version.number, "count")
        page.given(row, "B", period.instalment, "count")
        ends = period.due_on if terms.interest_to is InterestTo.ADJUSTED else period.nominal_on
        start = page.day(row, "C", part.from_on if part else ends)
        end = page.day(row, "D", part.to_on if part else ends)
        page.works(row, "E", end - start, "count")
        share = page.works(row, "F", _part(start, end, part, terms) if part else number(0), "part")
        balance = page.works(row, "G", opening)
        rate = page.given(row, "H", from_rate_units(part.rate_units) if part else terms.annual_rate, "rate")
        base = self._base(terms, balance, lines)
        product = page.works(row, "I", base * rate / number(100) * share)
        return Line(row, period, balance, rate, share, product)

    def _base(self, terms: Terms, balance: Formula, lines: Sequence[Line]) -> Formula:
        """What interest is counted on: the balance, of flat interest the whole amount always."""
        if terms.method is not Method.FLAT:
            return balance
        if terms.flat_on_minor:
            return number(taka(terms.flat_on_minor))
        return lines[terms.grace_periods].balance if len(lines) > terms.grace_periods else balance

    def _grace(self, terms: Terms, lines: Sequence[Line], owed: Formula | None) -> None:
        """What joins the principal in the periods before any principal falls due."""
        page, quiet = self._page, terms.silent_periods
        running: Formula | None = None
        for line in lines[: terms.grace_periods]:
            page.given(line.row, "M", 0)
        if terms.grace_kind is GraceKind.INTEREST_ADDED and quiet:
            products = added([line.product for line in lines[:quiet]])
            total = most(number(0), products + owed) if owed else products
            page.works(lines[quiet - 1].row, "M", rounded(total, terms.interest_rounding))
        elif terms.grace_kind is GraceKind.INTEREST_CAPITALISED:
            for at, line in enumerate(lines[:quiet]):
                start = running or line.balance
                grown = start * (number(1) + line.rate / number(100) * line.part)
                grown = grown + owed if owed and not at else grown
                running = page.works(line.row, "T", grown)
                joins = rounded(running, terms.interest_rounding) - line.balance
                page.works(line.row, "M", cents(joins))

    def _whole_term(self, row: int, terms: Terms, paying: Sequence[Line], owed: Formula | None) -> Formula:
        """Flat interest of the whole term, rounded once."""
        products = Formula(
            f"SUM(Periods!I{paying[0].row}:I{paying[-1].row})",
            sum((line.product.value for line in paying), Fraction(0)),
        )
        total = most(number(0), products + owed) if owed else products
        return self._sheets.versions.works(row, "K", rounded(total, terms.interest_rounding))

    def _interest(
        self, terms: Terms, lines: Sequence[Line], owed: Formula | None, whole: Formula | None
    ) -> None:
        """The interest that falls due at the end of each period, rounded as the contract says."""
        silent, rounding = terms.silent_periods, terms.interest_rounding
        for at, line in enumerate(lines):
            if at < silent:
                continue
            if whole is not None and at >= terms.grace_periods:
                continue
            exact = line.product
            if owed and not at:
                exact = most(number(0), owed + exact)
            line.interest = rounded(exact, rounding)
        if whole is not None:
            self._flat_shares(terms, lines[terms.grace_periods :], whole)
        if terms.grace_kind is GraceKind.INTEREST_DEFERRED:
            products = added([line.product for line in lines[: terms.quiet_periods]])
            waits = most(number(0), products + owed) if owed else products
            late = lines[terms.quiet_periods]
            late.interest = late.interest + rounded(waits, rounding)
        elif terms.grace_kind is GraceKind.INTEREST_WAIVED and silent and owed:
            lines[silent].interest = lines[silent].interest + rounded(most(number(0), owed), rounding)
        for line in lines[silent:]:
            line.interest = self._page.works(line.row, "J", line.interest)

    def _flat_shares(self, terms: Terms, paying: Sequence[Line], whole: Formula) -> None:
        """Flat interest in equal parts; the residue goes to the last or first."""
        share = flat_share(terms, whole, len(paying))
        for line, part in zip(paying, in_parts(terms, whole, share, len(paying)), strict=True):
            line.interest = part

    def _beside(self, version: VersionRow, line: Line) -> None:
        """What the books hold of a period, and the differences."""
        if not line.period.instalment:
            return
        if not self._sheet.is_daily:
            booked = self._booked(version, line.row, line.period.instalment, INTEREST, "K")
            differs = self._page.works(line.row, "L", cents(line.interest - booked))
            self._sheets.interest_differs.append(differs.value)
        booked = self._booked(version, line.row, line.period.instalment, PRINCIPAL, "R")
        principal = Formula(f"Q{line.row}", taka(line.period.principal_minor))
        differs = self._page.works(line.row, "S", cents(principal - booked))
        self._sheets.principal_differs.append(differs.value)

    def _booked(self, version: VersionRow, row: int, instalment: int, component: int, column: str) -> Formula:
        """What a version itself booked of an instalment and component."""
        plan = self._plan
        text = f"{self._summed('A', f'A{row}', component)[:-1]},Plan!$B$2:$B${plan},B{row})"
        minor = sum(
            due.minor
            for due in self._sheet.plan
            if (due.version, due.instalment, due.component) == (version.number, instalment, component)
            and not due.is_raised
        )
        return self._page.works(row, column, cents(Formula(text, taka(minor))))

    def _on_the_day(self, version: VersionRow, instalment: int, *, is_supplied: bool) -> None:
        """An instalment its version names by itself: on the day of the event, or as
        the institution supplied."""
        page = self._page
        products = [] if is_supplied else [self._stretch_to_event(version, part) for part in version.accrued]
        row = self.row
        self.row += 1
        page.given(row, "A", version.number, "count")
        page.given(row, "B", instalment, "count")
        due = next(
            due for due in self._sheet.plan if (due.version, due.instalment) == (version.number, instalment)
        )
        page.day(row, "D", due.late_on)
        booked = self._booked(version, row, instalment, INTEREST, "K")
        self._booked(version, row, instalment, PRINCIPAL, "R")
        if is_supplied:
            page.text(row, "U", _("supplied by the institution"))
            return
        page.text(row, "U", _("on the day of the event"))
        if not booked.value:
            return
        comes = self._accrued(version, row, products)
        if comes is not None:
            again = page.works(row, "J", comes)
            differs = page.works(row, "L", cents(again - booked))
            self._sheets.interest_differs.append(differs.value)

    def _accrued(self, version: VersionRow, row: int, products: Sequence[Formula]) -> Formula | None:
        """Interest that falls due with an event: what had accrued, and what falls due that day anyway."""
        if version.owes_all:
            taken = sum(
                due.minor
                for due in self._sheet.plan
                if due.back_by == version.number and due.component == INTEREST and not due.is_raised
            )
            return cents(Formula(self._summed("J", f"A{row}", INTEREST), taka(taken)))
        if version.accrued_rounding is None:
            return None
        exact = added([*products, number(taka(version.accrued_minor))])
        total = rounded(most(number(0), exact), version.accrued_rounding)
        if version.falls_due_minor:
            total = total + number(taka(version.falls_due_minor))
        return total

    def _stretch_to_event(self, version: VersionRow, part: Segment) -> Formula:
        """Days of the plan before, up to the event."""
        page, row = self._page, self.row
        self.row += 1
        page.given(row, "A", version.number, "count")
        start, end = page.day(row, "C", part.from_on), page.day(row, "D", part.to_on)
        page.works(row, "E", end - start, "count")
        share = page.works(row, "F", _part(start, end, part, version.accrued_terms), "part")
        held = page.given(row, "G", taka(part.balance_minor))
        rate = page.given(row, "H", from_rate_units(part.rate_units), "rate")
        page.text(row, "U", _("accrued by the day of the event"))
        return page.works(row, "I", held * rate / number(100) * share)


def _part(start: Formula, end: Formula, part: Segment, terms: Terms | None) -> Formula:
    """The part of a year: by the dates, or as the contract counts a broken period (92/360 is read so)."""
    if terms is not None:
        by_dates = year_fraction(part.from_on, part.to_on, terms.day_count)
        if by_dates == part.factor:
            return year_part(start, end, part.from_on, part.to_on, terms.day_count)
    return Formula(f"{part.numerator}/{part.denominator}", part.factor, 2)
