"""Rows with empty dates and short texts go in by binary COPY in groups of one shape, and all come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.db import connection

from daybook.columns import copy_unordered

pytestmark = pytest.mark.django_db


@pytest.fixture
def table() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute(
            "CREATE TEMPORARY TABLE shapes (id bigint, small smallint, day date, word text, yes boolean)"
        )
    return "shapes"


def _rows() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, small, day::text, word, yes FROM shapes ORDER BY id")
        return cursor.fetchall()


def test_every_shape_of_row_comes_back_as_it_was(table: str) -> None:
    words = ["", "a", "bb", "bb", "টাকা", "a"]
    copied = copy_unordered(
        table,
        {
            "id": np.arange(6, dtype=np.int64),
            "small": np.array([-1, 0, 1, 2, 3, 4], dtype=np.int16),
            "day": np.array(["2026-06-30", "NaT", "1999-12-31", "NaT", "2026-06-30", "NaT"], dtype="M8[D]"),
            "word": np.array([word.encode() for word in words]),
            "yes": np.array([True, False] * 3),
        },
    )
    assert copied == 6
    assert _rows() == [
        (0, -1, "2026-06-30", "", True),
        (1, 0, None, "a", False),
        (2, 1, "1999-12-31", "bb", True),
        (3, 2, None, "bb", False),
        (4, 3, "2026-06-30", "টাকা", True),
        (5, 4, None, "a", False),
    ]


def test_nothing_is_nothing(table: str) -> None:
    columns = {"id": np.empty(0, dtype=np.int64), "word": np.empty(0, dtype="S3")}
    assert copy_unordered(table, columns) == 0
    assert _rows() == []
