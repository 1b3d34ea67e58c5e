"""The same book under two sets of policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from daybook.selectors import known_by
from daybook.services import roll_day
from repayments.models import ArrearsSnapshot
from repayments.services.rulings import propose_ruling
from reports.builders.objects import Asked
from reports.models import ReportPart, ReportRun
from reports.services import what_if, what_if_runs
from reports.services.running import CannotStartRun, do_all, do_some
from reports.services.what_if import make_what_if
from reports.tasks import work_on
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books
from tests.repayments.close.class_cases import PAID_TO_FEBRUARY

pytestmark = pytest.mark.django_db

STRICT: dict[str, Any] = {
    "code": "BANK-STRICT", "reference": "Draft", "tier": "subloan", "applies_to": "bank", "scope": [],
    "from_date": "2027-01-01", "to_date": None, "confidence": "K", "test": "time", "lag_months": 0,
    "sma_months": None, "ss_months": 1, "df_months": 6, "bl_months": 12,
}  # fmt: skip


@pytest.fixture
def books() -> ClosingBooks:
    """A small and a medium enterprise, each with one month overdue on 31 December 2025."""
    books = closing_books()
    plan = [(day, amount * 100) for day, amount in PAID_TO_FEBRUARY]
    for size in ("small", "medium"):
        loan = books.lend(plan, disbursed=date(2024, 12, 31), size=size)
        for day, amount in plan[:10]:
            books.receive(loan, day, amount)
    roll_day(closing=BOOKS_OPEN, opening=date(2026, 1, 1))
    return books


def asked() -> Asked:
    return Asked(BOOKS_OPEN, known_by(BOOKS_OPEN))


def test_the_same_set_twice_changes_nothing(books: ClosingBooks) -> None:
    made = make_what_if(asked(), {"tier": "subloan", "currency": "BDT"})
    assert made.compared.provision_a.tolist() == made.compared.provision_b.tolist() == [700_00, 700_00]
    assert not len(made.compared.changed)


def test_the_policies_after_one_lapses(books: ClosingBooks) -> None:
    made = make_what_if(asked(), {"tier": "subloan", "currency": "BDT", "other": "2027-01-01"})
    assert made.compared.provision_a.tolist() == [700_00, 700_00]
    assert made.compared.provision_b.tolist() == [1_400_00, 1_400_00], "1 % again"


def test_the_policies_of_an_earlier_day_by_size(books: ClosingBooks) -> None:
    made = make_what_if(asked(), {"tier": "subloan", "currency": "BDT", "other": "2025-03-31"})
    sizes = made.report.table("sizes")
    assert [row.cells for row in sizes.rows] == [
        ("Small", 1, 0, 140_000_00, 700_00, 350_00, -350_00),
        ("Medium", 1, 0, 140_000_00, 700_00, 0, -700_00),
    ], "0.25 % then for small enterprises; for medium ones no policy, so nothing is known"


def test_a_draft_in_the_place_of_what_is_in_force(books: ClosingBooks) -> None:
    proposal = propose_ruling(kind="class_policy", parameters=STRICT, reason="Try.", actor=books.maker)
    facts = {"tier": "subloan", "currency": "BDT", "draft": str(proposal.pk)}
    made = make_what_if(asked(), facts)
    loans = made.report.table("loans")
    assert [(str(row.cells[2]), str(row.cells[3]), row.cells[7]) for row in loans.rows] == [
        ("Standard", "Substandard (SS)", 28_000_00 - 700_00)
    ] * 2
    assert made.report.checksum == make_what_if(asked(), facts).report.checksum


def test_the_page_writes_nothing_and_its_file_can_be_verified(
    books: ClosingBooks, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    address = "/reports/what-if/?as_of=2025-12-31&known_by=2025-12-31&other=2027-01-01"
    assert as_partner(books.institution).get(address).status_code == 403
    officer = as_foundation("officer")
    page = officer.get(address).content.decode()
    assert "2,800.00" in page
    assert "1,400.00" in page
    assert officer.get(f"{address}&export=xlsx").content.startswith(b"PK")
    assert not ArrearsSnapshot.objects.exists()


class TestInTheBackground:
    """A tier too large for one request; here every loan is a range of its own."""

    FACTS = {"tier": "subloan", "currency": "BDT", "other": "2027-01-01"}
    ADDRESS = "/reports/what-if/?as_of=2025-12-31&known_by=2025-12-31&other=2027-01-01"

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(what_if, "LOANS_AT_ONCE", 1)

    def test_range_by_range_gives_what_one_request_gives(self, books: ClosingBooks) -> None:
        draft = propose_ruling(kind="class_policy", parameters=STRICT, reason="Try.", actor=books.maker)
        for facts in (self.FACTS, {**self.FACTS, "draft": str(draft.pk)}):
            run = what_if_runs.start_what_if(asked(), facts, made_by=books.maker)
            assert run.total_count == 2
            assert do_all(what_if_runs.JOB, run.pk, claimed_by="test")
            run.refresh_from_db()
            kept, direct = what_if_runs.kept_what_if(run), make_what_if(asked(), facts)
            assert [table.rows for table in kept.report.tables] == [
                table.rows for table in direct.report.tables
            ]
            assert kept.compared.loans == 2
            assert run.checksum
            assert not ReportPart.objects.filter(run=run).exists(), "the parts went into the run"

    def test_a_run_goes_on_where_it_stopped(self, books: ClosingBooks) -> None:
        run = what_if_runs.start_what_if(asked(), self.FACTS, made_by=books.maker)
        do_some(what_if_runs.JOB, run.pk, claimed_by="dies")
        run.refresh_from_db()
        assert (run.work, run.done_count) == (ReportRun.Work.RUNNING, 1)
        assert do_all(what_if_runs.JOB, run.pk, claimed_by="swept")

    def test_the_same_question_is_asked_once(self, books: ClosingBooks) -> None:
        first = what_if_runs.start_what_if(asked(), self.FACTS, made_by=books.maker)
        assert what_if_runs.start_what_if(asked(), self.FACTS, made_by=books.maker) == first
        ReportRun.objects.filter(pk=first.pk).update(work=ReportRun.Work.FAILED)
        assert what_if_runs.start_what_if(asked(), self.FACTS, made_by=books.maker) != first

    def test_a_tier_without_loans_is_refused(self, books: ClosingBooks) -> None:
        with pytest.raises(CannotStartRun, match="No loan of this tier"):
            what_if_runs.start_what_if(asked(), {**self.FACTS, "tier": "wholesale"}, made_by=books.maker)

    def test_the_page_offers_shows_progress_and_then_the_answer(
        self,
        books: ClosingBooks,
        as_foundation: Callable[..., Any],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        officer = as_foundation("officer")
        assert "Compare in the background" in officer.get(self.ADDRESS).content.decode()
        with django_capture_on_commit_callbacks(execute=False) as waiting:
            officer.post(self.ADDRESS)
        run = ReportRun.objects.get(name=what_if_runs.NAME)
        assert len(waiting) == 2, "two workers are woken, once the run is committed"
        assert f"/reports/runs/{run.pk}/progress/" in officer.get(self.ADDRESS).content.decode()
        work_on(run.pk)
        page = officer.get(self.ADDRESS).content.decode()
        assert "2,800.00" in page
        assert "1,400.00" in page
        assert officer.get(f"{self.ADDRESS}&export=xlsx").content.startswith(b"PK")
        assert self.ADDRESS.split("?")[0] in officer.get(f"/reports/runs/{run.pk}/").content.decode()


def test_the_loans_that_change_class_are_a_list_to_narrow_and_take_away(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    draft = propose_ruling(kind="class_policy", parameters=STRICT, reason="Try.", actor=books.maker)
    address = f"/reports/what-if/loans/?as_of=2025-12-31&known_by=2025-12-31&draft={draft.pk}"
    officer = as_foundation("officer")
    page = officer.get(address)
    assert [row["change_minor"] for row in page.context["table"].data.data] == [28_000_00 - 700_00] * 2
    assert len(officer.get(f"{address}&class_b=ss").context["table"].data.data) == 2
    assert not officer.get(f"{address}&class_b=df").context["table"].data.data
    assert "27300.00" in officer.get(f"{address}&export=csv").content.decode()
