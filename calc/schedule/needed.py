"""How many instalments of an agreed amount repay a loan, and which amount fits a number best."""

from dataclasses import replace

import numpy as np

from calc.calendar import EVERY_DAY, BusinessCalendar
from calc.money import BoolColumn, IntColumn, round_ratio
from calc.schedule.build import build_schedules
from calc.schedule.checks import MAX_PERIODS
from calc.schedule.terms import CannotSchedule, Method, Residue, Rules, Terms, TermsColumns
from calc.schedule.walk import BELOW_INTEREST, EXHAUSTED


def instalments_needed(terms: Terms, calendar: BusinessCalendar = EVERY_DAY) -> int:
    """How many instalments of the agreed amount repay the loan, the last being no larger.

    This is what shortens a term: 5,000.00 at 12 % and 862.00 a month takes 7. CannotSchedule if no
    number of them ever does.
    """
    counts, refused = counts_needed(TermsColumns.of([terms]), calendar)
    for refusal in refused.values():
        raise refusal
    return int(counts[0])


def nearest_instalment(terms: Terms, calendar: BusinessCalendar = EVERY_DAY) -> int:
    """The level instalment, in minor units, that leaves the last one nearest to it.

    Starting from the exact one rounded, what the last differs by is spread over all, rounded as the
    terms say, as long as that brings it nearer: 100.00 at 9.4822 % over three fortnights is 33.58,
    33.58, 33.56, or with 33.57 agreed 33.57, 33.57, 33.58. CannotSchedule if the method has no level
    instalment or the terms have no plan.
    """
    if terms.method is not Method.EQUAL_INSTALMENT:
        raise CannotSchedule("agreed_instalment", "an agreed instalment needs equal instalments")
    level, off = _level_and_rest(terms, calendar)
    while step := round_ratio(off, terms.instalments, terms.instalment_rounding):
        try:
            moved, rest = _level_and_rest(replace(terms, agreed_instalment_minor=level + step), calendar)
        except CannotSchedule:
            break
        if abs(rest) >= abs(off):
            break
        level, off = moved, rest
    return level


def _level_and_rest(terms: Terms, calendar: BusinessCalendar) -> tuple[int, int]:
    """The level instalment, and by how much the last is larger."""
    columns = build_schedules(TermsColumns.of([terms]), calendar)
    for refusal in columns.refused.values():
        raise refusal
    level = int(columns.level[-1])
    return level, int(columns.principal[-1] + columns.interest[-1]) - level


def counts_needed(
    terms: TermsColumns, calendar: BusinessCalendar = EVERY_DAY
) -> tuple[IntColumn, dict[int, CannotSchedule]]:
    """`instalments_needed` in columns, and the loans that no number of instalments repays, by position.

    The count is doubled from the terms' own until it suffices, then halved down to the smallest. A
    residue that the first instalment takes is looked for in the last: the first would take any.
    """
    terms = replace(terms, rules=tuple(replace(rules, residue=Residue.LAST) for rules in terms.rules))
    refused: dict[int, CannotSchedule] = {}
    grace = np.array([rules.grace_periods for rules in terms.rules], dtype=np.int64)[terms.rule]
    high = np.array([rules.instalments for rules in terms.rules], dtype=np.int64)[terms.rule]
    open_ = np.ones(len(terms), dtype=bool)
    low = np.ones_like(high)
    while open_.any():
        enough = _repaid(terms, high, open_, calendar, refused)
        open_ &= ~enough
        open_[list(refused)] = False
        for position in np.flatnonzero(open_ & (high + grace >= MAX_PERIODS)):
            sentence = "instalments of {minor} minor units never repay the loan"
            minor = int(terms.agreed()[position])
            refused[int(position)] = CannotSchedule("agreed_instalment", sentence, minor=minor)
            open_[position] = False
        low = np.where(open_, high + 1, low)
        high = np.where(open_, np.minimum(high * 2, MAX_PERIODS - grace), high)
    sound = np.ones(len(terms), dtype=bool)
    sound[list(refused)] = False
    while (open_ := sound & (low < high)).any():
        middle = (low + high) // 2
        enough = _repaid(terms, middle, open_, calendar, refused)
        high = np.where(open_ & enough, middle, high)
        low = np.where(open_ & ~enough, middle + 1, low)
    return high, refused


def with_counts(terms: TermsColumns, counts: IntColumn) -> TermsColumns:
    """The same terms with so many paying instalments each."""
    pairs, rule = np.unique(np.stack([terms.rule, counts], axis=1), axis=0, return_inverse=True)
    rules = tuple(_counted(terms.rules[number], count) for number, count in pairs.tolist())
    return replace(terms, rules=rules, rule=rule.astype(np.int64).reshape(-1))


def _counted(rules: Rules, count: int) -> Rules:
    return replace(rules, instalments=count)


def _repaid(
    terms: TermsColumns,
    counts: IntColumn,
    asked: BoolColumn,
    calendar: BusinessCalendar,
    refused: dict[int, CannotSchedule],
) -> BoolColumn:
    """Of the loans asked about: whether the agreed instalment repays them within these counts."""
    members = np.flatnonzero(asked)
    mine = with_counts(terms.take(members), counts[members])
    plan = build_schedules(mine, calendar)
    last = np.append(plan.loan[1:] != plan.loan[:-1], True)[: len(plan)]
    enough = np.zeros(len(mine), dtype=bool)
    share = np.array([rules.method is Method.EQUAL_PRINCIPAL for rules in mine.rules])[mine.rule]
    loan = plan.loan[last]
    paid = plan.principal[last] + np.where(share[loan], 0, plan.interest[last])
    enough[loan] = paid <= plan.level[last]
    for position, refusal in plan.refused.items():
        if refusal.term == "agreed_instalment" and refusal.sentence == EXHAUSTED:
            enough[position] = True
        elif refusal.sentence != BELOW_INTEREST:
            refused[int(members[position])] = refusal
    found = np.zeros(asked.size, dtype=bool)
    found[members[enough]] = True
    return found
