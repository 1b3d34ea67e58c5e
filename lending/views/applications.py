"""Applications: the list, drafting, and the page on which they are submitted, appraised and decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from daybook.formats import named, taka, tk
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date
from daybook.tables import (
    BadgeColumn,
    DayColumn,
    LinkColumn,
    MoneyColumn,
    NamedColumn,
    NumberColumn,
    PaikarTable,
)
from lending import words
from lending.fault_words import say
from lending.forms.agreements import ReasonForm
from lending.forms.applications import ApplicationForm, AppraisalForm, ApprovalForm, ChangeForm
from lending.models import Application, ApplicationLine
from lending.selectors.pages import appraisal_of, list_figures, steps_of
from lending.selectors.worklists import WORKLISTS, narrowed
from lending.services.applications import (
    appraise_application,
    change_application,
    decide_application,
    draft_application,
    submit_application,
    withdraw_application,
)
from partners.access import EVERYONE, Role, authority_of
from partners.views.offers import DraftPage, Offer, OffersPage

State = Application.State


class ApplicationTable(PaikarTable):
    """Applications, newest first."""

    number = LinkColumn("lending:application", verbose_name=gettext_lazy("Application"))
    institution = NamedColumn(accessor="institution", verbose_name=gettext_lazy("Institution"))
    cluster = tables.Column(verbose_name=gettext_lazy("Cluster"))
    state = BadgeColumn(verbose_name=gettext_lazy("State"), labels=words.APPLICATION_STATES)
    applied_date = DayColumn(verbose_name=gettext_lazy("Applied"))
    amount = MoneyColumn(verbose_name=gettext_lazy("Asked (Tk)"), total=True)
    sanctioned = MoneyColumn(
        accessor="facility__amount", verbose_name=gettext_lazy("Sanctioned (Tk)"), total=True
    )

    class Meta(PaikarTable.Meta):
        model = Application
        fields = ("number", "institution", "cluster", "state", "applied_date", "amount", "sanctioned")


class ApplicationFilter(django_filters.FilterSet):
    """Find an application."""

    search = SearchFilter(columns=["number", "institution__name", "cluster__name", "cluster__place"])
    state = django_filters.ChoiceFilter(
        choices=words.choices(words.APPLICATION_STATES),
        label=gettext_lazy("State"),
        empty_label=gettext_lazy("All"),
    )
    waiting = django_filters.ChoiceFilter(
        choices=[(key, label) for key, label in WORKLISTS.items() if key.startswith("applications")],
        method="narrow",
        label=gettext_lazy("Waiting"),
        empty_label=gettext_lazy("All"),
    )
    from_date = DayFilter("applied_date", "gte", label=gettext_lazy("From"))
    to_date = DayFilter("applied_date", "lte", label=gettext_lazy("To"))

    def narrow(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Rows of a worklist that the reader may act on."""
        return narrowed(queryset, value, self.request.user.pk)


class ApplicationList(ListPage):
    """Every request; a partner sees its own."""

    required_roles = EVERYONE
    title = gettext_lazy("Applications")
    template_name = "lending/applications.html"
    table_class = ApplicationTable
    filterset_class = ApplicationFilter
    empty_text = gettext_lazy("No application was made yet.")

    def get_rows(self) -> QuerySet[Application]:
        return Application.objects.select_related("institution", "cluster", "facility")

    def get_table_kwargs(self) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return {"exclude": ("institution",)} if context.is_partner else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(may_draft=context.may(Role.MAKER), **kwargs)


class ApplicationNew(DraftPage):
    """Ask for money for one cluster."""

    required_roles = (Role.MAKER,)
    title = gettext_lazy("New application")
    subtitle = gettext_lazy("A colleague with the checker's role sends it to the foundation.")
    form_class = ApplicationForm
    button = gettext_lazy("Save the draft")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Applications"), reverse("lending:applications"))]

    def form_kwargs(self) -> dict[str, Any]:
        return {"institution_id": self.reader.institution_id, "on": open_business_date()}

    def make(self, told: dict[str, Any]) -> str:
        application = draft_application(
            **told,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
        )
        return reverse("lending:application", args=[application.pk])


