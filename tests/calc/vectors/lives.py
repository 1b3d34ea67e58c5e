"""A published loan's life, event after event, through calc.events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from calc.events import AtEvent, Replans, Running
from calc.money import from_minor
from calc.schedule import Period, Terms, build_schedule
from tests.calc.vectors.reading import Case, day


@dataclass
class Life:
    """The rows that stand, and the plan in force after them."""

    stood: list[Period]
    periods: list[Period]
    terms: Terms
    at_event: tuple[AtEvent, ...] = ()

    @classmethod
    def of(cls, terms: Terms) -> "Life":
        return cls([], list(build_schedule(terms).periods), terms)

    @property
    def running(self) -> Running:
        return Running.of([self.terms], at_event=self.at_event)

    def happen(self, event: Callable[..., Replans], on: date, **terms: object) -> None:
        """Append the version an event of calc.events makes of the plan."""
        replan = event(self.running, on, **terms).one()
        whole = [*self.stood, *self.periods]
        self.stood = [
            *(row for row in whole if row.nominal_on < replan.effective_on),
            *(row for row in replan.periods if not row.period),
        ]
        self.periods = [row for row in replan.periods if row.period]
        self.at_event = tuple(
            AtEvent(0, row.instalment, row.nominal_on, row.due_on, row.principal_minor, row.interest_minor)
            for row in replan.periods
            if not row.period
        )
        assert replan.terms is not None
        self.terms = replan.terms

    def rows(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """Due date, principal, interest and closing balance, a prepaid instalment with the due of its day."""
        whole = [*self.stood, *self.periods]
        days = list(dict.fromkeys(row.nominal_on for row in whole))
        return [_summed([row for row in whole if row.nominal_on == due]) for due in days]

    def due_on_or_before(self, on: date) -> date:
        """The last due date up to a day, else the disbursement."""
        whole = [*self.stood, *self.periods]
        return max((row.nominal_on for row in whole if row.nominal_on <= on), default=self.terms.disbursed_on)


def _summed(rows: Sequence[Period]) -> tuple[str, Decimal, Decimal, Decimal]:
    return (
        rows[0].nominal_on.isoformat(),
        from_minor(sum(row.principal_minor for row in rows)),
        from_minor(sum(row.interest_minor for row in rows)),
        from_minor(rows[-1].closing_minor),
    )


def assert_life(life: Life, rows: Sequence[Case]) -> None:
    """Due date, principal, interest and closing balance of every row, to the last unit."""
    theirs = [
        (row["due_date"], *(Decimal(row[name]) for name in ("principal", "interest", "balance_after")))
        for row in rows
    ]
    assert life.rows() == theirs


def after(one: Case, kind: str) -> list[Case]:
    """The events of a kind after the first disbursement."""
    return [event for event in one["inputs"]["events"][1:] if event["type"] == kind]


def on(event: Case) -> date:
    """The day an event counts from."""
    return day(event["date"])
