"""The close of day: a run, its slices, its control totals, and every loan's standing that evening."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from daybook.models import LeasedWork
from daybook.services import CLOSE_OF_DAY
from lending.models import Tier
from partners.models import Institution, User


class DayRun(models.Model):
    """One close of one business date (attempt 1), or a later repair of it. The books as of then are fixed by
    ``last_booking_id``: nothing posted meanwhile changes the run."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        CLOSED = "closed", _("Closed")
        EXCEPTIONS = "exceptions", _("Closed with exceptions")
        FAILED = "failed", _("Failed")

    class Kept(models.TextChoices):
        DAILY = "daily", _("Every loan")
        MONTH_END = "month_end", _("Every loan, as a month end")
        DROPPED = "dropped", _("None; the day is computed again when asked for")

    business_date = models.DateField()
    attempt = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    last_booking_id = models.BigIntegerField()
    slice_count = models.PositiveIntegerField(default=0)
    loan_count = models.PositiveIntegerField(default=0)
    computed_count = models.PositiveIntegerField(default=0)
    carried_count = models.PositiveIntegerField(default=0)
    without_policy_count = models.PositiveIntegerField(
        default=0, help_text="Loans computed, but with no policy for their class or provision."
    )
    started_by = models.CharField(max_length=160)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    signed_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who took note of the exceptions.",
    )
    signed_at = models.DateTimeField(null=True, blank=True)
    signed_reason = models.TextField(blank=True)
    checksum = models.CharField(
        max_length=72,
        blank=True,
        help_text="Fingerprint of every loan's figures, as the close computed them.",
    )

    kept = models.CharField(
        max_length=9,
        choices=Kept,
        default=Kept.DAILY,
        db_default=Kept.DAILY,
        help_text="Which snapshots of the day are still there (retain_snapshots).",
    )

    class Meta:
        ordering = ["-business_date", "-attempt"]
        constraints = [
            models.UniqueConstraint(fields=["business_date", "attempt"], name="day_run_attempt_once"),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="day_run_only_one_running"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["closed", "exceptions"])
                | Q(loan_count=F("computed_count") + F("carried_count"), finished_at__isnull=False),
                name="day_run_every_loan_accounted",
            ),
            models.CheckConstraint(
                condition=Q(signed_by__isnull=True, signed_at__isnull=True)
                | (
                    Q(state="exceptions", signed_by__isnull=False, signed_at__isnull=False)
                    & ~Q(signed_reason="")
                ),
                name="day_run_signed_in_full",
            ),
        ]

    def __str__(self) -> str:
        return f"Close of {self.business_date:%-d %b %Y}"

    @property
    def starter(self) -> str:
        """Who started it: a person's name, or the nightly close in the reader's language."""
        return gettext("Close of day") if self.started_by == CLOSE_OF_DAY.name else self.started_by


class CloseRequest(models.Model):
    """A person asked for the close of a date. The row waits until a worker has begun it or been refused.

    A message could be lost with the broker; a row is not.
    """

    business_date = models.DateField()
    asked_by = models.CharField(max_length=160)
    asked_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True, help_text="Why the date was not closed; empty when it was.")

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_date"], condition=Q(answered_at__isnull=True), name="close_asked_for_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Close of {self.business_date:%-d %b %Y}, asked for by {self.asked_by}"


class DayRunSlice(LeasedWork):
    """A range of loan ids of one run. Computed and written in one transaction; harmless to repeat."""

    run = models.ForeignKey(DayRun, on_delete=models.CASCADE, related_name="slices")
    number = models.PositiveIntegerField()
    first_loan_id = models.BigIntegerField()
    last_loan_id = models.BigIntegerField()
    loan_count = models.PositiveIntegerField()
    computed_count = models.PositiveIntegerField(default=0)
    carried_count = models.PositiveIntegerField(default=0)
    without_policy_count = models.PositiveIntegerField(default=0)
    checksum = models.BinaryField(
        default=b"", help_text="Sum of the loans' digests; slices add up to the run's however they are cut."
    )

    class Meta(LeasedWork.Meta):
        ordering = ["run_id", "number"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="day_run_slice_once"),
            models.CheckConstraint(
                condition=Q(first_loan_id__lte=F("last_loan_id")), name="day_run_slice_range"
            ),
        ]

    def __str__(self) -> str:
        return f"Slice {self.number} of run {self.run_id}"


class ControlTotal(models.Model):
    """Opening + flows = closing, per tier, institution, currency and component, for one run. Minor units.

    The close refuses to finish when a row does not balance.
    """

    run = models.ForeignKey(DayRun, on_delete=models.CASCADE, related_name="control_totals")
    tier = models.CharField(max_length=9, choices=Tier)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    component = models.SmallIntegerField()
    opening_minor = models.BigIntegerField()
    disbursed_minor = models.BigIntegerField(default=0)
    raised_minor = models.BigIntegerField(default=0)
    capitalised_minor = models.BigIntegerField(default=0)
    settled_minor = models.BigIntegerField(default=0)
    reduced_minor = models.BigIntegerField(default=0)
    written_off_minor = models.BigIntegerField(default=0)
    closing_minor = models.BigIntegerField()
    earlier_periods_minor = models.BigIntegerField(
        default=0, help_text="Of the flows above, what carries a value date before the period."
    )

    class Meta:
        ordering = ["run_id", "tier", "institution_id", "component"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "tier", "institution", "currency", "component"], name="control_total_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    closing_minor=F("opening_minor")
                    + F("disbursed_minor")
                    + F("raised_minor")
                    + F("capitalised_minor")
                    - F("settled_minor")
                    - F("reduced_minor")
                    - F("written_off_minor")
                ),
                name="control_total_balances",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tier} {self.institution_id} component {self.component}"


