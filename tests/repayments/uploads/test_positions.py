"""A bank states the positions of its sub-loans: read, confirmed, kept beside ours, differences listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from partners.models import User
from repayments.models import Receipt, ReportedPosition, Upload
from repayments.selectors.positions import differing_count, stated_positions
from tests.repayments.uploads.books import Bank, make_bank

pytestmark = pytest.mark.django_db

HEAD = "Loan account,As of,Outstanding,Overdue,Class\n"


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


def stated(bank: Bank, *lines: str) -> Upload:
    content = (HEAD + "\n".join(lines) + "\n").encode()
    return bank.read(content, name="positions.csv", kind="positions")


def test_positions_are_kept_beside_ours_and_change_nothing(bank: Bank) -> None:
    loan, other = bank.subloan("0012345"), bank.subloan("777")
    upload = stated(bank, "12345,31/03/2025,20000,0,Std", "777,31/03/2025,30000,20000,SS")
    assert [row.state for row in upload.rows.all()] == ["ready", "ready"], upload.messages
    bank.post(upload)
    assert list(ReportedPosition.objects.values_list("loan_id", "outstanding_minor", "declared_class")) == [
        (loan.pk, 20_000_00, 0),
        (other.pk, 30_000_00, 2),
    ]
    assert not Receipt.objects.exists()
    first, second = stated_positions(date(2025, 3, 31))
    assert (first.outstanding_difference_minor, first.overdue_difference_minor) == (-10_000_00, -20_000_00)
    assert (second.outstanding_difference_minor, second.overdue_difference_minor) == (0, 0)


def test_a_later_file_for_the_same_date_counts(bank: Bank) -> None:
    bank.subloan("0012345")
    bank.post(stated(bank, "12345,31/03/2025,20000,0,Std"))
    bank.post(stated(bank, "12345,31/03/2025,30000,20000,"))
    (only,) = stated_positions(date(2025, 3, 31))
    assert (only.stated_outstanding_minor, only.stated_class) == (30_000_00, None)


def test_nothing_outstanding_is_a_position_and_nonsense_is_not(bank: Bank) -> None:
    bank.subloan("0012345")
    upload = stated(
        bank,
        "12345,31/03/2025,0,0,BL",
        "12345,31/03/2025,10,0,BL",
        "12345,30/06/2025,10,,BL",
        "12345,01/01/2030,10,0,BL",
        "12345,31/07/2025,10,0,very bad",
        "999,31/03/2025,10,0,BL",
    )
    assert [row.state for row in upload.rows.order_by("row_number")] == [
        "ready", "duplicate", "invalid", "invalid", "invalid", "unmatched",
    ]  # fmt: skip


def test_both_sides_see_what_differs_and_each_only_its_own(
    bank: Bank, as_foundation: Callable[..., Any], as_partner: Callable[..., Any], institution: Any
) -> None:
    number = bank.subloan("0012345").number
    agreed = bank.subloan("777").number
    bank.post(stated(bank, "12345,31/03/2025,20000,0,Std", "777,31/03/2025,30000,20000,"))
    officer = as_foundation("officer").get("/repayments/positions/").content.decode()
    assert number in officer
    assert agreed not in officer
    everything = as_foundation("auditor").get("/repayments/positions/?differing=all").content.decode()
    assert agreed in everything
    assert number in as_partner(bank.institution).get("/repayments/positions/").content.decode()
    assert number not in as_partner(institution).get("/repayments/positions/").content.decode()
    assert as_foundation().get("/repayments/positions/?export=xlsx").content.startswith(b"PK")


def test_home_counts_what_differs_and_measures_only_what_is_quick(
    bank: Bank, as_foundation: Callable[..., Any], as_partner: Callable[..., Any]
) -> None:
    assert differing_count(at_most=10) == (0, True), "nothing is stated yet"
    assert (
        "Positions that differ" not in as_foundation("officer").get("/repayments/waiting/").content.decode()
    )
    bank.subloan("0012345")
    bank.subloan("777")
    bank.post(stated(bank, "12345,31/03/2025,20000,0,", "777,31/03/2025,30000,0,Std"))
    found, compared = differing_count(at_most=10)
    assert (found, compared) == (sum(row.differs for row in stated_positions(date(2025, 3, 31))), True)
    assert found
    assert differing_count(at_most=1) == (2, False), "two are stated: too many to measure here"
    for client in (as_foundation("officer"), as_partner(bank.institution, "maker")):
        panel = client.get("/repayments/waiting/").content.decode()
        assert "Positions that differ" in panel
        assert 'href="/repayments/positions/"' in panel
