"""The hand-worked cases through calc alone, the policies as ``tests.calc.reference`` states them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from calc.allocation import Receipts, allocate
from calc.arrears import Arrears, measure
from calc.calendar import months_between
from calc.classification import (
    AMBIGUOUS_POLICY,
    NO_POLICY,
    Basis,
    Chosen,
    Classes,
    ClassificationPolicies,
    InstitutionKind,
    LoanClass,
    ProvisionPolicies,
    Scopes,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
    classify,
    provision,
)
from calc.money import Component, from_rate_units, to_rate_units
from calc.schedule import Dues
from tests.calc import reference
from tests.repayments.classes.reading import BOOKS_OPEN, Answer, Case, Dated, all_cases

CASH_LIKE = ("deposit", "government_paper", "guarantee")
CLASS_CODES = dict(
    zip(
        range(1, 9),
        "BANK-2012 BANK-2019 BANK-CMS-2020 BANK-2025 FC-2021-LE5 FC-2021-GT5 WS-DEFAULT WS-TWIN".split(),
        strict=True,
    )
)
PROVISION_CODES = dict(
    zip(
        range(1, 8),
        "P-CMS-2020 P-BANK-2025 P-CMS-OCT25 P-CMSME-DEC25 P-FC-DEC24 P-WS-DEFAULT P-WS-FLOOR".split(),
        strict=True,
    )
)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.says.split(" ")[0])
def test_case(case: Case) -> None:
    for answer in case.answers:
        _check(case, answer)


def _known(row_booked: date, answer: Answer) -> bool:
    return answer.known is None or row_booked <= answer.known


def _check(case: Case, answer: Answer) -> None:
    arrears, chosen, classes = _classed(case, answer, answer.on)
    fallen = int(arrears.fallen_interest[0])
    outstanding = np.array([int(arrears.outstanding_principal[0]) + fallen])
    drives = _reported(case, answer, int(classes.loan_class[0]))
    assert case.loan is not None
    suspense = fallen if case.loan.tier == "wholesale" and drives >= LoanClass.SS else 0
    secured = _standing(case.securities, answer, answer.on)
    security = sum(
        int(Decimal(row.words[0].replace(",", "")) * Decimal(row.words[1].removesuffix(" %")))
        for row in secured
    )
    rules = _provision_rules(case)
    made = provision(
        outstanding,
        np.array([suspense]),
        np.array([security]),
        classes.loan_class,
        rules,
        choose_policies(rules.scopes, _traits(case), answer.on),
        floor_waived=np.array([any(row.words[2] in CASH_LIKE for row in secured)]),
    )
    assert (
        LoanClass(int(classes.loan_class[0])).name,
        Basis(int(classes.basis[0])).name,
        int(arrears.days_past_due[0]),
        int(arrears.months_overdue[0]),
        suspense,
        security,
        int(made.base[0]),
        from_rate_units(int(made.rate[0])) if made.known[0] else None,
        int(made.amount[0]),
        _code(int(chosen.policy[0]), CLASS_CODES),
        _code(int(made.policy[0]), PROVISION_CODES),
    ) == (
        answer.loan_class,
        answer.basis,
        answer.days,
        answer.months,
        answer.suspense,
        answer.security,
        answer.base,
        answer.percent,
        answer.provision,
        answer.policy,
        answer.provision_policy,
    ), answer.on


def _classed(case: Case, answer: Answer, on: date) -> tuple[Arrears, Chosen, Classes]:
    """Arrears and class on a date, as known by the answer's date; freezes ask for their evening before."""
    arrears = _arrears(case, answer, on)
    rules = _class_rules(case)
    chosen = choose_policies(rules.scopes, _traits(case), on)
    ceilings = []
    assert case.loan is not None
    for freeze in case.freezes:
        inside = freeze.from_date <= on <= (freeze.to_date or on) and _known(freeze.booked, answer)
        tier, *sizes = freeze.words[0].split(" ")
        if inside and tier == case.loan.tier and (not sizes or case.loan.size in sizes):
            evening = freeze.from_date - timedelta(days=1)
            if evening < case.loan.on:
                ceilings.append(int(LoanClass.STANDARD))
            else:
                ceilings.append(int(_classed(case, answer, evening)[2].loan_class[0]))
    held = [
        int(LoanClass[floor.words[0]])
        for floor in case.floors
        if floor.from_date <= on
        and _known(floor.booked, answer)
        and not any(free.from_date <= on and _known(free.booked, answer) for free in case.released)
    ]
    classes = classify(
        arrears,
        rules,
        chosen,
        frozen=np.array([min(ceilings, default=-1)], dtype=np.int8),
        judged=np.array([max(held, default=-1)], dtype=np.int8),
    )
    return arrears, chosen, classes


