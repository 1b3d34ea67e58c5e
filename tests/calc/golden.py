"""Schedules as tables that a finance officer can read, check with a calculator and sign.

`python -m tests.calc.golden` writes them anew; a change in them is a change in what people owe.
"""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode, from_rate_units
from calc.schedule import GraceKind, InterestTo, LevelFrom, Method, Residue, Schedule, Terms, build_schedule
from tests.calc.event_stories import EVENTS
from tests.calc.raising_stories import RAISED
from tests.calc.stories import STORIES, grouped

FOLDER = Path(__file__).resolve().parents[1] / "golden"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "arithmetic.md"
CALENDAR = BusinessCalendar(holidays=frozenset({date(2025, 4, 14), date(2025, 12, 16), date(2026, 3, 26)}))
TEN_LAKH = 10_00_000_00

CASES: dict[str, tuple[str, Terms]] = {
    "equal_instalment_42_months": (
        "Sub-loan of RF-2: 10,00,000.00 at 6 % over 42 equal monthly instalments, monthly/12",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=42, principal_minor=TEN_LAKH,
            annual_rate=Decimal(6), disbursed_on=date(2025, 1, 15),
        ),
    ),
    "grace_interest_paid": (
        "10,00,000.00 at 6 %: 6 months of grace with interest paid, then 12 equal instalments",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=12, grace_periods=6,
            grace_kind=GraceKind.INTEREST_PAID, principal_minor=TEN_LAKH, annual_rate=Decimal(6),
            disbursed_on=date(2025, 1, 15),
        ),
    ),
    "grace_interest_added": (
        "10,00,000.00 at 6 %: simple interest of 6 months of grace added, then 42 equal instalments",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=42, grace_periods=6,
            grace_kind=GraceKind.INTEREST_ADDED, principal_minor=TEN_LAKH, annual_rate=Decimal(6),
            disbursed_on=date(2025, 1, 15),
        ),
    ),
    "grace_interest_capitalised": (
        "10,00,000.00 at 6 %: interest of 6 months of grace capitalised monthly, then 42 equal instalments",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=42, grace_periods=6,
            grace_kind=GraceKind.INTEREST_CAPITALISED, principal_minor=TEN_LAKH, annual_rate=Decimal(6),
            disbursed_on=date(2025, 1, 15),
        ),
    ),
    "wholesale_quarterly_equal_principal": (
        "Wholesale loan of 5,00,00,000.00 at 2 %, 10 equal quarterly principals after 2 of grace, actual/360",
        Terms(
            method=Method.EQUAL_PRINCIPAL, instalments=10, grace_periods=2,
            grace_kind=GraceKind.INTEREST_PAID, frequency=Frequency.QUARTERLY, day_count=DayCount.ACT_360,
            roll=RollRule.FOLLOWING, interest_to=InterestTo.ADJUSTED, principal_minor=5_00_00_000_00,
            annual_rate=Decimal(2), disbursed_on=date(2025, 1, 14),
        ),
    ),
    "month_end_actual_365": (
        "3,00,000.00 at 9 % over 12 equal instalments due on the last day of the month, actual/365",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=12, due_day=31, day_count=DayCount.ACT_365F,
            principal_minor=3_00_000_00, annual_rate=Decimal(9), disbursed_on=date(2025, 1, 31),
        ),
    ),
    "instalment_rounded_up_to_a_taka": (
        "2,50,000.00 at 4 % over 24 equal instalments, each rounded up to the whole taka, long first period",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=24, principal_minor=2_50_000_00,
            annual_rate=Decimal(4), disbursed_on=date(2025, 1, 20), first_due_on=date(2025, 3, 5),
            instalment_rounding=Rounding(RoundingMode.UP, 100),
        ),
    ),
    "flat_12_months": (
        "1,00,000.00 flat at 10 % over 12 instalments, the residue in the first",
        Terms(
            method=Method.FLAT, instalments=12, principal_minor=1_00_000_00, annual_rate=Decimal(10),
            disbursed_on=date(2025, 2, 1), residue=Residue.FIRST,
        ),
    ),
    "bullet_quarterly": (
        "50,00,000.00 at 7 %, interest each quarter and the principal after a year, 30/360",
        Terms(
            method=Method.BULLET, instalments=4, frequency=Frequency.QUARTERLY,
            day_count=DayCount.THIRTY_360, principal_minor=50_00_000_00, annual_rate=Decimal(7),
            disbursed_on=date(2025, 3, 10),
        ),
    ),
    "step_up_every_4_months": (
        "2,00,000.00 at 8 % over 12 instalments that grow by 10 % after every 4, each rounded to the taka",
        Terms(
            method=Method.STEP_UP, instalments=12, step_percent=Decimal(10), step_every=4,
            principal_minor=2_00_000_00, annual_rate=Decimal(8), disbursed_on=date(2025, 1, 15),
            instalment_rounding=Rounding(RoundingMode.HALF_UP, 100),
        ),
    ),
    "irregular_harvest": (
        "3,00,000.00 at 7 %, repaid 50,000.00, nothing, 1,00,000.00 and 1,50,000.00 by quarters, 30E/360",
        Terms(
            method=Method.IRREGULAR, instalments=4, frequency=Frequency.QUARTERLY,
            day_count=DayCount.THIRTY_E_360, principal_minor=3_00_000_00, annual_rate=Decimal(7),
            amounts=(50_000_00, 0, 1_00_000_00, 1_50_000_00), disbursed_on=date(2025, 3, 31),
        ),
    ),
    "grace_interest_deferred": (
        "5,000.00 at 12 %: 6 months without principal, interest of the first 3 waits for the 4th",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=6, grace_periods=6, interest_grace=3,
            grace_kind=GraceKind.INTEREST_DEFERRED, principal_minor=5_000_00, annual_rate=Decimal(12),
            disbursed_on=date(2022, 11, 1),
        ),
    ),
    "agreed_instalment": (
        "5,000.00 at 12 %, an agreed instalment of 862.00 a month, actual/365; the last takes the rest",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=6, day_count=DayCount.ACT_365F,
            principal_minor=5_000_00, annual_rate=Decimal(12), disbursed_on=date(2022, 11, 1),
            agreed_instalment_minor=862_00,
        ),
    ),
    "balloon": (
        "10,00,000.00 at 6 %, 6 instalments as if over 60 months; the last is the balloon",
        Terms(
            method=Method.EQUAL_INSTALMENT, instalments=6, amortised_over=60,
            level_from=LevelFrom.NOMINAL, principal_minor=TEN_LAKH, annual_rate=Decimal(6),
            disbursed_on=date(2025, 1, 15),
        ),
    ),
}  # fmt: skip

