"""Dated limits of what may be charged beside interest: penal interest, a fee for settling early."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from repayments.models.policies import DatedPolicy


class ChargePolicy(DatedPolicy):
    """The most that may be charged: percent a year of the overdue instalment, or of what is settled early."""

    class Kind(models.TextChoices):
        PENAL_CAP = "penal_cap", _("Penal interest, at most")
        EARLY_FEE = "early_fee", _("Fee for settling early, at most")

    kind = models.CharField(max_length=9, choices=Kind)
    percent = models.DecimalField(max_digits=6, decimal_places=3)

    class Meta:
        ordering = ["kind", "tier", "applies_to", "from_date", "code"]
        verbose_name_plural = "charge policies"
        constraints = [
            models.CheckConstraint(condition=Q(percent__gte=0), name="charge_policy_not_negative"),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("approved_by")), name="charge_policy_maker_is_not_checker"
            ),
        ]
