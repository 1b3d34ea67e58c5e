"""A row that leads somewhere by the mouse does so by the keyboard, too: one of its cells is a link."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from django.urls import get_resolver

from daybook.tables import PaikarTable


def tables(of: type[PaikarTable] = PaikarTable) -> Iterator[type[PaikarTable]]:
    for table in of.__subclasses__():
        yield table
        yield from tables(table)


def has_a_link(table: type[PaikarTable]) -> bool:
    """Whether a column is a link, or a cell is drawn as one."""
    if any(bound.link for bound in table([]).columns.columns.values()):
        return True
    drawn = [method for name, method in vars(table).items() if name.startswith("render_")]
    return any("link(" in inspect.getsource(method) for method in drawn)


def test_every_row_that_leads_somewhere_has_a_link() -> None:
    _ = get_resolver().url_patterns  # every view, and with it every table
    leading = [table for table in tables() if table.row_link is not None and "tests" not in table.__module__]
    assert len(leading) > 12
    assert [table.__qualname__ for table in leading if not has_a_link(table)] == []
