"""A posting reckons standings from the close and what was touched since, to the same figures as all of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from lending.models import Standing
from repayments.models import StandingBase
from repayments.services import standings as service
from repayments.services.close import close_day, start_close, work_all_slices
from tests.repayments.close.books import ClosingBooks, closing_books

pytestmark = pytest.mark.django_db

PLAN = [(date(2025, 11, 30), 100_00, 5_00), (date(2026, 11, 30), 100_00, 4_00)]
FIGURES = (
    "exposure_minor",
    "overdue_minor",
    "days_past_due",
    "subloan_outstanding_minor",
    "subloan_par30_minor",
)


@pytest.fixture
def books() -> ClosingBooks:
    return closing_books()


def _standing(books: ClosingBooks) -> dict[str, Any]:
    return Standing.objects.filter(institution=books.institution, agreement=None).values(*FIGURES).get()


def test_a_posting_after_a_close_measures_what_it_touched(
    books: ClosingBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    loans = [books.lend(PLAN, disbursed=date(2025, 5, 31)) for _ in range(5)]
    wholesale = books.lend(PLAN, disbursed=date(2025, 5, 31), tier="wholesale")
    close_day()
    close_day()
    assert StandingBase.objects.filter(agreement_id=None).get().subloan_outstanding_minor == 1000_00
    assert _standing(books) == {
        "exposure_minor": 200_00,
        "overdue_minor": 105_00,
        "days_past_due": 32,
        "subloan_outstanding_minor": 1000_00,
        "subloan_par30_minor": 1000_00,
    }
    measured: set[int] = set()
    afresh = service._reckoned_afresh

    def noted(loan_ids: npt.NDArray[np.int64], as_of: date) -> pd.DataFrame:
        measured.update(loan_ids.tolist())
        return afresh(loan_ids, as_of)

    monkeypatch.setattr(service, "_reckoned_afresh", noted)

    books.receive(loans[1], date(2026, 1, 4), 105_00)
    books.receive(loans[2], date(2026, 1, 4), 55_00)
    books.receive(loans[1], date(2026, 1, 4), 50_00)

    assert measured == {loans[1].pk, loans[2].pk, wholesale.pk}
    assert _standing(books)["subloan_outstanding_minor"] == 850_00
    assert _standing(books)["subloan_par30_minor"] == 750_00, "of the two that paid one is in time again"
    posted = _standing(books)
    close_day()
    assert _standing(books) == posted | {"days_past_due": 35}


def test_the_base_with_what_was_touched_is_the_whole(books: ClosingBooks) -> None:
    loans = [books.lend(PLAN, disbursed=date(2025, 5, 31)) for _ in range(4)]
    close_day()
    books.receive(loans[0], date(2026, 1, 1), 30_00)
    new = books.lend([(date(2026, 3, 31), 70_00)], disbursed=date(2026, 1, 1))
    books.receive(new, date(2026, 1, 1), 10_00)
    from_base = _standing(books)
    service._rewrite([books.institution.pk], date(2026, 1, 1), None)
    assert _standing(books) == from_base
    assert from_base["subloan_outstanding_minor"] == 4 * 200_00 - 25_00 + 70_00


def test_a_posting_during_a_close_stands_when_the_close_has_ended(books: ClosingBooks) -> None:
    loans = [books.lend(PLAN, disbursed=date(2025, 5, 31)) for _ in range(4)]
    close_day()
    run = start_close(loans_a_slice=2)
    books.receive(loans[3], date(2026, 1, 4), 205_00)
    work_all_slices(run, claimed_by="worker")
    assert StandingBase.objects.filter(run=run, agreement_id=None).get().subloan_outstanding_minor == 800_00
    assert _standing(books)["subloan_outstanding_minor"] == 700_00
