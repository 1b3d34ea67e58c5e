"""The audit trail: who did or saw what, before and after, and whether the chain over it is whole."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.acts import NOUNS, VERBS, act_words, choices, same_words
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.models import AuditEntry
from daybook.pages import Page
from daybook.selectors import chain_head
from daybook.services import verify_audit
from daybook.tables import DayColumn, PaikarTable

TRAIL_READERS = ("auditor", "administrator")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a diff; ``before`` or ``after`` is empty where it was added or went."""

    field: str
    before: str
    after: str


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Change]:
    """What differs between two states of a thing, field by field in order of name."""
    old, new = before or {}, after or {}
    return [
        Change(field, _shown(old.get(field)), _shown(new.get(field)))
        for field in sorted({*old, *new})
        if old.get(field) != new.get(field)
    ]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class TrailTable(PaikarTable):
    """Entries, latest first."""

    recorded_at = DayColumn(verbose_name=gettext_lazy("When"))
    actor_name = DayColumn(verbose_name=gettext_lazy("Who"))
    subject_label = DayColumn(verbose_name=gettext_lazy("On what"), attrs={"td": {"class": "subject"}})
    action = tables.Column(verbose_name=gettext_lazy("Action"))
    reason = tables.Column(verbose_name=gettext_lazy("Reason"))
    address = tables.Column(verbose_name=gettext_lazy("Address"))
    changed = DayColumn(
        verbose_name=gettext_lazy("Before and after"), empty_values=(), orderable=False, attrs={"td": {}}
    )

    class Meta(PaikarTable.Meta):
        model = AuditEntry
        fields = ("recorded_at", "actor_name", "action", "subject_label", "changed", "reason", "address")

    def render_action(self, value: str) -> str:
        return act_words(value)

    def value_action(self, value: str) -> str:
        return act_words(value)

    def render_actor_name(self, value: str) -> str:
        return value

    def value_actor_name(self, value: str) -> str:
        return value

    def render_subject_label(self, record: AuditEntry) -> SafeString:
        kind = record.subject_type.rpartition(".")[2]
        return format_html(
            '{} <span class="muted">{} {}</span>', record.subject_label, kind, record.subject_id
        )

    def value_subject_label(self, record: AuditEntry) -> str:
        return f"{record.subject_label} ({record.subject_type} {record.subject_id})"

    def render_changed(self, record: AuditEntry) -> SafeString:
        lines = format_html_join(
            "",
            "<div><dt>{}</dt><dd>{}{}{}</dd></div>",
            (
                (
                    change.field,
                    format_html("<del>{}</del>", change.before) if change.before else "",
                    " → " if change.before and change.after else "",
                    format_html("<ins>{}</ins>", change.after) if change.after else "",
                )
                for change in changes(record.before, record.after)
            ),
        )
        return format_html('<dl class="diff">{}</dl>', lines) if lines else SafeString("–")

    def value_changed(self, record: AuditEntry) -> str:
        return "; ".join(
            f"{change.field}: {change.before} → {change.after}"
            for change in changes(record.before, record.after)
        )


class TrailFilter(django_filters.FilterSet):
    """Find entries by who, what was done, on what, when."""

    search = SearchFilter(columns=["actor_name"], label=gettext_lazy("Who"))
    noun = django_filters.ChoiceFilter(
        method="of_noun",
        label=gettext_lazy("Kind"),
        choices=lambda: choices(NOUNS),
        empty_label=gettext_lazy("All"),
    )
    verb = django_filters.ChoiceFilter(
        method="of_verb",
        label=gettext_lazy("Action"),
        choices=lambda: choices(VERBS),
        empty_label=gettext_lazy("All"),
    )
    subject = SearchFilter(columns=["subject_label", "subject_type"], label=gettext_lazy("On what"))
    from_date = DayFilter("recorded_at__date", "gte", label=gettext_lazy("From"))
    to_date = DayFilter("recorded_at__date", "lte", label=gettext_lazy("To"))

    def of_noun(self, queryset: QuerySet[AuditEntry], _name: str, value: str) -> QuerySet[AuditEntry]:
        return queryset.filter(action__startswith=f"{value}.")

    def of_verb(self, queryset: QuerySet[AuditEntry], _name: str, value: str) -> QuerySet[AuditEntry]:
        found = "|".join(re.escape(verb) for verb in same_words(VERBS, value))
        return queryset.filter(action__regex=rf"\.({found})(\.|$)")


class Trail(ListPage):
    """The whole trail, for auditors and administrators."""

    required_roles = TRAIL_READERS
    template_name = "daybook/trail.html"
    title = gettext_lazy("Audit trail")
    subtitle = gettext_lazy(
        "Who did or saw what. Entries are added, never changed; batches of them are chained."
    )
    table_class = TrailTable
    filterset_class = TrailFilter
    empty_text = gettext_lazy("Nothing has been recorded yet.")

    def get_rows(self) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.order_by("-id")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(chain=chain_head(), **kwargs)


class CheckChain(Page):
    """Walk the whole chain and say whether every entry is as it was sealed; asked for by a button."""

    required_roles = TRAIL_READERS

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(
            request, "daybook/_chain.html", {"checked": verify_audit(), "note": _("Checked just now.")}
        )
