"""Importing a portfolio: every fault told with its place and remedy, all or nothing, repeatable."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from daybook.models import Booking
from daybook.services import open_books
from lending.models import Agreement, Decision, Due, Loan
from partners.models import Institution, User
from repayments.models import Receipt
from repayments.services.portfolio_files import CannotReadPortfolio, read_portfolio
from repayments.services.posting import reverse_receipts
from tests.repayments.posting.books import check_guards

OPEN = date(2026, 1, 1)
FILES = {
    "loans.csv": """\
id,status,partner,partner_name,sector,disb,loan
A1,active,DB,Demo Bank,Food,2025-01-10,"1,000.00"
A2,refunded,DB,Demo Bank,Food,2025-01-10,500
A3,paid,DB,Demo Bank,Retail,2025-02-01,300
""",
    "schedule.csv": """\
id,n,due,amount,local_due,local_amount,local_interest
A1,1,2025-05-01,500.50,2025-03-01,500.50,10
A1,2,2025-06-01,499.50,2025-04-01,499.50,5
A3,1,2025-05-01,300,2025-03-01,300,0
""",
    "payments.csv": """\
id,payment_id,processed,amount,tier
A1,P1,2025-03-02,510.50,subloan
A1,P2,2025-05-01,500.50,wholesale
A3,P3,2025-01-20,300,
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path) -> list[str]:
    with pytest.raises(CannotReadPortfolio) as raised:
        read_portfolio(folder, business_date=OPEN)
    return [str(fault) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "reason", "remedy"),
    [
        (
            "schedule.csv",
            "A1,2,2025-06-01",
            "A1,2,2025-04-30",
            "schedule.csv, row 3, due",
            "due dates are out of order",
            "one after the other",
        ),
        (
            "schedule.csv",
            "A1,1,2025-05-01",
            "A1,1,2025-01-10",
            "schedule.csv, row 2, due",
            "the first due date is not after disbursement",
            "Correct the plan",
        ),
        (
            "schedule.csv",
            "A1,2,",
            "A1,3,",
            "schedule.csv, row 2, n",
            "instalments are not numbered 1, 2, 3 and on",
            "count from 1",
        ),
        ("loans.csv", "A1,active", ",active", "loans.csv, row 2, id", "no id", "its own id"),
        ("loans.csv", "A3,paid", "A1,paid", "loans.csv, row 4, id", "A1 comes twice", "its own id"),
        ("loans.csv", "A1,active", "A1,lost", "loans.csv, row 2, status", "status lost", "Use one of active"),
        ("loans.csv", "2025-02-01", "01/02/2025", "loans.csv, row 4, disb", "01/02/2025", "2026-03-25"),
        (
            "loans.csv",
            "2025-02-01",
            "2026-02-01",
            "loans.csv, row 4, disb",
            "after the business",
            "Correct it",
        ),
        ("loans.csv", "300\n", "-300\n", "loans.csv, row 4, loan", "“-300”", "Write digits"),
        ("loans.csv", "300\n", "300.001\n", "loans.csv, row 4, loan", "“300.001”", "two decimals"),
        ("loans.csv", "300\n", "=300\n", "loans.csv, row 4, loan", "“=300”", "Write digits"),
        ("loans.csv", "300\n", "0\n", "loans.csv, row 4, loan", "nothing", "Remove"),
        ("loans.csv", ",paid,DB", ",paid,", "loans.csv, row 4, partner", "no institution", "code"),
        ("loans.csv", "300\n", "301\n", "loans.csv, row 4, loan", "come to 300.00", "add up"),
        ("schedule.csv", "A3,1", "A9,1", "schedule.csv, row 4, id", "no loan “A9”", "Add the loan"),
        ("schedule.csv", "A1,2", "A1,1", "schedule.csv, row 3, n", "comes twice", "Count from 1"),
        ("schedule.csv", "A1,2", "A1,b", "schedule.csv, row 3, n", "“b”", "Count from 1"),
        ("schedule.csv", "2025-06-01", "2025-06-31", "schedule.csv, row 3, due", "2025-06-31", "Write it as"),
        ("schedule.csv", "499.50,5", "499.50,five", "row 3, local_interest", "“five”", "Write digits"),
        ("payments.csv", "A3,P3", "A8,P3", "payments.csv, row 4, id", "no loan “A8”", "remove the row"),
        ("payments.csv", "P3,", ",", "payments.csv, row 4, payment_id", "no reference", "own reference"),
        ("payments.csv", "A3,P3", "A1,P1", "row 4, payment_id", "P1 comes twice", "own reference"),
        ("payments.csv", "300,", "0,", "payments.csv, row 4, amount", "nothing", "Remove"),
        ("payments.csv", "2025-01-20", "2026-01-02", "row 4, processed", "after the business", "Correct it"),
        ("payments.csv", "500.50,wholesale", "500.50,retail", "row 3, tier", "none of those", "Use"),
    ],
)
def test_a_fault_names_file_row_column_and_remedy(
    folder: Path, file: str, old: str, new: str, place: str, reason: str, remedy: str
) -> None:
    change(folder, file, old, new)
    told = [fault for fault in faults(folder) if place in fault]
    assert any(reason in fault and remedy in fault for fault in told), faults(folder)


