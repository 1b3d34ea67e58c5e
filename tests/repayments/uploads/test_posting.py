"""A bank's file from the first byte to the allocation: the main road, two people, guards."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from daybook.models import AuditEntry
from partners.models import User
from repayments.models import Allocation, Receipt, Upload, UploadRow
from repayments.services.uploads import (
    CannotChangeRow,
    CannotConfirmUpload,
    CannotDiscardUpload,
    confirm_upload,
    correct_row,
    discard_row,
    discard_upload,
)
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import GOOD, HEADINGS, csv_file, xlsx_file

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
        posted = Receipt.objects.order_by("value_date").values_list(
            "loan_id", "amount_minor", "external_reference"
        )
        assert list(posted) == [(loan.pk, 1_000_000, "R1"), (loan.pk, 500_050, "R2")]
        assert sum(Allocation.objects.values_list("amount_minor", flat=True)) == 1_500_050
        assert upload.booking is not None
        assert upload.booking.actor_id == bank.checker.pk
        trail = (
            AuditEntry.objects.filter(subject_id=str(upload.pk))
            .order_by("pk")
            .values_list("action", flat=True)
        )
        assert list(trail) == ["upload.receive", "upload.read", "upload.confirm", "upload.post"]

    def test_a_figure_leads_down_to_the_cell_it_came_from(self, bank: Bank) -> None:
        bank.subloan("0012345")
        bank.post(bank.read(csv_file(GOOD)))
        row = Receipt.objects.get().upload_row
        assert row is not None
        assert (row.row_number, row.cells["C"], row.upload.columns["amount"]) == (
            2,
            "1,000.00",
            ["C", "Amount"],
        )

    def test_the_reported_split_is_kept_beside_ours(self, bank: Bank) -> None:
        bank.subloan("0012345")
        content = csv_file((*GOOD, "900", "100"), headings=(*HEADINGS, "Principal", "Interest"))
        bank.post(bank.read(content))
        receipt = Receipt.objects.get()
        assert (receipt.reported_principal_minor, receipt.reported_interest_minor) == (90_000, 10_000)
        assert receipt.reported_charge_minor is None

    def test_the_total_row_is_compared_with_the_rows(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(GOOD, ("Total", "", "1,100.00", "", "")))
        assert upload.stated_total_minor == 110_000
        assert {
            "code": "file.total_differs",
            "params": {"stated": "1,100.00", "found": "1,000.00"},
        } in upload.messages
        with pytest.raises(CannotConfirmUpload, match="has warnings"):
            confirm_upload(upload=upload, confirmed_by=bank.checker)
        bank.post(upload, accepts_warnings=True)
        assert upload.accepts_warnings

    def test_a_row_put_right_may_bring_the_rows_to_the_total(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(GOOD, ("Total", "", "1,100.00", "", "")))
        correct_row(upload=upload, row_number=2, corrections={"C": "1,100.00"}, changed_by=bank.maker)
        upload.refresh_from_db()
        assert "file.total_differs" not in [entry["code"] for entry in upload.messages]


class TestTwoPeople:
    def test_the_sender_does_not_confirm(self, bank: Bank) -> None:
        bank.subloan("0012345")
        with pytest.raises(CannotConfirmUpload, match="You sent this file; another person has to confirm it"):
            confirm_upload(upload=bank.read(csv_file(GOOD)), confirmed_by=bank.maker)

    def test_nor_does_who_changed_a_row(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(GOOD, ("0012345", "x", "5", "R2", "")))
        discard_row(upload=upload, row_number=3, changed_by=bank.checker)
        with pytest.raises(CannotConfirmUpload, match="You changed rows of this file"):
            confirm_upload(upload=upload, confirmed_by=bank.checker)

    def test_not_even_with_raw_sql(self, bank: Bank) -> None:
        upload = bank.read(csv_file(GOOD))
        with pytest.raises(IntegrityError, match="upload_maker_is_not_checker"), transaction.atomic():
            Upload.objects.filter(pk=upload.pk).update(confirmed_by=bank.maker)

    def test_nothing_ready_is_nothing_to_confirm(self, bank: Bank) -> None:
        with pytest.raises(CannotConfirmUpload, match="No row is ready to be posted"):
            confirm_upload(upload=bank.read(csv_file(GOOD)), confirmed_by=bank.checker)

    def test_posted_rows_and_uploads_stay(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.post(bank.read(csv_file(GOOD)))
        with pytest.raises(CannotDiscardUpload, match="was confirmed by"):
            discard_upload(upload=upload, discarded_by=bank.maker)
        with pytest.raises(CannotChangeRow):
            correct_row(upload=upload, row_number=2, corrections={"C": "5"}, changed_by=bank.maker)

    def test_a_correction_frees_and_repeats_other_rows(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(GOOD, ("0012345", "06/02/2025", "5", "R1", "")))
        correct_row(
            upload=upload, row_number=2, corrections={"D": "R0"}, changed_by=bank.maker, reason="typo"
        )
        assert [row.state for row in upload.rows.all()] == ["ready", "ready"]
        assert AuditEntry.objects.get(action="upload_row.correct").before == {"D": "R1"}

    def test_a_corrected_formula_is_no_formula_any_more(self, bank: Bank) -> None:
        bank.subloan("0012345")
        content = xlsx_file(("0012345", "05/02/2025", "=500*2", "=A1", ""))
        upload = bank.read(content, name="march.xlsx")
        row = correct_row(upload=upload, row_number=2, corrections={"C": "1000"}, changed_by=bank.maker)
        assert (row.state, row.column) == ("invalid", "D")
        row = correct_row(upload=upload, row_number=2, corrections={"D": "R1"}, changed_by=bank.maker)
        assert (row.state, row.amount_minor) == ("ready", 100_000)


class TestGuards:
    def test_what_was_sent_is_never_replaced(self, bank: Bank) -> None:
        upload = bank.read(csv_file(GOOD))
        for column, value in (("content", b"other"), ("content_sha256", "0" * 64), ("kind", "subloans")):
            with pytest.raises(IntegrityError, match="change of what upload"), transaction.atomic():
                Upload.objects.filter(pk=upload.pk).update(**{column: value})
        with pytest.raises(IntegrityError, match="change of the raw cells"), transaction.atomic():
            UploadRow.objects.filter(upload=upload).update(cells={"A": "1"})

    def test_a_posted_upload_and_row_stay_posted(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.post(bank.read(csv_file(GOOD)))
        with pytest.raises(IntegrityError, match="take a receipt back with a mirror"), transaction.atomic():
            Upload.objects.filter(pk=upload.pk).update(state="preview")
        with pytest.raises(IntegrityError, match="stays as it is"), transaction.atomic():
            UploadRow.objects.filter(upload=upload).update(amount_minor=1)

    @pytest.mark.parametrize("role", ["paikar_partner", "paikar_foundation"])
    def test_only_the_worker_posts(self, bank: Bank, acting_as: Callable[..., None], role: str) -> None:
        from django.db import ProgrammingError

        upload = bank.read(csv_file(GOOD))
        acting_as(role, institution_id=bank.institution.pk)
        for rows in (Upload.objects.filter(pk=upload.pk), UploadRow.objects.filter(upload_id=upload.pk)):
            with pytest.raises(ProgrammingError, match="the worker posts"), transaction.atomic():
                rows.update(state="posted")

    def test_the_same_rows_stand_once(self, bank: Bank) -> None:
        first = bank.read(csv_file(GOOD))
        second = bank.read(csv_file(("0012345", "05/02/2025", "2", "R1", "")))
        with pytest.raises(IntegrityError, match="upload_same_rows_once"), transaction.atomic():
            Upload.objects.filter(pk=second.pk).update(rows_sha256=first.rows_sha256)


class TestSpeedByShape:
    def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(self, bank: Bank) -> None:
        for number in range(10):
            bank.subloan(f"9{number}")
        counts = []
        for size in (10, 1000):
            rows = [(f"9{n % 10}", "05/02/2025", f"{n + 1}.00", f"S{size}-{n}", "") for n in range(size)]
            with CaptureQueriesContext(
                connection,
            ) as queries:
                upload = bank.post(bank.read(csv_file(*rows), name=f"{size}.csv"))
            assert upload.total_count == size
            counts.append(len(queries))
        assert counts[0] == counts[1]
