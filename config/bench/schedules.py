"""Time building schedules from columns against writing them: ``manage.py bench --schedules 100000``.

The floor is the binary COPY of the due rows into a table like ``lending_due`` with its indexes and
checks; its triggers are left out, so the real write costs more. Everything is rolled back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import numpy as np
from django.db import connection, transaction

from calc.calendar import BusinessCalendar, RollRule
from calc.daycount import DayCount
from calc.money import RATE_UNITS
from calc.schedule import Dues, Method, Rules, TermsColumns, build_schedules
from daybook.columns import Column, copy_columns

INSTALMENTS = 24
RULES = tuple(
    Rules(method=method, instalments=INSTALMENTS, day_count=day_count, roll=RollRule.FOLLOWING)
    for method, day_count in (
        (Method.EQUAL_INSTALMENT, DayCount.MONTHLY_12),
        (Method.EQUAL_INSTALMENT, DayCount.ACT_365F),
        (Method.EQUAL_PRINCIPAL, DayCount.ACT_360),
        (Method.FLAT, DayCount.MONTHLY_12),
    )
)
"""A quarter of the loans each."""

_DAYS, _RATES = 750, (4, 6, 7, 9, 11, 13)


def loans_alike(loans: int) -> TermsColumns:
    """Terms of so many loans over 750 days of disbursement, six rates and amounts all different."""
    numbers = np.arange(loans, dtype=np.int64)
    return TermsColumns(
        rules=RULES,
        rule=numbers % len(RULES),
        principal=5_000_000 + numbers * 137,
        rate=np.array(_RATES, dtype=np.int64)[numbers % len(_RATES)] * RATE_UNITS,
        disbursed_on=np.datetime64(date(2024, 1, 1)) + (numbers * 7 % _DAYS),
        first_due_on=np.full(loans, np.datetime64("NaT", "D")),
    )


def measure_schedules(*, loans: int, say: Callable[[str], object]) -> None:
    """Build, then write, and say what each took and how they compare."""
    terms = loans_alike(loans)
    started = time.perf_counter()
    plan = build_schedules(terms, BusinessCalendar())
    built = time.perf_counter() - started
    dues = plan.dues(np.arange(1, loans + 1, dtype=np.int64))
    if len(dues) < loans * INSTALMENTS or plan.refused:
        raise RuntimeError("not every loan of the bench got its plan")
    written = _write(dues)
    say(
        f"{loans:,} schedules of {INSTALMENTS} instalments, {len(dues):,} dues: "
        f"built in {built:.2f} s ({1e6 * built / loans:.0f} µs a loan), "
        f"written in {written:.2f} s, ratio {built / written:.2f}"
    )


def _write(dues: Dues) -> float:
    """Seconds that the COPY of the rows takes, in a transaction that is rolled back."""
    rows = len(dues)
    numbers = np.arange(1, rows + 1, dtype=np.int64)
    columns: dict[str, Column] = {
        "id": numbers,
        "loan_id": dues.loan,
        "institution_id": np.ones(rows, dtype=np.int64),
        "schedule_id": dues.loan,
        "instalment": dues.instalment.astype(np.int32),
        "component": dues.component.astype(np.int16),
        "nominal_date": dues.late_date,
        "late_date": dues.late_date,
        "effective_date": np.full(rows, np.datetime64("2024-01-01"), dtype="datetime64[D]"),
        "amount_minor": dues.amount,
        "booking_id": np.ones(rows, dtype=np.int64),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_due (LIKE lending_due INCLUDING ALL)")
        started = time.perf_counter()
        copy_columns("bench_due", columns)
        written = time.perf_counter() - started
        transaction.set_rollback(True)
    return written
