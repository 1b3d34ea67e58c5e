"""A bank's disbursement list through the real path: with plans made from its terms, and with its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter

from lending.models import Due, Funding, Loan, Schedule
from repayments.models import Upload
from repayments.services.uploads import confirm_upload, post_upload, read_upload, receive_upload
from tests.lending.world import World, make_world

pytestmark = pytest.mark.django_db
LIST = (
    "Loan account", "Borrower name", "NID", "Gender", "Phone", "Enterprise", "Size", "Activity", "Sector",
    "District", "Cluster", "Disbursement date", "Amount", "Rate", "Tenor months", "Tranche",
)  # fmt: skip
PLAN = ("Loan account", "Instalment", "Due date", "Principal", "Interest")


def borrower(number: int, *, tranche: str, amount: str = "1,00,000.00") -> tuple[str, ...]:
    return (
        f"00{number}", f"Borrower {number}", f"{5_000_000_000 + number}", "Woman", f"017{number:08d}",
        f"Works {number}", "Micro", "Manufacturing", "Footwear", "Dhaka", "CL1", "01/01/2025", amount, "6",
        "12", tranche,
    )  # fmt: skip


def workbook(rows: Sequence[Sequence[str]], plan: Sequence[Sequence[str]] = ()) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        page = book.add_worksheet("Disbursed")
        for at, row in enumerate((LIST, *rows)):
            page.write_row(at, 0, row)
        if plan:
            page = book.add_worksheet("Repayment plan")
            for at, row in enumerate((("Plans as agreed",), PLAN, *plan)):
                page.write_row(at, 0, row)
    return buffer.getvalue()


@pytest.fixture
def world() -> World:
    return make_world()


def tranche_of(world: World) -> str:
    tranche = world.loan(amount=Decimal(1_000_000)).tranche
    assert tranche is not None
    return tranche.number


def read(world: World, content: bytes) -> Upload:
    upload = receive_upload(
        institution=world.bank, kind="subloans", file_name="list.xlsx", content=content,
        made_by=world.people["maker"],
    )  # fmt: skip
    read_upload(upload_id=upload.pk, claimed_by="test")
    upload.refresh_from_db()
    return upload


def post(world: World, upload: Upload) -> Upload:
    confirm_upload(upload=upload, confirmed_by=world.people["checker"], accepts_warnings=True)
    post_upload(upload_id=upload.pk, claimed_by="test")
    upload.refresh_from_db()
    return upload


def states(upload: Upload) -> list[tuple[str, str]]:
    return list(upload.rows.values_list("state", "reason"))


def test_a_list_without_plans_gets_them_from_its_terms(world: World) -> None:
    number = tranche_of(world)
    upload = read(world, workbook([borrower(1, tranche=number), borrower(2, tranche=number)]))
    assert states(upload) == [("ready", ""), ("ready", "")], upload.messages

    assert post(world, upload).state == Upload.State.POSTED

    loans = Loan.objects.filter(tier="subloan")
    assert sorted(loans.values_list("principal_minor", flat=True)) == [10_000_000, 10_000_000]
    assert set(Schedule.objects.filter(loan__in=loans).values_list("cause", "instalment_count")) == {
        ("disbursement", 12)
    }
    assert Funding.objects.filter(loan__in=loans, tranche__number=number).count() == 2


def test_a_supplied_plan_is_taken_as_it_stands_beside_a_made_one(world: World) -> None:
    number = tranche_of(world)
    plan: list[tuple[Any, ...]] = [
        ("001", "1", "30/06/2025", "40,000.00", "3,000.00"),
        ("1", "2", "31-12-2025", "৬০,০০০.০০", "১,৮০০.৫০"),
    ]
    upload = read(world, workbook([borrower(1, tranche=number), borrower(2, tranche=number)], plan))
    assert states(upload) == [("ready", ""), ("ready", "")], upload.messages
    assert "file.other_sheets" not in [found["code"] for found in upload.messages]

    post(world, upload)

    loan = Loan.objects.get(identifiers__value="001")
    assert loan.schedules.get().cause == Schedule.Cause.SUPPLIED
    dues = Due.objects.filter(loan=loan).order_by("instalment", "component")
    assert list(dues.values_list("instalment", "component", "late_date", "amount_minor")) == [
        (1, 3, date(2025, 6, 30), 300_000),
        (1, 4, date(2025, 6, 30), 4_000_000),
        (2, 3, date(2025, 12, 31), 180_050),
        (2, 4, date(2025, 12, 31), 6_000_000),
    ]
    other = Loan.objects.get(identifiers__value="002")
    assert other.schedules.get().cause == Schedule.Cause.DISBURSEMENT


def test_a_plan_that_does_not_repay_the_loan_makes_its_row_invalid(world: World) -> None:
    number = tranche_of(world)
    plan = [("001", "1", "30/06/2025", "99,999.00", "0")]
    upload = read(world, workbook([borrower(1, tranche=number), borrower(2, tranche=number)], plan))
    (state, reason), sound = states(upload)
    assert state == "invalid"
    assert "plan does not work" in reason
    assert sound == ("ready", "")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("001", "1", "31/02/2025", "1,00,000", "0"), "row 3, column C"),
        (("001", "1", "30/06/2025", "ten", "0"), "row 3, column D"),
        (("", "1", "30/06/2025", "1,00,000", "0"), "row 3, column A"),
        (("777", "1", "30/06/2025", "1,00,000", "0"), "loan account 777"),
    ],
)
def test_a_plan_that_cannot_be_read_refuses_the_workbook_and_names_the_cell(
    world: World, row: tuple[str, ...], says: str
) -> None:
    from repayments.faults import fill, words_of

    number = tranche_of(world)
    upload = read(world, workbook([borrower(1, tranche=number)], [row]))
    assert upload.state == Upload.State.UNREADABLE
    (found,) = upload.messages
    assert says in fill(str(words_of(found["code"]).reason), found["params"])
    assert not upload.rows.exists()


def test_the_templates_empty_plan_sheet_is_no_plan(world: World) -> None:
    number = tranche_of(world)
    content = workbook([borrower(1, tranche=number)], [()])
    assert states(read(world, content)) == [("ready", "")]
