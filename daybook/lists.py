"""A list page: filters, sorting, fifty rows a page, totals of the whole list, and the same list as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import django_filters
from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView

from daybook import formats
from daybook.exports import CannotExport, Sheet, to_csv, to_xlsx
from daybook.forms import DayField
from daybook.pages import Page, Text
from daybook.selectors import BooksNotOpen, open_business_date
from daybook.tables import PaikarTable

PER_PAGE = 50
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class DayFilter(django_filters.DateFilter):
    """One date: ``DayFilter("value_date", "gte", label=_("From"))``."""

    field_class = DayField


class SearchFilter(django_filters.CharFilter):
    """A word looked for in several columns: ``SearchFilter(columns=["number", "borrower__name"])``."""

    def __init__(self, *, columns: list[str], **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Search"))
        kwargs.setdefault(
            "widget", forms.SearchInput(attrs={"data-search": "", "placeholder": gettext_lazy("press /")})
        )
        super().__init__(method=self._search, **kwargs)
        self._columns = columns

    def _search(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        found = Q()
        for column in self._columns:
            found |= Q(**{f"{column}__icontains": value})
        return queryset.filter(found)


class LastPageRather(Paginator):
    """A page beyond the end is the last one: rows may have gone since the link was drawn."""

    def page(self, number: Any) -> Any:
        return super().page(min(number, self.num_pages))


class ListPage(Page, TemplateView):
    """Set ``table_class``, ``queryset`` or ``get_rows()``, ``required_roles``, ``title``; the rest follows.

    ``empty_text`` says what would be here; ``empty_action`` (label, address) how to make it come.
    """

    template_name = "daybook/list_page.html"
    table_class: ClassVar[type[PaikarTable]]
    filterset_class: ClassVar[type[django_filters.FilterSet] | None] = None
    queryset: ClassVar[QuerySet[Any] | None] = None
    per_page: ClassVar[int] = PER_PAGE
    empty_text: ClassVar[Text] = gettext_lazy("There is nothing here yet.")

    def get_rows(self) -> QuerySet[Any] | list[Any]:
        """All rows the person may see, before the filter. Lists of dicts or frozen rows work too."""
        if self.queryset is None:
            raise TypeError(f"{type(self).__name__} has neither a queryset nor get_rows()")
        return self.queryset.all()

    def get_empty_action(self) -> tuple[Text, str] | None:
        """What to do when the list is empty: (label, address)."""
        return None

    def get_table_kwargs(self) -> dict[str, Any]:
        """Arguments of the table beyond its rows, such as ``exclude`` or ``totals``."""
        return {}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = self.get_rows()
        self.filterset = None
        if self.filterset_class is not None:
            self.filterset = self.filterset_class(request.GET, queryset=rows, request=request)
            rows = self.filterset.qs
        self.table = self.table_class(rows, **self.get_table_kwargs())
        export = request.GET.get("export", "")
        self.table.request = request  # the heads of columns write their addresses from it
        self._order_as_asked()
        self._settle_order()
        if not export:
            self.table.paginate(page=_page(request), per_page=self.per_page, paginator_class=LastPageRather)
        if export in CONTENT_TYPES:
            return self._file(export)
        return self.render_to_response(self.get_context_data(**kwargs))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{
                "table": self.table,
                "filterset": self.filterset,
                "is_filtered": bool(self._chosen()),
                "empty_text": self.empty_text,
                "empty_action": self.get_empty_action(),
            }
            | kwargs
        )

    def _order_as_asked(self) -> None:
        """Sort by the columns the address names; what is no column of this list is ignored."""
        known = set(self.table.columns.names())
        asked = self.request.GET.getlist(self.table.prefixed_order_by_field)
        if order := [name for name in asked if name.removeprefix("-") in known]:
            self.table.order_by = order

    def _settle_order(self) -> None:
        """Break ties by key, or rows would swap pages between two requests."""
        data = self.table.data.data
        if isinstance(data, QuerySet):
            order = [*(data.query.order_by or data.model._meta.ordering or ()), "pk"]
            self.table.data.data = data.order_by(*order)

    def _chosen(self) -> list[tuple[str, str]]:
        """The filters in force, in words."""
        if self.filterset is None or not self.filterset.form.is_bound:
            return []
        form = self.filterset.form
        return [
            (str(form.fields[name].label or name), _in_words(form.fields[name], value))
            for name, value in getattr(form, "cleaned_data", {}).items()
            if value not in (None, "", [])
        ]

    def _file(self, kind: str) -> HttpResponse:
        now = timezone.localtime()
        sheet = Sheet(
            title=str(self.get_title()),
            parameters=[*self._about(), (_("Printed"), formats.day(now))],
            heads=[strip_tags(str(column.header)) for column in self._columns()],
            rows=self._values(),
            foot=self._foot(),
        )
        try:
            content = to_csv(sheet) if kind == "csv" else to_xlsx(sheet, created=now)
        except CannotExport as error:
            messages.error(self.request, str(error))
            return redirect(self.request.path)
        name = f"{slugify(str(self.get_title())) or 'list'}-{now:%Y%m%d-%H%M}.{kind}"
        response = HttpResponse(content, content_type=CONTENT_TYPES[kind])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def _about(self) -> list[tuple[str, str]]:
        about = [(_("Printed by"), str(self.request.user))]
        try:
            about.append((_("Business date"), formats.day(open_business_date())))
        except BooksNotOpen:
            about.append((_("Business date"), _("books not open")))
        about += self._chosen() or [(_("Filter"), _("none: all rows"))]
        about.append((_("Rows"), formats.number(len(self.table.data))))
        return about

    def _columns(self) -> list[Any]:
        return [column for column in self.table.columns if not column.column.exclude_from_export]

    def _values(self) -> Iterator[list[Any]]:
        columns = self._columns()
        for row in self.table.rows:
            yield [_cell(row, column) for column in columns]

    def _foot(self) -> list[Any]:
        totals = self.table.totals()
        foot: list[Any] = []
        for column in self._columns():
            total = totals.get(column.name)
            foot.append(None if total is None else column.column.value(total))
        if totals and foot and foot[0] is None:
            foot[0] = _("Total")
        return foot


def _page(request: HttpRequest) -> int:
    """The page asked for; the first when the address says something else."""
    text = request.GET.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1


def _cell(row: Any, column: Any) -> Any:
    value = row.get_cell_value(column.name)
    if value in ("", formats.NOTHING):
        return None
    if isinstance(value, int | date) or hasattr(value, "as_tuple"):
        return value
    return strip_tags(str(value)) if value is not None else None


def _in_words(field: Any, value: Any) -> str:
    if isinstance(value, date):
        return formats.day(value)
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return ", ".join(_in_words(field, item) for item in value)
    if isinstance(value, slice):
        return f"{value.start or '…'} – {value.stop or '…'}"
    choices = dict(iter(getattr(field, "choices", ())))  # an iterator of callables has no length to ask for
    return str(choices.get(value, value))