def test_all_faults_are_told_at_once(folder: Path) -> None:
    change(folder, "loans.csv", "A1,active", "A1,lost")
    change(folder, "schedule.csv", "2025-06-01", "never")
    change(folder, "payments.csv", "A3,P3", "A8,P3")
    assert {fault.split(",")[0] for fault in faults(folder)} == {"loans.csv", "schedule.csv", "payments.csv"}


def test_blank_lines_do_not_shift_the_row_numbers(folder: Path) -> None:
    change(folder, "payments.csv", "A1,P1", "\n,,,,\nA1,P1")
    change(folder, "payments.csv", "2025-05-01", "soon")
    assert faults(folder) == [
        "payments.csv, row 5, processed: the date “soon” cannot be read. Write it as 2026-03-25."
    ]


def test_files_that_are_no_such_files(folder: Path) -> None:
    (folder / "loans.csv").unlink()
    (folder / "schedule.csv").write_text("")
    (folder / "payments.csv").write_bytes(b"id,payment_id,processed,amount\n\xff\xfe,1,2,3\n")
    missing, empty, unreadable = faults(folder)
    assert "loans.csv: the file is missing." in missing
    assert "schedule.csv: the file is empty." in empty
    assert "Save it as CSV in UTF-8." in unreadable
    for name, content in FILES.items():
        (folder / name).write_text(content.splitlines()[0] + "\n")
    assert all("headings and no rows" in fault for fault in faults(folder))
    (folder / "loans.csv").write_text("id,partner\n1,2\n")
    assert any("columns status, disb, loan are missing" in fault for fault in faults(folder))


def test_a_schedule_of_one_tier_loads_one_tier(folder: Path) -> None:
    change(folder, "schedule.csv", "due,amount,local_due", "x,y,local_due")
    change(folder, "payments.csv", "wholesale", "subloan")
    assert read_portfolio(folder, business_date=OPEN).tiers == ("subloan",)
    change(folder, "schedule.csv", "local_due", "z")
    assert any("neither a column pair" in fault for fault in faults(folder))


