"""Move columns between PostgreSQL and NumPy without a Python loop per row.

Reading is binary ``COPY … TO``: when every column is NOT NULL and of fixed width, each tuple has
the same length, so the whole answer is one ``numpy.frombuffer``. Writing is binary ``COPY … FROM``
where the role may (it is refused under row-level security), else one ``INSERT … SELECT FROM unnest``.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from django.db import connection
from psycopg2 import sql

_HEADER = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
_TRAILER = b"\xff\xff"
_POSTGRES_EPOCH = np.datetime64("2000-01-01", "D")
_UNIX_DAYS_TO_POSTGRES = int((_POSTGRES_EPOCH - np.datetime64("1970-01-01", "D")).astype(np.int64))

# NumPy kind and size → (wire type, SQL cast that guarantees the width)
_WIRE: dict[str, tuple[str, str]] = {
    "i8": (">i8", "bigint"),
    "i4": (">i4", "integer"),
    "i2": (">i2", "smallint"),
    "M8": (">i4", "date"),
    "b1": ("?", "boolean"),
}

Column = npt.NDArray[Any] | Sequence[Any]


class ColumnsDoNotFit(Exception):
    """What came back does not have the shape that was asked for (a NULL, or another width)."""


def read_columns(
    query: str, params: Sequence[Any] | Mapping[str, Any], dtype: npt.DTypeLike
) -> npt.NDArray[Any]:
    """Run a SELECT and return its rows as a structured array of ``dtype``, in the order of its fields.

    The query must name as many columns as the dtype has fields, none NULL. Field types: i8, i4, i2,
    bool and datetime64[D]. Raises ``ColumnsDoNotFit``.
    """
    wanted = np.dtype(dtype)
    names = cast(tuple[str, ...], wanted.names)
    wire_fields: list[tuple[str, str]] = [("_count", ">i2")]
    casts = []
    for name in names:
        wire, cast_to = _WIRE[_kind(wanted[name])]
        wire_fields += [(f"_{name}_width", ">i4"), (name, wire)]
        casts.append(f"c.{_quoted(name)}::{cast_to}")
    columns = ", ".join(_quoted(name) for name in names)
    statement = f"COPY (SELECT {', '.join(casts)} FROM ({query}) AS c ({columns})) TO STDOUT (FORMAT binary)"
    buffer = io.BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        bound = cursor.mogrify(statement, params)
        cursor.copy_expert(bound.decode() if isinstance(bound, bytes) else bound, buffer)
    return _decoded(buffer.getbuffer(), np.dtype(wire_fields), wanted)


def read_arrays(
    query: str, params: Sequence[Any] | Mapping[str, Any], dtype: npt.DTypeLike
) -> dict[str, npt.NDArray[Any]]:
    """Like ``read_columns``, each column an array of its own, for long answers whose length is bounded.

    The server gathers each column into one array (at most 1 GB, some 80 million numbers), so that the
    client handles one message and not one a row: about half of what a long read costs in all.
    Raises ``ColumnsDoNotFit``.
    """
    wanted = np.dtype(dtype)
    names = cast(tuple[str, ...], wanted.names)
    gathered = ", ".join(f"array_agg(c.{_quoted(name)}::{_WIRE[_kind(wanted[name])][1]})" for name in names)
    columns = ", ".join(_quoted(name) for name in names)
    statement = f"COPY (SELECT {gathered} FROM ({query}) AS c ({columns})) TO STDOUT (FORMAT binary)"
    buffer = io.BytesIO()
    with connection.cursor() as cursor, connection.wrap_database_errors:
        bound = cursor.mogrify(statement, params)
        cursor.copy_expert(bound.decode() if isinstance(bound, bytes) else bound, buffer)
    data, position = buffer.getbuffer(), len(_HEADER) + 2
    answer: dict[str, npt.NDArray[Any]] = {}
    for name in names:
        width = int.from_bytes(data[position : position + 4], "big", signed=True)
        position += 4
        answer[name] = _unpacked(name, data[position : position + max(width, 0)], wanted[name])
        position += max(width, 0)
    return answer


def _unpacked(name: str, data: memoryview, wanted: np.dtype[Any]) -> npt.NDArray[Any]:
    """One binary array: dimensions, NULL flag, element type, length, lower bound, then the elements."""
    if not len(data):
        return np.empty(0, dtype=wanted)
    if int.from_bytes(data[4:8], "big"):
        raise ColumnsDoNotFit(f"column {name} holds a NULL")
    element = np.dtype([("width", ">i4"), ("value", _WIRE[_kind(wanted)][0])])
    values = np.frombuffer(data, dtype=element, offset=20)["value"]
    if wanted.kind == "M":
        days = values.astype(np.int64)
        days += _UNIX_DAYS_TO_POSTGRES
        return days.view("datetime64[D]")
    return values.astype(wanted)


def _decoded(data: memoryview, wire: np.dtype[Any], wanted: np.dtype[Any]) -> npt.NDArray[Any]:
    names = cast(tuple[str, ...], wanted.names)
    body = len(data) - len(_HEADER) - len(_TRAILER)
    if bytes(data[: len(_HEADER)]) != _HEADER or body % wire.itemsize:
        raise ColumnsDoNotFit(
            f"rows are not {wire.itemsize} bytes wide; is a column NULL or of another type?"
        )
    rows = np.frombuffer(data, dtype=wire, count=body // wire.itemsize, offset=len(_HEADER))
    answer = np.empty(len(rows), dtype=wanted)
    for name in names:
        if len(rows) and (rows[f"_{name}_width"] != wire[name].itemsize).any():
            raise ColumnsDoNotFit(f"column {name} holds a NULL")
        if wanted[name].kind == "M":
            answer[name] = _POSTGRES_EPOCH + rows[name].astype("timedelta64[D]")
        else:
            answer[name] = rows[name]
    return answer


def copy_columns(table: str, columns: Mapping[str, Column]) -> int:
    """Append rows to a table by binary COPY and return how many.

    Values: integer, boolean and datetime64[D] arrays (NaT becomes NULL), and lists of text or None.
    Only for roles that row-level security does not bind.
    """
    encoded = {name: _encoded(values) for name, values in columns.items()}
    count = _common_length(columns)
    buffer = io.BytesIO()
    buffer.write(_HEADER)
    if all(isinstance(part, np.ndarray) for part in encoded.values()):
        buffer.write(_fixed_rows(cast(Mapping[str, npt.NDArray[Any]], encoded), count))
    else:
        buffer.write(_varying_rows(encoded, count))
    buffer.write(_TRAILER)
    buffer.seek(0)
    _copy_from(table, columns, buffer)
    return count


def _copy_from(table: str, names: Iterable[str], buffer: io.BytesIO) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, connection.wrap_database_errors:  # Django wraps execute, not COPY
        cursor.copy_expert(statement, buffer)


def copy_unordered(table: str, columns: Mapping[str, npt.NDArray[Any]]) -> int:
    """``copy_columns`` for long tables with a few short texts or empty dates, without a step per row.

    Text comes as arrays of bytes (dtype S, UTF-8). Rows of equal shape (which dates are empty, how
    long each text is) go together as one fixed-width array, so the order of rows is not kept.
    """
    count = _common_length(columns)
    widths = {name: _widths(part) for name, part in columns.items() if part.dtype.kind in "MS"}
    shape = np.zeros(count, dtype=np.int64)
    for width in widths.values():
        values, place = np.unique(width, return_inverse=True)
        shape = shape * len(values) + place
    shapes, members = np.unique(shape, return_inverse=True)
    chunks = [_HEADER]
    for number in range(len(shapes)):
        rows = np.flatnonzero(members == number) if len(shapes) > 1 else slice(None)
        first = int(rows[0]) if isinstance(rows, np.ndarray) else 0
        chunks.append(
            _shaped_rows(
                {name: part[rows] for name, part in columns.items()},
                {name: int(width[first]) for name, width in widths.items()},
            )
        )
    chunks.append(_TRAILER)
    _copy_from(table, columns, io.BytesIO(b"".join(chunks)))
    return count


def _widths(part: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many bytes each value takes on the wire; -1 for an empty date."""
    if part.dtype.kind == "M":
        return np.where(np.isnat(part), -1, 4)
    return np.char.str_len(part).astype(np.int64)


