"""What an event would do: to the plans, the money and the books; and how that is shown before it is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from django.utils.translation import gettext as _

from calc.allocation import Source
from calc.calendar import to_date
from calc.events import Changed, Replan, Replans
from calc.money import Component
from calc.schedule import InterestTo, write_terms
from lending.models import Agreement
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.facts import Facts
from repayments.services.events.raised import EVERY, NOTHING, Raised, Raising, period_broken

IntColumn = npt.NDArray[np.int64]
VERSIONS = ("loan_id", "cause", "effective_date", "terms", "keeps_to", "capitalised_minor", "added_minor",
            "transferred_minor")  # fmt: skip
DUES = ("loan_id", "instalment", "component", "nominal_date", "late_date", "amount_minor")


@dataclass(frozen=True)
class Say:
    """A sentence by its code (``repayments.event_words``) and what fills its gaps, JSON-safe."""

    code: str
    gaps: Mapping[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As it is kept with the event."""
        return {"say": self.code, **self.gaps}


@dataclass
class Outcome:
    """One event worked out on the facts. Money in minor units.

    ``versions`` and ``dues`` go to ``append_versions``. ``settling`` are rows that settle dues without
    money (waived, written off, moved into the new plan), ``memo`` dues of the kinds refund and recovery.
    ``raised`` is what a close would have raised by its day,
    ``receipt`` money that comes with the event. ``amounts`` is what to note of each loan.
    """

    amount_minor: int
    effective_on: date
    versions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(VERSIONS)))
    dues: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DUES)))
    settling: list[dict[str, Any]] = field(default_factory=list)
    memo: list[dict[str, Any]] = field(default_factory=list)
    raised: Raised = NOTHING
    receipt: dict[str, Any] | None = None
    holds_class: str = ""
    amounts: dict[int, int] = field(default_factory=dict)
    says: list[Say] = field(default_factory=list)
    cautions: list[Say] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    loans: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)

    def preview(self) -> dict[str, Any]:
        """What is shown and kept: JSON-safe, no sentence in any one language."""
        return {
            "says": [each.kept() for each in self.says],
            "cautions": [each.kept() for each in self.cautions],
            "changes": self.changes,
            "figures": self.figures,
            "rows": self.rows,
            "loans": self.loans,
            "refusals": self.refusals,
            "totals": self.totals,
        }

    def digest(self, facts: Facts) -> str:
        """Names the facts and everything that would be booked on them."""
        booked = {
            "facts": facts.digest,
            "on": self.effective_on.isoformat(),
            "amount": self.amount_minor,
            "versions": _texts(self.versions.drop(columns="terms")),
            "dues": _texts(self.dues),
            "settling": self.settling,
            "memo": self.memo,
            "receipt": self.receipt,
        }
        return hashlib.sha256(json.dumps(booked, default=str, sort_keys=True).encode()).hexdigest()


def _texts(frame: pd.DataFrame) -> list[list[str]]:
    return [[str(value) for value in row] for row in frame.itertuples(index=False)]


