"""Cells of the auditor's workbook: each is a spreadsheet formula and what it comes to, made together.

A spreadsheet program that does not recalculate on opening shows the stored results, so every formula is
written with its result. Both come from one expression in exact numbers; none from the engine under audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from calc.daycount import DayCount, year_fraction
from calc.money import Rounding, RoundingMode, round_ratio
from daybook.exports import money_style
from reports.render.xlsx import FONT, make_styles

DAY_ZERO = date(1899, 12, 30)  # day 0 of spreadsheets
SURE = 7
"""Decimals that a spreadsheet's numbers surely hold of an amount; what lies beyond is noise of its own."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula without its sign of equality, and its value; amounts in taka, dates as day numbers.

    ``binds`` is 1 for a sum, 2 for a product, 9 for what needs no brackets.
    """

    text: str
    value: Fraction
    binds: int = 9

    def __add__(self, other: Formula) -> Formula:
        return Formula(f"{self.text}+{other.text}", self.value + other.value, 1)

    def __sub__(self, other: Formula) -> Formula:
        return Formula(f"{self.text}-{_in(other, 2)}", self.value - other.value, 1)

    def __mul__(self, other: Formula) -> Formula:
        return Formula(f"{_in(self, 2)}*{_in(other, 2)}", self.value * other.value, 2)

    def __truediv__(self, other: Formula) -> Formula:
        return Formula(f"{_in(self, 2)}/{_in(other, 9)}", self.value / other.value, 2)


def _in(part: Formula, least: int) -> str:
    return part.text if part.binds >= least else f"({part.text})"


def number(value: int | Decimal | Fraction) -> Formula:
    """A number written into a formula."""
    exact = Fraction(value)
    if exact.denominator == 1:
        return Formula(str(exact), exact, 9 if exact >= 0 else 1)
    return Formula(f"{exact.numerator}/{exact.denominator}", exact, 2 if exact >= 0 else 1)


def taka(minor: int) -> Fraction:
    """Minor units as the sheets write them."""
    return Fraction(int(minor), 100)


def serial(day: date) -> int:
    """The number by which spreadsheets know a day."""
    return (day - DAY_ZERO).days


def added(parts: Sequence[Formula]) -> Formula:
    """The sum of a few cells; 0 of none."""
    total = number(0) if not parts else parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def least(*parts: Formula) -> Formula:
    """The least of some."""
    return Formula(f"MIN({','.join(part.text for part in parts)})", min(part.value for part in parts))


def most(*parts: Formula) -> Formula:
    """The greatest of some."""
    return Formula(f"MAX({','.join(part.text for part in parts)})", max(part.value for part in parts))


def when(condition: str, holds: bool, then: Formula, otherwise: Formula) -> Formula:
    """One of two, by a condition written as a formula that ``holds`` or not."""
    return Formula(f"IF({condition},{then.text},{otherwise.text})", (then if holds else otherwise).value)


def cents(part: Formula) -> Formula:
    """An amount freed of the noise of the spreadsheet's own numbers; it has no part below the poisha."""
    return Formula(f"ROUND({part.text},2)", part.value)


def rounded(part: Formula, rounding: Rounding) -> Formula:
    """An exact amount rounded as its contract says: to a poisha, a taka, 5 or 10; half up, half even, up,
    down.

    What lies beyond the seventh decimal is cut off first: there a spreadsheet's numbers are not exact.
    """
    exact = part.value * 100
    value = taka(round_ratio(exact.numerator, exact.denominator, rounding))
    quantum = Fraction(rounding.quantum_minor, 100)
    places = {Fraction(1, 100): 2, Fraction(1, 10): 1, Fraction(1): 0}.get(quantum)
    sure = f"ROUND({part.text},{SURE})"
    name = {RoundingMode.UP: "ROUNDUP", RoundingMode.DOWN: "ROUNDDOWN"}.get(rounding.mode, "ROUND")
    if places is not None and rounding.mode is not RoundingMode.HALF_EVEN:
        return Formula(f"{name}({sure},{places})", value)
    step = number(quantum).text if quantum.denominator == 1 else f"({number(quantum).text})"
    whole = f"{name}({sure}/{step},0)"
    if rounding.mode is RoundingMode.HALF_EVEN:  # half up, less one where that is odd and a half decided
        whole = f"({whole}-IF(ABS(MOD({sure}/{step},2)-1/2)<1/1000000,1,0))"
    return Formula(f"ROUND({whole}*{step},2)", value)


