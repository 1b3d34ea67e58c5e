"""Tables with money and dates in them, on django-tables2. docs/contributors/pages.md has the example.

A column knows three things: how a cell looks, what a cell is worth in a file (``value``), and whether the
foot adds it up (``total=True``). The sum is over every row of the list, not the ones on this page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.html import format_html
from djmoney.money import Money

from daybook import formats
from daybook.templatetags.paikar import badge


class _FigureColumn(tables.Column):
    """A right-aligned figure. ``dash=True`` writes zero as –; ``total=True`` adds it up in the foot."""

    def __init__(self, *args: Any, total: bool = False, dash: bool = True, **kwargs: Any) -> None:
        kwargs.setdefault(
            "attrs", {"th": {"class": "num"}, "td": {"class": self._cell_class}, "tf": {"class": "num"}}
        )
        kwargs.setdefault("default", formats.NOTHING)
        if total:
            kwargs["footer"] = self._total
        super().__init__(*args, **kwargs)
        self.has_total = total
        self._zero = formats.NOTHING if dash else None

    @staticmethod
    def _cell_class(value: Any) -> str:
        amount = value.amount if isinstance(value, Money) else value
        return "num negative" if isinstance(amount, int | Decimal) and amount < 0 else "num"

    def _total(self, bound_column: Any, table: PaikarTable) -> str:
        total = table.totals().get(bound_column.name)
        return "" if total is None else self.show(total)

    def show(self, value: Any) -> str:
        raise NotImplementedError

    def render(self, value: Any) -> str:
        return self.show(value)


class MoneyColumn(_FigureColumn):
    """``Money`` or ``Decimal`` in taka."""

    def show(self, value: formats.Amount) -> str:
        return formats.taka(value, zero=self._zero)

    def value(self, value: formats.Amount) -> Decimal:
        return value.amount if isinstance(value, Money) else Decimal(value)


class MinorColumn(_FigureColumn):
    """Whole poisha; shown and exported in taka."""

    def show(self, value: int) -> str:
        return formats.taka_minor(value, zero=self._zero)

    def value(self, value: int) -> Decimal:
        return formats.from_minor(value)


class NumberColumn(_FigureColumn):
    """A count: instalments, days past due."""

    def show(self, value: int | Decimal) -> str:
        return self._zero if value == 0 and self._zero is not None else formats.number(value)

    def value(self, value: int | Decimal) -> int | Decimal:
        return value


class PercentColumn(_FigureColumn):
    """A share or rate already in percent."""

    def __init__(self, *args: Any, places: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places = places

    def show(self, value: Decimal) -> str:
        return formats.percent(value, places=self._places)

    def value(self, value: Decimal) -> Decimal:
        return Decimal(value)


class DayColumn(tables.Column):
    """A date, or a moment in Dhaka time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "day"}, "th": {"class": "day"}})
        kwargs.setdefault("default", formats.NOTHING)
        super().__init__(*args, **kwargs)

    def render(self, value: date | datetime) -> str:
        return formats.day(value)

    def value(self, value: date | datetime) -> date | datetime:
        """A file gets the local time without its zone, which spreadsheets cannot hold."""
        if isinstance(value, datetime) and timezone.is_aware(value):
            return timezone.localtime(value).replace(tzinfo=None)
        return value


class LinkColumn(tables.Column):
    """Text that leads to the thing: ``LinkColumn("lending:loan", args=["pk"])``; args are accessors."""

    def __init__(self, url_name: str, *, args: Iterable[str] = ("pk",), **kwargs: Any) -> None:
        kwargs.setdefault("attrs", {"td": {"class": "code"}})
        super().__init__(linkify=(url_name, [tables.A(accessor) for accessor in args]), **kwargs)


class NamedColumn(tables.Column):
    """A thing with a name in both languages: ``NamedColumn(accessor="institution")``; sorted by ``name``."""

    def __init__(self, *args: Any, accessor: str, **kwargs: Any) -> None:
        kwargs.setdefault("order_by", (f"{accessor}__name",))
        super().__init__(*args, accessor=accessor, **kwargs)

    def render(self, value: Any) -> str:
        return formats.named(value)

    def value(self, value: Any) -> str:
        return formats.named(value)


class BadgeColumn(tables.Column):
    """A status as a coloured badge. ``labels`` maps values to words: ``dict(Upload.State.choices)``."""

    def __init__(self, *args: Any, labels: dict[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._labels = labels or {}

    def render(self, value: str, record: Any, bound_column: Any) -> str:
        raw = _raw(record, bound_column, value)
        return badge(raw, self._labels.get(raw) or self._label(value))

    def value(self, value: str) -> str:
        return str(self._label(value))

    def _label(self, value: str) -> str:
        return str(self._labels.get(value, self._labels.get(str(value), value)))


def _raw(record: Any, bound_column: Any, value: Any) -> Any:
    """The stored value, where django-tables2 hands a column with choices their label."""
    if isinstance(record, dict):
        return record.get(bound_column.accessor, value)
    return getattr(record, bound_column.accessor, value)


class PaikarTable(tables.Table):
    """Base of every list: our look, fifty rows, totals in the foot.

    ``row_link`` (a function of the record) makes the whole row lead somewhere.
    """

    row_link: Callable[[Any], str] | None = None

    class Meta:
        template_name = "daybook/_table.html"
        attrs = {"class": "table"}

    def __init__(self, *args: Any, totals: dict[str, Any] | None = None, **kwargs: Any) -> None:
        link = type(self).row_link
        if link is not None:
            kwargs.setdefault("row_attrs", {"data-href": link})
        super().__init__(*args, **kwargs)
        self._totals = totals

    def totals(self) -> dict[str, Any]:
        """Sum of every column with ``total=True``, over all rows; asked from the database once."""
        if self._totals is None:
            wanted = {
                name: str(bound.accessor) for name, bound in self.columns.columns.items() if _adds_up(bound)
            }
            self._totals = _sums(self.data.data, wanted) if wanted else {}
        return self._totals

    @property
    def is_empty(self) -> bool:
        return len(self.data) == 0

    @property
    def page_numbers(self) -> list[int | None]:
        """Numbers for the pager; None where some are left out."""
        numbers = self.paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        return [number if isinstance(number, int) else None for number in numbers]


def _adds_up(bound_column: Any) -> bool:
    return bool(getattr(bound_column.column, "has_total", False))


def _sums(data: Any, accessors: dict[str, str]) -> dict[str, Any]:
    if isinstance(data, QuerySet):
        sums = {f"total_{name}": Sum(accessor.replace(".", "__")) for name, accessor in accessors.items()}
        found = data.order_by().aggregate(**sums)
        return {name: found[f"total_{name}"] or 0 for name in accessors}
    rows = list(data)
    return {name: sum(_amounts(rows, accessor)) for name, accessor in accessors.items()}


def _amounts(rows: list[Any], accessor: str) -> Iterable[Any]:
    for row in rows:
        value = tables.A(accessor).resolve(row, safe=False)
        if value is not None:
            yield value.amount if isinstance(value, Money) else value


def link(url: str, text: object) -> str:
    """A link for a ``render_…`` method."""
    return format_html('<a href="{}">{}</a>', url, text)
