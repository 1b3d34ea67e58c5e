"""The terms of a plan in words."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.calendar import Frequency
from calc.schedule import GraceKind, Method, Terms
from reports.builders.objects import Words
from reports.builders.shown import Count

METHODS: dict[str, Promise] = {
    Method.EQUAL_INSTALMENT: _("Equal instalments"),
    Method.EQUAL_PRINCIPAL: _("Equal principal"),
    Method.FLAT: _("Flat"),
    Method.BULLET: _("Principal at the end"),
}
FREQUENCIES: dict[str, Promise] = {
    Frequency.WEEKLY: _("every week"),
    Frequency.FORTNIGHTLY: _("every two weeks"),
    Frequency.MONTHLY: _("every month"),
    Frequency.QUARTERLY: _("every quarter"),
    Frequency.HALF_YEARLY: _("every half-year"),
    Frequency.YEARLY: _("every year"),
    Frequency.EVERY_N_DAYS: _("every so many days"),
}
GRACE: dict[str, Promise] = {
    GraceKind.INTEREST_PAID: _("interest or profit paid"),
    GraceKind.INTEREST_ADDED: _("interest or profit added at the end"),
    GraceKind.INTEREST_CAPITALISED: _("interest or profit capitalised"),
}


def term_words(terms: Terms) -> list[tuple[Words, Words]]:
    """Label and value of each term that a reader asks for."""
    method = METHODS.get(terms.method, str(terms.method))
    found: list[tuple[Words, Words]] = [
        (_("Method"), f"{method}, {FREQUENCIES[terms.frequency]}"),
        (_("Paying instalments"), Count(terms.instalments)),
        (_("Day count"), str(terms.day_count)),
    ]
    if terms.grace_periods:
        kind = GRACE.get(terms.grace_kind, str(terms.grace_kind))
        found.append((_("Grace periods"), f"{Count(terms.grace_periods)}, {kind}"))
    return found
