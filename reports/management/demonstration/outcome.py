"""Whether every planted mistake was found, and nothing else: each row of each file against the answer key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from repayments.models import Upload, UploadRow
from reports.demonstration.files import Row
from reports.management.demonstration.post_room import PostRoom
from reports.management.demonstration.stage import Stage


@dataclass(frozen=True, slots=True)
class Difference:
    """A row (or a whole file: row 0) that did not end as the answer key says."""

    file_name: str
    row_number: int
    mistake: str
    expected: str
    found: str

    def __str__(self) -> str:
        what = self.mistake or "a sound row"
        place = f"{self.file_name} row {self.row_number}" if self.row_number else self.file_name
        return f"{place}: {what}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every row of every file against the answer key."""

    files: int
    rows: int
    planted: int
    found: int
    bad_files: int
    bad_found: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """A row as it stands in the books: its state, and every column that a reason or a warning names."""

    state: str
    columns: frozenset[str]


def compare(stage: Stage, post_room: PostRoom, *, waiting: Collection[str] = ()) -> Comparison:
    """Compare each row's state, and the column named for each mistake, with the answer key.

    In the files ``waiting``, which nobody has confirmed yet, a sound row is ready instead of posted.
    """
    differences: list[Difference] = []
    rows = planted = found_count = 0
    for file in stage.book.files:
        upload = post_room.upload_of(file)
        found = {} if upload is None else _rows_of(upload)
        first_row, letters = file.layout
        for position, row in enumerate(file.rows):
            state = "ready" if row.state == "posted" and file.name in waiting else row.state
            column = letters.get(row.field, "") if row.mistake else ""
            wrong = _difference(file.name, first_row + position, row, state, column, found)
            differences += wrong
            rows += 1
            planted += bool(row.mistake)
            found_count += bool(row.mistake) and not wrong
        differences += [
            Difference(file.name, number, "", "no such row", extra.state) for number, extra in found.items()
        ]
    bad = post_room.bad_files()
    ends = [(file, post_room.bad_end(file)) for file in bad]
    wrong_ends = [
        Difference(file.name, 0, file.mistake, file.end.value, end) for file, end in ends if file.end != end
    ]
    return Comparison(
        files=len(stage.book.files),
        rows=rows,
        planted=planted,
        found=found_count,
        bad_files=len(bad),
        bad_found=len(bad) - len(wrong_ends),
        differences=(*differences, *wrong_ends),
    )


def _rows_of(upload: Upload) -> dict[int, _Found]:
    rows = UploadRow.objects.filter(upload=upload).values_list("row_number", "state", "column", "warnings")
    return {
        number: _Found(state, frozenset([column, *(warning.get("column", "") for warning in warnings)]))
        for number, state, column, warnings in rows
    }


def _difference(
    file_name: str, number: int, row: Row, state: str, column: str, found: dict[int, _Found]
) -> list[Difference]:
    """The row's difference, if there is one; takes the row out of what was found."""
    seen = found.pop(number, None)
    if seen is not None and seen.state == state and (not row.mistake or column in seen.columns):
        return []
    shown = "no such row" if seen is None else f"{seen.state} {'/'.join(sorted(seen.columns))}".strip()
    return [Difference(file_name, number, row.mistake, f"{state} {column}".strip(), shown)]
