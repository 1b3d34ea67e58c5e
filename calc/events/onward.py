"""The terms under which a plan goes on after its event."""

from dataclasses import dataclass, replace

import numpy as np

from calc.calendar import NO_DATE, DateColumn, add_months_columns, day_of_month
from calc.events.rest import Rest
from calc.events.running import Running
from calc.interest import Segments
from calc.money import BoolColumn, IntColumn
from calc.schedule import (
    CannotSchedule,
    GraceKind,
    Method,
    Residue,
    Rules,
    ScheduleColumns,
    TakenOver,
    TermsColumns,
    build_schedules,
    counts_needed,
    with_counts,
)

KINDS = tuple(GraceKind)


@dataclass(frozen=True)
class Onward:
    """How each loan goes on, columns with an entry a loan.

    balance, rate, instalments, grace, quiet (periods whose interest waits, is added or waived) and kind
    (place in KINDS) of the plan to come; agreed: the instalment that stays, 0 where it is worked out
    anew; segments and amount: the interest carried into it; flat_on: what flat interest is counted on;
    extra: how many dues on the event's own date are numbered before it; prepaid: principal of the next
    instalments paid already, of which nothing is left where the instalment is worked out anew; amounts:
    irregular principal by position.
    """

    balance: IntColumn
    rate: IntColumn
    instalments: IntColumn
    grace: IntColumn
    quiet: IntColumn
    kind: IntColumn
    agreed: IntColumn
    segments: Segments
    amount: IntColumn
    flat_on: IntColumn
    extra: IntColumn
    prepaid: IntColumn
    amounts: dict[int, tuple[int, ...]]

    @classmethod
    def of(cls, running: Running, rest: Rest) -> "Onward":
        """Going on exactly as before: nothing changes."""
        kinds = [KINDS.index(rules.grace_kind) for rules in running.terms.rules]
        kind = np.array(kinds, dtype=np.int64)[running.terms.rule]
        keeps = running.has("method", Method.BULLET, Method.IRREGULAR)
        repeated = running.plan.loan[rest.standing & (running.plan.instalment > 0)]
        standing = np.bincount(repeated, minlength=len(running)).astype(np.int64)
        return cls(
            balance=rest.balance,
            rate=running.terms.rate,
            instalments=rest.instalments,
            grace=rest.grace,
            quiet=rest.quiet,
            kind=kind,
            agreed=np.where(keeps, 0, rest.level),
            segments=rest.segments,
            amount=rest.amount,
            flat_on=rest.flat_on,
            extra=standing,
            prepaid=rest.prepaid,
            amounts=remaining_amounts(running, rest),
        )


def remaining_amounts(running: Running, rest: Rest) -> dict[int, tuple[int, ...]]:
    """Irregular amounts of principal not yet fallen due, by position of the loan."""
    return {
        int(at): running.terms.rules[int(running.terms.rule[at])].amounts[-int(rest.instalments[at]) :]
        for at in np.flatnonzero(running.has("method", Method.IRREGULAR) & rest.alive)
    }


def terms_onward(running: Running, rest: Rest, onward: Onward) -> TermsColumns:
    """The terms of the plans to come; the first due date is the one the old plan had next."""
    plan, terms = running.plan, running.terms
    next_end = plan.nominal_on[rest.first] if len(plan) else terms.disbursed_on
    silent = np.minimum(onward.quiet, onward.grace)
    first_due = _periods_on(running, rest, next_end, silent)
    rules, rule = _rules(running, rest, onward, first_due)
    return TermsColumns(
        rules=rules,
        rule=rule,
        principal=onward.balance,
        rate=onward.rate,
        disbursed_on=rest.on,
        first_due_on=np.where(rest.alive, first_due, NO_DATE),
        agreed_instalment=onward.agreed,
        taken_over=TakenOver(
            segments=onward.segments,
            amount=onward.amount,
            rest_days=rest.rest_days,
            rest_above=rest.rest_above,
            rest_below=rest.rest_below,
            flat_on=onward.flat_on,
            numbered_after=rest.kept + onward.extra,
            prepaid=np.where(onward.agreed > 0, onward.prepaid, 0),
        ),
    )


