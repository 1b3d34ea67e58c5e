"""What an event is worked out from: the loans, their plans in force, what was paid, what day it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from django.utils.translation import gettext as _

from calc.calendar import BusinessCalendar, to_date
from calc.events import AtEvent, Running
from calc.money import Component
from calc.schedule import CannotSchedule, SuppliedRow, Terms, read_terms
from daybook.selectors import business_calendar, open_business_date
from lending.models import Agreement, Loan, Schedule, Tier
from lending.selectors.plans import live_dues, versions_in_force
from repayments.frames import Scope, read_settled
from repayments.services.events.asked import CannotMakeEvent

IntColumn = npt.NDArray[np.int64]
PLANNED = (int(Component.INTEREST), int(Component.PRINCIPAL))
_LOANS = """
SELECT l.id, l.number, l.institution_id, l.agreement_id, l.tier, l.currency, a.contract_mode,
       a.interest_basis, l.disbursed_date
  FROM lending_loan l JOIN lending_agreement a ON a.id = l.agreement_id
 WHERE l.id = ANY (%s::bigint[]) ORDER BY l.id
"""


@dataclass(frozen=True)
class Facts:
    """Loans side by side, by id; ``loan`` where there is one."""

    business_date: date
    calendar: BusinessCalendar
    loans: pd.DataFrame
    versions: pd.DataFrame
    dues: npt.NDArray[Any]

    @property
    def ids(self) -> IntColumn:
        """The loans, in order."""
        return self.loans["id"].to_numpy(dtype=np.int64)

    @cached_property
    def loan(self) -> Loan:
        """The one loan the event is about."""
        (loan_id,) = self.ids.tolist()
        return Loan.objects.select_related("agreement", "institution", "programme").get(pk=loan_id)

    @cached_property
    def agreement(self) -> Agreement:
        """The one loan's agreement."""
        return self.loan.agreement

    @property
    def is_wholesale(self) -> bool:
        """Whether the one loan is the foundation's own asset."""
        return self.loan.tier == Tier.WHOLESALE

    @cached_property
    def running(self) -> Running:
        """The plans in force as calc takes them. Raises ``CannotMakeEvent`` where one cannot be read."""
        terms = [
            stored_terms(json.loads(stored), number)
            for stored, number in zip(self.versions["terms"], self.versions["number"], strict=True)
        ]
        return Running.of(terms, self.calendar, at_event=self._at_event(terms))

    @cached_property
    def is_supplied(self) -> bool:
        """Whether the one loan's plan states no terms: it was supplied, or all of it fell due at once."""
        return str(self.versions["terms"].iloc[0]) == "{}"

    @cached_property
    def supplied(self) -> Running:
        """The one loan's plan as rows without terms."""
        rows: dict[int, dict[str, Any]] = {}
        for due in self.dues[np.isin(self.dues["component"], PLANNED)]:
            row = rows.setdefault(int(due["instalment"]), {"due_on": to_date(due["nominal_date"])})
            name = "principal_minor" if due["component"] == Component.PRINCIPAL else "interest_minor"
            row[name] = row.get(name, 0) + int(due["amount_minor"])
        return Running.of_supplied(
            sum(row.get("principal_minor", 0) for row in rows.values()),
            self.loan.disbursed_date,
            [
                SuppliedRow(
                    number,
                    row["due_on"],
                    row.get("principal_minor", 0),
                    row.get("interest_minor", 0),
                )
                for number, row in sorted(rows.items())
            ],
            self.calendar,
        )

    def _at_event(self, terms: list[Terms]) -> list[AtEvent]:
        """Dues that each latest version has on its own date and its terms do not plan."""
        planned = self.dues[np.isin(self.dues["component"], PLANNED)]
        place = np.searchsorted(self.ids, planned["loan_id"])
        newest = self.versions["schedule_id"].to_numpy(dtype=np.int64)[place]
        numbered = np.array([each.numbered_after for each in terms], dtype=np.int64)[place]
        own = (planned["schedule_id"] == newest) & (planned["instalment"] <= numbered)
        found: dict[tuple[int, int], dict[Any, Any]] = {}
        for at, due in zip(place[own].tolist(), planned[own], strict=True):
            row = found.setdefault((at, int(due["instalment"])), {"due": due, 3: 0, 4: 0})
            row[int(due["component"])] += int(due["amount_minor"])
        return [
            AtEvent(
                loan=at,
                instalment=number,
                nominal_on=to_date(row["due"]["nominal_date"]),
                due_on=to_date(row["due"]["late_date"]),
                principal_minor=row[4],
                interest_minor=row[3],
            )
            for (at, number), row in sorted(found.items())
        ]

    def settled(self, as_of: date | None = None) -> dict[tuple[int, int], int]:
        """What stands settled of the one loan by instalment and component, as of a date (all: None)."""
        rows = read_settled(Scope.of_loans(self.ids), as_of=as_of)
        paid: dict[tuple[int, int], int] = {}
        for instalment, component, amount in zip(rows.instalment, rows.component, rows.amount, strict=True):
            key = (int(instalment), int(component))
            paid[key] = paid.get(key, 0) + int(amount)
        return paid

    def open_before(self, on: date, *, kept: int) -> list[dict[str, Any]]:
        """Dues of the one loan that stay (instalments up to the last kept) and are unpaid on a date.

        Penal interest falls due on several dates of one instalment; it is settled from the oldest.
        """
        paid = self.settled(as_of=on)
        rows = []
        for due in self.dues:
            number, component = int(due["instalment"]), int(due["component"])
            if component not in (1, 2, 3, 4) or to_date(due["late_date"]) > on:
                continue
            if component in PLANNED and number > kept:
                continue
            took = min(paid.get((number, component), 0), int(due["amount_minor"]))
            paid[number, component] = paid.get((number, component), 0) - took
            left = int(due["amount_minor"]) - took
            if left:
                rows.append({"instalment": number, "component": component, "amount_minor": left,
                             "late_date": to_date(due["late_date"])})  # fmt: skip
        return rows

    @cached_property
    def digest(self) -> str:
        """Names the facts: it changes with any receipt, any change of plan, any waiver on the loans.

        What the close raises is left out: an event whose figures it moves differs in its outcome.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT (SELECT (count(*), coalesce(sum(id), 0)) FROM lending_due
                         WHERE loan_id = ANY (%(ids)s) AND component IN (4, 6, 7)),
                       (SELECT (count(*), coalesce(sum(id), 0)) FROM repayments_receipt
                         WHERE loan_id = ANY (%(ids)s)),
                       (SELECT (count(*), coalesce(sum(id), 0)) FROM repayments_allocation
                         WHERE loan_id = ANY (%(ids)s) AND source IN (3, 4, 5)),
                       (SELECT (count(*), coalesce(sum(id), 0)) FROM lending_schedule
                         WHERE loan_id = ANY (%(ids)s))
                """,
                {"ids": self.ids.tolist()},
            )
            row = cursor.fetchone()
        return hashlib.sha256(repr((self.ids.tolist(), row)).encode()).hexdigest()