class ApplicationPage(OffersPage):
    """One application: what is asked, the borrower list, the standing of the institution, the steps."""

    required_roles = EVERYONE
    template_name = "lending/application.html"
    subject: Application

    def load(self, **kwargs: Any) -> Application:
        return get_object_or_404(
            Application.objects.select_related(
                "institution", "cluster", "facility", "allotment__agreement__programme", "allotment__cluster"
            ),
            pk=kwargs["pk"],
        )

    def get_title(self) -> Text:
        return _("Application %(number)s") % {"number": self.subject.number}

    def get_subtitle(self) -> Text:
        return f"{named(self.subject.institution)} · {named(self.subject.cluster)}"

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Applications"), reverse("lending:applications"))]

    def offers(self) -> Sequence[Offer]:
        if self.reader.is_partner:
            return self._partner_offers()
        if self.subject.state == State.SUBMITTED and self.reader.may(Role.OFFICER):
            return [self._appraise()]
        if self.subject.state == State.APPRAISED and self.reader.may(Role.APPROVER, Role.FINANCE_HEAD):
            return [self._approve(), self._turn_down("returned"), self._turn_down("rejected")]
        return []

    def _partner_offers(self) -> list[Offer]:
        application, reader = self.subject, self.reader
        found = []
        is_open = application.state in (State.DRAFT, State.RETURNED)
        if is_open and reader.may(Role.CHECKER) and application.made_by_id != self.request.user.pk:
            found.append(
                Offer(
                    name="submit",
                    label=_("Send to the foundation"),
                    done=_("Sent."),
                    hint=_("After this nothing in it can be changed, unless it is returned."),
                    icon="send",
                    run=lambda told: self._act(submit_application, **told),
                )
            )
        if is_open and reader.may(Role.MAKER):
            initial = {"amount": taka(application.amount), "purpose": application.purpose}
            found.append(
                Offer(
                    name="change",
                    label=_("Change amount or purpose"),
                    done=_("Changed."),
                    form_class=ChangeForm,
                    form_kwargs={"initial": initial},
                    icon="edit",
                    is_folded=True,
                    run=lambda told: self._act(change_application, **told),
                )
            )
        if (is_open or application.state in (State.SUBMITTED, State.APPRAISED)) and reader.may(
            Role.MAKER, Role.CHECKER
        ):
            found.append(
                Offer(
                    name="withdraw",
                    label=_("Withdraw"),
                    done=_("Withdrawn."),
                    form_class=ReasonForm,
                    icon="x",
                    is_danger=True,
                    is_folded=True,
                    run=lambda told: self._act(withdraw_application, **told),
                )
            )
        return found

    def _appraise(self) -> Offer:
        return Offer(
            name="appraise",
            label=_("Appraise"),
            done=_("Appraised: it waits for an approver now."),
            form_class=AppraisalForm,
            form_kwargs={"initial": {"recommended_amount": taka(self.subject.amount)}},
            run=lambda told: self._act(appraise_application, **told),
        )

    def _approve(self) -> Offer:
        authority = authority_of(self.reader.roles, on=open_business_date())
        recommended = self.subject.recommended_amount or self.subject.amount
        return Offer(
            name="approve",
            label=_("Approve"),
            done=_("Approved: the facility is open."),
            hint=_("Your authority reaches %(amount)s.") % {"amount": tk(authority)},
            form_class=ApprovalForm,
            form_kwargs={
                "initial": {
                    "amount": taka(recommended),
                    "expires_date": self.subject.allotment.to_date,
                }
            },
            run=lambda told: self._act(decide_application, outcome="approved", **told),
        )

    def _turn_down(self, outcome: str) -> Offer:
        is_final = outcome == "rejected"
        return Offer(
            name=outcome,
            label=_("Reject") if is_final else _("Return for correction"),
            done=_("Rejected.") if is_final else _("Returned to the institution."),
            form_class=ReasonForm,
            icon="x" if is_final else "arrow-back-up",
            is_danger=is_final,
            is_folded=True,
            run=lambda told: self._act(decide_application, outcome=outcome, **told),
        )

    def _act(self, service: Any, **told: Any) -> None:
        service(
            application=self.subject,
            actor=self.request.user,
            business_date=open_business_date(),
            **told,
        )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        application = self.subject
        is_open = application.state in (State.DRAFT, State.RETURNED)
        return super().get_context_data(
            application=application,
            state=words.APPLICATION_STATES[application.state],
            facility=getattr(application, "facility", None),
            figures=list_figures(application),
            lines=[
                (line, words.GENDERS[line.gender], words.SIZES[line.size_tier], in_words(line.warnings))
                for line in application.lines.select_related("district")[:10]
            ],
            appraisal=appraisal_of(application, open_business_date()),
            may_load=is_open and self.reader.may(Role.MAKER),
            is_own_draft=is_open and application.made_by_id == self.request.user.pk,
            steps=steps_of(application),
            **kwargs,
        )