def _periods_on(running: Running, rest: Rest, day: DateColumn, count: IntColumn) -> DateColumn:
    """The due date so many periods on, on the plan's own day of the month."""
    months = np.array([rules.frequency.months for rules in running.terms.rules])[running.terms.rule]
    days = np.array([_days(rules) for rules in running.terms.rules])[running.terms.rule]
    by_days = day + (days * count).astype("timedelta64[D]")
    by_months = add_months_columns(day, months * count, seed_day=rest.seed)
    return np.where(count == 0, day, np.where(months > 0, by_months, by_days))


def _days(rules: Rules) -> int:
    return rules.frequency.days(rules.every_days)


def _rules(
    running: Running, rest: Rest, onward: Onward, first_due: DateColumn
) -> tuple[tuple[Rules, ...], IntColumn]:
    """The distinct rules of the plans to come, and which of them each loan has."""
    off_day = day_of_month(first_due) != rest.seed
    own = np.zeros(len(running), dtype=np.int64)
    own[list(onward.amounts)] = np.array(list(onward.amounts), dtype=np.int64) + 1
    begun = rest.passed > running.number("grace_periods")
    keys = np.stack(
        [
            running.terms.rule,
            onward.instalments,
            onward.grace,
            onward.quiet,
            onward.kind,
            np.where(off_day, rest.seed, 0),
            begun.astype(np.int64),
            rest.steps_done,
            np.maximum(rest.passed - running.number("grace_periods"), 0),
            own,
        ],
        axis=1,
    )
    distinct, rule = np.unique(keys, axis=0, return_inverse=True)
    rules = tuple(_one_rule(running, onward, *key) for key in distinct.tolist())
    return rules, rule.reshape(-1).astype(np.int64)


def _one_rule(
    running: Running,
    onward: Onward,
    number: int,
    instalments: int,
    grace: int,
    quiet: int,
    kind: int,
    due_day: int,
    begun: int,
    steps_done: int,
    passed: int,
    own: int,
) -> Rules:
    old = running.terms.rules[number]
    kinds = GraceKind.INTEREST_PAID if grace else GraceKind.NONE
    months = old.frequency.months > 0
    return replace(
        old,
        instalments=instalments,
        grace_periods=grace,
        grace_kind=KINDS[kind] if quiet else kinds,
        interest_grace=quiet if quiet != grace else 0,
        due_day=(old.due_day or due_day) if months else 0,
        residue=Residue.LAST if begun else old.residue,
        steps_done=steps_done,
        amortised_over=max(old.amortised_over - passed, instalments) if old.amortised_over else 0,
        amounts=onward.amounts[own - 1] if own else (),
    )


def with_needed(
    terms: TermsColumns, running: Running, chosen: BoolColumn
) -> tuple[TermsColumns, dict[int, CannotSchedule]]:
    """The chosen loans with as many instalments as the agreed one takes; by position those none repays."""
    members = np.flatnonzero(chosen)
    if not members.size:
        return terms, {}
    counts, refused = counts_needed(terms.take(members), running.calendar)
    every = np.array([rules.instalments for rules in terms.rules], dtype=np.int64)[terms.rule]
    every[members] = counts
    return with_counts(terms, every), {int(members[at]): why for at, why in refused.items()}


def planned(terms: TermsColumns, running: Running, chosen: BoolColumn) -> ScheduleColumns:
    """The plans of the chosen loans, numbered by their positions among all."""
    members = np.flatnonzero(chosen)
    plan = build_schedules(terms.take(members), running.calendar)
    refused = {int(members[at]): why for at, why in plan.refused.items()}
    return replace(plan, loan=members[plan.loan].astype(np.int64), refused=refused)
