"""Dated rules of classification and provision. Code holds no threshold (data/policies.yaml)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking
from lending.models import Tier
from lending.models.borrowers import SizeTier
from partners.models import User


class DatedPolicy(models.Model):
    """What both kinds of policy share: scope, dates, source, two people. Append-only.

    For a loan the row with the most specific scope counts, then the latest ``from_date``.
    """

    class AppliesTo(models.TextChoices):
        BANK = "bank", _("Banks")
        FINANCE_COMPANY = "finance_company", _("Finance companies")
        ANY = "any", _("Any institution")

    code = models.CharField(max_length=24, unique=True)
    reference = models.CharField(max_length=120, help_text="Circular or decision.")
    tier = models.CharField(max_length=9, choices=Tier)
    applies_to = models.CharField(max_length=16, choices=AppliesTo)
    scope = ArrayField(
        models.CharField(max_length=10), default=list, blank=True, help_text="Size tiers; empty for all."
    )
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    confidence = models.CharField(max_length=1)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.code} ({self.reference})"

    @property
    def scope_names(self) -> list[str]:
        """The size tiers it is limited to, in the reader's language."""
        return [str(SizeTier(size).label) for size in self.scope]


class ClassificationPolicy(DatedPolicy):
    """Months overdue at which a loan enters each class; bounds inclusive, the lag added before comparing."""

    class Test(models.TextChoices):
        TIME = "time", _("Time since the oldest due")
        AMOUNT = "amount", _("Amount overdue")
        TIME_OR_AMOUNT = "time_or_amount", _("The worse of both")

    test = models.CharField(max_length=16, choices=Test)
    lag_months = models.PositiveSmallIntegerField(default=0)
    sma_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Empty: the policy has no SMA."
    )
    ss_months = models.PositiveSmallIntegerField()
    df_months = models.PositiveSmallIntegerField()
    bl_months = models.PositiveSmallIntegerField()
    term_years_min = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Exclusive.")
    term_years_max = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Inclusive.")

    class Meta:
        ordering = ["tier", "applies_to", "from_date", "code"]
        verbose_name_plural = "classification policies"
        constraints = [
            models.CheckConstraint(
                condition=Q(ss_months__lt=F("df_months"), df_months__lt=F("bl_months")),
                name="classification_policy_bounds_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="classification_policy_maker_is_not_checker"
            ),
        ]


class ProvisionPolicy(DatedPolicy):
    """Percent of the base for provision by class."""

    standard_percent = models.DecimalField(max_digits=6, decimal_places=3)
    sma_percent = models.DecimalField(max_digits=6, decimal_places=3)
    ss_percent = models.DecimalField(max_digits=6, decimal_places=3)
    df_percent = models.DecimalField(max_digits=6, decimal_places=3)
    bl_percent = models.DecimalField(max_digits=6, decimal_places=3)
    floor_percent = models.DecimalField(
        max_digits=6,
        decimal_places=3,
        default=0,
        help_text="Least share of the outstanding that the base of a classified loan may be; 0: none.",
    )

    class Meta:
        ordering = ["tier", "applies_to", "from_date", "code"]
        verbose_name_plural = "provision policies"
        constraints = [
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="provision_policy_maker_is_not_checker"
            ),
        ]
