"""Random events for property tests, and the books they are written into, row by row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import assume, reject
from hypothesis import strategies as st

from calc.calendar import Frequency
from calc.events import (
    Accrued,
    AtEvent,
    Dates,
    Effect,
    Moved,
    Replan,
    Replans,
    Running,
    add_tranche,
    change_rate,
    moratorium,
    prepay,
    reschedule,
    settle,
)
from calc.money import Component
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    Method,
    Period,
    Rules,
    Terms,
    TermsColumns,
    build_schedule,
    build_schedules,
    read_terms,
    write_terms,
)
from tests.calc.strategies import CALENDAR, terms

Event = Callable[[Running, date], Replans]
KINDS = [kind for kind in GraceKind if kind is not GraceKind.NONE]


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One event, ready to happen to any loans on any date; it may not fit and be refused."""
    effect = draw(st.sampled_from(list(Effect)))
    amount = draw(st.integers(1, 5 * 10**9))
    rate = Decimal(draw(st.integers(0, 3000))) / 100
    kind, dates = draw(st.sampled_from(KINDS)), draw(st.sampled_from(list(Dates)))
    days = draw(st.integers(0, 200))
    interest = draw(st.sampled_from(list(Accrued)))
    moved = Moved(
        principal=draw(st.integers(0, 10**6)),
        interest=draw(st.integers(0, 10**5)),
        down_payment=draw(st.sampled_from([0, 12_345])),
        capitalise=draw(st.booleans()),
    )
    rules = Rules(
        method=draw(st.sampled_from([Method.EQUAL_INSTALMENT, Method.EQUAL_PRINCIPAL, Method.FLAT])),
        instalments=draw(st.integers(1, 12)),
        frequency=draw(st.sampled_from([Frequency.MONTHLY, Frequency.QUARTERLY])),
    )
    every: list[Event] = [
        lambda loans, on: prepay(loans, on, amount=amount, effect=effect, interest=interest),
        lambda loans, on: prepay(loans, on, amount=amount, effect=None),
        lambda loans, on: change_rate(loans, on, annual_rate=rate, effect=effect),
        lambda loans, on: add_tranche(loans, on, amount=amount, effect=effect),
        lambda loans, on: moratorium(loans, on, until=on + timedelta(days), kind=kind, dates=dates),
        lambda loans, on: reschedule(loans, on, rules=rules, annual_rate=rate, moved=moved),
        lambda loans, on: settle(loans, on, unearned=draw_unearned),
    ]
    draw_unearned = draw(st.booleans())
    return draw(st.sampled_from(every))


@dataclass(frozen=True)
class Row:
    """A due as the books hold it; below zero where it takes one back. `version` stands for its booking."""

    instalment: int
    component: int
    end: date
    late: date
    amount: int
    effective: date
    version: int


@dataclass
class Book:
    """A loan's due rows, appended version after version as the services append them."""

    terms: Terms
    rows: list[Row]
    latest: Terms | None
    at_event: tuple[AtEvent, ...]
    versions: list[tuple[date, Replan]]

    @classmethod
    def open(cls, terms: Terms) -> "Book":
        book = cls(terms, [], terms, (), [])
        plan = build_schedule(terms, CALENDAR)
        book.append(plan.periods, terms, terms.disbursed_on, 0)
        return book

    def append(self, periods: tuple[Period, ...], terms: Terms | None, effective: date, version: int) -> None:
        adjusted = terms is not None and terms.interest_to is InterestTo.ADJUSTED
        for period in periods:
            end = period.due_on if adjusted and period.period else period.nominal_on
            for component, amount in (
                (Component.INTEREST, period.interest_minor),
                (Component.PRINCIPAL, period.principal_minor),
            ):
                if amount:
                    self.rows.append(
                        Row(period.instalment, component, end, period.due_on, amount, effective, version)
                    )

    def happen(self, event: Event, on: date) -> bool:
        """Let an event happen as the services do: from the stored terms. Whether it fits."""
        if self.latest is None:
            return False
        stored = read_terms(write_terms(self.latest))
        try:
            replan = event(Running.of([stored], CALENDAR, self.at_event), on).one()
        except CannotSchedule:
            return False
        version = len(self.versions) + 1
        in_force = [row for row in self.rows if not any(_takes_back(other, row) for other in self.rows)]
        mirrors = [
            Row(row.instalment, row.component, row.end, row.late, -row.amount, on, version)
            for row in in_force
            if row.amount > 0 and row.end >= on
        ]
        back = -sum(row.amount for row in mirrors if row.component == Component.PRINCIPAL)
        assert back == replan.taken_back_minor
        self.rows += mirrors
        self.append(replan.periods, replan.terms, on, version)
        self.versions.append((on, replan))
        self.latest = replan.terms
        self.at_event = tuple(
            AtEvent(0, p.instalment, p.nominal_on, p.due_on, p.principal_minor, p.interest_minor)
            for p in replan.periods
            if not p.period
        )
        return True

    def as_of(self, on: date, version: int) -> dict[tuple[int, int, date], int]:
        """The plan as of a date, known by a version: the sum of rows, as the books sum them."""
        sums: dict[tuple[int, int, date], int] = {}
        for row in self.rows:
            if row.effective <= on and row.version <= version:
                key = (row.instalment, row.component, row.late)
                sums[key] = sums.get(key, 0) + row.amount
        return {key: amount for key, amount in sums.items() if amount}


def _takes_back(mirror: Row, row: Row) -> bool:
    return mirror.amount == -row.amount < 0 and (
        (mirror.instalment, mirror.component, mirror.end, mirror.late)
        == (row.instalment, row.component, row.end, row.late)
        and mirror.version > row.version
    )


@st.composite
def stories(draw: st.DrawFn) -> Book:
    """A loan to which up to four events happened, each on or after the one before."""
    loan = draw(terms())
    assume(not build_schedules(TermsColumns.of([loan]), CALENDAR).refused)
    book = Book.open(loan)
    on = loan.disbursed_on
    for event in draw(st.lists(events(), max_size=4)):
        on += timedelta(days=draw(st.integers(0, 250)))
        if draw(st.booleans()):
            on = _due_near(book, on)
        try:
            book.happen(event, on)
        except OverflowError:  # grows past 62 bits of poisha: refused loudly, and no story of ours
            reject()
    return book


def _due_near(book: Book, on: date) -> date:
    """The next day on which something falls due: half the events fall there."""
    later = [row.end for row in book.rows if row.end >= on]
    return min(later, default=on)
