"""One attack per guard of receipts and allocations, with raw SQL as the role that would try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg2
import psycopg2.errors
import pytest
from django.db import DatabaseError, connection, transaction

from daybook.services import roll_day
from lending.models import Loan
from repayments.models import Allocation, Receipt
from repayments.services.posting import post_receipts, reverse_receipts
from repayments.services.receipts import propose_reversal
from tests.database.attacks import grant_partners
from tests.repayments.posting.books import BOOKS_OPEN, Books, check_guards, make_books, receipts

ActingAs = Callable[..., None]
PLAN = [(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)]

RECEIPT = """
INSERT INTO repayments_receipt (loan_id, institution_id, tier, channel, value_date, amount_minor,
    external_reference, mirror_of_id, booking_id)
VALUES (%s, %s, 'wholesale', 'screen', %s, %s, %s, %s, %s)
"""
ALLOCATION = """
INSERT INTO repayments_allocation (loan_id, institution_id, receipt_id, source, instalment, component,
    value_date, amount_minor, mirror_of_id, booking_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


RECEIPT_WITH_ALLOCATION = f"""
WITH made AS ({RECEIPT} RETURNING id)
INSERT INTO repayments_allocation (loan_id, institution_id, receipt_id, source, instalment, component,
    value_date, amount_minor, booking_id)
SELECT %s, %s, id, 1, 1, 4, %s, 1000, %s FROM made
"""
DUE_TAKEN_BACK = """
INSERT INTO lending_due (loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date,
    effective_date, amount_minor, mirror_of_id, booking_id)
SELECT loan_id, institution_id, schedule_id, instalment, component, nominal_date, late_date,
    effective_date, -amount_minor, id, %s FROM lending_due WHERE id = %s
"""
SAME_PROPOSAL = """
INSERT INTO repayments_receiptproposal (kind, state, institution_id, loan_id, receipt_id, amount_currency,
    amount, value_date, external_reference, reason, made_by_id, decision_reason, made_at)
SELECT kind, state, institution_id, loan_id, receipt_id, amount_currency, amount, value_date,
    external_reference, reason, made_by_id, decision_reason, made_at
  FROM repayments_receiptproposal WHERE receipt_id = %s
"""
DECIDED_BY_MAKER = """
UPDATE repayments_receiptproposal SET state = 'approved', decided_by_id = made_by_id WHERE id = %s
"""
DECIDED_BY_NOBODY = "UPDATE repayments_receiptproposal SET state = 'approved' WHERE id = %s"
BOOKING = """
INSERT INTO daybook_booking (business_date, actor_name, purpose, reason)
VALUES (%s, 'attacker', 'receipt.post', '')
"""


@dataclass(frozen=True)
class Scene:
    """A loan with one receipt of 60.00 that settles part of its first instalment."""

    books: Books
    loan: Loan
    receipt: Receipt
    booking: int

    @property
    def allocation(self) -> Allocation:
        return Allocation.objects.get(receipt=self.receipt)


@pytest.fixture
def scene(db: None) -> Scene:
    books = make_books()
    loan = books.loan(PLAN)
    booking = books.booking()
    posted = post_receipts(receipts=receipts((loan, PLAN[0][0], 6_000, "R-1")), booking=booking)
    check_guards()
    return Scene(books, loan, Receipt.objects.get(pk=int(posted.receipt_ids[0])), booking.pk)


@transaction.atomic
def run(statements: Sequence[tuple[str, list[Any]]]) -> None:
    """Run SQL and what waits for the commit."""
    with connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values or None)
    check_guards()


def refused(guard: str, *statements: tuple[str, list[Any]]) -> None:
    """The statements, with what the database checks at commit, break on the named guard."""
    with pytest.raises(DatabaseError) as raised:
        run(statements)
    cause = raised.value.__cause__
    assert isinstance(cause, psycopg2.Error)
    assert cause.diag.constraint_name == guard


def receipt_row(scene: Scene, **changes: Any) -> tuple[str, list[Any]]:
    values = {
        "loan": scene.loan.pk,
        "institution": scene.books.institution.pk,
        "value_date": PLAN[0][0],
        "amount": 1_000,
        "reference": "ATTACK",
        "mirror_of": None,
        "booking": scene.booking,
    }
    return RECEIPT, list((values | changes).values())