def plan_frames(facts: Facts, replans: Replans, *, cause: str, on: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Versions and dues of every loan that gets a new plan, as ``append_versions`` takes them."""
    done = np.array([at for at in range(len(facts.loans)) if at not in replans.refused], dtype=np.int64)
    ids = facts.ids
    daily = (facts.loans["interest_basis"] == Agreement.InterestBasis.DAILY_PRODUCT).to_numpy()
    daily = daily & (facts.loans["tier"] == "wholesale").to_numpy()
    versions = pd.DataFrame(
        {
            "loan_id": ids[done],
            "cause": cause,
            "effective_date": on,
            "terms": [
                _terms_of(replans, at, daily=bool(daily[at])) if replans.left[at] else {}
                for at in done.tolist()
            ],
            "keeps_to": replans.kept[done],
            "capitalised_minor": replans.capitalised[done],
            "added_minor": replans.added[done],
            "transferred_minor": replans.transferred[done],
        },
        columns=list(VERSIONS),
    )
    plan = replans.plan
    parts = []
    for component, amount in ((Component.INTEREST, plan.interest), (Component.PRINCIPAL, plan.principal)):
        mine = amount > 0
        if component is Component.INTEREST:
            mine = mine & ~daily[plan.loan]  # raised from facts at each close
        parts.append(_dues(ids[plan.loan[mine]], plan.instalment[mine], component, plan.nominal_on[mine],
                           plan.due_on[mine], amount[mine]))  # fmt: skip
    fee = done[replans.fee[done] > 0]
    when = np.full(fee.size, np.datetime64(on, "D"))
    parts.append(
        _dues(ids[fee], _fee_instalment(replans)[fee], Component.CHARGE, when, when, replans.fee[fee])
    )
    return versions, pd.concat(parts, ignore_index=True)


def _terms_of(replans: Replans, at: int, *, daily: bool) -> dict[str, Any]:
    """A version's terms; of a daily-product loan with its interest periods (lending.services.accruals)."""
    kept = write_terms(replans.terms.one(at))
    if not daily:
        return kept
    plan = replans.plan
    to_due = replans.terms.one(at).interest_to is InterestTo.ADJUSTED
    rows = np.flatnonzero((plan.loan == at) & (plan.instalment > 0))
    ends = (plan.due_on if to_due else plan.nominal_on)[rows]
    periods = [
        {"instalment": int(number), "until": str(until), "late": str(late)}
        for number, until, late in zip(plan.instalment[rows], ends, plan.due_on[rows], strict=True)
    ]
    return kept | {"accruals": periods}


def _fee_instalment(replans: Replans) -> IntColumn:
    """The instalment on the event's own date that bears the fee: the last such of each loan."""
    plan = replans.plan
    found = np.zeros(replans.kept.size, dtype=np.int64)
    own = plan.period == 0
    np.maximum.at(found, plan.loan[own], plan.instalment[own].astype(np.int64))
    return found


def _dues(
    loan_ids: IntColumn,
    instalment: npt.NDArray[Any],
    component: Component,
    nominal: npt.NDArray[Any],
    late: npt.NDArray[Any],
    amount: IntColumn,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "loan_id": loan_ids,
            "instalment": instalment.astype(np.int64),
            "component": int(component),
            "nominal_date": nominal.astype("datetime64[s]"),
            "late_date": late.astype("datetime64[s]"),
            "amount_minor": amount,
        }
    )


def side_by_side(
    facts: Facts, dues: pd.DataFrame, *, kept: int, paid: Mapping[tuple[int, int], int]
) -> list[dict[str, Any]]:
    """The old plan beside the new one, a due date a row, with what is settled already."""
    old = _by_day(
        (int(row["instalment"]), int(row["component"]), to_date(row["late_date"]), int(row["amount_minor"]))
        for row in facts.dues
        if row["component"] in (1, 3, 4)
    )
    stays = {key: row for key, row in old.items() if row["number"] <= kept}
    new = stays | _by_day(
        (int(row["instalment"]), int(row["component"]), row["late_date"].date(), int(row["amount_minor"]))
        for row in dues.to_dict("records")
    )
    found = []
    for key in sorted(old.keys() | new.keys()):
        was, becomes = old.get(key), new.get(key)
        settled = sum(
            minor for (number, component), minor in paid.items()
            if number == (was or becomes or {}).get("number") and component in (1, 3, 4)
        ) if key in stays else 0  # fmt: skip
        found.append(
            {
                "on": key[0],
                "old": was,
                "new": becomes,
                "settled": settled,
                "mark": _mark(was, becomes, is_kept=key in stays),
            }
        )
    return found


def _by_day(rows: Iterable[tuple[int, int, date, int]]) -> dict[tuple[str, int], dict[str, int]]:
    """Amounts by late date; two instalments of one day keep apart by their order."""
    found: dict[tuple[str, int], dict[str, int]] = {}
    place: dict[tuple[str, int], int] = {}
    names = {1: "charge", 3: "interest", 4: "principal"}
    for number, component, on, amount in sorted(rows):
        earlier = sum(1 for day, _number in place if day == on.isoformat())
        at = place.setdefault((on.isoformat(), number), earlier)
        row = found.setdefault(
            (on.isoformat(), at), {"number": number, "principal": 0, "interest": 0, "charge": 0, "total": 0}
        )
        row[names[component]] += amount
        row["total"] += amount
    return found


def _mark(was: Mapping[str, int] | None, becomes: Mapping[str, int] | None, *, is_kept: bool) -> str:
    if is_kept:
        return "kept"
    if was is None:
        return "added"
    if becomes is None:
        return "gone"
    same = all(was[name] == becomes[name] for name in ("principal", "interest", "charge"))
    return "same" if same else "changed"


def shown_changes(replan: Replan) -> list[dict[str, Any]]:
    """What changes, from calc's own list: money in minor units, dates and rates as text."""
    return [
        {"what": Changed(each.what).value, "old": _plain(each.old), "new": _plain(each.new)}
        for each in replan.changes
    ]


def _plain(value: object) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, Decimal):
        return {"percent": str(value)}
    return {"number": int(str(value))}


