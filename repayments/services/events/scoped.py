"""Events on every loan of a scope at once: a moratorium by programme, institution, cluster, district; a
change of the rate of an agreement. Loans that cannot take part are left out, each with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection
from django.utils.translation import gettext as _

from calc.calendar import to_date
from calc.events import Dates, Effect, Replans, change_rate, moratorium
from calc.money import Component
from calc.schedule import CannotSchedule, GraceKind
from daybook.formats import day, percent
from lending.models import Agreement, Schedule, Tier
from lending.selectors.programmes import terms_on
from lending.term_words import say_refusal
from repayments.services.events import asked
from repayments.services.events.asked import CannotMakeEvent, Parameters
from repayments.services.events.facts import PLANNED, Facts, read_facts
from repayments.services.events.outcome import (
    Outcome,
    Say,
    plan_frames,
    replaced_without_money,
    shown_changes,
    side_by_side,
    totals_of,
)

LISTED = 200
"""Loans whose old and new figures the preview keeps; totals are of all."""
_SCOPE = """
SELECT l.id
  FROM lending_loan l
  LEFT JOIN LATERAL (SELECT p.cluster_id, p.district_id FROM lending_loanprofile p
                      WHERE p.loan_id = l.id AND p.effective_date <= %(on)s
                      ORDER BY p.effective_date DESC, p.booking_id DESC, p.id DESC LIMIT 1) p ON true
  LEFT JOIN lending_tranche t ON t.id = l.tranche_id
  LEFT JOIN lending_facility f ON f.id = t.facility_id
  LEFT JOIN lending_application a ON a.id = f.application_id
  LEFT JOIN lending_cluster c ON c.id = coalesce(p.cluster_id, a.cluster_id)
 WHERE l.tier = %(tier)s
   AND (%(programme)s::bigint IS NULL OR l.programme_id = %(programme)s)
   AND (%(institution)s::bigint IS NULL OR l.institution_id = %(institution)s)
   AND (%(agreement)s::bigint IS NULL OR l.agreement_id = %(agreement)s)
   AND (%(cluster)s::bigint IS NULL OR coalesce(p.cluster_id, a.cluster_id) = %(cluster)s)
   AND (%(district)s::text IS NULL OR coalesce(p.district_id, c.district_id) = %(district)s)
   AND EXISTS (SELECT FROM lending_schedule s WHERE s.loan_id = l.id AND s.maturity_date >= %(on)s)
 ORDER BY l.id
"""


def loans_in_scope(parameters: Parameters, on: date) -> list[int]:
    """Loans of the scope whose plan reaches beyond a date. Raises ``CannotMakeEvent`` for none."""
    names = ("programme", "institution", "agreement", "cluster", "district")
    scope = {name: parameters.get(name) or None for name in names}
    tier = asked.text(parameters, "tier") or "subloan"
    with connection.cursor() as cursor:
        cursor.execute(_SCOPE, {**scope, "tier": tier, "on": on})
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        raise CannotMakeEvent("scope", _("No loan of this scope runs beyond that date."))
    return ids


def moratorium_on(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Nothing of principal falls due from a date to another; what becomes of interest is a choice."""
    until = asked.day(parameters, "until")
    if until <= on:
        raise CannotMakeEvent("until", _("The moratorium must end after it begins."))
    kind = asked.code(parameters, "grace_kind", GraceKind)
    dates = asked.code(parameters, "dates", Dates, Dates.SHIFTED)
    adds = kind in (GraceKind.INTEREST_ADDED, GraceKind.INTEREST_CAPITALISED)
    if adds and (facts.loans["contract_mode"] != Agreement.ContractMode.INTEREST).any():
        raise CannotMakeEvent(
            "grace_kind", _("Under this contract nothing unpaid joins what bears profit or rent.")
        )
    facts, left_out = _with_terms(facts, on)
    facts, by_day = _not_by_daily_product(facts, kind)
    left_out += by_day
    replans = moratorium(facts.running, on, until=until, kind=kind, dates=dates)
    outcome = _of_many(facts, replans, cause=Schedule.Cause.MORATORIUM, on=on, left_out=left_out)
    gaps = {"on": on.isoformat(), "until": until.isoformat(), "loans": len(outcome.versions)}
    outcome.says.append(Say("moratorium", gaps))
    outcome.says.append(Say(f"moratorium.{kind.value}", gaps))
    outcome.says.append(Say(f"moratorium.{dates.value}", gaps))
    return outcome