def allocation_row(scene: Scene, **changes: Any) -> tuple[str, list[Any]]:
    values = {
        "loan": scene.loan.pk,
        "institution": scene.books.institution.pk,
        "receipt": scene.receipt.pk,
        "source": 1,
        "instalment": 1,
        "component": 4,
        "value_date": PLAN[0][0],
        "amount": 1_000,
        "mirror_of": None,
        "booking": scene.booking,
    }
    return ALLOCATION, list((values | changes).values())


class TestMoneyAddsUp:
    def test_a_receipt_without_allocations(self, scene: Scene) -> None:
        refused("receipt_fully_allocated", receipt_row(scene))

    def test_more_allocated_than_was_received(self, scene: Scene) -> None:
        refused("receipt_fully_allocated", allocation_row(scene))

    def test_an_allocation_taken_back_without_its_receipt(self, scene: Scene) -> None:
        refused(
            "receipt_fully_allocated",
            allocation_row(scene, amount=-6_000, mirror_of=scene.allocation.pk),
        )

    def test_a_receipt_taken_back_without_its_allocations(self, scene: Scene) -> None:
        refused(
            "receipt_fully_allocated",
            receipt_row(scene, amount=-6_000, reference="R-1", mirror_of=scene.receipt.pk),
        )

    def test_settling_more_than_is_due(self, scene: Scene) -> None:
        refused("allocation_within_due", allocation_row(scene, receipt=None, source=3, amount=4_001))

    def test_settling_what_was_never_due(self, scene: Scene) -> None:
        refused(
            "allocation_within_due",
            allocation_row(scene, receipt=None, source=3, instalment=9, amount=1),
        )

    def test_using_up_an_advance_that_is_not_there(self, scene: Scene) -> None:
        refused(
            "allocation_within_due",
            allocation_row(scene, source=2, instalment=0, component=8, amount=-1_000),
            allocation_row(scene, source=2, amount=1_000),
        )

    def test_the_same_reference_twice(self, scene: Scene) -> None:
        mine = receipt_row(scene, reference="R-1")[1]
        refused(
            "receipt_reference_once",
            (
                RECEIPT_WITH_ALLOCATION,
                [*mine, scene.loan.pk, scene.books.institution.pk, PLAN[0][0], scene.booking],
            ),
        )

    def test_dues_taken_from_under_an_allocation(self, scene: Scene) -> None:
        due = scene.loan.dues.get(instalment=1)
        refused("plan_adds_up", (DUE_TAKEN_BACK, [scene.booking, due.pk]))


class TestMirrors:
    @pytest.mark.parametrize(
        "changes",
        [{"amount": -5_999}, {"value_date": date(2025, 2, 2)}, {"reference": "OTHER"}],
        ids=["amount", "value date", "reference"],
    )
    def test_of_a_receipt_is_its_exact_opposite(self, scene: Scene, changes: dict[str, Any]) -> None:
        true = {"amount": -6_000, "reference": "R-1", "mirror_of": scene.receipt.pk}
        refused("mirror_is_exact", receipt_row(scene, **true | changes))

    @pytest.mark.parametrize(
        "changes",
        [{"amount": -5_999}, {"value_date": date(2025, 2, 2)}, {"instalment": 2}],
        ids=["amount", "value date", "instalment"],
    )
    def test_of_an_allocation_is_its_exact_opposite(self, scene: Scene, changes: dict[str, Any]) -> None:
        true = {"amount": -6_000, "mirror_of": scene.allocation.pk}
        refused("mirror_is_exact", allocation_row(scene, **true | changes))

    def test_is_not_mirrored_itself(self, scene: Scene) -> None:
        reverse_receipts(receipt_ids=[scene.receipt.pk], booking=scene.books.booking(), reason="Bounced")
        mirror = Allocation.objects.get(receipt=scene.receipt, mirror_of__isnull=False)
        refused("mirror_is_exact", allocation_row(scene, amount=6_000, mirror_of=mirror.pk))

    def test_stands_once(self, scene: Scene) -> None:
        reverse_receipts(receipt_ids=[scene.receipt.pk], booking=scene.books.booking(), reason="Bounced")
        refused(
            "repayments_receipt_mirror_of_id_key",
            receipt_row(scene, amount=-6_000, reference="R-1", mirror_of=scene.receipt.pk),
        )

    def test_alone_is_negative(self, scene: Scene) -> None:
        refused("receipt_negative_only_in_mirrors", receipt_row(scene, amount=-1_000))
        refused("allocation_negative_only_in_mirrors", allocation_row(scene, amount=-1_000))

    def test_nothing_is_no_amount(self, scene: Scene) -> None:
        refused("receipt_negative_only_in_mirrors", receipt_row(scene, amount=0))
        refused("allocation_amount_not_zero", allocation_row(scene, amount=0))