@pytest.mark.django_db
class TestImporting:
    @pytest.fixture(autouse=True)
    def people(self, make_user: Callable[..., User]) -> None:
        open_books(first_date=OPEN)
        self.maker, self.approver = make_user("officer"), make_user("approver")

    def run(self, folder: Path, **options: str) -> str:
        out = io.StringIO()
        people = {"maker": self.maker.username, "approver": self.approver.username}
        call_command("import_portfolio", str(folder), **people | options, stdout=out, stderr=out)
        check_guards()
        return out.getvalue()

    def refused(self, folder: Path, **options: str) -> str:
        out = io.StringIO()
        people = {"maker": self.maker.username, "approver": self.approver.username}
        with pytest.raises(CommandError) as raised:
            call_command("import_portfolio", str(folder), **people | options, stdout=out, stderr=out)
        return out.getvalue() + str(raised.value)

    def test_writes_both_tiers_and_says_what(self, folder: Path) -> None:
        told = self.run(folder)
        assert (
            "Imported: sub-loans 2, wholesale loans 2, receipts 4, agreements 1, new institutions 1." in told
        )
        assert "loan A2 (row 3): refunded" in told
        assert "loan A3, payment P3 (row 4): 300.00 on 2025-01-20, lent 2025-02-01" in told
        agreement = Agreement.objects.get()
        assert (agreement.made_by, agreement.approved_by) == (self.maker, self.approver)
        assert agreement.limit.amount == 1_300
        assert Institution.objects.get(code="DB").name == "Demo Bank"
        assert sorted(Decision.objects.values_list("step", "by")) == [
            ("approve", self.approver.pk),
            ("draft", self.maker.pk),
        ]
        subloan = Loan.objects.get(tier="subloan", identifiers__value="A1")
        assert sorted(
            Due.objects.filter(loan=subloan).values_list("instalment", "component", "amount_minor")
        ) == [(1, 3, 1_000), (1, 4, 50_050), (2, 3, 500), (2, 4, 49_950)]

    def test_a_second_run_writes_nothing_at_all(self, folder: Path) -> None:
        self.run(folder)
        bookings = Booking.objects.count()
        assert "Nothing changed: all 4 loans and 4 receipts were in the books already." in self.run(folder)
        assert Booking.objects.count() == bookings

    def test_a_further_run_adds_only_what_is_new(self, folder: Path) -> None:
        self.run(folder)
        change(folder, "payments.csv", "A3,P3", "A1,P4,2025-04-02,504.50,subloan\nA3,P3")
        assert "Imported: sub-loans 0, wholesale loans 0, receipts 1," in self.run(folder)
        assert Receipt.objects.filter(external_reference="P4").count() == 1
        assert Loan.objects.count() == 4

    def test_what_was_reversed_stays_out(self, folder: Path) -> None:
        self.run(folder)
        receipt = Receipt.objects.get(external_reference="P2")
        reverse_receipts(receipt_ids=[receipt.pk], booking=receipt.booking, reason="Bounced")
        assert "Nothing changed" in self.run(folder)

    @pytest.mark.parametrize(
        ("file", "old", "new", "sentence"),
        [
            (
                "payments.csv",
                "510.50",
                "510.51",
                "payments.csv, row 2, payment_id: reference P1 is in the books",
            ),
            (
                "payments.csv",
                "2025-03-02",
                "2025-03-03",
                "reference P1 is in the books with 510.50 on 2025-03-02",
            ),
            ("loans.csv", "2025-01-10", "2025-01-11", "loans.csv, row 2, loan: loan A1 is in the books"),
        ],
    )
    def test_files_that_contradict_the_books_are_refused(
        self, folder: Path, file: str, old: str, new: str, sentence: str
    ) -> None:
        self.run(folder)
        change(folder, file, old, new)
        assert sentence in self.refused(folder)

    def test_a_fault_leaves_the_books_untouched(self, folder: Path) -> None:
        change(folder, "payments.csv", "A3,P3", "A8,P3")
        told = self.refused(folder)
        assert "payments.csv, row 4, id: there is no loan “A8” in loans.csv." in told
        assert "Faults: 1; nothing was imported." in told
        assert not Loan.objects.exists()
        assert not Booking.objects.exists()

    def test_takes_two_people_of_the_right_roles(self, folder: Path, make_user: Callable[..., User]) -> None:
        auditor, nobody = make_user("auditor").username, make_user().username
        assert "two people" in self.refused(folder, approver=self.maker.username)
        assert "is not a foundation approver" in self.refused(folder, approver=auditor)
        assert "is not a foundation officer" in self.refused(folder, maker=nobody)
        assert "no user ghost" in self.refused(folder, maker="ghost")
