"""Receipts: the list, one receipt with its working and its origin."""

from __future__ import annotations

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import Case, CharField, F, QuerySet, Value, When
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from djmoney.money import Money

from calc.money import from_minor
from daybook.formats import language
from daybook.lists import DayFilter, ListPage, SearchFilter
from daybook.pages import Page, Text
from daybook.selectors import open_business_date
from daybook.tables import BadgeColumn, DayColumn, LinkColumn, MinorColumn, NamedColumn, PaikarTable
from lending.models import Tier
from partners.access import EVERYONE, Role
from partners.models import Institution
from repayments.builders.settlement import COMPONENT_LABELS, Settlement, settlement_of
from repayments.models import Allocation, Receipt, UploadRow
from repayments.parsing.fields import FIELDS

PROPOSERS = (Role.OFFICER, Role.FINANCE_HEAD)

STATES = {"posted": _("Standing"), "reversed": _("Reversed"), "reversal": _("Reversal")}
TIERS = {Tier.WHOLESALE.value: _("Wholesale"), Tier.SUBLOAN.value: _("Sub-loan")}
CHANNELS = {
    Receipt.Channel.UPLOAD.value: _("Institution's file"),
    Receipt.Channel.SCREEN.value: _("Foundation"),
    Receipt.Channel.IMPORT.value: _("Portfolio import"),
}


def with_state(receipts: QuerySet[Receipt]) -> QuerySet[Any]:
    """Each receipt's state: posted (it stands), reversed, or itself the reversal of another."""
    return receipts.annotate(
        state=Case(
            When(mirror_of__isnull=False, then=Value("reversal")),
            When(mirror__isnull=False, then=Value("reversed")),
            default=Value("posted"),
            output_field=CharField(),
        )
    )


class ReceiptTable(PaikarTable):
    """Receipts, newest value date first. Amounts of the two tiers are never added, so there is no foot."""

    row_link = staticmethod(lambda record: reverse("repayments:receipt", args=[record.pk]))

    value_date = DayColumn(verbose_name=_("Value date"))
    reference = LinkColumn("repayments:receipt", accessor="external_reference", verbose_name=_("Reference"))
    institution = NamedColumn(accessor="institution", verbose_name=_("Institution"))
    tier = BadgeColumn(labels=TIERS, verbose_name=_("Tier"))
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan"), attrs={"td": {"class": "code"}})
    amount = MinorColumn(accessor="amount_minor", verbose_name=_("Amount"))
    currency = tables.Column(accessor="loan__currency", verbose_name=_("Currency"))
    state = BadgeColumn(labels=STATES, verbose_name=_("State"))
    booked = DayColumn(accessor="booking__business_date", verbose_name=_("Booked on"))
    booking = tables.Column(accessor="booking__number", verbose_name=_("Booking"))

    class Meta(PaikarTable.Meta):
        model = Receipt
        fields = (
            "value_date",
            "reference",
            "amount",
            "currency",
            "state",
            "tier",
            "loan",
            "institution",
            "booked",
            "booking",
        )