class TestAppendOnly:
    @pytest.mark.parametrize("table", ["repayments_receipt", "repayments_allocation"])
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE {} SET amount_minor = amount_minor + 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    )
    def test_no_role_may_even_try(self, scene: Scene, table: str, statement: str) -> None:
        for role in ("paikar_worker", "paikar_foundation", "paikar_web"):
            with pytest.raises(DatabaseError) as raised:
                run([(f"SET LOCAL ROLE {role}", []), (statement.format(table), [])])
            assert isinstance(raised.value.__cause__, psycopg2.errors.InsufficientPrivilege)

    @pytest.mark.parametrize("table", ["repayments_receipt", "repayments_allocation"])
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE {} SET amount_minor = amount_minor + 1", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    )
    def test_nor_the_owner(self, scene: Scene, table: str, statement: str) -> None:
        refused("append_only", ("SET LOCAL ROLE paikar_owner", []), (statement.format(table), []))


class TestWhose:
    def test_a_receipts_institution_is_its_loans(self, scene: Scene) -> None:
        other = make_books().institution
        refused("repayments_receipt_loan_id_own_institution", receipt_row(scene, institution=other.pk))

    def test_an_allocations_institution_is_its_loans(self, scene: Scene) -> None:
        other = make_books().institution
        refused(
            "repayments_allocation_loan_id_own_institution",
            allocation_row(scene, institution=other.pk, receipt=None, source=3, amount=1),
        )

    def test_a_partner_reads_its_own_only(self, scene: Scene, acting_as: ActingAs) -> None:
        other = make_books().institution
        for institution, count in ((scene.books.institution, 1), (other, 0)):
            acting_as("paikar_partner", institution_id=institution.pk)
            assert Receipt.objects.count() == count
            assert Allocation.objects.count() == count

    def test_a_partner_writes_no_money_even_its_own(self, scene: Scene, acting_as: ActingAs) -> None:
        grant_partners("repayments_receipt, repayments_allocation")
        acting_as("paikar_partner", institution_id=scene.books.institution.pk)
        for attack in (receipt_row(scene), allocation_row(scene)):
            refused("partner_writes_little", attack)


class TestTwoPeople:
    def test_nobody_decides_what_they_proposed(self, scene: Scene) -> None:
        proposal = propose_reversal(receipt_id=scene.receipt.pk, reason="Bounced", actor=scene.books.maker)
        refused(
            "receipt_proposal_maker_is_not_checker",
            (DECIDED_BY_MAKER, [proposal.pk]),
        )

    def test_nothing_is_decided_by_nobody(self, scene: Scene) -> None:
        proposal = propose_reversal(receipt_id=scene.receipt.pk, reason="Bounced", actor=scene.books.maker)
        refused(
            "receipt_proposal_decided_by_someone",
            (DECIDED_BY_NOBODY, [proposal.pk]),
        )

    def test_a_reversal_waits_once(self, scene: Scene) -> None:
        propose_reversal(receipt_id=scene.receipt.pk, reason="Bounced", actor=scene.books.maker)
        refused(
            "receipt_proposal_one_open_reversal",
            (SAME_PROPOSAL, [scene.receipt.pk]),
        )


def test_a_closed_day_takes_no_receipt(scene: Scene) -> None:
    """No booking can be made for it any more, and without a booking there is no receipt."""
    roll_day(closing=BOOKS_OPEN)
    refused(
        "booking_on_open_day",
        (BOOKING, [BOOKS_OPEN]),
    )
