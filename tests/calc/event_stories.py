"""Events as tables: the rows taken back, the rows appended, and the working of the first of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from calc.daycount import DayCount
from calc.events import (
    Accrued,
    Effect,
    Moved,
    Replan,
    Running,
    add_tranche,
    change_rate,
    moratorium,
    prepay,
    reschedule,
    settle,
)
from calc.interest import Segment, float_free
from calc.money import from_rate_units
from calc.schedule import GraceKind, Method, Period, Rules, Terms
from tests.calc.stories import grouped

_HEADS = ("no.", "due", "opening", "principal", "interest", "instalment", "added", "closing")
_WIDTHS = (6, 12, 15, 15, 13, 15, 13, 15)

LOAN = Running.of(
    [
        Terms(
            method=Method.EQUAL_INSTALMENT,
            instalments=6,
            day_count=DayCount.ACT_365F,
            principal_minor=3_00_000_00,
            annual_rate=Decimal(9),
            disbursed_on=date(2025, 1, 31),
        )
    ]
)
FLAT = Running.of(
    [
        Terms(
            method=Method.FLAT,
            instalments=6,
            principal_minor=60_000_00,
            annual_rate=Decimal(12),
            disbursed_on=date(2025, 1, 15),
        )
    ]
)
ON = date(2025, 4, 10)


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _row(period: Period) -> str:
    money = (
        period.opening_minor,
        period.principal_minor,
        period.interest_minor,
        period.total_minor,
        period.capitalised_minor,
        period.closing_minor,
    )
    return _line((str(period.instalment or "-"), str(period.due_on), *map(grouped, money)))


def _working(segment: Segment) -> str:
    exact = float_free(segment.exact_minor / 100, 6)
    return (
        f"  {segment.from_on} to {segment.to_on}, {segment.days} days: {grouped(segment.balance_minor)} x "
        f"{from_rate_units(segment.rate_units)} % x {segment.numerator}/{segment.denominator} = {exact}"
    )


def render(title: str, replan: Replan, note: str = "") -> str:
    """The version as a table, and the sum that proves it."""
    rule = "-" * sum(_WIDTHS)
    first = [row for row in replan.periods if row.segments][:2]
    sums = (replan.taken_back_minor, replan.capitalised_minor, replan.added_minor, replan.transferred_minor)
    own = sum(row.principal_minor for row in replan.periods)
    names = ("taken back", "capitalised", "added", "moved in")
    lines = [
        title,
        "",
        f"Taken back on {replan.effective_on}:",
        _line(_HEADS),
        rule,
        *map(_row, replan.replaced),
        "",
        "Appended:",
        _line(_HEADS),
        rule,
        *map(_row, replan.periods),
        "",
        "Working of the first interest:",
        *(_working(segment) for row in first for segment in row.segments),
        "",
        "Principal: "
        + " + ".join(f"{grouped(amount)} {name}" for amount, name in zip(sums, names, strict=True))
        + f" = {grouped(own)}",
        *([note] if note else []),
    ]
    return "\n".join(lines) + "\n"


_SHORTER = prepay(LOAN, ON, amount=1_00_000_00, effect=Effect.TERM).one()
_LOWER = prepay(
    LOAN, ON, amount=1_00_000_00, effect=Effect.INSTALMENT, interest=Accrued.DUE, fee_percent=Decimal("0.5")
).one()
_SETTLED = settle(LOAN, ON, fee_percent=Decimal("0.5")).one()
_SOLD = settle(FLAT, ON, unearned=True).one()
_RATE = change_rate(LOAN, ON, annual_rate=Decimal("10.5"), effect=Effect.INSTALMENT).one()
_TRANCHE = add_tranche(LOAN, date(2025, 3, 31), amount=1_00_000_00, effect=Effect.TERM).one()
_PAUSE = moratorium(LOAN, ON, until=date(2025, 5, 31), kind=GraceKind.INTEREST_DEFERRED).one()
_CAPITALISED = moratorium(LOAN, ON, until=date(2025, 5, 31), kind=GraceKind.INTEREST_CAPITALISED).one()
_RESCHEDULED = reschedule(
    LOAN,
    ON,
    rules=Rules(method=Method.EQUAL_PRINCIPAL, instalments=4, day_count=DayCount.ACT_365F),
    annual_rate=Decimal(8),
    first_due_on=date(2025, 5, 15),
    moved=Moved(principal=49_379_16, interest=1_916_88, down_payment=15_000_00),
).one()

EVENTS = {
    "event_prepayment_shorter": render(
        "3,00,000.00 at 9 % over 6 months, actual/365; 1,00,000.00 prepaid on 10 April, the instalment kept",
        _SHORTER,
    ),
    "event_prepayment_lower": render(
        "The same prepayment, the term kept; interest accrued falls due with it, and a fee of 0.5 %",
        _LOWER,
        f"Fee on 1,00,000.00: {grouped(_LOWER.fee_minor)}, a charge of instalment {_LOWER.fee_instalment}",
    ),
    "event_settlement": render(
        "The same loan settled in full on 10 April, with a fee of 0.5 % on the principal not yet due",
        _SETTLED,
        f"Fee: {grouped(_SETTLED.fee_minor)}; to pay: "
        f"{grouped(_SETTLED.periods[0].total_minor + _SETTLED.fee_minor)}",
    ),
    "event_settlement_with_rebate": render(
        "A sale of 60,000.00 with 12 % flat over 6 months, settled on 10 April: profit not earned is rebated",
        _SOLD,
        f"Rebate of profit not earned: {grouped(_SOLD.rebate_minor)}; to pay: "
        f"{grouped(_SOLD.periods[0].total_minor - _SOLD.rebate_minor)}",
    ),
    "event_rate_change": render(
        "The same loan from 10 April at 10.5 %, the term kept: the period is split on that day", _RATE
    ),
    "event_tranche": render(
        "A further 1,00,000.00 on the due date 31 March, the instalment kept: the term lengthens", _TRANCHE
    ),
    "event_moratorium_deferred": render(
        "Nothing asked for from 10 April to 31 May, the interest waits; later instalments move on", _PAUSE
    ),
    "event_moratorium_capitalised": render(
        "The same moratorium with its interest capitalised: the instalment is worked out anew", _CAPITALISED
    ),
    "event_rescheduling": render(
        "The instalment of March, overdue, moves into 4 equal principals at 8 %; 15,000.00 down", _RESCHEDULED
    ),
}