class ReceiptFilter(django_filters.FilterSet):
    """Find receipts by what they are, when they count and how they came."""

    search = SearchFilter(columns=["external_reference", "loan__number"])
    institution = django_filters.ModelChoiceFilter(
        queryset=Institution.objects.all(), label=_("Institution"), empty_label=_("All")
    )
    tier = django_filters.ChoiceFilter(choices=list(TIERS.items()), label=_("Tier"), empty_label=_("Both"))
    state = django_filters.ChoiceFilter(choices=list(STATES.items()), label=_("State"), empty_label=_("All"))
    channel = django_filters.ChoiceFilter(
        choices=list(CHANNELS.items()), label=_("Came by"), empty_label=_("All")
    )
    from_date = DayFilter("value_date", "gte", label=_("Value date from"))
    to_date = DayFilter("value_date", "lte", label=_("Value date to"))
    booking = django_filters.NumberFilter("booking__number", label=_("Booking"))
    upload = django_filters.NumberFilter("upload_row__upload", label=_("Upload"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.request is not None and self.request.context.is_partner:
            del self.filters["institution"]


class ReceiptList(ListPage):
    """Every receipt the person may see; a partner sees its own institution's."""

    required_roles = EVERYONE
    title = _("Receipts")
    subtitle = _("Money received on loans of both tiers. A receipt is never changed: it is reversed.")
    template_name = "repayments/receipts/list.html"
    table_class = ReceiptTable
    filterset_class = ReceiptFilter
    empty_text = _(
        "No receipt is posted yet. Institutions upload repayments; the foundation enters wholesale money."
    )

    def get_rows(self) -> QuerySet[Any]:
        return with_state(
            Receipt.objects.select_related("institution", "loan", "booking").order_by("-value_date", "-pk")
        )

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"exclude": ("institution",)} if self.request.context.is_partner else {}  # type: ignore[attr-defined]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = self.request.context  # type: ignore[attr-defined]
        return super().get_context_data(**{"may_propose": context.may(*PROPOSERS)} | kwargs)


class ReceiptPage(Page, TemplateView):
    """One receipt: what it settles and how that comes about, and which cell of which file it came from."""

    required_roles = EVERYONE
    template_name = "repayments/receipts/receipt.html"

    def get_title(self) -> Text:
        return _("Receipt %(reference)s") % {"reference": self.receipt.external_reference}

    def get_crumbs(self) -> list[tuple[Text, str]]:
        return [(_("Receipts"), reverse("repayments:receipts"))]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.receipt = get_object_or_404(
            with_state(Receipt.objects.select_related("institution", "loan", "booking", "mirror_of")),
            pk=self.kwargs["pk"],
        )
        receipt, currency = self.receipt, self.receipt.loan.currency
        context = self.request.context  # type: ignore[attr-defined]
        row = (
            UploadRow.objects.select_related("upload").filter(pk=receipt.upload_row_id).first()
            if receipt.upload_row_id
            else None
        )
        return super().get_context_data(
            **{
                "receipt": receipt,
                "state": receipt.state,
                "state_label": STATES[receipt.state],
                "tier_label": TIERS[receipt.tier],
                "channel_label": CHANNELS[receipt.channel],
                "amount": Money(from_minor(receipt.amount_minor), currency),
                "is_early": receipt.value_date < receipt.loan.disbursed_date,
                "mirror": Receipt.objects.select_related("booking").filter(mirror_of=receipt).first(),
                "settlement": settled_by(receipt),
                "reported": _reported(receipt),
                "history": _history(receipt),
                "row": row,
                "cells": _cells(row) if row else [],
                "may_reverse": receipt.state == "posted" and context.may(*PROPOSERS),
                "open_proposal": receipt.proposals.filter(state="proposed").first()
                if context.is_foundation
                else None,
            }
            | kwargs
        )


def settled_by(receipt: Receipt) -> Settlement:
    """What a receipt settles as of the open business date."""
    return settlement_of(
        loan_id=receipt.loan_id,
        receipt_id=receipt.pk,
        value_date=receipt.value_date,
        as_of=open_business_date(),
    )


def _reported(receipt: Receipt) -> list[tuple[Any, int]]:
    """The institution's own split of the receipt, where it gave one."""
    parts = (
        (COMPONENT_LABELS[4], receipt.reported_principal_minor),
        (COMPONENT_LABELS[3], receipt.reported_interest_minor),
        (COMPONENT_LABELS[1], receipt.reported_charge_minor),
    )
    return [(label, amount) for label, amount in parts if amount is not None]


def _history(receipt: Receipt) -> list[dict[str, Any]]:
    """Rows that no longer hold, with the bookings that wrote them and took them back, oldest first."""
    rows = (
        Allocation.objects.filter(receipt=receipt, mirror_of=None, mirror__isnull=False)
        .annotate(
            written=F("booking__number"),
            written_on=F("booking__business_date"),
            taken_back=F("mirror__booking__number"),
            taken_back_on=F("mirror__booking__business_date"),
        )
        .order_by("mirror__booking_id", "value_date", "pk")
    )
    return [
        {
            "value_date": row.value_date,
            "instalment": row.instalment,
            "component": COMPONENT_LABELS.get(row.component, _("Advance")),
            "amount_minor": row.amount_minor,
            "written": row.written,
            "written_on": row.written_on,
            "taken_back": row.taken_back,
            "taken_back_on": row.taken_back_on,
        }
        for row in rows
    ]


def _cells(row: UploadRow) -> list[dict[str, str]]:
    """The cells of the row as they came, with the heading each stood under and what it was read as."""
    names = {
        field.name: field.heading_bn if language() == "bn" else field.heading
        for field in FIELDS[row.upload.kind]
    }
    read_as = {place[0]: (names.get(name, name), place[1]) for name, place in row.upload.columns.items()}
    return [
        {
            "letter": letter,
            "text": text,
            "heading": read_as.get(letter, ("", ""))[1],
            "field": read_as.get(letter, ("", ""))[0],
        }
        for letter, text in sorted(row.cells.items(), key=lambda cell: (len(cell[0]), cell[0]))
    ]


urls = [
    path("receipts/", ReceiptList.as_view(), name="receipts"),
    path("receipts/<int:pk>/", ReceiptPage.as_view(), name="receipt"),
]