# Part of a year from cell {a} to cell {b}. Sources: calc/daycount.py names them.
YEAR_PART = {
    DayCount.ACT_360: "({b}-{a})/360",
    DayCount.ACT_364: "({b}-{a})/364",
    DayCount.ACT_365F: "({b}-{a})/365",
    DayCount.THIRTY_360: "(360*(YEAR({b})-YEAR({a}))+30*(MONTH({b})-MONTH({a}))"
    "+IF(AND(DAY({b})=31,DAY({a})>=30),30,DAY({b}))-MIN(DAY({a}),30))/360",
    DayCount.THIRTY_E_360: "(360*(YEAR({b})-YEAR({a}))+30*(MONTH({b})-MONTH({a}))"
    "+MIN(DAY({b}),30)-MIN(DAY({a}),30))/360",
    DayCount.ACT_ACT: "IF(YEAR({a})=YEAR({b}),({b}-{a})/(DATE(YEAR({a})+1,1,1)-DATE(YEAR({a}),1,1)),"
    "(DATE(YEAR({a})+1,1,1)-{a})/(DATE(YEAR({a})+1,1,1)-DATE(YEAR({a}),1,1))+YEAR({b})-YEAR({a})-1"
    "+({b}-DATE(YEAR({b}),1,1))/(DATE(YEAR({b})+1,1,1)-DATE(YEAR({b}),1,1)))",
}
_MONTHS = "(12*(YEAR({b})-YEAR({a}))+MONTH({b})-MONTH({a}))"
_AT_ENDS = "AND(DAY({a}+1)=1,DAY({b}+1)=1)"
_WHOLE = f"({_MONTHS}-IF(AND(NOT({_AT_ENDS}),EDATE({{a}},{_MONTHS})>{{b}}),1,0))"
_BROKEN = f"IF({_AT_ENDS},0,({{b}}-EDATE({{a}},{_WHOLE}))/(EDATE({{a}},{_WHOLE}+1)-EDATE({{a}},{_WHOLE})))"
YEAR_PART[DayCount.MONTHLY_12] = f"({_WHOLE}+{_BROKEN})/12"
_REACHED = f"({_MONTHS}-IF(EDATE({{a}},{_MONTHS})>{{b}},1,0))"
SINCE_LATE = (
    f"({_REACHED}+({{b}}-EDATE({{a}},{_REACHED}))/(EDATE({{a}},{_REACHED}+1)-EDATE({{a}},{_REACHED})))/12"
)
"""Months since a late date as lateness counts them, the month broken into by its days: over 12."""


def year_part(start: Formula, end: Formula, from_on: date, to_on: date, day_count: DayCount) -> Formula:
    """The part of a year between two cells."""
    text = YEAR_PART[day_count].format(a=start.text, b=end.text)
    return Formula(text, year_fraction(from_on, to_on, day_count), 2 if text.startswith("(") else 9)


def rounding_words(rounding: Rounding) -> str:
    """How an amount is rounded, in words."""
    modes = {
        "half_up": _("nearest, a half up"),
        "half_even": _("nearest, a half to the even"),
        "up": _("up"),
        "down": _("down"),
    }
    step = f"{rounding.quantum_minor // 100}" if rounding.quantum_minor % 100 == 0 else None
    return f"{step or f'0.{rounding.quantum_minor:02d}'}: {modes[str(rounding.mode)]}"


def sheet_styles(book: Any) -> dict[str, Any]:
    """The styles of the workbook: those of every export, and parts of a year."""
    line = {"font_name": FONT, "font_size": 10, "valign": "top", "border": 1, "border_color": "#D5DAE0"}
    return make_styles(book) | {
        "wrong": book.add_format({"bg_color": "#F8D7DA", "font_color": "#8A1C27", "bold": True}),
        "part": book.add_format({**line, "num_format": "0.00000000"}),
        "text": book.add_format({**line, "align": "left", "indent": 1}),
        "date": book.add_format({**line, "num_format": "dd mmm yyyy", "align": "left", "indent": 1}),
    }