def totals_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The feet of both plans."""
    return {
        side: {
            name: sum(row[side][name] for row in rows if row[side])
            for name in ("principal", "interest", "charge", "total")
        }
        for side in ("old", "new")
    }


def single_plan(facts: Facts, replans: Replans, *, cause: str, on: date) -> tuple[Outcome, Replan]:
    """The outcome of an event that gives one loan a new plan; its amounts and sentences are the kind's."""
    replan = replans.one()
    versions, dues = plan_frames(facts, replans, cause=cause, on=on)
    if replaced_without_money(versions):
        raise CannotMakeEvent(
            "effective_date",
            _("A waiver or a write-off settled what this would take back; choose a later date."),
        )
    rows = side_by_side(facts, dues, kept=int(replan.kept), paid=facts.settled(as_of=facts.business_date))
    outcome = Outcome(
        amount_minor=0,
        effective_on=on,
        versions=versions,
        dues=dues,
        rows=rows,
        totals=totals_of(rows),
        changes=shown_changes(replan),
    )
    return outcome, replan


def with_raised(facts: Facts, outcome: Outcome, raising: Raising, *, ends: bool = False) -> Raised:
    """Let what a close would have raised by the day fall due with the event, show it and return it.

    ``ends``: the event leaves nothing of the loan to run on.
    """
    on, kept = outcome.effective_on, EVERY
    if len(outcome.versions):
        kept = int(outcome.versions["keeps_to"].iloc[0])
    breaks = period_broken(facts, outcome.versions, outcome.dues, on)
    raised = raising.upto(on, keeps_to=kept, breaks=breaks, ends=ends)
    outcome.raised = raised
    interest, penal = raised.minor(Component.INTEREST), raised.minor(Component.PENAL)
    if interest:
        shown = pd.concat([outcome.dues, raised.rows[list(DUES[1:])]], ignore_index=True)
        shown = shown[shown["component"] != int(Component.PENAL)]
        outcome.rows = side_by_side(facts, shown, kept=kept, paid=facts.settled(as_of=facts.business_date))
        outcome.totals = totals_of(outcome.rows)
        outcome.says.append(Say("raised.interest", {"on": on.isoformat(), "amount": interest}))
    if penal:
        outcome.says.append(Say("raised.penal", {"on": on.isoformat(), "amount": penal}))
    return raised


def without_money(
    facts: Facts, source: Source, on: date, rows: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Rows that settle dues without money, as they are written."""
    return [
        {
            "loan_id": int(facts.ids[0]),
            "institution_id": int(facts.loans["institution_id"].iloc[0]),
            "source": int(source),
            "instalment": int(row["instalment"]),
            "component": int(row["component"]),
            "value_date": on.isoformat(),
            "amount_minor": int(row["amount_minor"]),
        }
        for row in rows
        if int(row["amount_minor"])
    ]


def replaced_without_money(versions: pd.DataFrame) -> list[int]:
    """Loans of which a new version would take back what a waiver, a write-off or a transfer settled."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.loan_id FROM unnest(%s::bigint[], %s::bigint[]) AS v (loan_id, keeps_to)
              JOIN repayments_allocation a ON a.loan_id = v.loan_id AND a.instalment > v.keeps_to
             WHERE a.source IN (3, 4, 5) AND a.component IN (3, 4)
             GROUP BY a.loan_id HAVING bool_or(a.amount_minor <> 0)
             ORDER BY a.loan_id
            """,
            [versions["loan_id"].tolist(), versions["keeps_to"].tolist()],
        )
        return [row[0] for row in cursor.fetchall()]


def empty_version(facts: Facts, cause: str, on: date) -> Outcome:
    """A version of a plan that has fallen due in whole: it takes nothing back and adds nothing."""
    planned = facts.dues[np.isin(facts.dues["component"], (3, 4))]
    kept = int(planned["instalment"].max()) if len(planned) else 0
    versions = pd.DataFrame(
        [
            {
                "loan_id": int(facts.ids[0]),
                "cause": cause,
                "effective_date": on,
                "terms": {},
                "keeps_to": kept,
                "capitalised_minor": 0,
                "added_minor": 0,
                "transferred_minor": 0,
            }
        ],
        columns=list(VERSIONS),
    )
    outcome = Outcome(amount_minor=0, effective_on=on, versions=versions)
    outcome.rows = side_by_side(facts, outcome.dues, kept=kept, paid=facts.settled(as_of=facts.business_date))
    outcome.totals = totals_of(outcome.rows)
    return outcome
