"""What every page shares: who may open it, its title, where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib.auth.mixins import AccessMixin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic.base import ContextMixin, View

Text = str | Promise


class Page(AccessMixin, ContextMixin, View):
    """First base of every class-based view: ``class LoanPage(Page, TemplateView)``.

    ``required_roles`` names the roles that may open it; holding one is enough. It must be set: a page
    that everybody may see says so with ``partners.access.EVERYONE``.
    """

    required_roles: ClassVar[Sequence[str]] = ()
    title: ClassVar[Text] = ""
    subtitle: ClassVar[Text] = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        if not self.required_roles:
            raise TypeError(f"{type(self).__name__} does not say which roles may open it")
        if not request.context.may(*self.required_roles):  # type: ignore[attr-defined]
            raise PermissionDenied(_("Your role does not open this page."))
        return super().dispatch(request, *args, **kwargs)

    def get_title(self) -> Text:
        """The heading; also the last breadcrumb and the browser's tab."""
        return self.title

    def get_subtitle(self) -> Text:
        """One quiet line under the heading."""
        return self.subtitle

    def get_crumbs(self) -> list[tuple[Text, str]]:
        """Pages above this one: (label, address), outermost first."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **{"title": self.get_title(), "subtitle": self.get_subtitle(), "crumbs": self.get_crumbs()}
            | kwargs
        )