def read_facts(loan_ids: IntColumn | list[int]) -> Facts:
    """Read what the loans are, their plans in force and live dues, on the open business date."""
    ids = np.unique(np.asarray(loan_ids, dtype=np.int64))
    with connection.cursor() as cursor:
        cursor.execute(_LOANS, [ids.tolist()])
        names = [column.name for column in cursor.description or ()]
        loans = pd.DataFrame(cursor.fetchall(), columns=names)
    return Facts(
        business_date=open_business_date(),
        calendar=business_calendar(),
        loans=loans,
        versions=versions_in_force(ids),
        dues=live_dues(ids),
    )


def stored_terms(stored: dict[str, Any], number: str) -> Terms:
    """A version's terms again. Raises ``CannotMakeEvent`` where they say no plan."""
    if not stored:
        raise CannotMakeEvent(
            "plan",
            _("The institution supplied the plan of loan %(loan)s; it must supply the new one, too.")
            % {"loan": number},
        )
    try:
        return read_terms(stored)
    except CannotSchedule as refusal:
        raise CannotMakeEvent(
            "plan", _("The terms kept with the plan of loan %(loan)s cannot be read.") % {"loan": number}
        ) from refusal


def times_changed(loan_id: int) -> int:
    """How often a loan was rescheduled or restructured."""
    return Schedule.objects.filter(
        loan_id=loan_id, cause__in=[Schedule.Cause.RESCHEDULE, Schedule.Cause.RESTRUCTURE]
    ).count()
