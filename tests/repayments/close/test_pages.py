"""The pages of close, policies, days, bookings, trail: who opens them and what they say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from daybook.models import BusinessDay, Holiday
from daybook.services import seal_audit
from repayments.models import DayRun
from repayments.services.close import close_day, start_close
from tests.repayments.close.books import BOOKS_OPEN, ClosingBooks, closing_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> ClosingBooks:
    made = closing_books()
    loan = made.lend(
        [(date(2025, 7, 31), 100_00, 5_00), (date(2026, 7, 31), 100_00, 4_00)], disbursed=date(2025, 4, 30)
    )
    made.receive(loan, date(2025, 8, 3), 50_00)
    return made


def test_a_finished_close_shows_its_control_totals(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    run = close_day()
    page = as_foundation("auditor").get(reverse("repayments:close", args=[run.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert "Principal" in text
    assert "155.00" in text, "closing principal of 200.00 less 45.00 settled"
    assert "hx-get" not in text, "an ended close is not polled"


def test_a_running_close_is_polled_until_it_ends(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    run = start_close()
    client = as_foundation("officer")
    assert (
        reverse("repayments:close-progress", args=[run.pk])
        in client.get(reverse("repayments:close", args=[run.pk])).content.decode()
    )
    assert "HX-Refresh" not in client.get(reverse("repayments:close-progress", args=[run.pk])).headers
    DayRun.objects.filter(pk=run.pk).update(state=DayRun.State.FAILED, error="The disk was full.")
    assert client.get(reverse("repayments:close-progress", args=[run.pk])).headers["HX-Refresh"] == "true"


def test_exceptions_are_signed_once_and_with_a_reason(as_foundation: Callable[..., Any]) -> None:
    bare = closing_books(policies=False)
    bare.lend([(date(2025, 7, 31), 100_00)], disbursed=date(2025, 4, 30))
    run = close_day()
    assert (run.state, run.without_policy_count) == (DayRun.State.EXCEPTIONS, 1)
    client = as_foundation("officer")
    page = client.get(reverse("repayments:close", args=[run.pk])).content.decode()
    assert "1 loan without a policy" in page
    assert "unknown, not zero" in page

    client.post(reverse("repayments:close-sign", args=[run.pk]), {"reason": ""})
    run.refresh_from_db()
    assert run.signed_at is None
    client.post(reverse("repayments:close-sign", args=[run.pk]), {"reason": "The Board meets on Sunday."})
    run.refresh_from_db()
    assert (run.signed_by, run.signed_reason) == (client.user, "The Board meets on Sunday.")
    again = as_foundation("finance_head")
    again.post(reverse("repayments:close-sign", args=[run.pk]), {"reason": "Me too."})
    run.refresh_from_db()
    assert run.signed_by == client.user


def test_an_auditor_signs_nothing_and_closes_nothing(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    run = close_day()
    client = as_foundation("auditor")
    assert client.post(reverse("repayments:close-sign", args=[run.pk]), {"reason": "x"}).status_code == 403
    assert client.post(reverse("repayments:close-start"), {"date": "2026-01-01"}).status_code == 403


def test_closing_another_date_than_the_page_showed_is_refused(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    answer = as_foundation("officer").post(
        reverse("repayments:close-start"), {"date": "2025-12-30"}, follow=True
    )
    assert "nothing was closed" in answer.content.decode()
    assert not DayRun.objects.exists()


def test_a_policy_that_lapses_within_ninety_days_is_announced(as_foundation: Callable[..., Any]) -> None:
    closing_books()
    BusinessDay.objects.filter(date=BOOKS_OPEN)
    early = as_foundation("officer").get(reverse("repayments:policies")).content.decode()
    assert "P-CMSME-DEC25" in early
    assert "lapses after" not in early, "on 31 December 2025 the policy has a year to run"
    close_day(opening=date(2026, 11, 22))
    late = as_foundation("officer").get(reverse("repayments:policies")).content.decode()
    assert "lapses after" in late


@pytest.mark.parametrize(
    "name",
    ["repayments:closes", "repayments:policies", "daybook:days", "daybook:bookings", "daybook:holiday_list"],
)
def test_foundation_pages_open_for_foundation_people_only(
    books: ClosingBooks, name: str, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    close_day()
    assert as_foundation("officer").get(reverse(name)).status_code == 200
    assert as_foundation("auditor").get(reverse(name) + "?export=csv").status_code == 200
    assert as_partner(books.institution).get(reverse(name)).status_code == 403


def test_the_trail_is_for_auditors_and_administrators(
    books: ClosingBooks, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    close_day()
    seal_audit()
    auditor = as_foundation("auditor")
    page = auditor.get(reverse("daybook:trail"), {"action": "day.close"}).content.decode()
    assert "day.close" in page
    assert "<ins>1</ins>" in page, "the diff shows how many loans the close had"
    assert "as they were sealed" in auditor.get(reverse("daybook:trail-check")).content.decode()
    assert as_foundation("administrator").get(reverse("daybook:trail")).status_code == 200
    assert as_foundation("officer").get(reverse("daybook:trail")).status_code == 403
    assert as_partner(books.institution).get(reverse("daybook:trail")).status_code == 403


def test_a_holiday_is_declared_and_withdrawn_with_a_reason(
    books: ClosingBooks, as_foundation: Callable[..., Any]
) -> None:
    client = as_foundation("administrator")
    said = {"act": "declare", "date": "2026-03-26", "name": "Independence Day", "reason": "Government notice"}
    assert client.post(reverse("daybook:holiday_declare"), said).status_code == 302
    client.post(reverse("daybook:holiday_declare"), said | {"act": "withdraw", "reason": "Withdrawn"})
    told = Holiday.objects.filter(date=date(2026, 3, 26)).order_by("booking_id")
    assert [row.is_holiday for row in told] == [True, False]
    assert told[0].booking.reason == "Government notice"
    assert as_foundation("officer").get(reverse("daybook:holiday_declare")).status_code == 403


def test_closes_are_filtered_by_state_and_period(as_foundation: Any) -> None:
    now = timezone.now()
    for day, state in ((1, "closed"), (2, "exceptions"), (3, "closed")):
        DayRun.objects.create(
            business_date=date(2026, 3, day), state=state, last_booking_id=1, started_by="Close of day",
            started_at=now, finished_at=now,
        )  # fmt: skip
    officer = as_foundation("officer")

    def shown(**asked: str) -> list[int]:
        table = officer.get(reverse("repayments:closes"), asked).context["table"]
        return [row.record.business_date.day for row in table.rows]

    assert shown() == [3, 2, 1]
    assert shown(state="closed") == [3, 1]
    assert shown(state="unsigned") == [2]
    assert shown(from_date="2026-03-02", to_date="2026-03-02") == [2]


@pytest.mark.parametrize("role", ["officer", "finance_head", "administrator", "auditor"])
def test_home_names_closes_that_want_somebody(as_foundation: Any, role: str) -> None:
    now = timezone.now()
    DayRun.objects.create(
        business_date=date(2026, 3, 1), state="failed", last_booking_id=1, started_by="x", started_at=now
    )
    for day in (2, 3):
        DayRun.objects.create(
            business_date=date(2026, 3, day), state="exceptions", last_booking_id=1, started_by="x",
            started_at=now, finished_at=now,
        )  # fmt: skip
    waiting = as_foundation(role).get(reverse("repayments:waiting")).context["waiting"]
    counts = {str(words): count for words, count, _address in waiting}
    assert (counts["Closes that failed"], counts["Closes to sign"]) == (1, 2)
