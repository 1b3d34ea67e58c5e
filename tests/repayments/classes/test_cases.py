"""The hand-worked cases through the database: booked as they say, measured as the close measures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from calc.classification import AMBIGUOUS_POLICY, NO_POLICY, Basis, LoanClass
from calc.money import from_rate_units
from daybook.models import BusinessDay
from daybook.selectors import known_by, open_business_date
from daybook.services import roll_day
from lending.models import Loan, Security
from repayments.frames import Scope
from repayments.models import (
    ClassFloor,
    ClassFreeze,
    ClassificationPolicy,
    ClassificationReturn,
    ProvisionPolicy,
    Receipt,
    ReturnLine,
)
from repayments.selectors import measure_loans
from repayments.services.judgements import freeze_classes, hold_class, release_class
from repayments.services.posting import reverse_receipts
from tests.repayments.classes.reading import Answer, Case, Dated, all_cases
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

CASES = all_cases()
FOR_EVER = 2**62


def test_there_are_as_many_cases_as_a_finance_officer_was_promised() -> None:
    assert len(CASES) >= 40
    assert all(case.because and case.answers for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says.split(" ")[0])
def test_case(case: Case) -> None:
    assert case.loan is not None
    books = closing_books(kind=case.loan.kind)
    loan = books.lend(
        [row if row[2] else row[:2] for row in case.dues],
        disbursed=case.loan.on,
        tier=case.loan.tier,
        size=case.loan.size,
    )
    for text in case.policies:
        _second_policy(books, text)
    for day, do in sorted(_deeds(books, loan, case), key=lambda deed: deed[0]):
        _roll_to(day)
        do()  # type: ignore[operator]
    _roll_to(max((answer.known for answer in case.answers if answer.known), default=date(2025, 12, 31)))
    for answer in case.answers:
        _check(loan, answer)


def _deeds(books: ClosingBooks, loan: Loan, case: Case) -> list[tuple[date, object]]:
    """What is booked, and on which day."""
    deeds: list[tuple[date, object]] = []
    deeds += [(paid.booked, lambda p=paid: books.receive(loan, p.on, p.minor)) for paid in case.received]
    for on, booked in case.reversed:
        deeds.append(
            (
                booked,
                lambda on=on: reverse_receipts(
                    receipt_ids=[Receipt.objects.get(value_date=on, mirror_of=None).pk],
                    booking=books.booking(),
                    reason="The cheque bounced.",
                ),
            )
        )
    for kind, rows in (
        (_hold, case.floors),
        (_release, case.released),
        (_freeze, case.freezes),
        (_secure, case.securities),
        (_report, case.reported),
    ):
        deeds += [(row.booked, lambda k=kind, r=row: k(books, loan, r)) for row in rows]
    return deeds


def _hold(books: ClosingBooks, loan: Loan, row: Dated) -> None:
    hold_class(
        loan_ids=[loan.pk],
        at_least=LoanClass[row.words[0]],
        from_date=row.from_date,
        kind=row.words[1],
        reason="As the case says.",
        booking=books.booking(),
        made_by=books.maker,
        approved_by=books.checker,
    )


def _release(books: ClosingBooks, loan: Loan, row: Dated) -> None:
    release_class(
        floor_ids=[ClassFloor.objects.get(loan=loan).pk],
        from_date=row.from_date,
        reason="Conditions met.",
        booking=books.booking(),
        made_by=books.maker,
        approved_by=books.checker,
    )


def _freeze(books: ClosingBooks, _loan: Loan, row: Dated) -> None:
    tier, *sizes = row.words[0].split(" ")
    freeze_classes(
        freeze=ClassFreeze(
            reference="BRPD 17/2020",
            tier=tier,
            sizes=sizes,
            from_date=row.from_date,
            to_date=row.to_date or row.from_date,
            reason="As the case says.",
        ),
        booking=books.booking(),
        made_by=books.maker,
        approved_by=books.checker,
    )


def _secure(books: ClosingBooks, loan: Loan, row: Dated) -> None:
    value, percent, category = row.words
    Security.objects.create(
        loan=loan,
        institution=books.institution,
        category=category,
        kind=category,
        value=Decimal(value.replace(",", "")),
        eligible_percent=Decimal(percent.removesuffix(" %")),
        valued_date=row.from_date,
        from_date=row.from_date,
        to_date=row.to_date,
        replaces=Security.objects.get(loan=loan) if row.replaces else None,
        made_by=books.maker,
        approved_by=books.checker,
        booking=books.booking(),
    )


def _report(books: ClosingBooks, loan: Loan, row: Dated) -> None:
    made = ClassificationReturn.objects.create(
        tier=loan.tier,
        as_of=row.from_date,
        known_by=row.from_date,
        last_booking_id=0,
        work="done",
        loan_count=1,
        checksum="0" * 64,
        made_by=books.maker,
    )
    figures = {
        field.attname: 0
        for field in ReturnLine._meta.concrete_fields
        if field.get_internal_type().endswith("IntegerField")
    }
    ReturnLine.objects.create(
        classification_return=made,
        **(
            figures
            | {"loan_id": loan.pk, "institution_id": books.institution.pk, "currency": "BDT"}
            | {"loan_class": LoanClass[row.words[0]]}
        ),
    )
    ClassificationReturn.objects.filter(pk=made.pk).update(
        state="locked", decided_by=books.checker, booking=books.booking()
    )


def _second_policy(books: ClosingBooks, text: str) -> None:
    """``P-X again as P-Y`` with a floor and a first day of its own, where the case says so."""
    words = text.split(" ")
    model = ProvisionPolicy if words[0].startswith("P-") else ClassificationPolicy
    policy = model.objects.get(code=words[0])
    policy.pk, policy.code, policy.booking = None, words[3], books.booking()
    if isinstance(policy, ProvisionPolicy) and "floor" in words:
        policy.floor_percent = Decimal(words[words.index("%") - 1])
        policy.from_date = date.fromisoformat(words[-1])
    policy.save(force_insert=True)


def _roll_to(day: date) -> None:
    if open_business_date() < day:
        roll_day(closing=open_business_date(), opening=day)


def _check(loan: Loan, answer: Answer) -> None:
    known = FOR_EVER
    if answer.known is not None:
        assert BusinessDay.objects.filter(date__lte=answer.known).exists()
        known = known_by(answer.known).last_booking_id
    measured = measure_loans(Scope.of_loans([loan.pk]), as_of=answer.on, last_booking_id=known)
    row = measured.rows[0]
    asked = f"{answer.on} known {answer.known}"
    rate = from_rate_units(int(measured.provisions.rate[0])) if measured.provisions.known[0] else None
    assert (
        LoanClass(row["loan_class"]).name,
        Basis(row["class_basis"]).name,
        int(row["days_past_due"]),
        int(row["months_overdue"]),
        int(row["suspense_minor"]),
        int(row["security_minor"]),
        int(row["base_minor"]),
        rate,
        int(row["provision_minor"]),
        _code(ClassificationPolicy, int(row["classification_policy_id"])),
        _code(ProvisionPolicy, int(row["provision_policy_id"])),
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
    ), asked


def _code(model: type[ClassificationPolicy | ProvisionPolicy], number: int) -> str:
    if number in (NO_POLICY, AMBIGUOUS_POLICY):
        return "none" if number == NO_POLICY else "tie"
    return str(model.objects.get(pk=number).code)
