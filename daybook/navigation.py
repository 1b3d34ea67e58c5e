"""The menu. Entries name pages by URL name, so that this lowest app knows no page above it.

An entry shows when its page exists and the person holds one of its roles; a section without entries is
not shown. To add a page, add an entry: nothing is registered on import.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FOUNDATION = frozenset({"officer", "approver", "finance_head", "administrator", "auditor"})
PARTNER = frozenset({"maker", "checker", "viewer"})
EVERYONE = FOUNDATION | PARTNER


@dataclass(frozen=True)
class Entry:
    """One page in the menu."""

    label: str | Promise
    url_name: str
    icon: str
    roles: frozenset[str] = EVERYONE


@dataclass(frozen=True)
class Section:
    """Pages that belong together."""

    label: str | Promise
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Shown:
    """An entry as a person sees it."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool


MENU = (
    Section(
        _("Portfolio"),
        (
            Entry(_("What waits for you"), "partners:home", "inbox"),
            Entry(_("Our position"), "reports:overview", "layout-dashboard", PARTNER),
            Entry(_("Portfolio"), "reports:portfolio", "chart-pie"),
            Entry(_("Loans"), "reports:loans", "file-dollar"),
        ),
    ),
    Section(
        _("Lending"),
        (
            Entry(_("Applications"), "lending:applications", "clipboard-list"),
            Entry(_("Tranches"), "lending:tranches", "transfer-out"),
            Entry(_("Sub-loan lists"), "lending:subloans", "list-details"),
            Entry(_("Agreements"), "lending:agreements", "file-certificate"),
            Entry(_("Quote"), "lending:quote", "calculator"),
            Entry(_("Penal rates"), "lending:penal-rates", "percentage"),
            Entry(_("Programmes"), "lending:programmes", "folders"),
            Entry(_("Clusters"), "lending:clusters", "map-pin"),
            Entry(_("Borrowers"), "lending:borrowers", "users"),
        ),
    ),
    Section(
        _("Repayments"),
        (
            Entry(_("Uploads"), "repayments:uploads", "file-upload"),
            Entry(_("Receipts"), "repayments:receipts", "receipt"),
            Entry(_("Loan events"), "repayments:events", "calendar-repeat"),
            Entry(_("Proposals"), "repayments:proposals", "checklist", FOUNDATION),
            Entry(_("Close of day"), "repayments:closes", "calendar-check", FOUNDATION),
            Entry(_("Penal check"), "repayments:penal-check", "zoom-check"),
            Entry(_("Policies"), "repayments:policies", "scale", FOUNDATION),
            Entry(_("Judgements and securities"), "repayments:rulings", "gavel", FOUNDATION),
            Entry(_("Positions as stated"), "repayments:positions", "report-analytics"),
            Entry(_("Classification returns"), "repayments:returns", "report", FOUNDATION),
        ),
    ),
    Section(
        _("Reports"),
        (
            Entry(_("Statements and runs"), "reports:runs", "file-text"),
            Entry(_("Verify a checksum"), "reports:verify", "shield-check"),
            Entry(_("Audit trail"), "daybook:trail", "eye-check", frozenset({"auditor", "administrator"})),
        ),
    ),
    Section(
        _("Set-up"),
        (
            Entry(_("Institutions and limits"), "partners:institutions", "building", FOUNDATION),
            Entry(_("People"), "partners:people", "user-cog", frozenset({"administrator"})),
            Entry(_("Holidays"), "daybook:holiday_list", "beach", FOUNDATION),
            Entry(_("Business days"), "daybook:days", "calendar-event", FOUNDATION),
            Entry(_("Bookings"), "daybook:bookings", "book-2", FOUNDATION),
        ),
    ),
)


def menu_for(roles: AbstractSet[str], *, path: str) -> list[tuple[str | Promise, list[Shown]]]:
    """The sections and entries for these roles; the longest address that begins the path is current."""
    found: list[tuple[str | Promise, list[tuple[Entry, str]]]] = []
    for section in MENU:
        entries = [
            (entry, url)
            for entry in section.entries
            if not entry.roles.isdisjoint(roles) and (url := _url(entry.url_name)) is not None
        ]
        if entries:
            found.append((section.label, entries))
    addresses = [url for _label, entries in found for _entry, url in entries if path.startswith(url)]
    current = max(addresses, key=len, default="")
    return [
        (label, [Shown(entry.label, url, entry.icon, url == current) for entry, url in entries])
        for label, entries in found
    ]


def _url(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None
