"""The loans of a return, one a line."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calc.classification import Basis
from daybook.formats import day, language, named
from daybook.lists import ListPage, SearchFilter
from daybook.pages import Text
from daybook.tables import MinorColumn, NumberColumn, PaikarTable
from lending.models import Loan
from partners.access import FOUNDATION
from partners.models import Institution
from repayments.models import ReturnLine
from repayments.views.returns import BASES, CLASSES, found_return


def _loan_address(record: ReturnLine) -> str:
    return f"{reverse('reports:loan', args=[record.loan_id])}?as_of={record.as_of.isoformat()}"  # type: ignore[attr-defined]


def _name_shown() -> Any:
    """The institution's name in the reader's language."""
    bangla = NullIf(F("name_bn"), Value("")) if language() == "bn" else F("name")
    return Coalesce(bangla, F("name"))


class LineTable(PaikarTable):
    """Loans of a return."""

    number = tables.Column(
        verbose_name=gettext_lazy("Loan"), attrs={"td": {"class": "code"}}, linkify=_loan_address
    )
    institution = tables.Column(verbose_name=gettext_lazy("Institution"))
    loan_class = tables.Column(verbose_name=gettext_lazy("Class"))
    class_basis = tables.Column(verbose_name=gettext_lazy("Basis"))
    days_past_due = NumberColumn(verbose_name=gettext_lazy("Days past due"))
    outstanding_minor = MinorColumn(verbose_name=gettext_lazy("Principal outstanding"), total=True)
    overdue_minor = MinorColumn(verbose_name=gettext_lazy("Overdue"), total=True)
    suspense_minor = MinorColumn(verbose_name=gettext_lazy("Suspense"), total=True)
    security_minor = MinorColumn(verbose_name=gettext_lazy("Security"), total=True)
    base_minor = MinorColumn(verbose_name=gettext_lazy("Base"), total=True)
    provision_minor = MinorColumn(verbose_name=gettext_lazy("Provision"), total=True)

    row_link = staticmethod(_loan_address)

    class Meta(PaikarTable.Meta):
        model = ReturnLine
        attrs = {"class": "table tight"}
        fields = (
            "number",
            "institution",
            "loan_class",
            "class_basis",
            "days_past_due",
            "outstanding_minor",
            "overdue_minor",
            "suspense_minor",
            "security_minor",
            "base_minor",
            "provision_minor",
        )

    def render_loan_class(self, record: ReturnLine) -> str:
        return str(CLASSES[record.loan_class])

    value_loan_class = render_loan_class

    def render_class_basis(self, record: ReturnLine) -> str:
        return str(BASES[Basis(record.class_basis)])

    value_class_basis = render_class_basis


class LineFilter(django_filters.FilterSet):
    search = SearchFilter(columns=["number"])
    loan_class = django_filters.ChoiceFilter(
        choices=list(CLASSES.items()), label=gettext_lazy("Class"), empty_label=gettext_lazy("All")
    )
    class_basis = django_filters.ChoiceFilter(
        choices=[(int(basis), label) for basis, label in BASES.items()],
        label=gettext_lazy("Basis"),
        empty_label=gettext_lazy("All"),
    )
    institution_id = django_filters.ChoiceFilter(
        choices=lambda: [(one.pk, named(one)) for one in Institution.objects.order_by("name")],
        label=gettext_lazy("Institution"),
        empty_label=gettext_lazy("All"),
    )


class ReturnLines(ListPage):
    """The loans of a return, one a line."""

    required_roles = FOUNDATION
    table_class = LineTable
    filterset_class = LineFilter
    empty_text = gettext_lazy("This return has no line.")

    def get_rows(self) -> QuerySet[ReturnLine]:
        self.made = found_return(self.kwargs["pk"])
        loan = Loan.objects.filter(pk=OuterRef("loan_id")).values("number")
        name = Institution.objects.filter(pk=OuterRef("institution_id")).values(_name=_name_shown())
        return ReturnLine.objects.filter(classification_return=self.made).annotate(
            number=Subquery(loan),
            institution=Subquery(name),
            as_of=F("classification_return__as_of"),
        )

    def get_title(self) -> Text:
        return _("Loans of the return of %(date)s") % {"date": day(self.made.as_of)}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Classification returns"), reverse("repayments:returns")),
            (day(self.made.as_of), reverse("repayments:return", args=[self.made.pk])),
        ]


urls = [path("returns/<int:pk>/lines/", ReturnLines.as_view(), name="return-lines")]