def _shaped_rows(parts: Mapping[str, npt.NDArray[Any]], widths: Mapping[str, int]) -> bytes:
    fields: list[tuple[str, Any]] = [("_count", ">i2")]
    values: dict[str, npt.NDArray[Any]] = {}
    for name, part in parts.items():
        fields.append((f"_{name}_width", ">i4"))
        width = widths.get(name, part.dtype.itemsize)
        if width > 0:
            values[name] = (
                part.astype(f"S{width}") if part.dtype.kind == "S" else cast(npt.NDArray[Any], _encoded(part))
            )
            fields.append((name, values[name].dtype))
    rows = np.empty(len(next(iter(parts.values()))), dtype=np.dtype(fields))
    rows["_count"] = len(parts)
    for name in parts:
        rows[f"_{name}_width"] = widths.get(name, values[name].dtype.itemsize if name in values else 0)
        if name in values:
            rows[name] = values[name]
    return rows.tobytes()


def _fixed_rows(parts: Mapping[str, npt.NDArray[Any]], count: int) -> bytes:
    fields: list[tuple[str, Any]] = [("_count", ">i2")]
    for name, part in parts.items():
        fields += [(f"_{name}_width", ">i4"), (name, part.dtype)]
    rows = np.empty(count, dtype=np.dtype(fields))
    rows["_count"] = len(parts)
    for name, part in parts.items():
        rows[f"_{name}_width"] = part.dtype.itemsize
        rows[name] = part
    return rows.tobytes()


