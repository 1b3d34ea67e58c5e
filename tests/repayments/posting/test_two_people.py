"""Nobody posts a wholesale receipt, or takes any receipt back, alone."""

from __future__ import annotations

import threading
import time
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection, transaction
from djmoney.money import Money

from daybook.models import AuditEntry
from lending.models import Loan
from partners.models import User
from repayments.models import Receipt, ReceiptProposal
from repayments.services.posting import (
    CannotPostReceipts,
    CannotReverseReceipts,
    post_receipts,
    reverse_receipts,
)
from repayments.services.receipts import (
    CannotDecideProposal,
    CannotProposeReceipt,
    CannotProposeReversal,
    approve_proposal,
    propose_receipt,
    propose_reversal,
    reject_proposal,
)
from tests.conftest import ClonedDatabase
from tests.repayments.posting.books import BOOKS_OPEN, Books, check_guards, make_books, receipts

PLAN = [(date(2025, 2, 1), 10_000), (date(2025, 3, 1), 10_000)]


def taka(amount: str) -> Money:
    return Money(Decimal(amount), "BDT")


def proposed(books: Books, loan: Loan, reference: str = "RTGS-1") -> ReceiptProposal:
    return propose_receipt(
        loan_id=loan.pk,
        amount=taka("150.00"),
        value_date=date(2025, 2, 1),
        external_reference=reference,
        actor=books.maker,
    )


@pytest.mark.django_db
class TestPosting:
    def test_a_second_person_posts_it_and_the_trail_says_so(self) -> None:
        books = make_books()
        proposal = proposed(books, loan := books.loan(PLAN))
        assert not Receipt.objects.filter(loan=loan).exists()
        done = approve_proposal(
            proposal_id=proposal.pk, actor=books.checker, reason="Seen in the bank's advice"
        )
        check_guards()
        receipt = Receipt.objects.get(loan=loan)
        assert (receipt.amount_minor, receipt.channel) == (15_000, "screen")
        assert (done.state, done.receipt, done.decided_by) == ("approved", receipt, books.checker)
        assert done.booking == receipt.booking
        trail = AuditEntry.objects.filter(
            subject_type__endswith="receiptproposal", subject_id=str(proposal.pk)
        )
        assert sorted((entry.action, entry.actor_name) for entry in trail) == [
            ("receipt.approve", str(books.checker)),
            ("receipt.propose", str(books.maker)),
        ]

    def test_not_by_the_person_who_proposed_it(self) -> None:
        books = make_books()
        proposal = proposed(books, books.loan(PLAN))
        with pytest.raises(CannotDecideProposal, match="somebody else must decide"):
            approve_proposal(proposal_id=proposal.pk, actor=books.maker)
        with pytest.raises(CannotDecideProposal, match="somebody else must decide"):
            reject_proposal(proposal_id=proposal.pk, actor=books.maker, reason="Mine")

    def test_a_rejected_proposal_posts_nothing_and_stays_rejected(self) -> None:
        books = make_books()
        proposal = proposed(books, loan := books.loan(PLAN))
        with pytest.raises(CannotDecideProposal, match="Say why"):
            reject_proposal(proposal_id=proposal.pk, actor=books.checker, reason=" ")
        reject_proposal(proposal_id=proposal.pk, actor=books.checker, reason="Not in the account")
        with pytest.raises(CannotDecideProposal, match="already rejected"):
            approve_proposal(proposal_id=proposal.pk, actor=books.checker)
        assert not Receipt.objects.filter(loan=loan).exists()

    @pytest.mark.parametrize(
        ("amount", "value_date", "reference", "sentence"),
        [
            (taka("0"), PLAN[0][0], "R", "more than nothing"),
            (taka("-1"), PLAN[0][0], "R", "more than nothing"),
            (Money(1, "USD"), PLAN[0][0], "R", "kept in BDT"),
            (taka("1"), date(2026, 1, 1), "R", "after the business date 31 Dec 2025"),
            (taka("1"), PLAN[0][0], "  ", "reference"),
            (taka("1"), PLAN[0][0], "STANDS", "already stands"),
            (taka("1"), PLAN[0][0], "WAITS", "already waits"),
        ],
    )
    def test_what_could_never_be_posted_is_refused_at_once(
        self, amount: Money, value_date: date, reference: str, sentence: str
    ) -> None:
        books = make_books()
        loan = books.loan(PLAN)
        post_receipts(receipts=receipts((loan, PLAN[0][0], 5_000, "STANDS")), booking=books.booking())
        proposed(books, loan, "WAITS")
        with pytest.raises(CannotProposeReceipt, match=sentence):
            propose_receipt(
                loan_id=loan.pk,
                amount=amount,
                value_date=value_date,
                external_reference=reference,
                actor=books.maker,
            )

    def test_a_sub_loan_takes_no_receipt_from_the_foundation(self) -> None:
        books = make_books()
        with pytest.raises(CannotProposeReceipt, match="institution's file"):
            proposed(books, books.loan(PLAN, tier="subloan"))

    def test_a_reference_posted_meanwhile_leaves_only_rejection(self) -> None:
        books = make_books()
        proposal = proposed(books, loan := books.loan(PLAN))
        post_receipts(receipts=receipts((loan, PLAN[0][0], 5_000, "RTGS-1")), booking=books.booking())
        with pytest.raises(CannotDecideProposal, match=r"already stands on loan .* only be rejected"):
            approve_proposal(proposal_id=proposal.pk, actor=books.checker)