class Page:
    """One sheet while it is written: rows count from 1, as the reader sees them; columns go by letter."""

    def __init__(self, book: Any, name: str, styles: dict[str, Any], widths: Sequence[int] = ()) -> None:
        self.name, self._styles = name, styles
        self._heads: dict[int, tuple[int, str]] = {}
        self.sheet = book.add_worksheet(name)
        self.sheet.set_landscape()
        self.sheet.set_paper(8 if len(widths) > 8 else 9)  # A3 for the wide ones
        self.sheet.fit_to_pages(1, 0)
        for at, width in enumerate(widths):
            self.sheet.set_column(at, at, width)

    def heads(self, labels: Sequence[str], *, row: int = 1) -> None:
        """The head row, which stays in view."""
        for at, label in enumerate(labels):
            self.sheet.write_string(row - 1, at, label, self._styles["head"])
            self._heads[at] = (row - 1, label)
        self.sheet.freeze_panes(row, 0)
        self.sheet.repeat_rows(row - 1)

    def text(self, row: int, column: str, words: str, style: str = "text") -> None:
        """Words."""
        self.sheet.write_string(row - 1, at_column(column), words, self._styles[style])

    def day(self, row: int, column: str, on: date) -> Formula:
        """A date given."""
        self.sheet.write_datetime(row - 1, at_column(column), on, self._styles["date"])
        return Formula(f"{self.name}!{column}{row}", Fraction(serial(on)))

    def given(self, row: int, column: str, value: int | Decimal | Fraction, style: str = "money") -> Formula:
        """A number of the books or of the contract."""
        exact = Fraction(value)
        self.sheet.write_number(
            row - 1, at_column(column), _decimal(exact), self._style(column, style, exact)
        )
        return Formula(f"{self.name}!{column}{row}", exact)

    def works(self, row: int, column: str, formula: Formula, style: str = "money") -> Formula:
        """A formula with its result; cells of this sheet are named without it."""
        text = formula.text.replace(f"{self.name}!", "")
        shown = self._style(column, style, formula.value)
        self.sheet.write_formula(row - 1, at_column(column), f"={text}", shown, _decimal(formula.value))
        return Formula(f"{self.name}!{column}{row}", formula.value)

    def says(self, row: int, column: str, formula: str, words: str, style: str = "text") -> None:
        """A formula that gives words, or nothing."""
        text = formula.replace(f"{self.name}!", "")
        self.sheet.write_formula(row - 1, at_column(column), f"={text}", self._styles[style], words)

    def stand_out(self, columns: str, last: int, first: int = 2) -> None:
        """Differences that are not nothing stand out."""
        for column in columns:
            self.sheet.conditional_format(
                f"{column}{first}:{column}{max(last, first)}",
                {"type": "cell", "criteria": "!=", "value": 0, "format": self._styles["wrong"]},
            )

    def _style(self, column: str, style: str, value: Fraction) -> Any:
        """The style of a number; its column's head stands over it on the right."""
        head = self._heads.pop(at_column(column), None)
        if head is not None and style != "date":
            self.sheet.write_string(head[0], at_column(column), head[1], self._styles["head_right"])
        return money_style(self._styles, value) if style == "money" else self._styles[style]

    def span(self, column: str, last: int, first: int = 2) -> str:
        """Cells of a column, for sums by a condition."""
        return f"{self.name}!${column}${first}:${column}${max(last, first)}"


def at_column(letters: str) -> int:
    """The number of a column from 0; no sheet has more than 26."""
    return ord(letters) - ord("A")


def _decimal(value: Fraction) -> Decimal:
    """A value as the file stores it: cut to twelve decimals, more than its programs hold."""
    if value.denominator == 1:
        return Decimal(value.numerator)
    scaled = abs(value.numerator) * 10**12 // value.denominator
    return (Decimal(scaled) * (-1 if value < 0 else 1)).scaleb(-12).normalize() + Decimal(0)
