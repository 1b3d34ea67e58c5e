"""Positions as institutions state them, beside ours: a worklist of differences."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import path, reverse
from django.utils.translation import gettext_lazy

from daybook.formats import day
from daybook.lists import ListPage
from daybook.tables import MinorColumn, PaikarTable
from partners.access import EVERYONE
from partners.models import Institution
from repayments.names import NamedChoiceField
from repayments.selectors.positions import Stated, stated_dates, stated_positions
from repayments.views.returns import CLASSES


def _loan_address(record: Any) -> str:
    return f"{reverse('reports:loan', args=[record.loan_id])}?as_of={record.as_of.isoformat()}"


class StatedTable(PaikarTable):
    """Sub-loans with what is stated and what our books say."""

    number = tables.Column(
        verbose_name=gettext_lazy("Loan"), attrs={"td": {"class": "code"}}, linkify=_loan_address
    )
    institution = tables.Column(verbose_name=gettext_lazy("Institution"))
    stated_outstanding_minor = MinorColumn(verbose_name=gettext_lazy("Outstanding, stated"))
    our_outstanding_minor = MinorColumn(verbose_name=gettext_lazy("Outstanding, ours"))
    outstanding_difference_minor = MinorColumn(verbose_name=gettext_lazy("Difference"))
    stated_overdue_minor = MinorColumn(verbose_name=gettext_lazy("Overdue, stated"))
    our_overdue_minor = MinorColumn(verbose_name=gettext_lazy("Overdue, ours"))
    overdue_difference_minor = MinorColumn(verbose_name=gettext_lazy("Difference"))
    classes = tables.Column(
        accessor="our_class",
        order_by=("stated_class", "our_class"),
        verbose_name=gettext_lazy("Class: declared, ours"),
    )

    row_link = staticmethod(_loan_address)

    class Meta(PaikarTable.Meta):
        fields = (
            "number",
            "institution",
            "stated_outstanding_minor",
            "our_outstanding_minor",
            "outstanding_difference_minor",
            "stated_overdue_minor",
            "our_overdue_minor",
            "overdue_difference_minor",
            "classes",
        )

    def render_classes(self, record: Stated) -> str:
        declared = "–" if record.stated_class is None else str(CLASSES[record.stated_class])
        return f"{declared}, {CLASSES[record.our_class]}"

    value_classes = render_classes


class StatedForm(forms.Form):
    """Which date, whose, and whether only what differs."""

    as_of = forms.ChoiceField(label=gettext_lazy("As of"), required=False)
    institution = NamedChoiceField(
        Institution.objects.order_by("name"),
        label=gettext_lazy("Institution"),
        required=False,
        empty_label=gettext_lazy("All"),
    )
    differing = forms.ChoiceField(
        label=gettext_lazy("Show"),
        required=False,
        choices=[("", gettext_lazy("What differs")), ("all", gettext_lazy("All"))],
    )


class StatedList(ListPage):
    """The differences, for both sides to work on."""

    required_roles = sorted(EVERYONE)
    template_name = "repayments/positions.html"
    title = gettext_lazy("Positions as stated")
    subtitle = gettext_lazy(
        "What institutions state for their sub-loans, beside our figures of the same day. Ours do not change."
    )
    table_class = StatedTable
    empty_text = gettext_lazy("Nothing differs, or no position is stated.")

    def get_rows(self) -> list[Stated]:
        dates = stated_dates()
        self.form = StatedForm(self.request.GET)
        self.form.fields["as_of"].choices = [(one.isoformat(), day(one)) for one in dates]  # type: ignore[attr-defined]
        if not dates:
            return []
        told = self.form.cleaned_data if self.form.is_valid() else {}
        as_of = date.fromisoformat(told["as_of"]) if told.get("as_of") else dates[0]
        institution = told.get("institution")
        rows = stated_positions(as_of, institution_id=institution.pk if institution else None)
        return rows if told.get("differing") == "all" else [row for row in rows if row.differs]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(form=self.form, **kwargs)


urls = [path("positions/", StatedList.as_view(), name="positions")]
