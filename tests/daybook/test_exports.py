"""Amounts in an exported list keep their sign and their grouping in the spreadsheet."""

import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from daybook.exports import BELOW_ZERO, INDIAN_MONEY, Sheet, to_xlsx


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("12345678.90", INDIAN_MONEY),
        ("0", INDIAN_MONEY),
        ("-0.01", f"#,##0.00;-{BELOW_ZERO['thousand']}"),
        ("-99999.99", f"#,##0.00;-{BELOW_ZERO['thousand']}"),
        ("-100000", f"#,##0.00;-{BELOW_ZERO['lakh']}"),
        ("-10000000", f"#,##0.00;-{BELOW_ZERO['crore']}"),
    ],
)
def test_an_amount_below_zero_has_the_format_of_its_size(amount: str, shown: str) -> None:
    value = Decimal(amount)
    sheet = Sheet("Differences", [], ["Difference"], [[value]], [value])
    cells = load_workbook(io.BytesIO(to_xlsx(sheet, created=datetime(2026, 1, 1, tzinfo=UTC))))["List"]
    assert [cells["A2"].number_format, cells["A3"].number_format] == [shown, shown]
    assert [Decimal(str(cells["A2"].value)), Decimal(str(cells["A3"].value))] == [value, value]
    assert cells["A3"].font.bold
    assert not cells["A2"].font.bold