def _not_by_daily_product(facts: Facts, kind: GraceKind) -> tuple[Facts, list[dict[str, Any]]]:
    """The loans without those whose interest is raised from facts, where it is to be added or not charged."""
    if kind in (GraceKind.INTEREST_PAID, GraceKind.INTEREST_DEFERRED):
        return facts, []
    daily = (facts.loans["interest_basis"] == Agreement.InterestBasis.DAILY_PRODUCT).to_numpy()
    daily = daily & (facts.loans["tier"] == Tier.WHOLESALE).to_numpy()
    reason = _("Its interest is raised on what is outstanding each day: it goes on falling due, or waits.")
    if daily.all():
        raise CannotMakeEvent("grace_kind", reason)
    left_out = [{"loan": number, "reason": reason} for number in facts.loans["number"][daily]]
    return _of(facts, ~daily), left_out


def rate_change(facts: Facts, on: date, parameters: Parameters) -> Outcome:
    """Another rate from a date: on one loan, or on every running loan of its agreement."""
    rate = asked.percent(parameters, "annual_rate")
    effect = asked.code(parameters, "effect", Effect)
    if (facts.loans["contract_mode"] == Agreement.ContractMode.MURABAHA).any():
        raise CannotMakeEvent(
            "annual_rate", _("The price of a murabaha is fixed at the sale; it is not changed afterwards.")
        )
    _refuse_above_cap(facts, on, rate)
    facts, left_out = _with_terms(facts, on)
    try:
        replans = change_rate(facts.running, on, annual_rate=rate, effect=effect)
    except CannotSchedule as error:
        raise asked.refused(error) from error
    outcome = _of_many(facts, replans, cause=Schedule.Cause.RATE_CHANGE, on=on, left_out=left_out)
    gaps = {"on": on.isoformat(), "rate": str(rate), "loans": len(outcome.versions)}
    outcome.says.append(Say("rate_change", gaps))
    outcome.says.append(Say(f"rate_change.{effect.value}", gaps))
    return outcome


def _refuse_above_cap(facts: Facts, on: date, rate: Any) -> None:
    for agreement in Agreement.objects.filter(pk__in=facts.loans["agreement_id"].unique().tolist()):
        terms = terms_on(agreement.programme, on)
        if terms is not None and rate > terms.borrower_rate_cap:
            raise CannotMakeEvent(
                "annual_rate",
                _("%(programme)s caps the borrowers' rate at %(cap)s.")
                % {"programme": agreement.programme, "cap": percent(terms.borrower_rate_cap)},
            )


def _with_terms(facts: Facts, on: date) -> tuple[Facts, list[dict[str, Any]]]:
    """The loans whose plan can change on the date; the others with their reasons."""
    versions = facts.versions
    supplied = (versions["terms"] == "{}").to_numpy()
    latest = pd.to_datetime(versions["latest_effective_date"]).to_numpy().astype("datetime64[D]")
    later = latest > np.datetime64(on, "D")
    left_out = [
        {
            "loan": versions["number"].iloc[at],
            "reason": _("The institution supplied the plan; it must supply the new one.")
            if supplied[at]
            else _("The plan in force began later, on %(day)s.") % {"day": day(to_date(latest[at]))},
        }
        for at in np.flatnonzero(supplied | later).tolist()
    ]
    stays = ~(supplied | later)
    if not stays.any():
        raise CannotMakeEvent("effective_date", str(left_out[0]["reason"]))
    return _of(facts, stays), left_out


def _of(facts: Facts, stays: npt.NDArray[np.bool_]) -> Facts:
    """The facts of some of the loans."""
    return replace(
        facts,
        loans=facts.loans[stays].reset_index(drop=True),
        versions=facts.versions[stays].reset_index(drop=True),
        dues=facts.dues[np.isin(facts.dues["loan_id"], facts.ids[stays])],
    )


