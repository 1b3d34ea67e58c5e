"""The quarter-end return: the classes as reported, drafted by one person, locked by another, for ever."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking, LeasedWork
from lending.models import Tier
from partners.models import Institution, User


class ClassificationReturn(LeasedWork):
    """Classes, suspense, base and provision of one tier at a quarter's end, fixed by its three coordinates.

    They are ``as_of``, ``last_booking_id`` (what was known) and the policies in force then and known then
    (``policies``: their codes by id). The return is *reported* from the booking of its lock on: suspense of
    later days follows its classes. ``work`` and the lease belong to the drafting of its lines.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft, waiting for a second person")
        LOCKED = "locked", _("Locked")
        DISCARDED = "discarded", _("Discarded")

    tier = models.CharField(max_length=9, choices=Tier)
    institution = models.ForeignKey(
        Institution,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: every institution.",
    )
    as_of = models.DateField()
    known_by = models.DateField(help_text="Business date whose knowledge it is drafted from.")
    last_booking_id = models.BigIntegerField()
    policies = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    loan_count = models.PositiveIntegerField(default=0)
    provision_minor = models.BigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its lines.")
    reason = models.TextField(blank=True, help_text="Remarks of whoever drafted it.")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    booking = models.ForeignKey(
        Booking,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of the lock: what is known from then on.",
    )

    class Meta(LeasedWork.Meta):
        ordering = ["-as_of", "tier", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_count__lte=F("total_count")), name="classification_return_progress"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")) | Q(state="discarded"),
                name="classification_return_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", decided_by__isnull=True, booking__isnull=True)
                | Q(state="discarded", decided_by__isnull=False, booking__isnull=True)
                | (
                    Q(state="locked", decided_by__isnull=False, booking__isnull=False, work="done")
                    & ~Q(checksum="")
                ),
                name="classification_return_locked_in_full",
            ),
            models.UniqueConstraint(
                fields=["tier", "institution", "as_of"],
                condition=~Q(state="discarded"),
                nulls_distinct=False,
                name="classification_return_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Return of {self.as_of:%-d %b %Y}, {self.get_tier_display()}"


class ReturnLine(models.Model):
    """One loan in a return. Minor units. Written by COPY while the return is a draft, then never changed."""

    pk = models.CompositePrimaryKey("classification_return_id", "loan_id")
    classification_return = models.ForeignKey(
        ClassificationReturn,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,
        db_constraint=False,  # SQL keeps it
    )
    loan_id = models.BigIntegerField()
    institution_id = models.BigIntegerField()
    programme_id = models.BigIntegerField()
    size_tier = models.SmallIntegerField(help_text="calc.classification.SizeTier")
    currency = models.CharField(max_length=3)
    loan_class = models.SmallIntegerField(help_text="calc.classification.LoanClass; -1: no policy.")
    objective_class = models.SmallIntegerField(help_text="By the figures alone.")
    class_basis = models.SmallIntegerField(help_text="calc.classification.Basis")
    is_carried = models.BooleanField(default=False, help_text="Its facts contradict each other.")
    days_past_due = models.IntegerField()
    months_overdue = models.IntegerField()
    outstanding_minor = models.BigIntegerField()
    interest_due_minor = models.BigIntegerField()
    overdue_minor = models.BigIntegerField()
    suspense_minor = models.BigIntegerField()
    security_minor = models.BigIntegerField()
    base_minor = models.BigIntegerField()
    provision_minor = models.BigIntegerField()
    classification_policy_id = models.BigIntegerField()
    provision_policy_id = models.BigIntegerField()

    class Meta:
        ordering = ["classification_return_id", "loan_id"]

    def __str__(self) -> str:
        return f"Loan {self.loan_id} in return {self.classification_return_id}"