@pytest.mark.django_db
class TestReversing:
    @pytest.mark.parametrize("tier", ["wholesale", "subloan"])
    def test_either_tier_is_reversed_by_two_people(self, tier: str) -> None:
        books = make_books()
        loan = books.loan(PLAN, tier=tier)
        posted = post_receipts(receipts=receipts((loan, PLAN[0][0], 5_000, "R")), booking=books.booking())
        (receipt_id,) = posted.receipt_ids.tolist()
        proposal = propose_reversal(receipt_id=receipt_id, reason="Bounced cheque", actor=books.maker)
        with pytest.raises(CannotProposeReversal, match="already waits"):
            propose_reversal(receipt_id=receipt_id, reason="Again", actor=books.checker)
        approve_proposal(proposal_id=proposal.pk, actor=books.checker)
        check_guards()
        mirror = Receipt.objects.get(mirror_of=receipt_id)
        assert (mirror.amount_minor, mirror.value_date) == (-5_000, PLAN[0][0])
        assert mirror.booking.reason == "Bounced cheque"
        assert AuditEntry.objects.filter(action="receipt.reverse", reason="Bounced cheque").exists()
        with pytest.raises(CannotProposeReversal, match="already reversed"):
            propose_reversal(receipt_id=receipt_id, reason="Again", actor=books.maker)
        with pytest.raises(CannotProposeReversal, match="itself a reversal"):
            propose_reversal(receipt_id=mirror.pk, reason="Again", actor=books.maker)
        with pytest.raises(CannotReverseReceipts, match="already reversed"):
            reverse_receipts(receipt_ids=[receipt_id], booking=books.booking(), reason="Again")
        with pytest.raises(CannotReverseReceipts, match="itself a reversal"):
            reverse_receipts(receipt_ids=[mirror.pk], booking=books.booking(), reason="Again")

    def test_needs_a_reason(self) -> None:
        books = make_books()
        loan = books.loan(PLAN)
        posted = post_receipts(receipts=receipts((loan, PLAN[0][0], 5_000, "R")), booking=books.booking())
        with pytest.raises(CannotProposeReversal, match="Say why"):
            propose_reversal(receipt_id=int(posted.receipt_ids[0]), reason=" ", actor=books.maker)

    def test_an_unknown_receipt_is_named(self) -> None:
        books = make_books()
        with pytest.raises(CannotReverseReceipts, match="id 987654321"):
            reverse_receipts(receipt_ids=[987_654_321], booking=books.booking(), reason="None")

    def test_after_reversal_the_reference_may_be_posted_again(self) -> None:
        books = make_books()
        row = receipts((books.loan(PLAN), PLAN[0][0], 5_000, "R"))
        posted = post_receipts(receipts=row, booking=books.booking())
        with pytest.raises(CannotPostReceipts, match="Reference R already stands"):
            post_receipts(receipts=row, booking=books.booking())
        reverse_receipts(receipt_ids=posted.receipt_ids, booking=books.booking(), reason="Wrong amount")
        post_receipts(receipts=row, booking=books.booking())
        check_guards()


def test_of_two_approvers_at_the_same_moment_one_posts_and_the_other_is_refused(
    own_database: ClonedDatabase,
) -> None:
    """The first holds the proposal until the second is seen waiting for it; then it commits."""
    with transaction.atomic():
        books = make_books()
        proposal = proposed(books, loan := books.loan(PLAN))
        third = User.objects.create(username="third", full_name="Third Person")
    outcome: list[str] = []

    def second() -> None:
        try:
            approve_proposal(proposal_id=proposal.pk, actor=third)
            outcome.append("posted")
        except CannotDecideProposal as refusal:
            outcome.append(str(refusal))
        finally:
            connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        approve_proposal(proposal_id=proposal.pk, actor=books.checker)
        other.start()
        _wait_until_somebody_waits(own_database)
    other.join(timeout=30)
    assert outcome == [f"{books.checker} already approved this proposal."]
    assert Receipt.objects.filter(loan=loan).count() == 1


def test_two_postings_on_one_loan_queue_and_both_stay_true(own_database: ClonedDatabase) -> None:
    with transaction.atomic():
        books = make_books()
        loan = books.loan(PLAN)

    def second() -> None:
        try:
            with transaction.atomic():
                post_receipts(receipts=receipts((loan, BOOKS_OPEN, 9_000, "B")), booking=books.booking())
        finally:
            connection.close()

    other = threading.Thread(target=second)
    with transaction.atomic():
        post_receipts(receipts=receipts((loan, BOOKS_OPEN, 9_000, "A")), booking=books.booking())
        other.start()
        _wait_until_somebody_waits(own_database)
    other.join(timeout=30)
    settled = Receipt.objects.filter(loan=loan).order_by("pk")
    assert [sorted(receipt.allocations.values_list("instalment", "amount_minor")) for receipt in settled] == [
        [(1, 9_000)],
        [(1, 1_000), (2, 8_000)],
    ]


def _wait_until_somebody_waits(database: ClonedDatabase) -> None:
    watcher = database.connect("admin")
    watcher.autocommit = True  # within one transaction PostgreSQL shows the same activity over and over
    try:
        with watcher.cursor() as cursor:
            for _ in range(200):
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.05)
        raise AssertionError("nobody came to wait for the lock")
    finally:
        watcher.close()