def _varying_rows(parts: Mapping[str, npt.NDArray[Any] | list[bytes]], count: int) -> bytes:
    """Rows with text or NULL in them: each field arrives already framed, and rows are joined once."""
    head = len(parts).to_bytes(2, "big")
    framed = [_framed(part) if isinstance(part, np.ndarray) else part for part in parts.values()]
    return b"".join(head + b"".join(fields) for fields in zip(*framed, strict=True)) if count else b""


def _framed(part: npt.NDArray[Any]) -> list[bytes]:
    width = part.dtype.itemsize
    prefix, raw = width.to_bytes(4, "big"), part.tobytes()
    return [prefix + raw[i : i + width] for i in range(0, len(raw), width)]


def _encoded(values: Column) -> npt.NDArray[Any] | list[bytes]:
    """A column on the wire: one big-endian array, or framed fields where text or NULL occurs."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        if values.dtype.kind == "M":
            days = values.astype("datetime64[D]").astype(np.int64) - _UNIX_DAYS_TO_POSTGRES
            missing = np.isnat(values)
            if missing.any():
                fields = _framed(np.where(missing, 0, days).astype(">i4"))
                return [
                    b"\xff\xff\xff\xff" if gone else field
                    for field, gone in zip(fields, missing, strict=True)
                ]
            return days.astype(">i4")
        return values.astype(_WIRE[_kind(values.dtype)][0])
    fields = []
    for value in values:
        if value is None:
            fields.append(b"\xff\xff\xff\xff")
        else:
            text = str(value).encode()
            fields.append(len(text).to_bytes(4, "big") + text)
    return fields


def insert_columns(
    table: str, columns: Mapping[str, Column], *, returning: str = "id"
) -> npt.NDArray[np.int64]:
    """Insert rows in one statement and return the new ids in row order.

    Works for every role and fires statement triggers once. Missing values: None or NaT.
    """
    count = _common_length(columns)
    if count == 0:
        return np.empty(0, dtype=np.int64)
    types = _column_types(table)
    names = list(columns)
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {selected} FROM unnest({arrays})"
        " WITH ORDINALITY AS c ({names}, position) ORDER BY position RETURNING {returning}"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, names)),
        selected=sql.SQL(", ").join(
            sql.SQL("c.{}::{}").format(sql.Identifier(name), sql.SQL(types[name])) for name in names
        ),
        # unnest flattens arrays of arrays, so a column that is itself an array travels as its text, {a,b}
        arrays=sql.SQL(", ").join(
            sql.SQL("%s::{}[]").format(sql.SQL("text" if types[name].endswith("[]") else types[name]))
            for name in names
        ),
        returning=sql.Identifier(returning),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [_as_list(columns[name]) for name in names])
        return np.fromiter((row[0] for row in cursor.fetchall()), dtype=np.int64, count=count)


def _column_types(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        return dict(cursor.fetchall())


def _as_list(values: Column) -> list[Any]:
    if not isinstance(values, np.ndarray):
        return list(values)
    if values.dtype.kind == "M":
        return [None if day is None else day.isoformat() for day in values.astype("datetime64[D]").tolist()]
    return cast(list[Any], values.tolist())


def _common_length(columns: Mapping[str, Column]) -> int:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns differ in length: {lengths}")
    return next(iter(lengths.values()))


def _kind(dtype: np.dtype[Any]) -> str:
    return "M8" if dtype.kind == "M" else f"{dtype.kind}{dtype.itemsize}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
