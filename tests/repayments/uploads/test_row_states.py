"""Every state of a row of a bank's file, with the column, reason and remedy it is given."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partners.models import User
from repayments.models import Receipt, UploadRow
from repayments.services.uploads import (
    CannotChangeRow,
    CannotConfirmUpload,
    confirm_upload,
    resolve_row,
)
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import GOOD, HEADINGS, csv_file, xlsx_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


def fault(row: UploadRow) -> tuple[str, str, str, str]:
    """State, column, reason, remedy."""
    return row.state, row.column, row.reason, row.remedy


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
