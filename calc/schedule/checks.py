"""What makes terms contradict each other: in the rules loans share, and in each loan's own figures."""

from collections.abc import Iterator

import numpy as np

from calc.calendar import Frequency, add_months
from calc.daycount import DayCount
from calc.money import RATE_UNITS
from calc.schedule.terms import (
    CannotSchedule,
    GraceKind,
    InterestTo,
    LevelFrom,
    Method,
    Residue,
    Rules,
    TermsColumns,
)

MAX_PERIODS = 1200
"""Longest plan, in periods: a hundred years of months."""

_LEVEL = frozenset({Method.EQUAL_INSTALMENT, Method.STEP_UP})


def check_rules(rules: Rules) -> None:
    """Raise CannotSchedule where the rules contradict each other."""
    gaps = {"most": MAX_PERIODS, "given": len(rules.amounts), "wanted": rules.instalments}
    for contradicts, term, sentence in (*_count_faults(rules), *_date_faults(rules), *_method_faults(rules)):
        if contradicts:
            raise CannotSchedule(term, sentence, **gaps)


def _count_faults(rules: Rules) -> Iterator[tuple[bool, str, str]]:
    """Numbers of instalments and of grace periods."""
    no_grace = rules.grace_periods == 0 and rules.interest_grace == 0
    quiet = rules.grace_kind not in {GraceKind.NONE, GraceKind.INTEREST_PAID}
    too_long = rules.instalments < 1 and rules.grace_periods > 0
    yield too_long, "grace_periods", "the grace leaves no instalment to repay the loan"
    yield rules.instalments < 1, "instalments", "at least one instalment must repay the loan"
    yield rules.periods > MAX_PERIODS, "instalments", "a plan has at most {most} periods"
    yield rules.grace_periods < 0, "grace_periods", "grace cannot be negative"
    yield (
        rules.grace_periods > 0 and rules.grace_kind is GraceKind.NONE,
        "grace_kind",
        "say whether interest is paid, added, capitalised, deferred or waived during the grace periods",
    )
    yield (
        no_grace and rules.grace_kind is not GraceKind.NONE,
        "grace_periods",
        "a kind of grace needs at least one grace period",
    )
    yield (
        rules.interest_grace != 0 and not quiet,
        "interest_grace",
        "a grace on interest needs a kind other than interest paid",
    )
    yield (
        rules.interest_grace > rules.grace_periods and rules.grace_kind is not GraceKind.INTEREST_WAIVED,
        "interest_grace",
        "a grace on interest cannot be longer than the grace on principal unless the interest is waived",
    )
    yield (
        not 0 <= rules.interest_grace < max(rules.periods, 1),
        "interest_grace",
        "a grace on interest must end before the last instalment",
    )


def _date_faults(rules: Rules) -> Iterator[tuple[bool, str, str]]:
    """Frequency, due day and day count."""
    by_days = not rules.frequency.months
    yield (
        by_days and rules.frequency.days(rules.every_days) < 1,
        "every_days",
        "say every how many days an instalment falls due",
    )
    yield (
        rules.every_days != 0 and rules.frequency is not Frequency.EVERY_N_DAYS,
        "every_days",
        "a number of days belongs to the frequency 'every n days' only",
    )
    yield not 0 <= rules.due_day <= 31, "due_day", "a due day lies between 1 and 31"
    yield by_days and rules.due_day != 0, "due_day", "a fixed due day needs periods counted in months"
    yield (
        by_days and rules.day_count is DayCount.MONTHLY_12,
        "day_count",
        "monthly/12 needs periods counted in months",
    )
    yield (
        rules.interest_to is InterestTo.ADJUSTED and rules.day_count is DayCount.MONTHLY_12,
        "interest_to",
        "monthly/12 does not count the days by which a holiday moves a due date",
    )


