"""Every figure of one loan as of one date, known by one date: database, page, workbook, paper, all one."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pypdf
import pytest
from django.db import connection

from daybook import formats
from daybook.selectors import known_by
from lending.models import Loan
from tests.reports.books import FIRST_CLOSE, SECOND_CLOSE, Book
from tests.reports.spreadsheet import computed

Days = tuple[date, date]
ASKED: list[Days] = [
    (FIRST_CLOSE, FIRST_CLOSE),
    (FIRST_CLOSE, SECOND_CLOSE),
    (SECOND_CLOSE, SECOND_CLOSE),
    (date(2025, 8, 15), SECOND_CLOSE),
]


def by_sql(loan: Loan, as_of: date, known: date) -> dict[str, int]:
    """Outstanding, overdue, advance and days past due by plain SQL over every row ever written."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS (
                SELECT instalment, component, late_date, sum(amount_minor) AS amount FROM lending_due
                 WHERE loan_id = %(loan)s AND effective_date <= %(on)s AND booking_id <= %(last)s
                 GROUP BY 1, 2, 3 HAVING sum(amount_minor) <> 0
            ), paid AS (
                SELECT instalment, component, sum(amount_minor) AS amount FROM repayments_allocation
                 WHERE loan_id = %(loan)s AND value_date <= %(on)s AND booking_id <= %(last)s GROUP BY 1, 2
            ), rest AS (
                SELECT d.*, greatest(0, least(d.amount, sum(d.amount) OVER (
                           PARTITION BY d.instalment, d.component ORDER BY d.late_date
                       ) - coalesce(p.amount, 0))) AS left_minor
                  FROM due d LEFT JOIN paid p USING (instalment, component)
            )
            SELECT coalesce(sum(left_minor) FILTER (WHERE component = 4), 0),
                   coalesce(sum(left_minor) FILTER (WHERE component <= 4 AND late_date < %(on)s), 0),
                   coalesce((SELECT amount FROM paid WHERE component = 8), 0),
                   coalesce(%(on)s - min(late_date) FILTER (
                       WHERE component <= 4 AND late_date < %(on)s AND left_minor > 0), 0)
              FROM rest
            """,
            {"loan": loan.pk, "on": as_of, "last": known_by(known).last_booking_id},
        )
        row = cursor.fetchone()
    return dict(zip(("outstanding", "overdue", "advance", "days"), map(int, row), strict=True))


@pytest.mark.parametrize("which", ["wholesale", 8])
def test_one_answer_wherever_it_is_read(
    book: Book, as_foundation: Callable[..., Any], which: str | int
) -> None:
    loan = book.wholesale if isinstance(which, str) else book.subloans[which]
    client = as_foundation("auditor")
    workbooks: dict[str, bytes] = {}
    expected: dict[str, dict[str, int]] = {}
    for as_of, known in ASKED:
        asked = {"as_of": as_of.isoformat(), "known_by": known.isoformat()}
        name = f"{as_of}-{known}"
        held = expected[name] = by_sql(loan, as_of, known)
        page = client.get(f"/reports/loans/{loan.pk}/", asked)
        standing = page.context["view"].standing
        shown = {
            "outstanding": int(standing["outstanding_minor"]),
            "overdue": page.context["view"].overdue_minor,
            "advance": int(standing["advance_minor"]),
            "days": int(standing["days_past_due"]),
        }
        assert shown == held, name
        told = page.content.decode()
        paper = client.get(f"/reports/loans/{loan.pk}/statement.pdf", asked | {"lang": "en"}).content
        printed = "\n".join(part.extract_text() for part in pypdf.PdfReader(io.BytesIO(paper)).pages)
        for key in ("outstanding", "overdue"):
            assert formats.taka_minor(held[key]) in told, (name, key)
            assert formats.taka_minor(held[key]) in printed, (name, key)
        answer = client.get(f"/reports/loans/{loan.pk}/recalculation.xlsx", asked)
        workbooks[name] = answer.content
        checksum = openpyxl.load_workbook(io.BytesIO(answer.content))["Result"]
        (line,) = [row[0].value for row in checksum if str(row[0].value).startswith("SHA-256 ")]
        digest = line.removeprefix("SHA-256 ")
        assert digest in printed.replace("\n", "").replace(" ", ""), name
        verified = client.get("/reports/verify/", {"checksum": digest})
        assert verified.context["verdict"].matches, name
    for name, sheet in computed(workbooks).items():
        rows = {row[0]: row for row in sheet["Result"].iter_rows(values_only=True)}
        for label, key in (
            ("Principal outstanding", "outstanding"),
            ("Overdue", "overdue"),
            ("Advance held", "advance"),
        ):
            assert Decimal(str(rows[label][1])) * 100 == expected[name][key], (name, key)
        assert rows["Days past due"][1] == expected[name]["days"]
        assert sheet["Result"]["B4"].value == 0, name


def test_the_late_receipt_parts_what_was_known_then_from_what_is_known_now(book: Book) -> None:
    late = book.subloans[8]
    then, now = by_sql(late, FIRST_CLOSE, FIRST_CLOSE), by_sql(late, FIRST_CLOSE, SECOND_CLOSE)
    assert then["overdue"] > now["overdue"]
