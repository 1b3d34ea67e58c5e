"""The panel of the home page that says what of lending waits for this person."""

from __future__ import annotations

from typing import Any

from django.urls import path, reverse
from django.views.generic import TemplateView

from daybook.pages import Page
from lending.selectors.worklists import WORKLISTS, waiting
from partners.access import EVERYONE


class Waiting(Page, TemplateView):
    """Counts that lead to the filtered list."""

    required_roles = EVERYONE
    template_name = "lending/_waiting.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context, user = self.request.context, self.request.user  # type: ignore[attr-defined]
        counts = waiting(context.roles, user.pk or 0)
        return super().get_context_data(
            waiting=[
                {
                    "label": WORKLISTS[worklist],
                    "count": count,
                    "url": f"{reverse('lending:' + worklist.rpartition('-')[0])}?waiting={worklist}",
                }
                for worklist, count in counts.items()
            ],
            **kwargs,
        )


urls = [path("waiting/", Waiting.as_view(), name="waiting")]
