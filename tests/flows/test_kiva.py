"""A real two-tier book, imported by the command, must show the arrears that others computed, to the cent.

The data lies outside the repository (no licence is stated, so none of it may be copied in); where it
is absent this test is skipped and says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command
from django.db import connection

from config.environment import BASE_DIR
from daybook.selectors import known_by
from daybook.services import Actor, book, open_books
from lending.models import LoanIdentifier
from partners.models import User
from repayments.frames import Scope
from repayments.models import Allocation, Receipt
from repayments.selectors import standings
from repayments.services.posting import RECEIPT_COLUMNS, post_receipts, reverse_receipts

KIVA = BASE_DIR.parent / "shared" / "data" / "kiva"
BOOKS_OPEN = date(2026, 1, 1)
BASIS = {"local_due": "subloan", "due": "wholesale"}
FIGURES = ["days_past_due", "arrears", "outstanding", "overpaid"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not KIVA.exists(), reason=f"no data at {KIVA}"),
]


@pytest.fixture
def people(make_user: Callable[..., User]) -> tuple[User, User]:
    return make_user("officer"), make_user("approver")


def run_import(people: tuple[User, User]) -> str:
    out = io.StringIO()
    call_command(
        "import_portfolio",
        str(KIVA),
        maker=people[0].username,
        approver=people[1].username,
        currency="USD",
        stdout=out,
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return out.getvalue()


@pytest.fixture
def imported(people: tuple[User, User]) -> str:
    open_books(first_date=BOOKS_OPEN)
    return run_import(people)


def expected() -> pd.DataFrame:
    rows = pd.read_csv(KIVA / "expected_arrears.csv", dtype=str)
    answer = pd.DataFrame({"id": rows["id"], "as_of": rows["as_of"], "tier": rows["basis"].map(BASIS)})
    answer["days_past_due"] = rows["days_past_due"].astype("int64")
    for name in FIGURES[1:]:
        answer[name] = rows[name].str.replace(".", "").astype("int64")
    return answer


def found(as_of: date, scope: Scope | None = None) -> pd.DataFrame:
    """The books' own answer, as known now. Money paid ahead has met no due, so it lessens what is owed."""
    rows = standings(as_of=as_of, knowledge=known_by(BOOKS_OPEN), scope=scope)
    names = dict(LoanIdentifier.objects.values_list("loan_id", "value"))
    owed = rows["outstanding_minor"] - rows["advance_minor"]
    return pd.DataFrame(
        {
            "id": rows["loan_id"].map(names),
            "as_of": as_of.isoformat(),
            "tier": rows["tier"].astype(str),
            "days_past_due": rows["days_past_due"].astype("int64"),
            "arrears": rows["overdue_principal_minor"],
            "outstanding": np.maximum(owed, 0),
            "overpaid": np.maximum(-owed, 0),
        }
    )


def test_the_import_tells_what_it_did_and_what_it_left_out(imported: str) -> None:
    assert "Imported: sub-loans 309, wholesale loans 309, receipts 4830," in imported
    assert "82 left out" in imported
    assert imported.count("refunded: the money came back unused") == 80
    assert "6 paid before disbursement, accepted:" in imported
    assert "loan 456, payment 545" in imported


def test_arrears_agree_on_every_row(imported: str) -> None:
    answer = expected()
    assert len(answer) == 3_708
    books = pd.concat(
        [found(date.fromisoformat(as_of)) for as_of in sorted(answer["as_of"].unique())], ignore_index=True
    )
    both = answer.merge(books, on=["id", "as_of", "tier"], suffixes=("", "_found"), validate="one_to_one")
    assert len(both) == 3_708
    for name in FIGURES:
        differs = both[both[name] != both[f"{name}_found"]]
        assert differs.empty, differs[["id", "as_of", "tier", name, f"{name}_found"]].head(10).to_string()


def test_a_second_import_changes_nothing_and_says_so(imported: str, people: tuple[User, User]) -> None:
    before = (Receipt.objects.count(), Allocation.objects.count())
    again = run_import(people)
    assert "Nothing changed: all 618 loans and" in again
    assert (Receipt.objects.count(), Allocation.objects.count()) == before


def test_payments_in_any_order_one_at_a_time_come_to_the_same(
    imported: str, people: tuple[User, User]
) -> None:
    """Take back the receipts of some loans, then post them one booking each in random order."""
    everyone = pd.Series(sorted(LoanIdentifier.objects.values_list("loan_id", flat=True)))
    picked = sorted(everyone.sample(12, random_state=309).tolist())
    scope = Scope.of_loans(picked)
    dates = [date.fromisoformat(as_of) for as_of in sorted(expected()["as_of"].unique())]
    before = [found(as_of, scope) for as_of in dates]
    rows = pd.DataFrame(Receipt.objects.filter(loan__in=picked).order_by("pk").values("pk", *RECEIPT_COLUMNS))
    assert len(rows) > 60

    actor = Actor(people[0].pk, str(people[0]))
    reverse_receipts(
        receipt_ids=rows["pk"].to_numpy(),
        booking=book(purpose="test", actor=actor),
        reason="To post them anew",
    )
    assert found(dates[0], scope)["overpaid"].eq(0).all()
    for _, row in rows.sample(frac=1, random_state=618).iterrows():
        one = pd.DataFrame([row[list(RECEIPT_COLUMNS)]])
        post_receipts(receipts=one, booking=book(purpose="test", actor=actor))
    for as_of, was in zip(dates, before, strict=True):
        pd.testing.assert_frame_equal(found(as_of, scope), was)
