"""Dated limits of rescheduling and of writing off: what the circulars allow (domain.md 5.1 and 5.2)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from repayments.models.policies import DatedPolicy


class ReschedulePolicy(DatedPolicy):
    """How often, for how long and against what down payment a loan's plan may be changed.

    The band is by the amount outstanding, in taka: from ``least`` (inclusive) to ``below`` (exclusive,
    empty: no end). The lists go by the time it happens: the first for the first time, the last for every
    later one.
    """

    class AppliesToKind(models.TextChoices):
        RESCHEDULE = "reschedule", _("Rescheduling")
        RESTRUCTURE = "restructure", _("Restructuring")

    event = models.CharField(max_length=12, choices=AppliesToKind)
    least = models.DecimalField(max_digits=19, decimal_places=2, default=0)
    below = models.DecimalField(max_digits=19, decimal_places=2, null=True, blank=True)
    times = models.PositiveSmallIntegerField(help_text="How often at most.")
    special_times = models.PositiveSmallIntegerField(
        help_text="How often at most as a special case, which the reason must argue."
    )
    tenor_months = ArrayField(
        models.PositiveSmallIntegerField(), help_text="Longest term from the event, grace included, by time."
    )
    down_payment_percent = ArrayField(
        models.DecimalField(max_digits=6, decimal_places=3), help_text="Of what is outstanding, by time."
    )

    class Meta:
        ordering = ["tier", "applies_to", "from_date", "code"]
        verbose_name_plural = "reschedule policies"
        constraints = [
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="reschedule_policy_maker_is_not_checker"
            ),
            models.CheckConstraint(
                condition=Q(special_times__gte=F("times")), name="reschedule_policy_special_times_not_fewer"
            ),
        ]


class WriteOffPolicy(DatedPolicy):
    """What must be so before a loan is written off: notice, time in the worst class, provision."""

    notice_days = models.PositiveSmallIntegerField(default=0, help_text="Working days of notice.")
    months_in_bad = models.PositiveSmallIntegerField(default=0, help_text="Months in the class bad or loss.")
    is_partial_allowed = models.BooleanField(default=False)
    provision_percent = models.DecimalField(
        max_digits=6, decimal_places=3, help_text="Of what is written off, held before it is."
    )

    class Meta:
        ordering = ["tier", "applies_to", "from_date", "code"]
        verbose_name_plural = "write-off policies"
        constraints = [
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="write_off_policy_maker_is_not_checker"
            ),
        ]
