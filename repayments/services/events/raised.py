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

from calc.calendar import to_date
from calc.money import Component, IntColumn
from calc.raising import Accruals, DatedDues, reckon, unmatched
from calc.raising import Facts as ToReckon
from lending.models import Agreement
from repayments.selectors.raising import Books, dated, facts_of, loans_named, read_books
from repayments.services.events.facts import Facts

COLUMNS = ("instalment", "component", "nominal_date", "late_date", "effective_date", "amount_minor")


@dataclass(frozen=True)
class Raised:
    """Rows to append (``COLUMNS``), and the ids of rows that would not hold any longer."""

    rows: pd.DataFrame
    gone: IntColumn

    def minor(self, component: Component) -> int:
        """How much of a component is appended, in minor units."""
        return int(self.rows.loc[self.rows["component"] == int(component), "amount_minor"].sum())


NOTHING = Raised(pd.DataFrame(columns=list(COLUMNS)), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Raising:
    """One loan's facts as a close takes them, read once for every day up to the last one asked."""

    facts: Facts
    books: Books | None
    known: ToReckon | None

    def upto(self, on: date, dues: pd.DataFrame, *, keeps_to: int, ends: bool = False) -> Raised:
        """What falls due by a day under a new plan of that day, which keeps dues up to an instalment.

        ``ends``: nothing runs on after the day, so what was raised for later days is taken back.
        """
        if self.books is None or self.known is None:
            return NOTHING
        until = np.datetime64(on, "D")
        periods = self._periods(self.known.accruals, until, dues, keeps_to)
        found = reckon(replace(self.known, accruals=periods), self.books.settled, until)
        standing = self.books.standing
        replaced = (standing["component"] == int(Component.INTEREST)) & (standing["instalment"] > keeps_to)
        standing = standing[~replaced]
        by_then = standing["effective_date"] <= until
        differ = unmatched(dated(standing[by_then]), found)
        gone = standing[by_then]["id"][differ.old]
        if ends:
            gone = np.concatenate([gone, standing["id"][~by_then]])
        return Raised(_frame(found.take(differ.new)), gone)

    def _periods(
        self, accruals: Accruals, until: np.datetime64, dues: pd.DataFrame, keeps_to: int
    ) -> Accruals:
        """The interest periods ended before the day, and the one the event ends."""
        ended = accruals.take((accruals.to_on < until) & (accruals.instalment <= keeps_to))
        principal = dues[(dues["component"] == int(Component.PRINCIPAL))]
        here = principal[pd.to_datetime(principal["nominal_date"]) == pd.Timestamp(to_date(until))]
        is_daily = self.facts.agreement.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT
        if not is_daily or here.empty:
            return ended
        since = np.datetime64(self.facts.loan.disbursed_date, "D")
        broken = Accruals(
            loan=self.facts.ids,
            instalment=np.array([here["instalment"].min()], dtype=np.int32),
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
        return Raising(facts, None, None)
    books = read_books(loans_named(facts.ids), max(last, facts.business_date))
    (known,) = facts_of(books, last, since=None)
    return Raising(facts, books, known)


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
