"""Plans of a list's sub-loans: supplied by the bank where it gives them, else generated from the terms."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from calc.calendar import BusinessCalendar, Frequency, RollRule
from calc.daycount import DayCount
from calc.money import to_rate_units
from calc.schedule import (
    CannotSchedule,
    Method,
    Rules,
    ScheduleColumns,
    SuppliedColumns,
    Terms,
    TermsColumns,
    build_schedules,
    supplied_schedules,
    write_terms,
)
from lending.models import Schedule
from lending.services.loans import plan_rows
from lending.services.terms import StatedTerms

FIELD_OF_TERM = {
    "principal": "amount_minor",
    "first_due_on": "first_due_date",
    "disbursed_on": "disbursed_date",
    "instalments": "instalment_count",
    "instalment": "instalment_count",
    "due_on": "first_due_date",
    "grace_periods": "grace_months",
    "interest_grace": "grace_months",
    "roll_rule": "first_due_date",
    "amounts": "method",
    "agreed_instalment": "instalment_count",
    "instalment_rounding": "instalment_count",
}
"""The column of a list by the term calc names, where they differ."""
_STATED = [
    "method",
    "frequency",
    "every_days",
    "tenor_months",
    "grace_months",
    "grace_kind",
    "instalment_count",
    "day_count",
    "due_day",
    "step_percent",
    "step_every",
    "contract_mode",
]


@dataclass(frozen=True)
class Plans:
    """Plans by position in the rows; a refused position has none. Money in minor units."""

    plan: pd.DataFrame
    capitalised: np.ndarray
    causes: list[str]
    terms: list[dict[str, Any]]
    refused: dict[int, CannotSchedule]


def make_plans(rows: pd.DataFrame, supplied: pd.DataFrame | None, calendar: BusinessCalendar) -> Plans:
    """Plan completed rows (subloan_rows.completed). ``supplied``: account, n, due_date and amounts."""
    given = (
        rows["account"].isin(set(supplied["account"]))
        if supplied is not None
        else pd.Series(False, index=rows.index)
    )
    parts: list[tuple[np.ndarray, ScheduleColumns]] = []
    refused: dict[int, CannotSchedule] = {}
    kept: list[dict[str, Any]] = [{} for _row in range(len(rows))]
    for mask, build in ((given, _supplied), (~given, _generated)):
        members = np.flatnonzero(mask.to_numpy())
        if not members.size:
            continue
        mine = rows.iloc[members]
        columns, terms = build(mine, supplied, calendar)
        parts.append((members, columns))
        refused.update({int(members[at]): why for at, why in columns.refused.items()})
        for place, written in zip(members.tolist(), terms, strict=True):
            kept[place] = written
    capitalised = np.zeros(len(rows), dtype=np.int64)
    for members, columns in parts:
        np.add.at(capitalised, members[columns.loan], columns.capitalised)
    return Plans(
        plan=pd.concat(
            [plan_rows(columns, members, named="position") for members, columns in parts], ignore_index=True
        )
        if parts
        else pd.DataFrame(),
        capitalised=capitalised,
        causes=[
            Schedule.Cause.SUPPLIED.value if mine else Schedule.Cause.DISBURSEMENT.value for mine in given
        ],
        terms=kept,
        refused=refused,
    )


def _generated(
    rows: pd.DataFrame, _supplied_plan: pd.DataFrame | None, calendar: BusinessCalendar
) -> tuple[ScheduleColumns, list[dict[str, Any]]]:
    stated = rows[_STATED].assign(
        tenor_months=rows["tenor_months"].fillna(0),
        instalment_count=rows["instalment_count"].fillna(0),
        step_percent=rows["step_percent"].map(_percent),
    )
    number, combos = pd.factorize(pd.MultiIndex.from_frame(stated))
    rules: list[Rules] = []
    bad: dict[int, CannotSchedule] = {}
    for place, combo in enumerate(combos):
        try:
            rules.append(_rules(dict(zip(_STATED, combo, strict=True))))
        except CannotSchedule as refusal:
            bad[place] = refusal
            rules.append(Rules(method=Method.BULLET, instalments=1))
    terms = TermsColumns(
        rules=tuple(rules),
        rule=np.asarray(number, dtype=np.int64),
        principal=rows["amount_minor"].fillna(0).to_numpy(dtype=np.int64),
        rate=np.array([_rate(rate) for rate in rows["annual_rate"]], dtype=np.int64),
        disbursed_on=rows["disbursed_date"].to_numpy().astype("datetime64[D]"),
        first_due_on=rows["first_due_date"].to_numpy().astype("datetime64[D]"),
    )
    columns = build_schedules(terms, calendar)
    for place, why in bad.items():
        columns.refused.update({int(at): why for at in np.flatnonzero(number == place)})
    return columns, _written(rows, terms, columns.refused)


def _rules(stated: dict[str, Any]) -> Rules:
    """Without a day count: by twelfths where periods are months, else by days over 365.

    A holiday moves the due date only. Raises ``CannotSchedule``.
    """
    in_months = stated["frequency"] in {every.value for every in Frequency if every.months}
    usual = DayCount.MONTHLY_12 if in_months else DayCount.ACT_365F
    return StatedTerms(
        method=stated["method"],
        frequency=stated["frequency"],
        every_days=int(stated["every_days"]),
        instalments=int(stated["instalment_count"]),
        tenor_months=int(stated["tenor_months"]),
        grace_months=int(stated["grace_months"]),
        grace_kind=stated["grace_kind"],
        day_count=stated["day_count"] or usual.value,
        due_day=int(stated["due_day"]),
        roll_rule=RollRule.FOLLOWING.value,
        step_percent=stated["step_percent"],
        step_every=int(stated["step_every"]),
        contract_mode=stated["contract_mode"],
    ).rules()


def _percent(step: Any) -> Decimal:
    """A step as a Decimal; nothing where none is stated."""
    return Decimal(0) if step is None or pd.isna(step) else Decimal(step)


def _rate(rate: Any) -> int:
    """Rate units, or −1 (which calc refuses) where the rate is missing or too fine."""
    try:
        return to_rate_units(rate)
    except (ValueError, TypeError, AttributeError):
        return -1


def _supplied(
    rows: pd.DataFrame, supplied_plan: pd.DataFrame | None, _calendar: BusinessCalendar
) -> tuple[ScheduleColumns, list[dict[str, Any]]]:
    if supplied_plan is None:
        raise ValueError("no plan was supplied")
    place = pd.Series(np.arange(len(rows)), index=pd.Index(rows["account"]))
    place = place[~place.index.duplicated()]
    mine = supplied_plan[supplied_plan["account"].isin(set(place.index))]
    columns = supplied_schedules(
        rows["amount_minor"].fillna(0).to_numpy(dtype=np.int64),
        rows["disbursed_date"].to_numpy().astype("datetime64[D]"),
        SuppliedColumns(
            loan=place.reindex(mine["account"]).to_numpy(dtype=np.int64),
            instalment=mine["n"].to_numpy(dtype=np.int32),
            due_on=pd.to_datetime(mine["due_date"]).to_numpy().astype("datetime64[D]"),
            principal=mine["principal_minor"].to_numpy(dtype=np.int64),
            interest=mine["interest_minor"].to_numpy(dtype=np.int64),
        ),
    )
    return columns, [{} for _row in range(len(rows))]


def _written(
    rows: pd.DataFrame, terms: TermsColumns, refused: dict[int, CannotSchedule]
) -> list[dict[str, Any]]:
    """The terms of generated plans as a schedule keeps them; what loans share is written once for all."""
    shared = [
        write_terms(
            Terms(
                **{field.name: getattr(rules, field.name) for field in fields(Rules)},
                principal_minor=0,
                annual_rate=Decimal(0),
                disbursed_on=date.min,
            )
        )
        for rules in terms.rules
    ]
    own = zip(
        terms.rule.tolist(),
        terms.principal.tolist(),
        rows["annual_rate"].tolist(),
        terms.disbursed_on.tolist(),
        terms.first_due_on.tolist(),
        strict=True,
    )
    return [
        {}
        if at in refused
        else shared[rule]
        | {"principal_minor": principal, "annual_rate": str(rate), "disbursed_on": lent_on.isoformat()}
        | ({"first_due_on": first.isoformat()} if first else {})
        for at, (rule, principal, rate, lent_on, first) in enumerate(own)
    ]
