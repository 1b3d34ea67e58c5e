"""What was signed with an institution: agreements with their terms, and how their limit is divided."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from lending.models.programmes import Cluster, FundSource, Programme
from partners.models import Institution, User


class Agreement(models.Model):
    """Institution and programme: a limit, its dates, and the terms every tranche under it takes.

    The term choices are the values of the calc package (``calc.schedule``, ``calc.daycount``,
    ``calc.calendar``); rates are percent a year. An agreement counts once a second person
    has approved it.
    """

    class ContractMode(models.TextChoices):
        INTEREST = "interest", _("Interest")
        MURABAHA = "murabaha", _("Murabaha")
        IJARA = "ijara", _("Ijara")
        MUDARABA = "mudaraba", _("Mudaraba")
        MUSHARAKA = "musharaka", _("Musharaka")

    class InterestBasis(models.TextChoices):
        SCHEDULED = "scheduled", _("As planned")
        DAILY_PRODUCT = "daily_product", _("Daily product")

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    number = models.CharField(max_length=40, unique=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="agreements")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="agreements")
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    signed_date = models.DateField()
    from_date = models.DateField()
    to_date = models.DateField(help_text="Last day on which money may be drawn.")
    limit = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    is_revolving = models.BooleanField(default=False)
    contract_mode = models.CharField(max_length=10, choices=ContractMode, default=ContractMode.INTEREST)
    annual_rate = models.DecimalField(max_digits=7, decimal_places=4)
    method = models.CharField(max_length=24, default="equal_principal")
    frequency = models.CharField(max_length=16, default="quarterly")
    instalment_count = models.PositiveSmallIntegerField(help_text="Paying instalments, grace not counted.")
    grace_months = models.PositiveSmallIntegerField(default=0)
    grace_kind = models.CharField(max_length=24, default="none")
    day_count = models.CharField(max_length=12, default="ACT/360")
    due_day = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Fixed day of the month, 1–31."
    )
    roll_rule = models.CharField(max_length=20, default="following")
    every_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days between due dates, where the frequency is in days."
    )
    interest_basis = models.CharField(
        max_length=16,
        choices=InterestBasis,
        default=InterestBasis.SCHEDULED,
        help_text="Interest as planned, or raised at each due date on what was outstanding each day.",
    )
    interest_to = models.CharField(max_length=8, default="nominal")
    instalment_quantum_minor = models.PositiveIntegerField(
        default=1, help_text="Instalments are rounded to so many poisha: 1, 100, 500 or 1,000."
    )
    instalment_rounding = models.CharField(max_length=9, default="half_up")
    interest_quantum_minor = models.PositiveIntegerField(
        default=1, db_default=1, help_text="Interest is rounded to so many poisha: 1, 100, 500 or 1,000."
    )
    interest_rounding = models.CharField(max_length=9, default="half_up", db_default="half_up")
    interest_grace_months = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="First months to which the kind of grace applies, where that is not all of the grace.",
    )
    residue = models.CharField(max_length=5, default="last")
    step_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    step_every = models.PositiveSmallIntegerField(default=0)
    early_fee_percent = models.DecimalField(
        max_digits=7, decimal_places=4, default=0, help_text="Of the principal settled early."
    )
    allocation_order = models.CharField(max_length=24, default="oldest_first")
    allocation_grid = ArrayField(
        models.CharField(max_length=24),
        default=list,
        blank=True,
        help_text="Where the order is a grid: timing and component, first to last (past_due.penal, …).",
    )
    penal_rate = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    relend_until = models.DateField(
        null=True, blank=True, help_text="Collected principal may be lent again until."
    )
    ended_date = models.DateField(null=True, blank=True, help_text="No money may be drawn from this day on.")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-from_date", "number"]
        constraints = [
            models.CheckConstraint(condition=Q(limit__gt=0), name="agreement_limit_positive"),
            models.CheckConstraint(
                condition=Q(from_date__lte=F("to_date"), signed_date__lte=F("from_date")),
                name="agreement_dates_in_order",
            ),
            models.CheckConstraint(
                condition=Q(annual_rate__gte=0, penal_rate__gte=0), name="agreement_rates_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("made_by")),
                name="agreement_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(approved_by__isnull=False, booking__isnull=False),
                name="agreement_active_is_approved",
            ),
            models.CheckConstraint(condition=Q(instalment_count__gt=0), name="agreement_has_instalments"),
            models.CheckConstraint(
                condition=Q(instalment_quantum_minor__gt=0, early_fee_percent__gte=0, step_percent__gte=0),
                name="agreement_terms_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(interest_quantum_minor__gt=0), name="agreement_interest_quantum_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_date__isnull=False)
                | (~Q(state="ended") & Q(ended_date__isnull=True)),
                name="agreement_ended_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Allotment(models.Model):
    """Part of an agreement's limit by fund source, cluster (empty: any) and period."""

    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="allotments")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    fund_source = models.ForeignKey(FundSource, on_delete=models.PROTECT, related_name="+")
    cluster = models.ForeignKey(
        Cluster, null=True, blank=True, on_delete=models.PROTECT, related_name="allotments"
    )
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    from_date = models.DateField()
    to_date = models.DateField()
    made_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["agreement_id", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="allotment_amount_positive"),
            models.CheckConstraint(
                condition=Q(made_by__isnull=True, approved_by__isnull=True)
                | (Q(made_by__isnull=False, approved_by__isnull=False) & ~Q(made_by=F("approved_by"))),
                name="allotment_maker_is_not_checker",
            ),
            models.CheckConstraint(condition=Q(from_date__lte=F("to_date")), name="allotment_dates_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster or 'Any cluster'}: {self.amount}"
