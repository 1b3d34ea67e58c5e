"""The upload pages as the three kinds of people see them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partners.models import User
from repayments.models import Upload, UploadRow
from repayments.parsing.xlsxfile import read_xlsx
from repayments.services.uploads import post_upload, read_upload
from tests.repayments.uploads.books import Bank, make_bank
from tests.repayments.uploads.files import csv_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(make_user: Callable[..., User]) -> Bank:
    return make_bank(make_user)


@pytest.fixture
def maker(bank: Bank, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(bank.maker)


@pytest.fixture
def checker(bank: Bank, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(bank.checker)


def send(client: Client, content: bytes, name: str = "march.csv", **more: str) -> Upload:
    data = {"file": SimpleUploadedFile(name, content), "kind": "repayments", "date_order": "dmy", **more}
    response = client.post(reverse("repayments:upload-new"), data)
    assert response.status_code == 302, response.content.decode()
    return Upload.objects.latest("pk")


GOOD = ("0012345", "05/02/2025", "Tk 10,000.00", "R1", "Karim")
BAD = ("0012345", "31/02/2025", "100", "R2", "Karim")


class TestTheMainRoad:
    def test_a_maker_sends_a_checker_confirms_the_worker_posts(
        self, bank: Bank, maker: Client, checker: Client
    ) -> None:
        loan = bank.subloan("0012345")
        upload = send(maker, csv_file(GOOD, BAD))
        page = maker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert "The file is being read" in page
        assert read_upload(upload_id=upload.pk, claimed_by="test")

        page = maker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert "Tk 10,000.00" in page
        assert "There is no day “31/02/2025” when the day is written first." in page
        assert "Confirm and post" not in page
        page = checker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert "Confirm and post" in page

        checker.post(reverse("repayments:upload-confirm", args=[upload.pk]))
        assert post_upload(upload_id=upload.pk, claimed_by="test")
        page = checker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert loan.number in page
        assert upload.content_sha256 in page

    def test_the_maker_puts_a_row_right_and_the_cell_as_sent_stays_beside_it(
        self, bank: Bank, maker: Client
    ) -> None:
        bank.subloan("0012345")
        upload = send(maker, csv_file(GOOD, BAD))
        read_upload(upload_id=upload.pk, claimed_by="test")
        address = reverse("repayments:upload-row", args=[upload.pk, 3])
        assert "31/02/2025" in maker.get(address).content.decode()
        cells = {
            "cell_A": "0012345",
            "cell_B": "28/02/2025",
            "cell_C": "100",
            "cell_D": "R2",
            "cell_E": "Karim",
        }
        response = maker.post(address, {"act": "correct", "reason": "typing error", **cells})
        assert response.status_code == 302
        row = upload.rows.get(row_number=3)
        assert (row.state, row.cells["B"], row.corrections) == ("ready", "31/02/2025", {"B": "28/02/2025"})
        page = maker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert '<s class="muted">31/02/2025</s> 28/02/2025' in page

    def test_the_maker_chooses_the_loan_of_an_ambiguous_row(self, bank: Bank, maker: Client) -> None:
        bank.subloan("0012345")
        second = bank.subloan("12345")
        upload = send(maker, csv_file(("12345", *GOOD[1:])))
        read_upload(upload_id=upload.pk, claimed_by="test")
        assert upload.rows.get().state == UploadRow.State.AMBIGUOUS
        address = reverse("repayments:upload-row", args=[upload.pk, 2])
        assert second.number in maker.get(address).content.decode()
        maker.post(address, {"act": "resolve", "loan": str(second.pk)})
        row = upload.rows.get()
        assert (row.state, row.loan_id) == ("ready", second.pk)

    def test_a_row_can_be_left_out(self, bank: Bank, maker: Client) -> None:
        bank.subloan("0012345")
        upload = send(maker, csv_file(GOOD, BAD))
        read_upload(upload_id=upload.pk, claimed_by="test")
        maker.post(
            reverse("repayments:upload-row", args=[upload.pk, 3]), {"act": "discard", "reason": "twice"}
        )
        assert upload.rows.get(row_number=3).state == "discarded"

    def test_the_page_asks_to_be_shown_anew_once_the_work_has_ended(self, bank: Bank, maker: Client) -> None:
        upload = send(maker, csv_file(GOOD))
        address = reverse("repayments:upload-progress", args=[upload.pk])
        assert "HX-Refresh" not in maker.get(address)
        read_upload(upload_id=upload.pk, claimed_by="test")
        assert maker.get(address)["HX-Refresh"] == "true"


class TestWhoSeesWhat:
    def test_another_institution_sees_no_trace(
        self, bank: Bank, maker: Client, make_user: Callable[..., User], as_partner: Callable[..., Client]
    ) -> None:
        upload = send(maker, csv_file(GOOD))
        read_upload(upload_id=upload.pk, claimed_by="test")
        stranger = as_partner(make_bank(make_user).institution)
        for name in ("upload", "upload-progress", "upload-result", "upload-original"):
            assert stranger.get(reverse(f"repayments:{name}", args=[upload.pk])).status_code == 404
        assert stranger.post(reverse("repayments:upload-discard", args=[upload.pk])).status_code == 404
        assert "march.csv" not in stranger.get(reverse("repayments:uploads")).content.decode()

    def test_the_foundation_sees_all_and_sends_nothing(
        self, bank: Bank, maker: Client, as_foundation: Callable[..., Client]
    ) -> None:
        upload = send(maker, csv_file(GOOD))
        officer = as_foundation("officer")
        assert "march.csv" in officer.get(reverse("repayments:uploads")).content.decode()
        assert officer.get(reverse("repayments:upload", args=[upload.pk])).status_code == 200
        assert officer.get(reverse("repayments:upload-new")).status_code == 403
        assert officer.post(reverse("repayments:upload-confirm", args=[upload.pk])).status_code == 403

    def test_a_viewer_looks_only(self, bank: Bank, maker: Client, as_partner: Callable[..., Client]) -> None:
        bank.subloan("0012345")
        upload = send(maker, csv_file(GOOD))
        read_upload(upload_id=upload.pk, claimed_by="test")
        viewer = as_partner(bank.institution, "viewer")
        page = viewer.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert "Confirm and post" not in page
        for name in ("upload-confirm", "upload-discard", "upload-recheck"):
            assert viewer.post(reverse(f"repayments:{name}", args=[upload.pk])).status_code == 403


class TestFilesForPeople:
    def test_the_template_names_what_falls_due_and_reads_back_as_nothing_paid(
        self, bank: Bank, maker: Client
    ) -> None:
        bank.subloan("0012345")
        response = maker.get(reverse("repayments:upload-template", args=["repayments"]))
        (sheet,) = read_xlsx(response.content)
        assert list(sheet.cells.loc[1])[:4] == ["Loan account", "Payment date", "Amount", "Reference"]
        assert sheet.cells.at[2, "A"] == "0012345"
        assert "30000" in list(sheet.cells.loc[2])

    @pytest.mark.parametrize("kind", ["repayments", "subloans", "borrowers"])
    def test_every_template_has_the_headings_we_read(self, maker: Client, kind: str) -> None:
        response = maker.get(reverse("repayments:upload-template", args=[kind]))
        sheets = read_xlsx(response.content)
        from repayments.parsing.fields import FIELDS
        from repayments.parsing.headings import find_headings

        found = find_headings(sheets[0], FIELDS[kind])
        assert found is not None
        assert set(found.columns) == {spec.name for spec in FIELDS[kind]}

    def test_the_result_puts_each_row_where_it_was_and_runs_no_formula(
        self, bank: Bank, maker: Client
    ) -> None:
        bank.subloan("0012345")
        upload = send(maker, csv_file(GOOD, ('=HYPERLINK(""evil"")', "05/02/2025", "1", "R9", "@SUM(A1)")))
        read_upload(upload_id=upload.pk, claimed_by="test")
        response = maker.get(reverse("repayments:upload-result", args=[upload.pk]))
        (sheet,) = read_xlsx(response.content)
        assert not sheet.formulas
        assert sheet.cells.at[2, "F"] == "Ready"
        assert sheet.cells.at[3, "F"] == "Invalid"
        assert "Column A (Loan account): The cell holds a formula" in str(sheet.cells.at[3, "H"])
        assert sheet.cells.at[3, "E"] == "@SUM(A1)"

    def test_the_file_as_sent_comes_back_byte_for_byte(self, bank: Bank, maker: Client) -> None:
        content = csv_file(GOOD, encoding="utf-16")
        upload = send(maker, content)
        assert maker.get(reverse("repayments:upload-original", args=[upload.pk])).content == content


class TestBangla:
    def test_a_fault_speaks_the_reader_s_language(self, bank: Bank, maker: Client) -> None:
        upload = send(maker, csv_file(BAD))
        read_upload(upload_id=upload.pk, claimed_by="test")
        maker.cookies["django_language"] = "bn"
        page = maker.get(reverse("repayments:upload", args=[upload.pk])).content.decode()
        assert "There is no day" not in page
        assert "৩১/০২/২০২৫" in page or "31/02/2025" in page