def _method_faults(rules: Rules) -> Iterator[tuple[bool, str, str]]:
    """Terms that belong to one method only."""
    steps, irregular = rules.method is Method.STEP_UP, rules.method is Method.IRREGULAR
    yield (
        steps and rules.step_every < 1,
        "step_every",
        "say after how many instalments the instalment steps up",
    )
    yield (
        steps and not -100 < rules.step_percent <= 1000,
        "step_percent",
        "a step lies above -100 % and up to 1000 %",
    )
    yield (
        not steps and (rules.step_every != 0 or rules.step_percent != 0),
        "step_percent",
        "a step belongs to the method 'step up' only",
    )
    yield (
        steps and rules.residue is Residue.FIRST,
        "residue",
        "the residue of stepped instalments goes to the last",
    )
    yield (
        irregular and len(rules.amounts) != rules.instalments,
        "amounts",
        "{given} amounts do not make {wanted} instalments",
    )
    yield irregular and min(rules.amounts, default=0) < 0, "amounts", "an amount is negative"
    yield not irregular and rules.amounts != (), "amounts", "amounts belong to the method 'irregular' only"
    yield (
        rules.level_from is LevelFrom.NOMINAL and rules.method not in _LEVEL,
        "level_from",
        "only level instalments are worked out from nominal periods",
    )
    yield (
        rules.amortised_over != 0 and rules.amortised_over < rules.instalments,
        "amortised_over",
        "a loan cannot be amortised over fewer periods than it has instalments",
    )
    yield (
        rules.amortised_over != 0
        and (rules.method is not Method.EQUAL_INSTALMENT or rules.level_from is not LevelFrom.NOMINAL),
        "amortised_over",
        "a longer amortisation needs equal instalments worked out from nominal periods",
    )
    yield (
        rules.amortised_over > rules.instalments and rules.residue is Residue.FIRST,
        "residue",
        "the balloon of a longer amortisation is the last instalment",
    )
    yield (
        rules.amortised_over > MAX_PERIODS,
        "amortised_over",
        "an amortisation has at most {most} periods",
    )


def refusals(terms: TermsColumns) -> dict[int, CannotSchedule]:
    """What contradicts in each loan's own figures, by position; rules are checked apart."""
    found: dict[int, CannotSchedule] = {}
    agreed, begun = terms.agreed(), terms.begun()
    for number, rules in enumerate(terms.rules):
        mine = terms.rule == number
        try:
            check_rules(rules)
        except CannotSchedule as refusal:
            found.update((int(position), refusal) for position in np.flatnonzero(mine))
            continue
        tests = (
            (terms.principal <= 0, "principal", "a loan needs a positive principal"),
            (terms.principal >= 2**53, "principal", "the principal is beyond what the books can hold"),
            (terms.rate < 0, "annual_rate", "a rate cannot be negative"),
            (terms.rate > 1000 * RATE_UNITS, "annual_rate", "a rate above 1000 % a year is a slip"),
            (np.isnat(terms.disbursed_on), "disbursed_on", "the date of disbursement is missing"),
            (agreed < 0, "agreed_instalment", "an agreed instalment cannot be negative"),
            (
                (agreed > 0) & (rules.method in {Method.BULLET, Method.IRREGULAR}),
                "agreed_instalment",
                "an agreed instalment needs equal instalments",
            ),
            (
                (terms.first_due_on <= terms.disbursed_on) & (begun.rest_below == 0),
                "first_due_on",
                "the first due date must lie after the disbursement",
            ),
        )
        for contradicts, term, reason in tests:
            for position in np.flatnonzero(mine & contradicts):
                found.setdefault(int(position), CannotSchedule(term, reason))
        for position in np.flatnonzero(mine & ~np.isnat(terms.first_due_on) & (rules.due_day > 0)):
            first = terms.first_due_on[position].item()
            if add_months(first, 0, seed_day=rules.due_day) != first:
                sentence = "the first due date {date} does not fall on the fixed due day {day}"
                why = CannotSchedule("first_due_on", sentence, date=first, day=rules.due_day)
                found.setdefault(int(position), why)
    return found