def _arrears(case: Case, answer: Answer, on: date) -> Arrears:
    rows = [
        (number, int(component), day, amount)
        for number, (day, *amounts) in enumerate(case.dues, start=1)
        for component, amount in zip((Component.PRINCIPAL, Component.INTEREST), amounts, strict=True)
        if amount
    ]
    numbers, components, days, amounts = zip(*rows, strict=True)
    dues = Dues(
        loan=np.ones(len(rows), dtype=np.int64),
        instalment=np.array(numbers, dtype=np.int32),
        component=np.array(components, dtype=np.int8),
        late_date=np.array(days, dtype="datetime64[D]"),
        amount=np.array(amounts, dtype=np.int64),
    )
    taken_back = {day for day, booked in case.reversed if _known(booked, answer)}
    paid = [row for row in case.received if _known(row.booked, answer) and row.on not in taken_back]
    receipts = Receipts(
        loan=np.ones(len(paid), dtype=np.int64),
        receipt=np.arange(1, len(paid) + 1, dtype=np.int64),
        value_date=np.array([row.on for row in paid], dtype="datetime64[D]"),
        amount=np.array([row.minor for row in paid], dtype=np.int64),
    )
    settled = allocate(dues, receipts).settled(np.datetime64(on))
    return measure(dues, settled, on, loans=np.array([1]), windows=_class_rules(case).windows)


def _traits(case: Case) -> Traits:
    assert case.loan is not None
    size = SizeTier[case.loan.size.upper()] if case.loan.size else SizeTier.UNKNOWN
    if case.loan.tier == "wholesale":
        size = SizeTier.UNKNOWN
    last = np.array([case.dues[-1][0]], dtype="datetime64[D]")
    return Traits(
        tier=np.array([Tier[case.loan.tier.upper()]], dtype=np.int8),
        institution_kind=np.array([InstitutionKind[case.loan.kind.upper()]], dtype=np.int8),
        size=np.array([size], dtype=np.int8),
        term_months=months_between(np.array([case.loan.on], dtype="datetime64[D]"), last),
    )


def _class_rules(case: Case) -> ClassificationPolicies:
    rules = reference.CLASSIFICATION
    if "WS-DEFAULT again as WS-TWIN" not in case.policies:
        return rules
    return replace(
        rules,
        scopes=_with_again(rules.scopes, reference.WHOLESALE - 1, 8),
        test=np.append(rules.test, rules.test[-1]),
        bounds=np.vstack([rules.bounds, rules.bounds[-1]]),
        lag=np.append(rules.lag, 0),
        counts_from=np.append(rules.counts_from, 0),
    )


def _provision_rules(case: Case) -> ProvisionPolicies:
    rules = reference.PROVISION
    floored = [text for text in case.policies if "with a floor" in text]
    if not floored:
        return rules
    scopes = _with_again(rules.scopes, reference.P_WHOLESALE - 1, 7)
    scopes.effective_from[-1] = np.datetime64(floored[0].rpartition(" ")[2])
    return replace(
        rules,
        scopes=scopes,
        rate=np.vstack([rules.rate, rules.rate[-1]]),
        floor=np.append(rules.floor, to_rate_units(Decimal(15))),
    )


def _with_again(scopes: Scopes, row: int, number: int) -> Scopes:
    """The scopes with one of them again, under another number."""
    again = {name: np.append(getattr(scopes, name), getattr(scopes, name)[row]) for name in vars(scopes)}
    again["policy"][-1] = number
    return Scopes(**again)


def _standing(rows: list[Dated], answer: Answer, on: date) -> list[Dated]:
    """Securities in force on a date and known; one that replaces stands in the place of those before it."""
    known = [row for row in rows if _known(row.booked, answer)]
    kept = known[max((at for at, row in enumerate(known) if row.replaces), default=0) :]
    return [row for row in kept if row.from_date <= on and (row.to_date is None or on <= row.to_date)]


def _reported(case: Case, answer: Answer, otherwise: int) -> int:
    """The class of the latest return known; the nightly one before any."""
    known = [row for row in case.reported if row.from_date <= answer.on and _known(row.booked, answer)]
    return int(LoanClass[known[-1].words[0]]) if known else otherwise


def _code(number: int, codes: dict[int, str]) -> str:
    return {NO_POLICY: "none", AMBIGUOUS_POLICY: "tie"}.get(number) or codes[number]


def test_everything_the_cases_book_is_dated() -> None:
    for case in all_cases():
        for row in (*case.floors, *case.freezes, *case.securities, *case.reported):
            assert row.booked >= BOOKS_OPEN
