"""Home: what waits for the person. Each app answers for its own work, in a panel found by its URL name."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from daybook.formats import named
from daybook.pages import Page, Text
from partners.access import EVERYONE
from partners.models import Institution
from partners.words import ROLES

WAITING = ("lending:waiting", "repayments:waiting")
GLANCE = "reports:glance"


class Home(Page, TemplateView):
    """The first page after signing in."""

    required_roles = EVERYONE
    template_name = "partners/home.html"

    def get_title(self) -> Text:
        return _("What waits for you")

    def get_subtitle(self) -> Text:
        context = self.request.context  # type: ignore[attr-defined]
        roles = ", ".join(str(ROLES[role]) for role in sorted(context.roles))
        if context.institution_id is None:
            return roles
        return f"{named(Institution.objects.get(pk=context.institution_id))} · {roles}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            waiting=[url for name in WAITING if (url := _url(name))], glance=_url(GLANCE), **kwargs
        )


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


urls = [path("", Home.as_view(), name="home")]
