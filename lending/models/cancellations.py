"""Giving up what a facility has not paid out: asked for by one person, decided by another."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from lending.models.applications import Facility
from partners.models import Institution, User


class FacilityCancellation(models.Model):
    """An undisbursed part of a facility that will not be drawn any more, once a second person agrees.

    An approved amount lessens the room of the facility and gives it back to the allotment. Whatever was
    decided stays as it is.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="cancellations")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    state = models.CharField(max_length=9, choices=State, default=State.PROPOSED)
    reason = models.TextField()
    proposed_date = models.DateField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_by_name = models.CharField(max_length=160)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_by_name = models.CharField(max_length=160, blank=True)
    decision_reason = models.TextField(blank=True)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="facility_cancellation_amount_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="facility_cancellation_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="facility_cancellation_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_by__isnull=False),
                name="facility_cancellation_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(booking__isnull=False),
                name="facility_cancellation_approved_is_booked",
            ),
            models.UniqueConstraint(
                fields=["facility"],
                condition=Q(state="proposed"),
                name="facility_cancellation_one_open_a_facility",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.facility_id}"
