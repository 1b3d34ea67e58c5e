"""What changes a running loan: proposed with its preview, decided by a second person, booked once."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking
from lending.models import Loan, Schedule, Tier
from partners.models import Institution, User
from repayments.models.receipts import Receipt


class LoanEvent(models.Model):
    """One event on one loan, or on every loan of a scope (``LoanEventLine``), before and after its booking.

    ``parameters`` are what the maker chose, by kind (``repayments.services.events``); ``preview`` is what
    was shown then: old plan, new plan, what changes and why. ``preview_digest`` names the facts it was
    reckoned from: an event is not approved on facts that have moved since.
    """

    class Kind(models.TextChoices):
        PREPAYMENT = "prepayment", _("Part-prepayment")
        SETTLEMENT = "settlement", _("Full settlement")
        RESCHEDULE = "reschedule", _("Rescheduling")
        RESTRUCTURE = "restructure", _("Restructuring")
        MORATORIUM = "moratorium", _("Moratorium")
        RATE_CHANGE = "rate_change", _("Change of rate")
        WRITE_OFF = "write_off", _("Write-off")
        WAIVER = "waiver", _("Waiver")
        REFUND = "refund", _("Refund of an advance")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved and booked")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=9, choices=State, default=State.PROPOSED)
    tier = models.CharField(max_length=9, choices=Tier)
    institution = models.ForeignKey(
        Institution,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: loans of several institutions.",
    )
    loan = models.ForeignKey(
        Loan,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="events",
        help_text="Empty: every loan of a scope, as its lines name them.",
    )
    effective_date = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text="Last day a settlement quotation holds.")
    parameters = models.JSONField(default=dict)
    preview = models.JSONField(default=dict)
    amount_minor = models.BigIntegerField(
        default=0, help_text="What it moves, in minor units: the approver's authority is measured against it."
    )
    preview_digest = models.CharField(max_length=64, blank=True)
    reason = models.TextField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_by_name = models.CharField(
        max_length=160, default="", help_text="Kept as text: a partner does not see the foundation's users."
    )
    made_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_by_name = models.CharField(max_length=160, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["loan", "state"])]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="loan_event_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="loan_event_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "withdrawn"], decided_by__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_by__isnull=False),
                name="loan_event_decided_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(booking__isnull=False),
                name="loan_event_approved_is_booked",
            ),
            models.UniqueConstraint(
                fields=["loan"], condition=Q(state="proposed"), name="loan_event_one_open_a_loan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class LoanEventLine(models.Model):
    """What a booked event did to one loan: the plan version it made, the receipt it took. Append-only."""

    event = models.ForeignKey(LoanEvent, on_delete=models.PROTECT, related_name="lines")
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="event_lines")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    receipt = models.ForeignKey(Receipt, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField(
        default=0, help_text="Prepaid, waived, written off or refunded, in minor units."
    )

    class Meta:
        ordering = ["event_id", "loan_id"]
        constraints = [models.UniqueConstraint(fields=["event", "loan"], name="loan_event_line_once")]

    def __str__(self) -> str:
        return f"Event {self.event_id} on loan {self.loan_id}"
