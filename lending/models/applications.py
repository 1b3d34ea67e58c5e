"""From a request to money sent: applications, decisions, facilities, tranches."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from lending.models.agreements import Agreement, Allotment
from lending.models.borrowers import Activity, Gender, SizeTier
from lending.models.programmes import Cluster, FundSource
from partners.models import District, Institution, User


class Application(models.Model):
    """An institution's request for one cluster under an allotment, with its list of intended borrowers."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SUBMITTED = "submitted", _("Submitted")
        APPRAISED = "appraised", _("Appraised")
        RETURNED = "returned", _("Returned for correction")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    number = models.CharField(max_length=40, unique=True)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="applications")
    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="applications")
    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="applications")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    recommended_amount = MoneyField(
        max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True
    )
    purpose = models.TextField()
    applied_date = models.DateField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    appraised_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-applied_date", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_amount_positive"),
            models.CheckConstraint(
                condition=Q(recommended_amount__isnull=True) | Q(recommended_amount__lte=F("amount")),
                name="application_recommended_within_asked",
            ),
            models.CheckConstraint(
                condition=Q(submitted_by__isnull=True) | ~Q(submitted_by=F("made_by")),
                name="application_maker_is_not_submitter",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (
                    ~Q(decided_by=F("made_by"))
                    & (Q(appraised_by__isnull=True) | ~Q(decided_by=F("appraised_by")))
                ),
                name="application_maker_is_not_decider",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class ApplicationLine(models.Model):
    """One intended borrower of an application, as read from the bank's list."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="lines")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    row_number = models.PositiveIntegerField(help_text="Row of the uploaded sheet, as the bank sees it.")
    person_name = models.CharField(max_length=160)
    nid = models.CharField(max_length=17, blank=True)
    gender = models.CharField(max_length=8, choices=Gender)
    phone = models.CharField(max_length=11, blank=True)
    enterprise_name = models.CharField(max_length=160)
    size_tier = models.CharField(max_length=10, choices=SizeTier)
    activity = models.CharField(max_length=14, choices=Activity)
    sector = models.CharField(max_length=60, blank=True)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    is_machinery = models.BooleanField(default=False)
    warnings = ArrayField(models.CharField(max_length=300), default=list, blank=True)

    class Meta:
        ordering = ["application_id", "row_number"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_line_amount_positive"),
            models.UniqueConstraint(fields=["application", "row_number"], name="application_line_row_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person_name}, {self.enterprise_name}"


class Facility(models.Model):
    """What was sanctioned on an application."""

    number = models.CharField(max_length=40, unique=True)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="facility")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="facilities")
    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="facilities")
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    sanctioned_date = models.DateField()
    expires_date = models.DateField()

    class Meta:
        ordering = ["-sanctioned_date", "number"]
        verbose_name_plural = "facilities"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="facility_amount_positive"),
            models.CheckConstraint(
                condition=Q(sanctioned_date__lte=F("expires_date")), name="facility_dates_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Tranche(models.Model):
    """A drawdown under a facility: requested, cleared, approved, disbursed, each by its own person."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        CLEARED = "cleared", _("Cleared")
        APPROVED = "approved", _("Approved")
        DISBURSED = "disbursed", _("Disbursed")
        CANCELLED = "cancelled", _("Cancelled")

    number = models.CharField(max_length=40, unique=True)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="tranches")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="tranches")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="tranches")
    state = models.CharField(max_length=10, choices=State, default=State.REQUESTED)
    requested_amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    approved_amount = MoneyField(
        max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True
    )
    requested_date = models.DateField()
    value_date = models.DateField(null=True, blank=True, help_text="When the money counts as sent.")
    first_due_date = models.DateField(
        null=True, blank=True, help_text="First due date, where the first period is long or short."
    )
    instalment_amounts = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="Principal of each instalment of an irregular plan, in minor units.",
    )
    into_loan = models.ForeignKey(
        "lending.Loan",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="further_tranches",
        help_text="The running loan that this money is added to; empty: it opens a loan of its own.",
    )
    bank_reference = models.CharField(max_length=80, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    cleared_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    disbursed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-requested_date", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(requested_amount__gt=0), name="tranche_amount_positive"),
            models.CheckConstraint(
                condition=Q(approved_amount__isnull=True)
                | Q(approved_amount__gt=0, approved_amount__lte=F("requested_amount")),
                name="tranche_approved_within_requested",
            ),
            models.CheckConstraint(
                condition=(Q(cleared_by__isnull=True) | ~Q(cleared_by=F("requested_by")))
                & (
                    Q(approved_by__isnull=True)
                    | (~Q(approved_by=F("requested_by")) & ~Q(approved_by=F("cleared_by")))
                )
                & (
                    Q(disbursed_by__isnull=True)
                    | (~Q(disbursed_by=F("requested_by")) & ~Q(disbursed_by=F("approved_by")))
                ),
                name="tranche_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(disbursed_by__isnull=True)
                | Q(cleared_by__isnull=True)
                | ~Q(disbursed_by=F("cleared_by")),
                name="tranche_clearer_does_not_disburse",
            ),
            models.CheckConstraint(
                condition=~Q(state="disbursed")
                | Q(
                    approved_amount__isnull=False,
                    approved_by__isnull=False,
                    disbursed_by__isnull=False,
                    value_date__isnull=False,
                    booking__isnull=False,
                ),
                name="tranche_disbursed_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return self.number


class TrancheLine(models.Model):
    """A tranche split by allotment and fund."""

    tranche = models.ForeignKey(Tranche, on_delete=models.PROTECT, related_name="lines")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    allotment = models.ForeignKey(Allotment, on_delete=models.PROTECT, related_name="tranche_lines")
    fund_source = models.ForeignKey(FundSource, on_delete=models.PROTECT, related_name="+")
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")

    class Meta:
        ordering = ["tranche_id", "id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="tranche_line_amount_positive")]

    def __str__(self) -> str:
        return f"{self.tranche_id}: {self.amount}"


class Decision(models.Model):
    """One step taken by one person on an agreement, an application or a tranche. Append-only.

    ``by_name`` is kept because a partner may read the decision but not the foundation's list of people.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        APPROVED = "approved", _("Approved")
        RETURNED = "returned", _("Returned")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    application = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    tranche = models.ForeignKey(
        Tranche, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    step = models.CharField(
        max_length=20, help_text="draft, submit, appraise, decide, request, clear, approve, disburse, …"
    )
    outcome = models.CharField(max_length=10, choices=Outcome)
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT", null=True, blank=True)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=160)
    business_date = models.DateField()
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(agreement__isnull=False, application__isnull=True, tranche__isnull=True)
                | Q(agreement__isnull=True, application__isnull=False, tranche__isnull=True)
                | Q(agreement__isnull=True, application__isnull=True, tranche__isnull=False),
                name="decision_has_one_subject",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.outcome} by {self.by_name}"
