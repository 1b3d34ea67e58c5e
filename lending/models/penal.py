"""What late money costs under an agreement, from a date: proposed by one person, decided by another."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking
from lending.models.agreements import Agreement
from partners.models import Institution, User


class PenalRate(models.Model):
    """The penal rate of an agreement from a date, once a second person has approved it.

    From its start an agreement has its own ``penal_rate``; after that the approved row with the latest
    effective date counts, of two of one date the later one. Decided once; never edited.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="penal_rates")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    effective_date = models.DateField()
    annual_rate = models.DecimalField(max_digits=7, decimal_places=4, help_text="Percent a year.")
    reason = models.TextField()
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_by_name = models.CharField(max_length=160)
    proposed_date = models.DateField()
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_by_name = models.CharField(max_length=160, blank=True, default="")
    decision_reason = models.TextField(blank=True, default="")
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-effective_date", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(annual_rate__gte=0), name="penal_rate_not_negative"),
            models.CheckConstraint(condition=~Q(reason=""), name="penal_rate_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="penal_rate_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True)
                | (~Q(state="proposed") & Q(decided_by__isnull=False)),
                name="penal_rate_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", booking__isnull=False)
                | (~Q(state="approved") & Q(booking__isnull=True)),
                name="penal_rate_approved_is_booked",
            ),
            models.UniqueConstraint(
                fields=["agreement"], condition=Q(state="proposed"), name="penal_rate_one_open_an_agreement"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.annual_rate} % from {self.effective_date}"
