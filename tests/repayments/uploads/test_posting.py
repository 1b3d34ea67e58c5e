"""A bank's file from the first byte to the allocation, and every way it could count twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partners.models import User
from repayments.models import Allocation, Receipt, Upload
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import csv_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


class TestTheMainRoad:
    def test_ready_rows_are_posted_and_allocated_the_others_keep_their_state(self, bank: Bank) -> None:
        loan = bank.subloan("0012345")
        upload = bank.read(
            csv_file(
                ("12345", "05/02/2025", "Tk 10,000.00", "R1", "Karim"),
                ("0012345", "০৫-০৩-২০২৫", "৫,০০০.৫০", "R2", "Karim"),
                ("99", "05/02/2025", "100", "R3", "Nobody"),
                ("12345", "05/02/2025", "-100", "R4", "Karim"),
            )
        )
        assert upload.state == Upload.State.PREVIEW
        assert [row.state for row in upload.rows.all()] == ["ready", "ready", "unmatched", "invalid"]
        bank.post(upload)
        assert upload.state == Upload.State.POSTED
        assert [row.state for row in upload.rows.all()] == ["posted", "posted", "unmatched", "invalid"]
        posted = list(
            Receipt.objects.order_by("value_date").values_list(
                "loan_id", "amount_minor", "external_reference"
            )
        )
        assert posted == [(loan.pk, 1_000_000, "R1"), (loan.pk, 500_050, "R2")]
        assert sum(Allocation.objects.values_list("amount_minor", flat=True)) == 1_500_050
        assert upload.booking is not None
        assert upload.booking.actor_id == bank.checker.pk