def _of_many(
    facts: Facts, replans: Replans, *, cause: str, on: date, left_out: list[dict[str, Any]]
) -> Outcome:
    refused = {at: say_refusal(why) for at, why in replans.refused.items()}
    left_out = left_out + [
        {"loan": facts.loans["number"].iloc[at], "reason": why} for at, why in sorted(refused.items())
    ]
    if len(refused) == len(facts.loans):
        first = next(iter(replans.refused.values()))
        raise asked.refused(first)
    versions, dues = plan_frames(facts, replans, cause=cause, on=on)
    held = replaced_without_money(versions)
    if held:
        names = facts.loans.set_index("id")["number"]
        left_out += [
            {"loan": names[loan_id], "reason": _("What a waiver settled would be taken back.")}
            for loan_id in held
        ]
        versions = versions[~versions["loan_id"].isin(held)].reset_index(drop=True)
        dues = dues[~dues["loan_id"].isin(held)].reset_index(drop=True)
    if versions.empty:
        raise CannotMakeEvent("effective_date", str(left_out[0]["reason"]))
    old = _summed(facts, versions)
    new = _sums(dues)
    both = old.add_suffix("_old").join(new.add_suffix("_new"), how="right")
    both["number"] = facts.loans.set_index("id")["number"].reindex(both.index)
    outstanding = int(both["principal_old"].sum())
    outcome = Outcome(
        amount_minor=outstanding,
        effective_on=on,
        versions=versions,
        dues=dues,
        refusals=left_out[:LISTED],
        amounts=dict(zip(both.index.tolist(), both["principal_old"].astype("int64").tolist(), strict=True)),
        loans=[_listed(row) for row in both.head(LISTED).itertuples()],
        totals={
            side: {name: int(both[f"{name}_{side}"].sum()) for name in ("principal", "interest", "total")}
            for side in ("old", "new")
        },
        figures=[{"name": "loans", "count": len(versions)}, {"name": "left_out", "count": len(left_out)}],
    )
    if len(facts.loans) == 1:
        kept = int(versions["keeps_to"].iloc[0])
        outcome.rows = side_by_side(facts, dues, kept=kept, paid=facts.settled(as_of=facts.business_date))
        outcome.totals = totals_of(outcome.rows)
        outcome.changes = shown_changes(replans.one())
    return outcome


def _summed(facts: Facts, versions: pd.DataFrame) -> pd.DataFrame:
    """What each loan's plan in force has left to fall due from the last instalment kept on."""
    rows = facts.dues[np.isin(facts.dues["component"], PLANNED)]
    keeps = versions.set_index("loan_id")["keeps_to"].reindex(rows["loan_id"]).to_numpy()
    rows = rows[rows["instalment"] > np.nan_to_num(keeps, nan=np.inf)]
    return _sums(
        pd.DataFrame(
            {
                "loan_id": rows["loan_id"],
                "component": rows["component"],
                "late_date": rows["late_date"].astype("datetime64[s]"),
                "amount_minor": rows["amount_minor"],
            }
        )
    )


def _sums(dues: pd.DataFrame) -> pd.DataFrame:
    principal = dues["amount_minor"].where(dues["component"] == int(Component.PRINCIPAL), 0)
    interest = dues["amount_minor"].where(dues["component"] == int(Component.INTEREST), 0)
    return (
        dues.assign(principal=principal, interest=interest, total=dues["amount_minor"])
        .groupby("loan_id")
        .agg(
            principal=("principal", "sum"),
            interest=("interest", "sum"),
            total=("total", "sum"),
            last=("late_date", "max"),
        )
    )


def _listed(row: Any) -> dict[str, Any]:
    return {
        "loan_id": int(row.Index),
        "loan": row.number,
        "old_last": pd.Timestamp(row.last_old).date().isoformat() if row.last_old else None,
        "new_last": pd.Timestamp(row.last_new).date().isoformat(),
        "old_interest": int(row.interest_old),
        "new_interest": int(row.interest_new),
        "principal": int(row.principal_old),
    }


def facts_of_scope(parameters: Parameters, on: date) -> Facts:
    """The facts of every loan in the scope."""
    return read_facts(loans_in_scope(parameters, on))
