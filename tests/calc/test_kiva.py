"""The real portfolio: 391 loans, two tiers, six dates; expected figures were computed elsewhere."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from calc.allocation import Dues, Receipts, allocate
from calc.arrears import measure
from calc.calendar import dates
from calc.money import Component, IntColumn, to_minor

KIVA = Path(__file__).resolve().parents[3] / "shared" / "data" / "kiva"

pytestmark = pytest.mark.skipif(not KIVA.is_dir(), reason="the Kiva portfolio is not beside this clone")


def _read(name: str) -> list[dict[str, str]]:
    with (KIVA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _money(rows: list[dict[str, str]], name: str) -> IntColumn:
    return np.array([to_minor(Decimal(row[name])) for row in rows], dtype=np.int64)


def _numbers(rows: list[dict[str, str]], name: str) -> IntColumn:
    return np.array([int(row[name]) for row in rows], dtype=np.int64)


@pytest.mark.parametrize(("basis", "amount"), [("local_due", "local_amount"), ("due", "amount")])
def test_arrears_agree_to_the_cent_on_every_row(basis: str, amount: str) -> None:
    schedule, payments = _read("schedule.csv"), _read("payments.csv")
    expected = [row for row in _read("expected_arrears.csv") if row["basis"] == basis]
    dues = Dues(
        loan=_numbers(schedule, "id"),
        instalment=_numbers(schedule, "n").astype(np.int32),
        component=np.full(len(schedule), Component.PRINCIPAL, dtype=np.int8),
        late_date=dates(row[basis] for row in schedule),
        amount=_money(schedule, amount),
    )
    receipts = Receipts(
        loan=_numbers(payments, "id"),
        receipt=_numbers(payments, "payment_id"),
        value_date=dates(row["processed"] for row in payments),
        amount=_money(payments, "amount"),
    )
    allocations = allocate(dues, receipts)
    compared = 0
    for as_of in sorted({row["as_of"] for row in expected}):
        rows = sorted((row for row in expected if row["as_of"] == as_of), key=lambda row: int(row["id"]))
        day = date.fromisoformat(as_of)
        arrears = measure(dues, allocations.settled(np.datetime64(day)), day, loans=_numbers(rows, "id"))
        left = arrears.outstanding_principal - arrears.advance
        assert not arrears.fault.any()
        assert arrears.days_past_due.tolist() == _numbers(rows, "days_past_due").tolist()
        assert arrears.overdue_total.tolist() == _money(rows, "arrears").tolist()
        assert np.maximum(left, 0).tolist() == _money(rows, "outstanding").tolist()
        assert np.maximum(-left, 0).tolist() == _money(rows, "overpaid").tolist()
        compared += len(rows)
    assert compared == 3708 // 2
