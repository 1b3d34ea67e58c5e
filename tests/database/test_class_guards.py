"""One attack per guard of judgements, returns and securities, with raw SQL as the roles that would try."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from daybook.services import roll_day
from lending.models import Loan, Security
from repayments.models import ClassFloor, ClassFreeze, ClassificationReturn, ReturnLine, RulingProposal
from repayments.services.judgements import freeze_classes, hold_class, release_class
from repayments.services.returns import compute_return, draft_return, lock_return
from repayments.services.rulings import propose_ruling, reject_ruling
from tests.database.attacks import grant_partners, outcome
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [(date(2025, 9, 30), 100_00)]


@pytest.fixture
def books() -> ClosingBooks:
    """A claim and a sub-loan with a floor, its release, a freeze, a security and a locked return."""
    books = closing_books()
    claim = books.lend(PLAN, disbursed=date(2025, 6, 30), tier="wholesale")
    books.lend(PLAN, disbursed=date(2025, 6, 30))
    people = {"made_by": books.maker, "approved_by": books.checker}
    for _ in range(2):
        floor = hold_class(
            loan_ids=[claim.pk], at_least=2, from_date=BOOKS_OPEN, kind="judgement", reason="Closed.",
            booking=books.booking(), **people,
        )[0]  # fmt: skip
    release_class(
        floor_ids=[floor.pk], from_date=BOOKS_OPEN, reason="Open.", booking=books.booking(), **people
    )
    freeze_classes(
        freeze=ClassFreeze(
            reference="BRPD 17/2020", from_date=BOOKS_OPEN, to_date=BOOKS_OPEN, reason="Virus.",
            institution=books.institution,
        ),
        booking=books.booking(),
        **people,
    )  # fmt: skip
    Security.objects.create(
        loan=claim, institution=books.institution, category="land", kind="Deed 7", value=50,
        eligible_percent=80, valued_date=BOOKS_OPEN, from_date=BOOKS_OPEN, booking=books.booking(), **people,
    )  # fmt: skip
    proposal = propose_ruling(
        kind="floor", parameters={"at_least": 2, "from_date": "2025-12-31"}, reason="Why.",
        actor=books.maker, loan=claim,
    )  # fmt: skip
    reject_ruling(proposal_id=proposal.pk, actor=books.checker, reason="No.")
    roll_day(closing=BOOKS_OPEN, opening=date(2026, 1, 1))
    for tier, is_locked in (("wholesale", True), ("subloan", False)):
        made = draft_return(
            tier=tier, institution_id=None, as_of=BOOKS_OPEN, known_by_date=BOOKS_OPEN, reason="",
            actor=books.maker,
        )  # fmt: skip
        compute_return(return_id=made.pk, claimed_by="w")
        if is_locked:
            lock_return(return_id=made.pk, reason="", actor=books.checker)
    return books


def refused(statement: str, guard: str) -> None:
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    diagnosis = refusal.value.__cause__.diag  # type: ignore[union-attr]
    assert guard in f"{refusal.value} {diagnosis.constraint_name}"


@pytest.mark.parametrize(
    "table",
    [
        "repayments_classfloor",
        "repayments_classfloorrelease",
        "repayments_classfreeze",
        "lending_security",
    ],
)
@pytest.mark.parametrize("deed", ["UPDATE {} SET from_date = from_date - 1", "DELETE FROM {}"])
def test_a_judgement_is_never_edited(books: ClosingBooks, table: str, deed: str) -> None:
    refused(deed.format(table), "permission denied")


@pytest.mark.parametrize(
    ("table", "columns", "guard"),
    [
        (
            "repayments_classfloor",
            "reason, loan_id, institution_id, kind, at_least, from_date",
            "classfloor_maker_is_not_checker",
        ),
        (
            "repayments_classfreeze",
            "reason, reference, tier, applies_to, sizes, from_date, to_date, is_withdrawn",
            "classfreeze_maker_is_not_checker",
        ),
        (
            "lending_security",
            (
                "loan_id, institution_id, category, kind, value, value_currency, eligible_percent,"
                " valued_date, from_date, is_withdrawn"
            ),
            "security_maker_is_not_checker",
        ),
    ],
)
def test_one_person_is_not_two(books: ClosingBooks, table: str, columns: str, guard: str) -> None:
    refused(
        f"INSERT INTO {table} ({columns}, made_by_id, approved_by_id, booking_id)"
        f" SELECT {columns}, made_by_id, made_by_id, booking_id FROM {table} LIMIT 1",
        guard,
    )


def test_one_person_does_not_decide_what_they_proposed(books: ClosingBooks) -> None:
    proposal = propose_ruling(
        kind="floor", parameters={"at_least": 2, "from_date": "2025-12-31"}, reason="Why.",
        actor=books.maker, loan=Loan.objects.earliest("id"),
    )  # fmt: skip
    refused(
        "UPDATE repayments_rulingproposal SET state = 'rejected', decided_by_id = made_by_id"
        f" WHERE id = {proposal.pk}",
        "ruling_maker_is_not_checker",
    )
    refused(
        f"UPDATE repayments_rulingproposal SET parameters = '{{}}' WHERE id = {proposal.pk}", "ruling_is_kept"
    )
    refused(f"DELETE FROM repayments_rulingproposal WHERE id = {proposal.pk}", "ruling_is_kept")


def test_a_decided_proposal_stays(books: ClosingBooks) -> None:
    assert RulingProposal.objects.filter(state="rejected").exists()
    refused(
        "UPDATE repayments_rulingproposal SET state = 'proposed', decided_by_id = NULL"
        " WHERE state = 'rejected'",
        "ruling_is_kept",
    )


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE repayments_returnline SET loan_class = 0",
        "DELETE FROM repayments_returnline",
        "TRUNCATE repayments_returnline",
    ],
)
def test_a_line_is_never_edited(books: ClosingBooks, deed: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed)


def test_lines_of_a_locked_return_are_neither_dropped_nor_added(books: ClosingBooks) -> None:
    locked = ClassificationReturn.objects.get(state="locked")
    refused(
        f"DELETE FROM repayments_returnline WHERE classification_return_id = {locked.pk}",
        "return_lines_are_kept",
    )
    other = closing_books().lend(PLAN, disbursed=date(2025, 6, 30), tier="wholesale")
    columns = [
        field.column
        for field in ReturnLine._meta.concrete_fields
        if field.column not in ("loan_id", "institution_id")
    ]
    refused(
        f"INSERT INTO repayments_returnline ({', '.join(columns)}, loan_id, institution_id)"
        f" SELECT {', '.join(columns)}, {other.pk}, {other.institution_id} FROM repayments_returnline"
        f" WHERE classification_return_id = {locked.pk} LIMIT 1",
        "return_lines_are_kept",
    )


def test_a_line_is_about_a_loan_of_the_returns_own_tier(books: ClosingBooks) -> None:
    draft = ClassificationReturn.objects.get(state="draft")
    claim = Loan.objects.get(tier="wholesale")
    refused(
        "CREATE TEMP TABLE copied AS SELECT * FROM repayments_returnline"
        f" WHERE classification_return_id = {draft.pk};"
        f" UPDATE copied SET loan_id = {claim.pk};"
        " INSERT INTO repayments_returnline SELECT * FROM copied",
        "return_lines_are_kept",
    )


@pytest.mark.parametrize(
    "change",
    [
        "state = 'draft', decided_by_id = NULL, booking_id = NULL",
        "checksum = repeat('1', 64)",
        "as_of = as_of + 1",
    ],
)
def test_a_locked_return_stays(books: ClosingBooks, change: str) -> None:
    refused(f"UPDATE repayments_classificationreturn SET {change} WHERE state = 'locked'", "return_is_kept")
    refused("DELETE FROM repayments_classificationreturn WHERE state = 'locked'", "return_is_kept")


def test_a_draft_keeps_its_coordinates_and_locks_only_when_it_adds_up(books: ClosingBooks) -> None:
    refused(
        "UPDATE repayments_classificationreturn SET last_booking_id = 0 WHERE state = 'draft'",
        "return_is_kept",
    )
    lock = (
        "UPDATE repayments_classificationreturn SET state = 'locked', decided_by_id = {who},"
        " booking_id = (SELECT max(id) FROM daybook_booking), loan_count = loan_count + {more}"
        " WHERE state = 'draft'"
    )
    refused(lock.format(who=books.checker.pk, more=1), "return_adds_up")
    refused(lock.format(who=books.maker.pk, more=0), "classification_return_maker_is_not_checker")


@pytest.mark.parametrize(
    "table",
    [
        "repayments_classfloor",
        "repayments_classfloorrelease",
        "repayments_classfreeze",
        "repayments_classificationreturn",
        "repayments_returnline",
        "repayments_rulingproposal",
        "repayments_reportedposition",
        "lending_security",
    ],
)
def test_a_partner_writes_none_of_it(books: ClosingBooks, acting_as: Callable[..., None], table: str) -> None:
    acting_as("paikar_partner", institution_id=books.institution.pk)
    assert outcome(f"INSERT INTO {table} SELECT * FROM {table}") == "forbidden"
    grant_partners(table)
    acting_as("paikar_partner", institution_id=books.institution.pk)
    refused(f"INSERT INTO {table} SELECT * FROM {table}", "partner_writes_little")


def test_a_partner_sees_its_own_and_the_general_only(
    books: ClosingBooks, acting_as: Callable[..., None]
) -> None:
    acting_as("paikar_partner", institution_id=books.institution.pk + 1_000)
    assert not ClassFloor.objects.exists()
    assert not ClassFreeze.objects.exists()
    assert not Security.objects.exists()
    assert ClassificationReturn.objects.count() == 2, "a return of all institutions, without their lines"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM repayments_returnline")
        assert cursor.fetchone()[0] == 0
