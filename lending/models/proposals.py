"""What one person of the foundation proposes and another decides: ending, allotting, new programme terms."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking
from lending.models.agreements import Agreement
from lending.models.programmes import Programme
from partners.models import User


class Proposal(models.Model):
    """A change of an agreement or of a programme that counts once a second person has approved it.

    ``values`` hold what was proposed, as text by field. Partners do not see proposals.
    """

    class Kind(models.TextChoices):
        END = "end", _("End the agreement")
        ALLOTMENT = "allotment", _("Allotment")
        TERMS = "terms", _("New terms")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")

    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, related_name="proposals"
    )
    programme = models.ForeignKey(
        Programme, null=True, blank=True, on_delete=models.PROTECT, related_name="proposals"
    )
    values = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_date = models.DateField()
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_date = models.DateField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="terms", programme__isnull=False, agreement__isnull=True)
                | (~Q(kind="terms") & Q(programme__isnull=True, agreement__isnull=False)),
                name="proposal_has_its_subject",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="proposal_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True)
                | (~Q(state="proposed") & Q(decided_by__isnull=False, decided_date__isnull=False)),
                name="proposal_decided_in_full",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} proposed by {self.made_by}"
