"""What an institution itself states for a sub-loan. It changes no figure of ours: the difference is work."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from daybook.models import Booking
from lending.models import Loan
from partners.models import Institution
from repayments.models.judgements import LoanClassName
from repayments.models.uploads import UploadRow


class ReportedPosition(models.Model):
    """Outstanding, overdue and class of a sub-loan as its institution states them for a date.

    Append-only; of two for the same date the later booking counts. Minor units of the loan's currency.
    """

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="reported_positions")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    as_of = models.DateField()
    outstanding_minor = models.BigIntegerField()
    overdue_minor = models.BigIntegerField(null=True, blank=True)
    declared_class = models.SmallIntegerField(null=True, blank=True, choices=LoanClassName)
    upload_row = models.OneToOneField(UploadRow, on_delete=models.PROTECT, related_name="reported_position")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "as_of", "booking_id"]
        indexes = [models.Index(fields=["institution", "as_of"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(outstanding_minor__gte=0)
                & (Q(overdue_minor__isnull=True) | Q(overdue_minor__gte=0)),
                name="reported_position_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(declared_class__isnull=True) | Q(declared_class__gte=0, declared_class__lte=4),
                name="reported_position_class_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Loan {self.loan_id} as stated for {self.as_of}"
