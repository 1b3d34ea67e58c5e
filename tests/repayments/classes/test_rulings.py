"""Proposals of judgements, securities and policies: two people, one booking; what a policy would change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from calc.classification import Basis, LoanClass
from lending.models import Loan, Security
from repayments.frames import Scope
from repayments.models import ClassFloor, ClassFreeze, ProvisionPolicy, RulingProposal
from repayments.selectors import measure_loans
from repayments.selectors.coverage import NOBODY, TIE, changes_by
from repayments.services.rulings import (
    CannotDecideRuling,
    CannotProposeRuling,
    approve_ruling,
    class_policy_of,
    propose_ruling,
    provision_policy_of,
    reject_ruling,
)
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

FOR_EVER = 2**62
FLOOR = {"at_least": 3, "from_date": "2026-01-15"}
FREEZE = {
    "reference": "BRPD 17/2020", "tier": "subloan", "applies_to": "bank", "sizes": ["small"],
    "from_date": "2026-01-01", "to_date": "2026-12-31",
}  # fmt: skip
SECURITY = {
    "category": "deposit", "kind": "FDR 9", "value": "500.00", "eligible_percent": "90",
    "valued_date": "2025-12-01", "from_date": "2026-01-01", "to_date": None,
}  # fmt: skip
SHARED: dict[str, Any] = {
    "tier": "subloan",
    "applies_to": "bank",
    "to_date": None,
    "confidence": "H",
    "reference": "BRPD 7",
}
CLASS_POLICY: dict[str, Any] = SHARED | {
    "code": "BANK-2027", "scope": [], "from_date": "2027-01-01", "test": "time", "lag_months": 0,
    "sma_months": None, "ss_months": 3, "df_months": 6, "bl_months": 12,
}  # fmt: skip
PROVISION: dict[str, Any] = SHARED | {
    "code": "P-NEW", "scope": ["cottage", "micro", "small", "medium"], "from_date": "2027-01-01",
    "standard_percent": "0.5", "sma_percent": "0.5", "ss_percent": "20", "df_percent": "50",
    "bl_percent": "100", "floor_percent": "15",
}  # fmt: skip


@pytest.fixture
def books() -> ClosingBooks:
    books = closing_books()
    books.lend([(date(2025, 9, 30), 1_000_00)], disbursed=date(2025, 6, 30), tier="wholesale")
    return books


def proposed(books: ClosingBooks, kind: str, parameters: dict[str, Any], **more: Any) -> RulingProposal:
    loan = Loan.objects.earliest("id") if kind in ("floor", "security", "release") else None
    return propose_ruling(
        kind=kind, parameters=parameters, reason="Because.", actor=books.maker, loan=loan, **more
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "model"),
    [
        ("floor", FLOOR, ClassFloor),
        ("freeze", FREEZE, ClassFreeze),
        ("security", SECURITY, Security),
        ("provision_policy", PROVISION, ProvisionPolicy),
    ],
)
def test_approved_by_a_second_person_it_is_a_fact_with_both_names_and_a_booking(
    books: ClosingBooks, kind: str, parameters: dict[str, Any], model: Any
) -> None:
    proposal = proposed(books, kind, parameters)
    with pytest.raises(CannotDecideRuling, match="somebody else"):
        approve_ruling(proposal_id=proposal.pk, actor=books.maker)
    done = approve_ruling(proposal_id=proposal.pk, actor=books.checker, reason="Seen.")
    fact = model.objects.latest("pk")
    maker = fact.proposed_by if hasattr(fact, "proposed_by") else fact.made_by
    assert (done.state, maker, fact.approved_by) == ("approved", books.maker, books.checker)
    assert fact.booking == done.booking
    with pytest.raises(CannotDecideRuling, match="decided already"):
        approve_ruling(proposal_id=proposal.pk, actor=books.checker)


def test_a_floor_holds_until_its_release(books: ClosingBooks) -> None:
    approve_ruling(proposal_id=proposed(books, "floor", FLOOR).pk, actor=books.checker)
    floor = ClassFloor.objects.get()
    release = proposed(books, "release", {"floor_id": floor.pk, "from_date": "2026-02-01"})
    approve_ruling(proposal_id=release.pk, actor=books.checker)
    found = []
    for day in (date(2026, 1, 14), date(2026, 1, 15), date(2026, 1, 31), date(2026, 2, 1)):
        row = measure_loans(Scope(), as_of=day, last_booking_id=FOR_EVER).rows[0]
        found.append((LoanClass(row["loan_class"]), Basis(row["class_basis"])))
    held, free = (LoanClass.DF, Basis.FLOOR), (LoanClass.SS, Basis.OBJECTIVE)
    assert found == [free, held, held, free]
    again = proposed(books, "release", {"floor_id": floor.pk, "from_date": "2026-03-01"})
    with pytest.raises(CannotDecideRuling, match="released already"):
        approve_ruling(proposal_id=again.pk, actor=books.checker)


def test_a_freeze_is_withdrawn_by_one_in_its_place(books: ClosingBooks) -> None:
    approve_ruling(proposal_id=proposed(books, "freeze", FREEZE).pk, actor=books.checker)
    freeze = ClassFreeze.objects.get()
    change = FREEZE | {"replaces_id": freeze.pk, "is_withdrawn": True}
    approve_ruling(proposal_id=proposed(books, "freeze", change).pk, actor=books.checker)
    with pytest.raises(CannotDecideRuling, match="stands in the place"):
        approve_ruling(proposal_id=proposed(books, "freeze", change).pk, actor=books.checker)


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("freeze", FREEZE | {"to_date": "2025-01-01"}, "before the first"),
        ("freeze", FREEZE | {"is_withdrawn": True}, "replaces another"),
        ("class_policy", CLASS_POLICY | {"df_months": 3}, "must rise"),
        ("class_policy", CLASS_POLICY | {"test": "amount", "lag_months": 6}, "by time only"),
        ("class_policy", CLASS_POLICY | {"code": "BANK-2025"}, "a code of its own"),
    ],
)
def test_what_could_never_be_approved_is_refused_at_once(
    books: ClosingBooks, kind: str, parameters: dict[str, Any], words: str
) -> None:
    with pytest.raises(CannotProposeRuling, match=words):
        proposed(books, kind, parameters)


def test_a_rejection_needs_its_reason_and_books_nothing(books: ClosingBooks) -> None:
    proposal = proposed(books, "floor", FLOOR)
    with pytest.raises(CannotDecideRuling, match="Say why"):
        reject_ruling(proposal_id=proposal.pk, actor=books.checker, reason=" ")
    assert reject_ruling(proposal_id=proposal.pk, actor=books.checker, reason="No.").booking is None
    assert not ClassFloor.objects.exists()


def test_a_proposed_policy_shows_whom_it_would_govern_instead_of_which(books: ClosingBooks) -> None:
    changes = changes_by(provision_policy_of(PROVISION))
    assert {change.size.name for change in changes} == {"COTTAGE", "MICRO", "SMALL", "MEDIUM"}
    assert {(change.first, change.last, change.before, change.after) for change in changes} == {
        (date(2027, 1, 1), None, "P-BANK-2025", "P-NEW")
    }


def test_a_proposed_policy_shows_its_ties_and_the_gaps_it_fills(books: ClosingBooks) -> None:
    twin = provision_policy_of(PROVISION | {"from_date": "2025-04-01", "scope": []})
    assert TIE in {change.after for change in changes_by(twin)}
    early = provision_policy_of(PROVISION | {"from_date": "2015-01-01", "to_date": "2015-12-31"})
    assert {(change.before, change.after) for change in changes_by(early)} == {(NOBODY, "P-NEW")}
    assert changes_by(class_policy_of(CLASS_POLICY)), "later than BANK-2025 and as specific"


def test_the_pages_of_a_proposal(
    books: ClosingBooks, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    officer, approver = as_foundation("officer"), as_foundation("approver")
    loan = Loan.objects.earliest("id")
    address = f"/repayments/rulings/new/floor/?loan={loan.pk}"
    assert approver.get(address).status_code == 403
    assert as_partner(books.institution).get("/repayments/rulings/").status_code == 403
    assert officer.get("/repayments/rulings/new/floor/").status_code == 404
    wrong = officer.post(address, {"at_least": "2", "from_date": "", "reason": "Why."})
    assert "This field is required" in wrong.content.decode()
    sent = officer.post(address, {"at_least": "4", "from_date": "01/01/2026", "reason": "Court case."})
    proposal = RulingProposal.objects.latest("pk")
    assert sent["Location"] == f"/repayments/rulings/{proposal.pk}/"
    assert "somebody else" in officer.get(sent["Location"]).content.decode()
    assert "Court case." in approver.get("/repayments/rulings/?state=proposed").content.decode()
    approver.post(sent["Location"], {"approve": "", "reason": ""})
    assert ClassFloor.objects.get().approved_by == approver.user
    shown = officer.get(f"/reports/loans/{loan.pk}/?as_of=2026-01-02&known_by=2026-01-02").content.decode()
    assert "Court case." in shown
    assert "by qualitative judgement since" in shown


def test_the_form_of_a_policy_shows_what_it_would_change(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    officer = as_foundation("officer")
    told = PROVISION | {"from_date": "01/01/2027", "to_date": "", "reason": "Extended."}
    looked = officer.post("/repayments/rulings/new/provision_policy/", told | {"look": ""}).content.decode()
    assert "P-BANK-2025" in looked
    assert not RulingProposal.objects.exists()
    officer.post("/repayments/rulings/new/provision_policy/", told | {"propose": ""})
    proposal = RulingProposal.objects.get()
    approve_ruling(proposal_id=proposal.pk, actor=books.checker)
    assert ProvisionPolicy.objects.get(code="P-NEW").floor_percent == 15
