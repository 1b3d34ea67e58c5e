"""A bank's file from the first byte to the allocation, every state of a row, every way to count twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from daybook.models import AuditEntry
from partners.models import User
from repayments.models import Allocation, Receipt, Upload, UploadRow
from repayments.services.posting import reverse_receipts
from repayments.services.uploads import (
    CannotChangeRow,
    CannotConfirmUpload,
    CannotDiscardUpload,
    CannotReceiveUpload,
    confirm_upload,
    correct_row,
    discard_row,
    discard_upload,
    post_upload,
    read_upload,
    recheck_upload,
    resolve_row,
)
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import HEADINGS, csv_file, xlsx_file

pytestmark = pytest.mark.django_db
GOOD = ("0012345", "05/02/2025", "1,000.00", "R1", "Karim")


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


def fault(row: UploadRow) -> tuple[str, str, str, str]:
    """State, column, reason, remedy."""
    return row.state, row.column, row.reason, row.remedy


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


class TestStatesOfRows:
    @pytest.mark.parametrize(
        ("cells", "expected"),
        [
            (
                ("0012345", "05/02/2025", "abc", "R1"),
                ("invalid", "C", "The amount “abc” cannot be read.", "Write digits only, such as 12500.00."),
            ),
            (
                ("0012345", "05/02/2025", "", "R1"),
                ("invalid", "C", "The cell is empty.", "Fill in the Amount."),
            ),
            (
                ("0012345", "05/02/2025", "(500.00)", "R1"),
                ("invalid", "C", "The amount (500.00) is negative.",
                 "A repayment is above zero. Ask the foundation to reverse a posted receipt."),
            ),
            (
                ("0012345", "05/02/2025", "0.00", "R1"),
                ("invalid", "C", "The amount is zero.", "Leave out rows of borrowers who paid nothing."),
            ),
            (
                ("0012345", "05/02/2025", "10.005", "R1"),
                ("invalid", "C", "The amount 10.005 is finer than one poisha.", "Round it to two decimals."),
            ),
            (
                ("0012345", "someday", "100", "R1"),
                ("invalid", "B", "The date “someday” cannot be read.",
                 "Write it as 25/03/2026, or as 2026-03-25."),
            ),
            (
                ("0012345", "02/25/2025", "100", "R1"),
                ("invalid", "B", "There is no day “02/25/2025” when the day is written first.",
                 "Correct the date. If the file writes the month first, choose that when sending it."),
            ),
            (
                ("0012345", "01/01/2026", "100", "R1"),
                ("invalid", "B", "The value date 01/01/2026 lies after the business date 31/12/2025.",
                 "Send the row when the money has been received, or correct the date."),
            ),
            (
                ("0012345", "05/02/2025", "100", ""),
                ("invalid", "D", "The row has no reference.",
                 "Give the voucher or transaction number: it keeps a repayment from being posted twice."),
            ),
            (
                ("0012345", "05/02/2025", "=500*2", "R1"),
                ("invalid", "C",
                 "The cell holds a formula, and a file shows its result only while Excel agrees.",
                 "Copy the column and paste it as values, then send the file again."),
            ),
            (
                ("0012345", "#REF!", "100", "R1"),
                ("invalid", "B", "The cell holds the Excel error #REF!.", "Type the value itself."),
            ),
            (
                ("777", "05/02/2025", "100", "R1"),
                ("unmatched", "A", "No sub-loan of yours has account 777.",
                 "Check the account number, or send the disbursement list of that loan first."),
            ),
        ],
    )  # fmt: skip
    def test_each_fault_names_its_column_reason_and_remedy(
        self, bank: Bank, cells: tuple[str, ...], expected: tuple[str, str, str, str]
    ) -> None:
        bank.subloan("0012345")
        assert fault(bank.row(*cells, "Karim")) == expected
        assert not Receipt.objects.exists()

    def test_a_formula_in_a_workbook_is_refused_though_it_has_a_result(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(xlsx_file(("0012345", "05/02/2025", "=500*2", "R1", "")), name="march.xlsx")
        assert upload.rows.get().fault["code"] == "cell.formula"

    def test_another_institution_s_loan_reads_exactly_like_no_loan(
        self, bank: Bank, make_user: Callable[..., User]
    ) -> None:
        other = make_bank(make_user)
        theirs = other.subloan("55555")
        upload = bank.read(
            csv_file(*((key, "05/02/2025", "1", f"R{key}", "") for key in ("55555", theirs.number, "66666")))
        )
        rows = list(upload.rows.all())
        assert {row.state for row in rows} == {"unmatched"}
        assert {row.loan_id for row in rows} == {None}
        words = {row.reason.replace(row.cells["A"], "…") + row.remedy + str(row.warnings) for row in rows}
        assert len(words) == 1

    def test_our_own_number_and_spaces_and_lost_zeros_find_the_loan(self, bank: Bank) -> None:
        loan = bank.subloan("00 123-45")
        keys = ("12345", "0012345", "00 12345", "12-345", loan.number, loan.number.lower())
        upload = bank.read(csv_file(*((key, "05/02/2025", "1", f"R{n}", "") for n, key in enumerate(keys))))
        assert {row.loan_id for row in upload.rows.all()} == {loan.pk}

    def test_an_account_that_fits_two_loans_is_for_a_person_to_decide(self, bank: Bank) -> None:
        first, second = bank.subloan("0012345"), bank.subloan("12345")
        upload = bank.read(csv_file(("12345", *GOOD[1:]), ("0012345", "06/02/2025", "1", "R2", "")))
        ambiguous, exact = upload.rows.all()
        assert fault(ambiguous) == (
            "ambiguous", "A", "Account 12345 fits 2 of your sub-loans.",
            "Choose the loan on this page, or write our number (SL-…) in the file.",
        )  # fmt: skip
        assert exact.loan_id == first.pk, "Excel takes zeros away and never adds one"
        row = resolve_row(upload=upload, row_number=2, loan_id=second.pk, changed_by=bank.maker)
        assert (row.state, row.loan_id) == ("ready", second.pk)

    def test_nobody_resolves_a_row_to_a_loan_it_does_not_name(self, bank: Bank) -> None:
        bank.subloan("0012345")
        bank.subloan("12345")
        stranger = bank.subloan("777")
        upload = bank.read(csv_file(("12345", *GOOD[1:])))
        with pytest.raises(CannotChangeRow, match="does not have the account number"):
            resolve_row(upload=upload, row_number=2, loan_id=stranger.pk, changed_by=bank.maker)
        assert upload.rows.get().state == "ambiguous"

    def test_a_value_date_before_disbursement_is_a_warning_the_checker_accepts(self, bank: Bank) -> None:
        bank.subloan("0012345")
        upload = bank.read(csv_file(("0012345", "31/12/2024", "100", "R1", "")))
        row = upload.rows.get()
        assert row.state == "ready"
        assert row.warnings == [
            {"code": "date.before_disbursement", "column": "B",
             "params": {"text": "31/12/2024", "limit": "01/01/2025", "field": "Payment date"}}
        ]  # fmt: skip
        with pytest.raises(CannotConfirmUpload, match="has warnings"):
            confirm_upload(upload=upload, confirmed_by=bank.checker)
        bank.post(upload, accepts_warnings=True)
        assert Receipt.objects.get().amount_minor == 10_000

    def test_a_split_that_does_not_add_up_is_a_warning(self, bank: Bank) -> None:
        bank.subloan("0012345")
        content = csv_file((*GOOD, "900", "50"), headings=(*HEADINGS, "Principal", "Interest"))
        (warning,) = bank.read(content).rows.get().warnings
        assert (warning["code"], warning["params"]["text"], warning["params"]["limit"]) == (
            "split.differs", "950.00", "1,000.00",
        )  # fmt: skip


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
