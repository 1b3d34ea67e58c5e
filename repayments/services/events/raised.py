"""What the closes of day would have raised by the day of an event: it falls due with it, to the poisha.

Penal interest of the days not closed yet, and the interest of a daily-product loan since its last period.
The rows are those a close would write (``calc.raising``), so the next close finds nothing to add.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from calc.money import Component, IntColumn
from calc.raising import Accruals, DatedDues, unmatched
from calc.raising import Facts as ToReckon
from calc.schedule import InterestTo
from lending.models import Agreement
from repayments.selectors.raising import Books, dated, facts_of, loans_named, read_books
from repayments.selectors.settling import SettlingFacts, settling_facts
from repayments.services.events.facts import Facts
from repayments.services.raising import at_rest

EVERY = 2**31 - 1
"""Keeps every instalment: the plan stays as it is."""
COLUMNS = ("instalment", "component", "nominal_date", "late_date", "effective_date", "amount_minor")


@dataclass(frozen=True)
class Raised:
    """Rows to append (``COLUMNS``), and the ids of rows that would not hold any longer."""

    rows: pd.DataFrame
    gone: IntColumn

    def minor(self, component: Component, *, instalment: int | None = None) -> int:
        """How much of a component is appended, in minor units."""
        mine = self.rows["component"] == int(component)
        if instalment is not None:
            mine &= self.rows["instalment"] == instalment
        return int(self.rows.loc[mine, "amount_minor"].sum())


NOTHING = Raised(pd.DataFrame(columns=list(COLUMNS)), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Raising:
    """One loan's facts as a close takes them, read once for every day up to the last one asked."""

    facts: Facts
    books: Books | None = None
    known: ToReckon | None = None
    settling: SettlingFacts | None = None

    def upto(self, on: date, *, keeps_to: int = EVERY, breaks: int = 0, ends: bool = False) -> Raised:
        """What falls due by a day under a new plan of that day, which keeps dues up to an instalment.

        ``breaks``: the instalment with which an interest period ends on the day (0: none does).
        ``ends``: nothing runs on after the day, so what was raised for later days is taken back.
        """
        if self.books is None or self.known is None or self.settling is None:
            return NOTHING
        until = np.datetime64(on, "D")
        known = replace(self.known, accruals=self._periods(self.known.accruals, until, keeps_to, breaks))
        standing = self.books.standing
        replaced = (standing["component"] == int(Component.INTEREST)) & (standing["instalment"] > keeps_to)
        standing = standing[~replaced]
        by_then = standing["effective_date"] <= until
        found = at_rest(known, standing[by_then], self.books.settled, self.settling, until)
        differ = unmatched(dated(standing[by_then]), found)
        gone = standing[by_then]["id"][differ.old]
        if ends:
            gone = np.concatenate([gone, standing["id"][~by_then]])
        return Raised(_frame(found.take(differ.new)), gone)

    def accrued(self, on: date, *, keeps_to: int) -> int:
        """Interest since the last period that ended, in minor units, of a daily-product loan.

        Of the loan as its plan stands up to an instalment; 0 where interest is planned.
        """
        after = keeps_to + 1
        return self.upto(on, keeps_to=keeps_to, breaks=after).minor(Component.INTEREST, instalment=after)

    def _periods(self, accruals: Accruals, until: np.datetime64, keeps_to: int, breaks: int) -> Accruals:
        """The interest periods ended by the day, and the one the event ends."""
        ended = accruals.take((accruals.to_on <= until) & (accruals.instalment <= keeps_to))
        if not breaks or not is_daily(self.facts):
            return ended
        since = np.datetime64(self.facts.loan.disbursed_date, "D")
        broken = Accruals(
            loan=self.facts.ids,
            instalment=np.array([breaks], dtype=np.int32),
            from_on=np.array([max([since, *ended.to_on])], dtype="datetime64[D]"),
            to_on=np.array([until]),
            late_date=np.array([until]),
        )
        return Accruals(
            *(
                np.concatenate([getattr(ended, name), getattr(broken, name)])
                for name in ("loan", "instalment", "from_on", "to_on", "late_date")
            )
        )


def raising_until(facts: Facts, last: date) -> Raising:
    """Read what the days up to the last one need; nothing is ever raised on a sub-loan."""
    if not facts.is_wholesale:
        return Raising(facts)
    books = read_books(loans_named(facts.ids), max(last, facts.business_date))
    (known,) = facts_of(books, last, since=None)
    return Raising(facts, books, known, settling_facts(facts.ids))


def is_daily(facts: Facts) -> bool:
    """Whether the closes raise the interest of the one loan from facts."""
    return facts.is_wholesale and facts.agreement.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT


def period_broken(facts: Facts, versions: pd.DataFrame, dues: pd.DataFrame, on: date) -> int:
    """The first instalment of a new plan with which an interest period ends on the day; 0 where none does."""
    if not is_daily(facts) or versions.empty:
        return 0
    to_due = facts.agreement.interest_to == InterestTo.ADJUSTED
    ends = pd.to_datetime(dues["late_date" if to_due else "nominal_date"])
    here = (dues["component"] == int(Component.PRINCIPAL)) & (ends == pd.Timestamp(on))
    kept = versions["terms"].iloc[0].get("accruals", ())
    return min(
        [int(number) for number in dues.loc[here, "instalment"]]
        + [int(period["instalment"]) for period in kept if period["until"] == on.isoformat()],
        default=0,
    )


def _frame(rows: DatedDues) -> pd.DataFrame:
    days: npt.NDArray[np.datetime64] = rows.effective_on.astype("datetime64[s]")
    return pd.DataFrame(
        {
            "instalment": rows.instalment.astype(np.int64),
            "component": rows.component.astype(np.int64),
            "nominal_date": days,
            "late_date": rows.late_date.astype("datetime64[s]"),
            "effective_date": days,
            "amount_minor": rows.amount,
        },
        columns=list(COLUMNS),
    )
