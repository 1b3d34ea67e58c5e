"""However a book is cut and whenever it is asked, a closed day says the same, and its checksum proves it."""

from __future__ import annotations

import sys
from datetime import date
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pandas.testing import assert_frame_equal

from daybook.selectors import known_by
from repayments.frames import Scope
from repayments.models import ArrearsSnapshot, ControlTotal, DayRun
from repayments.selectors import standings
from repayments.selectors.fingerprints import COLUMNS, combined, fingerprint
from repayments.selectors.measuring import STANDING, measure_loans
from repayments.selectors.standings import sliced
from repayments.selectors.verifying import verify_close
from repayments.services.close import close_day
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> ClosingBooks:
    made = closing_books()
    plan = [(date(2025, month, 28), 100_00, 5_00) for month in range(7, 13)]
    for number in range(12):
        loan = made.lend(plan, disbursed=date(2025, 6, 28), tier="wholesale" if number == 5 else "subloan")
        if number:
            made.receive(loan, date(2025, 12, 1), number * 60_00)
    return made


def _closed(loans_a_slice: int) -> tuple[pd.DataFrame, pd.DataFrame, str, int]:
    """Snapshots, control totals, checksum and number of slices of a close that is undone again."""
    with transaction.atomic():
        run = close_day(loans_a_slice=loans_a_slice)
        assert run.state == DayRun.State.CLOSED, run.error
        snapshots = pd.DataFrame(list(ArrearsSnapshot.objects.order_by("loan_id").values()))
        totals = pd.DataFrame(list(ControlTotal.objects.values()))
        said = run.checksum, run.slices.count()
        transaction.set_rollback(True)
    return snapshots.drop(columns="run_id"), totals.drop(columns=["id", "run_id"]), *said


def test_one_slice_or_a_dozen_write_the_same_and_state_the_same_checksum(books: ClosingBooks) -> None:
    whole = _closed(1000)
    assert whole[3] == 1
    assert whole[2].startswith("1:")
    for size, slices in ((1, 12), (5, 3), (12, 1)):
        cut = _closed(size)
        assert cut[3] == slices
        assert_frame_equal(cut[0], whole[0])
        assert_frame_equal(cut[1], whole[1])
        assert cut[2] == whole[2]


def test_a_recomputation_in_parts_is_the_recomputation(
    books: ClosingBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_day()
    books.receive(
        books.lend([(date(2026, 1, 1), 10_00)], disbursed=date(2025, 12, 1)), date(2026, 1, 1), 3_00
    )
    knowledge = known_by(date(2026, 1, 1))
    whole = standings(as_of=date(2025, 12, 15), knowledge=knowledge)
    monkeypatch.setattr(sys.modules[sliced.__module__], "LOANS_AT_ONCE", 2)
    assert len(sliced(Scope())) == 7
    assert_frame_equal(standings(as_of=date(2025, 12, 15), knowledge=knowledge), whole)


def test_every_figure_of_every_loan_is_in_the_checksum(books: ClosingBooks) -> None:
    run = close_day()
    rows = measure_loans(Scope(), as_of=BOOKS_OPEN, last_booking_id=run.last_booking_id).rows
    assert set(STANDING.names or ()) == set(COLUMNS), "a new figure needs a new version of the checksum"
    said = combined([fingerprint(rows)], loans=len(rows))
    assert said == run.checksum
    assert combined([fingerprint(rows[7:]), fingerprint(rows[:7])], loans=len(rows)) == said
    for name in COLUMNS:
        changed = rows.copy()
        changed[name][3] += 1 if changed[name].dtype.kind != "M" else np.timedelta64(1, "D")
        assert combined([fingerprint(changed)], loans=len(rows)) != said, name
    swapped = rows.copy()
    swapped["outstanding_minor"][[0, 1]] = swapped["outstanding_minor"][[1, 0]]
    assert combined([fingerprint(swapped)], loans=len(rows)) != said


def test_a_month_of_closes_is_verified_and_verified_again(books: ClosingBooks) -> None:
    loan = books.lend([(date(2026, 1, 5), 50_00, 1_00)], disbursed=date(2025, 12, 30))
    runs = [close_day()]
    for number in range(20):
        if number % 4 == 0:
            books.receive(loan, date(2025, 12, 31), 3_00)  # late, so that earlier days know less
        runs.append(close_day())
    told = StringIO()
    call_command("verify_close", "--all", stdout=told)
    again = StringIO()
    call_command("verify_close", "--from", "2025-12-31", "--to", "2026-02-28", stdout=again)

    assert told.getvalue() == again.getvalue()
    lines = told.getvalue().splitlines()
    assert len(lines) == 22
    assert all(run.checksum in line for run, line in zip(runs, lines, strict=False))
    assert all("0 figures differ" in line and "as the close stated it" in line for line in lines[:-1])
    assert lines[-1] == "21 days verified."


def test_a_figure_changed_behind_the_guards_is_named(books: ClosingBooks) -> None:
    run = close_day()
    first = ArrearsSnapshot.objects.order_by("loan_id").first()
    assert first is not None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # the login itself, a superuser
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE repayments_arrearssnapshot SET provision_minor = provision_minor + 7 WHERE loan_id = %s",
            [first.loan_id],
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("SET LOCAL ROLE paikar_worker")
    found = verify_close(run.business_date)
    assert [(row.loan_id, row.column) for row in found.differences] == [(first.loan_id, "provision_minor")]
    assert (found.checksum, found.holds) == (run.checksum, False)
    DayRun.objects.filter(pk=run.pk).update(checksum="1:" + "0" * 64)
    with pytest.raises(CommandError, match="1 of 1 days are not what the facts say"):
        call_command("verify_close", run.business_date.isoformat(), stdout=StringIO())
