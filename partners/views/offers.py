"""A page that shows one thing and offers the steps its reader may take on it, each with a small form.

A refusal of the step is shown as a sentence above its form; nothing was changed then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.generic import TemplateView

from daybook.pages import Page
from daybook.selectors import BooksNotOpen
from partners.access import Context
from partners.services.refusals import Refused

Text = str | Promise


class NoFields(forms.Form):
    """A step that needs nothing but the decision to take it."""


@dataclass
class Offer:
    """One step: what it is called, its form, and the service call. ``run`` may return where to go next."""

    name: str
    label: Text
    run: Callable[[dict[str, Any]], str | None]
    done: Text
    form_class: type[forms.Form] = NoFields
    form_kwargs: dict[str, Any] = field(default_factory=dict)
    hint: Text = ""
    icon: str = "check"
    is_danger: bool = False
    is_folded: bool = False
    bound: forms.Form | None = None

    @property
    def form(self) -> forms.Form:
        """The form as the page draws it: with what was typed, after a refusal."""
        if self.bound is None:
            return self.form_class(prefix=self.name, **self.form_kwargs)
        return self.bound

    @property
    def is_open(self) -> bool:
        """A folded step opens itself when its form has something to say."""
        return not self.is_folded or self.bound is not None


class OffersPage(Page, TemplateView):
    """Set ``required_roles``, write ``load`` and ``offers``; the template has ``partners/_offers.html``."""

    subject: Any

    @property
    def reader(self) -> Context:
        """Who is asking."""
        context: Context = self.request.context  # type: ignore[attr-defined]
        return context

    def load(self, **kwargs: Any) -> Any:
        """The thing shown; Http404 when the reader may not see it."""
        raise NotImplementedError

    def offers(self) -> Sequence[Offer]:
        """The steps the reader may take on ``self.subject`` as it stands."""
        return ()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.subject = self.load(**kwargs)
        return self.render_to_response(self.get_context_data(offers=self.offers()))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.subject = self.load(**kwargs)
        offers = list(self.offers())
        chosen = next((offer for offer in offers if offer.name == request.POST.get("step")), None)
        if chosen is None:
            messages.error(request, _("Somebody was quicker: this step is no longer open."))
            return redirect(request.path)
        form = chosen.form_class(request.POST, prefix=chosen.name, **chosen.form_kwargs)
        if form.is_valid():
            try:
                address = chosen.run(form.cleaned_data)
            except (Refused, BooksNotOpen) as refusal:
                field = getattr(refusal, "field", None)
                form.add_error(field if field in form.fields else None, str(refusal))
            else:
                messages.success(request, str(chosen.done))
                return redirect(address or request.path)
        self.subject = self.load(**kwargs)
        offers = list(self.offers())
        for offer in offers:
            if offer.name == chosen.name:
                offer.bound = form
        lost = [] if any(offer.bound for offer in offers) else form.non_field_errors()
        return self.render_to_response(self.get_context_data(offers=offers, lost=lost))


class DraftPage(Page, TemplateView):
    """A form that makes something new. Set ``form_class``; ``make`` returns where it is shown."""

    template_name = "partners/draft.html"
    form_class: type[forms.Form]
    button: Text = ""

    @property
    def reader(self) -> Context:
        """Who is asking."""
        context: Context = self.request.context  # type: ignore[attr-defined]
        return context

    def form_kwargs(self) -> dict[str, Any]:
        """Arguments of the form beyond what was typed."""
        return {}

    def make(self, told: dict[str, Any]) -> str:
        """Call the service; return the new page's address. May raise ``Refused``."""
        raise NotImplementedError

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(**self.form_kwargs())
        return self.render_to_response(self.get_context_data(form=form, button=self.button))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST, **self.form_kwargs())
        if form.is_valid():
            try:
                return redirect(self.make(form.cleaned_data))
            except (Refused, BooksNotOpen) as refusal:
                field = getattr(refusal, "field", None)
                form.add_error(field if field in form.fields else None, str(refusal))
        return self.render_to_response(self.get_context_data(form=form, button=self.button))
