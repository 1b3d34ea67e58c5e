"""Whose money, on which dated terms, for which clusters."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from partners.models import District


class FundSource(models.Model):
    """Money that must be kept apart: own endowment, a loan from the central bank, government, revolving."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    is_liability = models.BooleanField(
        default=False, help_text="The foundation owes this money to its source."
    )
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Programme(models.Model):
    """A phase of the wholesaling programme. Its terms are dated rows of ``ProgrammeTerms``."""

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    name_bn = models.CharField(max_length=160, blank=True)
    fund_source = models.ForeignKey(FundSource, on_delete=models.PROTECT, related_name="programmes")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["from_date", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")),
                name="programme_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ProgrammeTerms(models.Model):
    """What a programme demands of agreements and sub-loans from a date on. Append-only.

    Rates and shares are percent. A loan keeps the terms it was born under.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="terms")
    effective_date = models.DateField()
    fund_rate = models.DecimalField(
        max_digits=7, decimal_places=4, help_text="Foundation to institution, % a year."
    )
    borrower_rate_cap = models.DecimalField(max_digits=7, decimal_places=4)
    min_amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    max_amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    max_machinery_amount = MoneyField(
        max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True
    )
    collateral_free_to = MoneyField(
        max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True
    )
    tenor_months = models.PositiveSmallIntegerField(help_text="Longest sub-loan, grace included.")
    grace_months = models.PositiveSmallIntegerField(default=0)
    women_share = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    manufacturing_share = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    trading_share_max = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    up_to_10_lakh_share = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    excluded_sectors = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    confidence = models.CharField(
        max_length=1, default="K", help_text="H, M, L or K; see the programme page."
    )
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["programme_id", "effective_date", "booking_id"]
        verbose_name_plural = "programme terms"
        constraints = [
            models.CheckConstraint(
                condition=Q(fund_rate__gte=0, borrower_rate_cap__gte=F("fund_rate")),
                name="programme_terms_cap_covers_fund_rate",
            ),
            models.CheckConstraint(
                condition=Q(min_amount__gt=0, max_amount__gte=F("min_amount")),
                name="programme_terms_sizes_in_order",
            ),
            models.CheckConstraint(
                condition=Q(grace_months__lt=F("tenor_months")), name="programme_terms_grace_within_tenor"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme_id} from {self.effective_date}"


class Cluster(models.Model):
    """An SME cluster, or a clientele group that is not bound to a place."""

    class Kind(models.TextChoices):
        CLUSTER = "cluster", _("Cluster")
        CLIENTELE = "clientele", _("Clientele group")

    class Status(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmed")
        PROVISIONAL = "provisional", _("Provisional")

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    name_bn = models.CharField(max_length=160, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CLUSTER)
    sector = models.CharField(max_length=60)
    place = models.CharField(max_length=120, blank=True)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=Status, default=Status.PROVISIONAL)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.name}, {self.place}" if self.place else self.name
