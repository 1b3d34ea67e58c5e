"""The plainest possible plan: one loan, one period after the other, in exact fractions.

Nothing here is shared with the engine but the words of the terms: dates, day counts, roundings and
methods are written anew from docs/arithmetic.md, as slowly as they are said there.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode
from calc.schedule import GraceKind, InterestTo, LevelFrom, Method, Residue, Terms


class Impossible(Exception):
    """The terms leave no plan: an instalment below its interest, or repaid before the last one."""


@dataclass
class Row:
    nominal: date
    due: date
    principal: int
    interest: int
    capitalised: int
    closing: int


MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.HALF_YEARLY: 6, Frequency.YEARLY: 12}


def rounded(exact: Fraction, rounding: Rounding) -> int:
    """To the nearest quantum, or up or down, of an amount that is not negative."""
    quanta = exact / rounding.quantum_minor
    below = quanta.numerator // quanta.denominator
    over = quanta - below
    match rounding.mode:
        case RoundingMode.UP:
            up = over > 0
        case RoundingMode.DOWN:
            up = False
        case RoundingMode.HALF_UP:
            up = over >= Fraction(1, 2)
        case RoundingMode.HALF_EVEN:
            up = over > Fraction(1, 2) or (over == Fraction(1, 2) and below % 2 == 1)
    return (below + up) * rounding.quantum_minor


def month_end(year: int, month: int) -> int:
    after = date(year + month // 12, month % 12 + 1, 1)
    return (after - timedelta(days=1)).day


def in_months(start: date, count: int, seed: int) -> date:
    months = start.year * 12 + start.month - 1 + count
    year, month = divmod(months, 12)
    return date(year, month + 1, min(seed, month_end(year, month + 1)))


def rolled(day: date, rule: RollRule, calendar: BusinessCalendar) -> date:
    def shut(on: date) -> bool:
        return on in calendar.holidays or any(on.weekday() == off for off in calendar.weekend)

    def moved(step: int) -> date:
        found = day
        while shut(found):
            found += timedelta(days=step)
        return found

    if rule is RollRule.NONE:
        return day
    if rule is RollRule.PRECEDING:
        return moved(-1)
    after = moved(1)
    if rule is RollRule.MODIFIED_FOLLOWING and after.month != day.month:
        return moved(-1)
    return after


def part_of_year(start: date, end: date, basis: DayCount) -> Fraction:
    days = (end - start).days
    match basis:
        case DayCount.ACT_360:
            return Fraction(days, 360)
        case DayCount.ACT_364:
            return Fraction(days, 364)
        case DayCount.ACT_365F:
            return Fraction(days, 365)
        case DayCount.ACT_ACT:
            total, day = Fraction(0), start
            while day < end:
                new_year = date(day.year + 1, 1, 1)
                until = min(new_year, end)
                total += Fraction((until - day).days, (new_year - date(day.year, 1, 1)).days)
                day = until
            return total
        case DayCount.THIRTY_360:
            first = min(start.day, 30)
            last = 30 if end.day == 31 and first == 30 else end.day
        case DayCount.THIRTY_E_360:
            first, last = min(start.day, 30), min(end.day, 30)
        case DayCount.MONTHLY_12:
            return _months(start, end) / 12
    return Fraction(360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first, 360)


def _months(start: date, end: date) -> Fraction:
    """Whole months, and the days of the broken one over its own length; month ends meet."""
    apart = (end.year - start.year) * 12 + end.month - start.month
    ends = all(day.day == month_end(day.year, day.month) for day in (start, end))
    if ends:
        return Fraction(apart)
    whole = apart if in_months(start, apart, start.day) <= end else apart - 1
    reached = in_months(start, whole, start.day)
    length = (in_months(start, whole + 1, start.day) - reached).days
    return whole + Fraction((end - reached).days, length)


def plain_plan(terms: Terms, calendar: BusinessCalendar) -> list[Row]:
    """Every row of the plan; Impossible where there is none."""
    count = terms.grace_periods + terms.instalments
    dates = _dates(terms, count)
    dues = [rolled(day, terms.roll, calendar) for day in dates]
    ends = dues if terms.interest_to is InterestTo.ADJUSTED else dates
    starts = [terms.disbursed_on, *ends[:-1]]
    if dates[0] <= terms.disbursed_on or dues[0] <= terms.disbursed_on:
        raise Impossible
    rate = Fraction(terms.annual_rate) / 100
    ratios = [rate * part_of_year(*span, terms.day_count) for span in zip(starts, ends, strict=True)]
    if terms.day_count is DayCount.MONTHLY_12:
        ratios[1:] = [rate * MONTHS[terms.frequency] / 12] * (count - 1)
    if terms.grace_kind is GraceKind.INTEREST_WAIVED:
        quiet = terms.interest_grace or terms.grace_periods
        ratios[:quiet] = [Fraction(0)] * quiet
    rows = [Row(day, due, 0, 0, 0, 0) for day, due in zip(dates, dues, strict=True)]
    balance, waiting = _grace(terms, rows, ratios)
    _repay(terms, rows[terms.grace_periods :], ratios[terms.grace_periods :], balance)
    if waiting:
        rows[terms.interest_grace or terms.grace_periods].interest += waiting.pop()
    left = terms.principal_minor
    for row in rows:
        left += row.capitalised - row.principal
        row.closing = left
    return rows


def _dates(terms: Terms, count: int) -> list[date]:
    silent = terms.grace_kind not in {GraceKind.NONE, GraceKind.INTEREST_PAID}
    quiet = min(terms.interest_grace or terms.grace_periods, terms.grace_periods) if silent else 0
    anchor, first = terms.disbursed_on, 1
    if terms.first_due_on:
        anchor, first = terms.first_due_on, -quiet
    steps = range(first, first + count)
    if terms.frequency in MONTHS:
        seed = terms.due_day or anchor.day
        return [in_months(anchor, step * MONTHS[terms.frequency], seed) for step in steps]
    days = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}.get(terms.frequency, terms.every_days)
    return [anchor + timedelta(days=step * days) for step in steps]


def _grace(terms: Terms, rows: list[Row], ratios: list[Fraction]) -> tuple[int, list[int]]:
    """The balance that is repaid, and interest that waits for the first paying period."""
    balance, kind = terms.principal_minor, terms.grace_kind
    quiet = terms.interest_grace or terms.grace_periods
    exact, simple = Fraction(balance), Fraction(0)
    for number in range(terms.grace_periods):
        put_off = kind in {
            GraceKind.INTEREST_ADDED,
            GraceKind.INTEREST_CAPITALISED,
            GraceKind.INTEREST_DEFERRED,
        }
        if number >= quiet or not put_off:
            rows[number].interest = rounded(balance * ratios[number], terms.interest_rounding)
            continue
        simple += terms.principal_minor * ratios[number]
        if kind is GraceKind.INTEREST_CAPITALISED:
            exact *= 1 + ratios[number]
            grown = rounded(exact, terms.interest_rounding)
            rows[number].capitalised, balance = grown - balance, grown
        elif kind is GraceKind.INTEREST_ADDED and number == quiet - 1:
            rows[number].capitalised = rounded(simple, terms.interest_rounding)
            balance += rows[number].capitalised
    return balance, [rounded(simple, terms.interest_rounding)] if kind is GraceKind.INTEREST_DEFERRED else []


def _repay(terms: Terms, rows: list[Row], ratios: list[Fraction], balance: int) -> None:
    count = len(rows)
    match terms.method:
        case Method.EQUAL_INSTALMENT | Method.STEP_UP:
            _pay(terms, rows, ratios, balance, _payments(terms, ratios, balance))
            return
        case Method.EQUAL_PRINCIPAL:
            principals = _parts(
                balance, count, rounded(Fraction(balance, count), terms.instalment_rounding), terms
            )
        case Method.BULLET:
            principals = [0] * (count - 1) + [balance]
        case Method.IRREGULAR:
            principals = list(terms.amounts)
            if sum(principals) != balance:
                raise Impossible
        case Method.FLAT:
            _flat(terms, rows, ratios, balance)
            return
    if min(principals) < 0:
        raise Impossible
    for row, ratio, principal in zip(rows, ratios, principals, strict=True):
        row.interest, row.principal = rounded(balance * ratio, terms.interest_rounding), principal
        balance -= principal


def _payments(terms: Terms, ratios: list[Fraction], balance: int) -> list[int]:
    """Instalments in proportion to their weights whose worth today is the balance, each rounded."""
    growth = 1 + Fraction(terms.step_percent) / 100
    every = terms.step_every or len(ratios)
    weights = [growth ** (number // every) for number in range(len(ratios))]
    used = ratios
    if terms.level_from is LevelFrom.NOMINAL:
        months = MONTHS.get(terms.frequency, 0)
        days = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}.get(terms.frequency, terms.every_days)
        year = {DayCount.ACT_365F: 365, DayCount.ACT_ACT: 365, DayCount.ACT_364: 364}.get(
            terms.day_count, 360
        )
        part = Fraction(months, 12) if months else Fraction(days, year)
        used = [Fraction(terms.annual_rate) / 100 * part] * (terms.amortised_over or len(ratios))
        weights = [Fraction(1)] * len(used)
    worth, discount = Fraction(0), Fraction(1)
    for ratio, weight in zip(used, weights, strict=True):
        discount /= 1 + ratio
        worth += weight * discount
    return [rounded(balance / worth * weight, terms.instalment_rounding) for weight in weights][: len(ratios)]


def _pay(terms: Terms, rows: list[Row], ratios: list[Fraction], balance: int, payments: list[int]) -> None:
    for number, (row, ratio, payment) in enumerate(zip(rows, ratios, payments, strict=True), start=1):
        row.interest = rounded(balance * ratio, terms.interest_rounding)
        row.principal = balance if number == len(rows) else payment - row.interest
        if row.principal < 0 or (number < len(rows) and row.principal >= balance):
            raise Impossible
        balance -= row.principal


def _flat(terms: Terms, rows: list[Row], ratios: list[Fraction], balance: int) -> None:
    count = len(rows)
    interest = rounded(balance * sum(ratios, Fraction(0)), terms.interest_rounding)
    share = min(rounded(Fraction(interest, count), terms.interest_rounding), interest // max(count - 1, 1))
    interests = _parts(interest, count, share, terms)
    whole = rounded(Fraction(balance + interest, count), terms.instalment_rounding)
    totals = _parts(balance + interest, count, whole, terms)
    for row, mine, total in zip(rows, interests, totals, strict=True):
        row.interest, row.principal = mine, total - mine
        if row.principal < 0 or total < 0:
            raise Impossible


def _parts(amount: int, count: int, share: int, terms: Terms) -> list[int]:
    parts = [share] * count
    parts[0 if terms.residue is Residue.FIRST else -1] = amount - share * (count - 1)
    return parts