_HEADS = ("no.", "nominal", "due", "opening", "principal", "interest", "instalment", "added", "closing")
_WIDTHS = (4, 11, 11, 16, 16, 14, 16, 13, 16)


def render(title: str, terms: Terms) -> str:
    """The plan as a table, with the working of its first periods."""
    plan = build_schedule(terms, CALENDAR)
    lines = [title, "", _line(_HEADS), "-" * sum(_WIDTHS)]
    for period in plan.periods:
        cells = (
            str(period.instalment or "-"),
            str(period.nominal_on),
            "" if period.due_on == period.nominal_on else str(period.due_on),
            *(
                grouped(amount)
                for amount in (
                    period.opening_minor,
                    period.principal_minor,
                    period.interest_minor,
                    period.total_minor,
                    period.capitalised_minor,
                    period.closing_minor,
                )
            ),
        )
        lines.append(_line(cells))
    totals = (plan.principal_minor, plan.interest_minor, plan.principal_minor + plan.interest_minor)
    sums = ("", "", "", "total", *map(grouped, totals), grouped(plan.capitalised_minor), "")
    lines += ["-" * sum(_WIDTHS), _line(sums), "", "Working of the first three periods:", *_working(plan)]
    return "\n".join(lines) + "\n"


def _working(plan: Schedule) -> list[str]:
    return [
        f"  {segment.from_on} to {segment.to_on}: {grouped(segment.balance_minor)} x "
        f"{from_rate_units(segment.rate_units)} % x {segment.numerator}/{segment.denominator} "
        f"({segment.days} days)"
        for period in plan.periods[:3]
        for segment in period.segments
    ]


def _line(cells: tuple[str, ...]) -> str:
    return "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def tables() -> dict[str, str]:
    """Every signed table by name."""
    plans = {name: render(title, terms) for name, (title, terms) in CASES.items()}
    return {**plans, **STORIES, **EVENTS, **RAISED}


def in_document(text: str) -> dict[str, str]:
    """The tables a document repeats, by name: fenced blocks under a line naming their file."""
    return {match["name"]: match["table"] for match in _BLOCK.finditer(text)}


_BLOCK = re.compile(r"<!-- tests/golden/(?P<name>\w+)\.txt -->\n```text\n(?P<table>.*?)```\n", re.DOTALL)


def write() -> None:
    """Write every table, and repeat them where the document shows them."""
    signed = tables()
    for name, table in signed.items():
        (FOLDER / f"{name}.txt").write_text(table, encoding="utf-8")

    def repeat(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- tests/golden/{name}.txt -->\n```text\n{signed[name]}```\n"

    DOCUMENT.write_text(_BLOCK.sub(repeat, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
