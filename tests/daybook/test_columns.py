"""Columns go to PostgreSQL and come back unchanged."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.columns import Column, ColumnsDoNotFit, copy_columns, insert_columns, read_arrays, read_columns

ROW = st.tuples(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.dates(date(1900, 1, 1), date(2200, 12, 31)),
    st.booleans(),
)


@pytest.fixture
def scratch(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE fixed (big bigint NOT NULL, small smallint NOT NULL, day date NOT NULL,"
            " flag boolean NOT NULL) ON COMMIT DROP;"
            "CREATE TEMP TABLE loose (id bigint GENERATED ALWAYS AS IDENTITY, big bigint, words text,"
            " day date) ON COMMIT DROP"
        )
    return


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=40))
def test_what_is_copied_in_is_what_is_read_out(
    scratch: None, rows: list[tuple[int, int, date, bool]]
) -> None:
    given_rows = np.array(rows, dtype=[("big", "i8"), ("small", "i2"), ("day", "M8[D]"), ("flag", "?")])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM fixed")
    assert copy_columns("fixed", {name: given_rows[name] for name in given_rows.dtype.names or ()}) == len(
        rows
    )

    found = read_columns("SELECT big, small, day, flag FROM fixed ORDER BY ctid", [], given_rows.dtype)

    assert (found == given_rows).all()

    gathered = read_arrays("SELECT big, small, day, flag FROM fixed ORDER BY ctid", [], given_rows.dtype)
    for name in given_rows.dtype.names or ():
        assert gathered[name].dtype == given_rows[name].dtype
        assert gathered[name].tolist() == given_rows[name].tolist()


@pytest.mark.parametrize("copy", [True, False], ids=["by COPY", "by INSERT"])
def test_text_quotes_and_missing_values_survive(scratch: None, copy: bool) -> None:
    columns: dict[str, Column] = {
        "big": np.array([1, 2, 3]),
        "words": ['it\'s 100 % "তাঁত"\n', None, ""],
        "day": np.array(["2024-02-29", "NaT", "1971-12-16"], dtype="M8[D]"),
    }
    if copy:
        copy_columns("loose", columns)
    else:
        ids = insert_columns("loose", columns)
        assert list(np.diff(ids)) == [1, 1]

    with connection.cursor() as cursor:
        cursor.execute("SELECT big, words, day FROM loose ORDER BY id")
        assert cursor.fetchall() == [
            (1, 'it\'s 100 % "তাঁত"\n', date(2024, 2, 29)),
            (2, None, None),
            (3, "", date(1971, 12, 16)),
        ]


def test_inserting_nothing_inserts_nothing(scratch: None) -> None:
    assert len(insert_columns("loose", {"big": np.empty(0, dtype="i8")})) == 0


def test_a_null_is_refused_and_never_read_as_a_number(scratch: None) -> None:
    insert_columns("loose", {"big": [1, None]})
    with pytest.raises(ColumnsDoNotFit):
        read_columns("SELECT big, 1 FROM loose", [], [("big", "i8"), ("one", "i2")])
    with pytest.raises(ColumnsDoNotFit, match="column big holds a NULL"):
        read_arrays("SELECT 1, big FROM loose", [], [("one", "i2"), ("big", "i8")])


def test_columns_of_different_length_are_refused(scratch: None) -> None:
    with pytest.raises(ValueError, match="differ in length"):
        insert_columns("loose", {"big": [1, 2], "words": ["one"]})
