"""People: who may sign in, which roles they hold, and what roles may decide."""

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

from daybook.lists import ListPage, SearchFilter
from daybook.pages import Text
from daybook.selectors import open_business_date, trail_of
from daybook.tables import LinkColumn, PaikarTable
from partners import words
from partners.access import Role
from partners.forms.people import AuthorityForm, EmailForm, EndRoleForm, PersonForm, RoleForm
from partners.models import ApprovalAuthority, User
from partners.services.institutions import set_authority
from partners.services.people import add_person, end_role, give_role, set_email
from partners.views.offers import DraftPage, Offer, OffersPage

LOOKERS = (Role.ADMINISTRATOR, Role.AUDITOR)


class PersonTable(PaikarTable):
    """People with their roles today."""

    full_name = LinkColumn("partners:person", verbose_name=gettext_lazy("Name"), attrs={})
    username = tables.Column(verbose_name=gettext_lazy("Signs in as"), attrs={"td": {"class": "code"}})
    roles = tables.Column(
        empty_values=(), orderable=False, verbose_name=gettext_lazy("Roles"), accessor="pk", linkify=False
    )
    where = tables.Column(
        empty_values=(), orderable=False, verbose_name=gettext_lazy("Where"), accessor="pk", linkify=False
    )

    class Meta(PaikarTable.Meta):
        model = User
        fields = ("full_name", "username", "roles", "where")

    def render_roles(self, record: User) -> str:
        return ", ".join(str(words.ROLES[row.role]) for row in record.memberships.all()) or "–"

    def render_where(self, record: User) -> str:
        places = {
            row.institution.name if row.institution else _("Foundation") for row in record.memberships.all()
        }
        return ", ".join(sorted(places)) or "–"


class PersonFilter(django_filters.FilterSet):
    """Find a person."""

    search = SearchFilter(columns=["full_name", "username"])
    role = django_filters.ChoiceFilter(
        field_name="memberships__role",
        choices=words.choices(words.ROLES),
        distinct=True,
        label=gettext_lazy("Role"),
        empty_label=gettext_lazy("All"),
    )


class PersonList(ListPage):
    """Everybody who may sign in."""

    required_roles = LOOKERS
    title = gettext_lazy("People")
    template_name = "partners/people.html"
    table_class = PersonTable
    filterset_class = PersonFilter

    def get_rows(self) -> QuerySet[User]:
        return User.objects.prefetch_related("memberships__institution")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(may_add=context.may(Role.ADMINISTRATOR), **kwargs)


class PersonNew(DraftPage):
    """Add a person."""

    required_roles = (Role.ADMINISTRATOR,)
    title = gettext_lazy("New person")
    subtitle = gettext_lazy("Pages open once a role is given.")
    form_class = PersonForm
    button = gettext_lazy("Add the person")

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("People"), reverse("partners:people"))]

    def make(self, told: dict[str, Any]) -> str:
        user = add_person(
            **told,
            actor=self.request.user,  # type: ignore[arg-type]
            business_date=open_business_date(),
        )
        return reverse("partners:person", args=[user.pk])


class PersonPage(OffersPage):
    """One person: the roles held, with dates; giving and ending them."""

    required_roles = LOOKERS
    template_name = "partners/person.html"
    subject: User

    def load(self, **kwargs: Any) -> User:
        return get_object_or_404(User, pk=kwargs["pk"])

    def get_title(self) -> Text:
        return str(self.subject)

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("People"), reverse("partners:people"))]

    def offers(self) -> Sequence[Offer]:
        if not self.reader.may(Role.ADMINISTRATOR):
            return []
        email = Offer(
            name="email",
            label=_("Change the e-mail address"),
            done=_("The e-mail address is kept."),
            form_class=EmailForm,
            form_kwargs={"initial": {"email": self.subject.email}},
            icon="mail",
            is_folded=True,
            run=lambda told: self._act(set_email, user=self.subject, **told),
        )
        if self.subject.pk == self.request.user.pk:
            return [email]
        on = open_business_date()
        found = [
            Offer(
                name="give",
                label=_("Give a role"),
                done=_("The role is given."),
                form_class=RoleForm,
                form_kwargs={"initial": {"from_date": on}},
                icon="user-plus",
                run=lambda told: self._act(give_role, user=self.subject, **told),
            )
        ]
        if self.subject.memberships.filter(to_date__isnull=True).exists():
            found.append(
                Offer(
                    name="end",
                    label=_("End a role"),
                    done=_("The role ends on that day."),
                    form_class=EndRoleForm,
                    form_kwargs={"user": self.subject, "initial": {"to_date": on}},
                    icon="user-minus",
                    is_danger=True,
                    is_folded=True,
                    run=lambda told: self._act(end_role, **told),
                )
            )
        return [*found, email]

    def _act(self, service: Any, **told: Any) -> None:
        service(actor=self.request.user, business_date=open_business_date(), **told)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = self.subject.memberships.select_related("institution", "stands_in_for")
        return super().get_context_data(
            person=self.subject,
            memberships=[(row, words.ROLES[row.role]) for row in rows.order_by("-from_date", "-id")],
            trail=trail_of("partners.user", self.subject.pk)[:10],
            **kwargs,
        )


class AuthorityPage(OffersPage):
    """Up to what amount each role decides, from which date, and why."""

    required_roles = (Role.ADMINISTRATOR, Role.AUDITOR, Role.FINANCE_HEAD, Role.APPROVER, Role.OFFICER)
    template_name = "partners/authorities.html"
    title = gettext_lazy("Approval authority")
    subtitle = gettext_lazy("The latest row of a role rules; earlier ones stay for earlier decisions.")

    def load(self, **kwargs: Any) -> None:
        return None

    def offers(self) -> Sequence[Offer]:
        if not self.reader.may(Role.ADMINISTRATOR):
            return []
        on = open_business_date()
        return [
            Offer(
                name="set",
                label=_("Set an authority"),
                done=_("The authority is set."),
                form_class=AuthorityForm,
                form_kwargs={"initial": {"effective_date": on}},
                run=self._set,
            )
        ]

    def _set(self, told: dict[str, Any]) -> None:
        set_authority(actor=self.request.user, business_date=open_business_date(), **told)  # type: ignore[arg-type]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = ApprovalAuthority.objects.select_related("booking").order_by("role", "-effective_date", "-id")
        return super().get_context_data(authorities=[(row, words.ROLES[row.role]) for row in rows], **kwargs)


urls = [
    path("people/", PersonList.as_view(), name="people"),
    path("people/new/", PersonNew.as_view(), name="person-new"),
    path("people/<int:pk>/", PersonPage.as_view(), name="person"),
    path("authorities/", AuthorityPage.as_view(), name="authorities"),
]