def in_words(warnings: list[str]) -> str:
    """What the check noted on a borrower, in the reader's language."""
    return " ".join(say(sentence) for sentence in warnings)


class LineTable(PaikarTable):
    """Intended borrowers as the bank listed them."""

    row_number = NumberColumn(verbose_name=gettext_lazy("Row"))
    person_name = tables.Column(verbose_name=gettext_lazy("Name"))
    gender = BadgeColumn(verbose_name=gettext_lazy("Gender"), labels=words.GENDERS)
    enterprise_name = tables.Column(verbose_name=gettext_lazy("Enterprise"))
    size_tier = BadgeColumn(verbose_name=gettext_lazy("Size"), labels=words.SIZES)
    activity = BadgeColumn(verbose_name=gettext_lazy("Activity"), labels=words.ACTIVITIES)
    district = tables.Column(verbose_name=gettext_lazy("District"))
    amount = MoneyColumn(verbose_name=gettext_lazy("Amount (Tk)"), total=True)
    warnings = tables.Column(verbose_name=gettext_lazy("To look at"), orderable=False)

    class Meta(PaikarTable.Meta):
        model = ApplicationLine
        fields = (
            "row_number",
            "person_name",
            "gender",
            "enterprise_name",
            "size_tier",
            "activity",
            "district",
            "amount",
            "warnings",
        )

    def render_warnings(self, value: list[str]) -> str:
        return in_words(value)


class LineFilter(django_filters.FilterSet):
    """Find a borrower of the list."""

    search = SearchFilter(columns=["person_name", "enterprise_name"])
    gender = django_filters.ChoiceFilter(
        choices=words.choices(words.GENDERS), label=gettext_lazy("Gender"), empty_label=gettext_lazy("All")
    )


class LineList(ListPage):
    """The whole borrower list of one application."""

    required_roles = EVERYONE
    table_class = LineTable
    filterset_class = LineFilter
    empty_text = gettext_lazy("No borrower is listed.")

    def get_title(self) -> Text:
        return _("Borrowers of %(number)s") % {"number": self.application.number}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [
            (_("Applications"), reverse("lending:applications")),
            (self.application.number, reverse("lending:application", args=[self.application.pk])),
        ]

    def get_rows(self) -> QuerySet[ApplicationLine]:
        self.application = get_object_or_404(Application, pk=self.kwargs["pk"])
        return self.application.lines.select_related("district").order_by("row_number")


urls = [
    path("applications/", ApplicationList.as_view(), name="applications"),
    path("applications/new/", ApplicationNew.as_view(), name="application-new"),
    path("applications/<int:pk>/", ApplicationPage.as_view(), name="application"),
    path("applications/<int:pk>/borrowers/", LineList.as_view(), name="application-lines"),
]
