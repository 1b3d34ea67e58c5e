"""What one booking wrote: how many rows of what, what it settled, and the receipts and loans by name."""

from __future__ import annotations

from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daybook.models import AuditEntry, Booking
from lending.models import Due, Loan
from repayments.models import Receipt

NAMES: dict[str, Promise] = {
    "daybook.holiday": _("Holidays"),
    "lending.agreement": _("Agreements"),
    "lending.due": _("Dues"),
    "lending.funding": _("Fundings"),
    "lending.loan": _("Loans"),
    "lending.loanidentifier": _("Account numbers"),
    "lending.loanprofile": _("Profiles of borrowers"),
    "lending.schedule": _("Versions of the plan"),
    "lending.tranche": _("Tranches"),
    "repayments.allocation": _("Settlements"),
    "repayments.classificationreturn": _("Returns of classes"),
    "repayments.loanevent": _("Loan events"),
    "repayments.receipt": _("Receipts"),
    "repayments.receiptproposal": _("Proposals"),
    "repayments.reportedposition": _("Stated positions"),
    "repayments.upload": _("Uploads"),
}
OTHER = _("Other records")


@dataclass(frozen=True, slots=True)
class Settled:
    """What a booking settled of one component in one tier; minor units, mirrors taken off."""

    tier: str
    currency: str
    component: int
    amount_minor: int
    rows: int


def rows_written(booking: Booking, *, guarded_only: bool) -> list[tuple[str | Promise, int]]:
    """How many rows of each kind carry the booking. A partner's session reads guarded tables only."""
    found: dict[str | Promise, int] = {}
    for model in apps.get_models():
        columns = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, ForeignKey) and field.related_model is Booking
        ]
        if not columns or model is AuditEntry or (guarded_only and not _is_guarded(model)):
            continue
        count = QuerySet(model).filter(**{columns[0]: booking}).count()
        if count:
            name = NAMES.get(model._meta.label_lower, OTHER)
            found[name] = found.get(name, 0) + count
    return list(found.items())


def _is_guarded(model: type[Model]) -> bool:
    return any(field.attname == "institution_id" for field in model._meta.concrete_fields)


def settled_by(booking: Booking) -> list[Settled]:
    """Its settlements by tier and component; no line adds the two tiers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.tier, l.currency, a.component, sum(a.amount_minor)::bigint, count(*)"
            " FROM repayments_allocation a JOIN lending_loan l ON l.id = a.loan_id"
            " WHERE a.booking_id = %s GROUP BY 1, 2, 3 ORDER BY l.tier DESC, l.currency, a.component",
            [booking.pk],
        )
        return [Settled(*row) for row in cursor.fetchall()]


def receipts_of(booking: Booking, *, at_most: int) -> list[Receipt]:
    """Its first receipts."""
    return list(Receipt.objects.filter(booking=booking).select_related("loan").order_by("pk")[:at_most])


def dues_of(booking: Booking, *, at_most: int) -> list[Due]:
    """The first dues it wrote or took back, loan by loan."""
    dues = Due.objects.filter(booking=booking).select_related("loan__agreement")
    return list(dues.order_by("loan_id", "late_date", "instalment", "component", "pk")[:at_most])


def loans_of(booking: Booking, *, at_most: int) -> list[Loan]:
    """The first loans it opened."""
    return list(Loan.objects.filter(booking=booking).order_by("pk")[:at_most])