class StandingBase(models.Model):
    """What the sub-loans of an institution, agreement or tranche come to at the latest close, in minor units.

    A posting takes it, less the sub-loans touched since, plus those as they now are, instead of measuring
    an institution's whole book. Written by the close, in place of the close before.
    """

    run = models.ForeignKey(DayRun, on_delete=models.CASCADE, related_name="+")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    agreement_id = models.BigIntegerField(null=True)
    tranche_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    on_lent_minor = models.BigIntegerField()
    subloan_collected_minor = models.BigIntegerField()
    subloan_outstanding_minor = models.BigIntegerField()
    subloan_par30_minor = models.BigIntegerField()

    class Meta:
        ordering = ["institution_id", "agreement_id", "tranche_id", "currency"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "institution", "agreement_id", "tranche_id", "currency"],
                nulls_distinct=False,
                name="standing_base_once",
            ),
        ]

    def __str__(self) -> str:
        return f"Base of institution {self.institution_id} at run {self.run_id}"


class StandingColumns(models.Model):
    """A loan at the close of a business date. Minor units."""

    class State(models.TextChoices):
        COMPUTED = "computed", _("Computed")
        FAILED = "failed", _("Carried from the day before")

    pk = models.CompositePrimaryKey("business_date", "loan_id")
    business_date = models.DateField()
    loan_id = models.BigIntegerField()
    run_id = models.BigIntegerField()
    institution_id = models.BigIntegerField()
    agreement_id = models.BigIntegerField()
    programme_id = models.BigIntegerField()
    cluster_id = models.BigIntegerField(help_text="0: none.")
    tier = models.CharField(max_length=9, choices=Tier)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State)
    disbursed_minor = models.BigIntegerField()
    outstanding_minor = models.BigIntegerField(help_text="Principal of the plan not settled.")
    interest_due_minor = models.BigIntegerField(help_text="Interest fallen due and not settled.")
    charge_due_minor = models.BigIntegerField(help_text="Charges fallen due and not settled.")
    penal_due_minor = models.BigIntegerField(help_text="Penal interest fallen due and not settled.")
    overdue_charge_minor = models.BigIntegerField()
    overdue_penal_minor = models.BigIntegerField()
    overdue_interest_minor = models.BigIntegerField()
    overdue_principal_minor = models.BigIntegerField()
    advance_minor = models.BigIntegerField()
    overdue_since = models.DateField(null=True)
    days_past_due = models.IntegerField()
    months_overdue = models.IntegerField()
    bucket = models.SmallIntegerField(help_text="calc.arrears.Bucket")
    loan_class = models.SmallIntegerField(
        help_text="calc.classification.LoanClass, indicative; -1: no policy."
    )
    classification_policy_id = models.BigIntegerField(help_text="0: no policy; -1: two fit equally well.")
    provision_policy_id = models.BigIntegerField(help_text="0: no policy; -1: two fit equally well.")
    suspense_minor = models.BigIntegerField(help_text="Interest due that is not income while classified.")
    security_minor = models.BigIntegerField(help_text="Eligible security.")
    base_minor = models.BigIntegerField(help_text="0 and without meaning where there is no policy.")
    provision_minor = models.BigIntegerField(help_text="0 and without meaning where there is no policy.")
    written_off_minor = models.BigIntegerField(
        default=0, help_text="Memo balance: written off and not recovered."
    )
    rescheduled_count = models.SmallIntegerField(default=0, help_text="Reschedulings and restructurings.")
    reported_class = models.SmallIntegerField(
        default=-1, help_text="Class in the latest locked quarter-end return; -1: in none."
    )
    class_basis = models.SmallIntegerField(
        default=0, help_text="calc.classification.Basis: what decided the indicative class."
    )

    class Meta:
        abstract = True
        ordering = ["business_date", "loan_id"]

    def __str__(self) -> str:
        return f"Loan {self.loan_id} on {self.business_date}"


class ArrearsSnapshot(StandingColumns):
    """Snapshots of the months still whole. Partitioned by month; written by COPY.

    Nothing points here and it points nowhere: a statement guard keeps its loans real.
    """

    class Meta(StandingColumns.Meta):
        managed = False
        db_table = "repayments_arrearssnapshot"


class MonthEndSnapshot(StandingColumns):
    """The last close of each month whose daily snapshots were dropped; written by that act alone."""

    class Meta(StandingColumns.Meta):
        managed = False
        db_table = "repayments_monthendsnapshot"
