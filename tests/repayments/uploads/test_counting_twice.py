"""Every way to count a repayment twice, and what stops it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partners.models import User
from repayments.models import Receipt, Upload, UploadRow
from repayments.services.posting import reverse_receipts
from repayments.services.uploads import (
    CannotReceiveUpload,
    confirm_upload,
    discard_upload,
    post_upload,
    read_upload,
    recheck_upload,
)
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import GOOD, csv_file, xlsx_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


def fault(row: UploadRow) -> tuple[str, str, str, str]:
    """State, column, reason, remedy."""
    return row.state, row.column, row.reason, row.remedy


class TestNothingCountsTwice:
    def test_the_same_bytes_are_refused_at_the_door(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.post(bank.read(csv_file(GOOD)))
        with pytest.raises(CannotReceiveUpload) as refusal:
            bank.receive(csv_file(GOOD), name="again.csv")
        assert str(refusal.value) == (
            f"again.csv: This very file was sent before: upload {upload.pk}, Posted. "
            "Open that upload. To send other rows, change the file first."
        )
        assert Receipt.objects.count() == 1

    def test_the_same_rows_in_another_shape_are_refused_with_a_pointer(self, bank: Bank) -> None:
        bank.subloan("0012345")
        first = bank.post(bank.read(csv_file(GOOD, ("12345", "06/02/2025", "500", "R2", ""))))
        again = xlsx_file(
            ("Nobody", "12345", "R2", "2025-02-06", 500), ("X", "0012345", "R1", "05-Feb-25", "Tk 1000"),
            headings=("Borrower", "A/C No", "Ref", "Date", "Paid"), titles=("Bank", "March"),
        )  # fmt: skip
        second = bank.read(again, name="again.xlsx")
        assert second.state == Upload.State.DISCARDED
        assert second.messages == [
            {"code": "file.same_rows", "params": {"other": str(first.pk), "state": "Posted"}}
        ]
        assert not second.rows.exists()
        assert Receipt.objects.count() == 2

    def test_a_discarded_upload_may_be_sent_again(self, bank: Bank) -> None:
        bank.subloan("0012345")
        discard_upload(upload=bank.read(csv_file(GOOD)), discarded_by=bank.maker)
        bank.post(bank.read(csv_file(GOOD)))
        assert Receipt.objects.count() == 1

    def test_a_reference_twice_in_the_file(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(GOOD, ("12345", "06/02/2025", "5", "R1", "")))
        first, second = upload.rows.all()
        assert first.state == "ready"
        assert fault(second) == (
            "duplicate", "D", "Reference R1 stands on this loan already in row 2.",
            "If it is another repayment, give it its own reference.",
        )  # fmt: skip

    def test_one_reference_on_two_loans_is_a_batch_number(self, bank: Bank) -> None:
        bank.subloan("1")
        bank.subloan("2")
        upload = bank.read(csv_file(("1", *GOOD[1:]), ("2", *GOOD[1:])))
        assert {row.state for row in upload.rows.all()} == {"ready"}

    def test_a_posted_reference_and_again_after_its_reversal(self, bank: Bank) -> None:
        bank.subloan("0012345")
        bank.post(bank.read(csv_file(GOOD)))
        upload = bank.read(csv_file(("0012345", "07/02/2025", "1", "R1", "")))
        assert fault(upload.rows.get())[:3] == (
            "duplicate", "D", "Reference R1 is posted on this loan already, value date 05/02/2025.",
        )  # fmt: skip
        receipt_id = Receipt.objects.get().pk
        reverse_receipts(receipt_ids=[receipt_id], booking=bank.books.booking(), reason="bounced")
        recheck_upload(upload=upload)
        assert upload.rows.get().state == "ready"

    def test_a_reference_that_waits_in_another_upload(self, bank: Bank) -> None:
        bank.subloan("0012345")
        first = bank.read(csv_file(GOOD))
        second = bank.read(csv_file(("0012345", "07/02/2025", "1", "R1", "")))
        assert fault(second.rows.get())[2] == f"Reference R1 on this loan waits in upload {first.pk}."
        discard_upload(upload=first, discarded_by=bank.maker)
        recheck_upload(upload=second)
        assert second.rows.get().state == "ready"

    def test_what_was_posted_between_preview_and_posting_is_not_posted_again(self, bank: Bank) -> None:
        bank.subloan("0012345")
        first = bank.read(csv_file(GOOD))
        Upload.objects.filter(pk=first.pk).update(state=Upload.State.DISCARDED)
        second = bank.read(
            csv_file(("0012345", "07/02/2025", "1", "R1", ""), ("0012345", "07/02/2025", "2", "R2", ""))
        )
        Upload.objects.filter(pk=first.pk).update(state=Upload.State.PREVIEW)
        bank.post(first)
        bank.post(second)
        assert [row.state for row in second.rows.all()] == ["duplicate", "posted"]
        assert sorted(Receipt.objects.values_list("amount_minor", flat=True)) == [200, 100_000]

    def test_reading_and_posting_twice_does_nothing_the_second_time(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.receive(csv_file(GOOD))
        assert read_upload(upload_id=upload.pk, claimed_by="a")
        assert not read_upload(upload_id=upload.pk, claimed_by="b")
        confirm_upload(upload=upload, confirmed_by=bank.checker)
        assert post_upload(upload_id=upload.pk, claimed_by="a")
        assert not post_upload(upload_id=upload.pk, claimed_by="b")
        assert Receipt.objects.count() == 1
