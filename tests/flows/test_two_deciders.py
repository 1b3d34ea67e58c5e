"""Every act of two people, decided by two second ones at the same moment; and every form sent twice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction
from djmoney.money import Money

from daybook.models import Booking
from lending.models import Agreement, Facility
from lending.services.cancellations import approve_cancellation, propose_cancellation
from lending.services.penal import decide_penal_rate, propose_penal_rate
from lending.services.proposals import decide_proposal, propose_end, propose_terms
from partners.models import User
from repayments.services.events.kinds import Asked
from repayments.services.events.steps import approve, propose
from repayments.services.receipts import approve_proposal, propose_receipt
from repayments.services.returns import compute_return, draft_return, lock_return
from repayments.services.rulings import approve_ruling, propose_ruling
from tests.conftest import ClonedDatabase, set_role
from tests.lending.world import CRORE
from tests.reports.books import FIRST_CLOSE, SECOND_CLOSE, Book, make_book

TODAY = date(2025, 11, 1)
QUEUES_FOR = 0.7
"""Seconds that are ample for either deed, and so show that the second waits for the first."""
Deed = Callable[[User], Any]


@pytest.fixture
def committed(cloned_database: ClonedDatabase, django_db_blocker: Any) -> Iterator[Book]:
    """The book, committed in a database of its own that every thread's connection goes to."""
    settings = connections["default"].settings_dict
    before = settings["NAME"]
    with django_db_blocker.unblock():
        connection.close()
        settings["NAME"] = cloned_database.name
        try:
            with transaction.atomic():
                set_role("paikar_worker")
                book = make_book()
                book.world.facility(amount=CRORE)
            yield book
        finally:
            connection.close()
            settings["NAME"] = before


class Person(threading.Thread):
    """Does a deed in a transaction of its own and holds it open until told to commit."""

    def __init__(self, deed: Deed, user: User) -> None:
        super().__init__(daemon=True)
        self.deed, self.user = deed, user
        self.acted, self.may_commit = threading.Event(), threading.Event()
        self.refusal: Exception | None = None

    def run(self) -> None:
        try:
            with transaction.atomic():
                set_role("paikar_foundation")
                self.deed(self.user)
                self.acted.set()
                self.may_commit.wait(30)
        except Exception as refusal:  # noqa: BLE001  # the test says which it must be
            self.refusal = refusal
        finally:
            self.acted.set()
            connection.close()


def both(deed: Deed, first_user: User, second_user: User) -> Exception | None:
    """The refusal of the second, who acts while the first has acted and not yet committed."""
    first, second = Person(deed, first_user), Person(deed, second_user)
    first.start()
    assert first.acted.wait(30)
    assert first.refusal is None, first.refusal
    second.may_commit.set()
    second.start()
    second.join(QUEUES_FOR)
    assert second.is_alive(), f"the second did not wait for the first: {second.refusal}"
    first.may_commit.set()
    first.join(30)
    second.join(30)
    assert first.refusal is None, first.refusal
    return second.refusal


@dataclass(frozen=True)
class Act:
    """One act of two people: how it is proposed and how it is decided."""

    name: str
    propose: Deed
    decide: Callable[[Any, User], Any]


def acts(book: Book) -> list[Act]:
    world, loans = book.world, book.subloans
    on: dict[str, Any] = {"business_date": TODAY}
    agreement = Agreement.objects.get(pk=world.agreement.pk)
    facility = Facility.objects.order_by("-pk")[0]
    security = {
        "category": "cash", "kind": "Deposit receipt", "value": "1000.00", "eligible_percent": "100",
        "valued_date": TODAY.isoformat(), "from_date": TODAY.isoformat(), "to_date": None,
    }  # fmt: skip
    floor = {"at_least": 2, "from_date": TODAY.isoformat(), "kind": "qualitative"}
    return [
        Act(
            "loan event",
            lambda user: propose(
                Asked("rate_change", loans[5].pk, TODAY, {"annual_rate": "5", "effect": "instalment"}, None),
                actor=user, reason="Agreed",
            ),
            lambda made, user: approve(event_id=made.pk, actor=user),
        ),
        Act(
            "ruling",
            lambda user: propose_ruling(
                kind="floor", parameters=floor, reason="x", actor=user, loan=loans[3]
            ),
            lambda made, user: approve_ruling(proposal_id=made.pk, actor=user),
        ),
        Act(
            "security",
            lambda user: propose_ruling(
                kind="security", parameters=security, reason="x", actor=user, loan=loans[4]
            ),
            lambda made, user: approve_ruling(proposal_id=made.pk, actor=user),
        ),
        Act(
            "penal rate",
            lambda user: propose_penal_rate(
                agreement=agreement, annual_rate=Decimal(3), effective_date=TODAY, reason="x",
                actor=user, **on,
            ),
            lambda made, user: decide_penal_rate(penal_rate=made, approve=True, reason="", actor=user, **on),
        ),
        Act(
            "cancelled part",
            lambda user: propose_cancellation(
                facility=facility, amount=CRORE / 2, reason="x", actor=user, **on
            ),
            lambda made, user: approve_cancellation(cancellation=made, actor=user, **on),
        ),
        Act(
            "receipt",
            lambda user: propose_receipt(
                loan_id=book.wholesale.pk, amount=Money(100, "BDT"), value_date=TODAY,
                external_reference="RTGS-77", reason="", actor=user,
            ),
            lambda made, user: approve_proposal(proposal_id=made.pk, actor=user),
        ),
        Act(
            "return",
            lambda user: draft_return(
                tier="subloan", institution_id=None, as_of=FIRST_CLOSE, known_by_date=SECOND_CLOSE,
                reason="x", actor=user,
            ),
            lambda made, user: lock_return(return_id=made.pk, reason="Checked", actor=user),
        ),
        Act(
            "terms",
            lambda user: propose_terms(
                programme=world.programme, effective_date=TODAY, reason="x", actor=user, fund_rate=2,
                borrower_rate_cap=6, min_amount=100_000, max_amount=2_000_000, tenor_months=48, **on,
            ),
            lambda made, user: decide_proposal(proposal=made, approves=True, actor=user, **on),
        ),
        Act(
            "end",
            lambda user: propose_end(agreement=agreement, reason="x", actor=user, **on),
            lambda made, user: decide_proposal(proposal=made, approves=True, actor=user, **on),
        ),
    ]  # fmt: skip


def test_two_at_once_do_each_act_once(committed: Book) -> None:
    people = committed.world.people
    for act in acts(committed):
        made: list[Any] = []
        second = both(lambda user, act=act, made=made: made.append(act.propose(user)),  # type: ignore[misc]
                      people["officer"], people["officer"])  # fmt: skip
        assert second is not None, f"{act.name}: the same form sent twice made two"
        assert type(second).__name__.startswith("Cannot"), (act.name, second)
        if act.name == "return":
            with transaction.atomic():
                set_role("paikar_worker")
                assert compute_return(return_id=made[0].pk, claimed_by="test")
        before = Booking.objects.count()
        second = both(
            lambda user, act=act, made=made: act.decide(made[0], user),  # type: ignore[misc]
            people["approver"],
            people["finance_head"],
        )
        assert second is not None, f"{act.name}: decided twice"
        assert type(second).__name__.startswith("Cannot"), (act.name, second)
        assert Booking.objects.count() == before + 1, act.name
