"""What is owed: loans of both tiers, their plans as facts, what funds what, and where they stand.

Money here is in minor units (poisha) of the loan's currency.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking
from lending.models.agreements import Agreement
from lending.models.applications import Tranche
from lending.models.borrowers import Activity, Enterprise, Gender, SizeTier
from lending.models.programmes import Cluster, Programme
from partners.models import Branch, District, Institution


class Tier(models.TextChoices):
    """No total adds the two."""

    WHOLESALE = "wholesale", _("Wholesale")
    SUBLOAN = "subloan", _("Sub-loan")


class Loan(models.Model):
    """The account that owes. Append-only: what may change by date is in its plan and profile.

    WHOLESALE: the foundation's asset, owed by the institution. SUBLOAN: a record of the
    institution's own book, as the institution reports it.
    """

    class Origin(models.TextChoices):
        TRANCHE = "tranche", _("Disbursed tranche")
        UPLOAD = "upload", _("Institution's disbursement list")
        IMPORT = "import", _("Portfolio import")

    number = models.CharField(max_length=40, unique=True)
    tier = models.CharField(max_length=9, choices=Tier)
    origin = models.CharField(max_length=8, choices=Origin)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="loans")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="loans")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="loans")
    tranche = models.OneToOneField(
        Tranche, null=True, blank=True, on_delete=models.PROTECT, related_name="loan"
    )
    branch = models.ForeignKey(Branch, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    enterprise = models.ForeignKey(
        Enterprise, null=True, blank=True, on_delete=models.PROTECT, related_name="loans"
    )
    currency = models.CharField(max_length=3, default="BDT")
    principal_minor = models.BigIntegerField(help_text="Disbursed, in minor units.")
    annual_rate = models.DecimalField(max_digits=7, decimal_places=4, null=True, blank=True)
    disbursed_date = models.DateField()
    purpose = models.CharField(max_length=120, blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["institution", "tier"]), models.Index(fields=["agreement"])]
        constraints = [
            models.CheckConstraint(condition=Q(principal_minor__gt=0), name="loan_principal_positive"),
            models.CheckConstraint(
                condition=Q(tier="wholesale", enterprise__isnull=True)
                | Q(tier="subloan", tranche__isnull=True),
                name="loan_tier_fits",
            ),
            # The parent side of the composite foreign keys that keep every fact's institution true.
            models.UniqueConstraint(fields=["id", "institution"], name="loan_id_institution"),
        ]

    def __str__(self) -> str:
        return self.number


class LoanIdentifier(models.Model):
    """Another name of a loan: the bank's own account number, an imported id. Dated; append-only."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("Bank's account number")
        IMPORTED = "imported", _("Number in an imported portfolio")

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="identifiers")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    value = models.CharField(max_length=60, help_text="Text: leading zeros count.")
    from_date = models.DateField()
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "from_date"]
        indexes = [models.Index(fields=["institution", "value"])]
        constraints = [models.UniqueConstraint(fields=["loan", "kind", "value"], name="loan_identifier_once")]

    def __str__(self) -> str:
        return self.value


class LoanProfile(models.Model):
    """What the institution reports of a sub-loan's borrower, from a date. Append-only.

    As of D known by K, the row with the latest effective date (then booking) within both counts.
    """

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="profiles")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    effective_date = models.DateField()
    cluster = models.ForeignKey(Cluster, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    size_tier = models.CharField(max_length=10, choices=SizeTier, blank=True)
    activity = models.CharField(max_length=14, choices=Activity, blank=True)
    gender = models.CharField(max_length=8, choices=Gender, blank=True)
    is_woman_owned = models.BooleanField(default=False)
    sector = models.CharField(max_length=60, blank=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "effective_date", "booking_id"]
        indexes = [models.Index(fields=["loan", "effective_date"])]

    def __str__(self) -> str:
        return f"{self.loan_id} from {self.effective_date}"


class Funding(models.Model):
    """Which tranche paid for which sub-loan, how much, from a date. Append-only, mirrored to take back."""

    class Kind(models.TextChoices):
        FIRST_USE = "first_use", _("First use")
        RECYCLED = "recycled", _("Recycled")
        REPLACEMENT = "replacement", _("Replacement")
        OWN_FUNDS = "own_funds", _("Own funds")

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="fundings")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    tranche = models.ForeignKey(
        Tranche, null=True, blank=True, on_delete=models.PROTECT, related_name="fundings"
    )
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.FIRST_USE)
    amount_minor = models.BigIntegerField()
    value_date = models.DateField()
    mirror_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="mirror"
    )
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, mirror_of__isnull=True)
                | Q(amount_minor__lt=0, mirror_of__isnull=False),
                name="funding_negative_only_in_mirrors",
            ),
            models.CheckConstraint(
                condition=Q(kind="own_funds", tranche__isnull=True) | Q(tranche__isnull=False),
                name="funding_names_its_tranche",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of tranche {self.tranche_id} in loan {self.loan_id}"


class Schedule(models.Model):
    """One numbered version of a loan's plan, with its terms and its cause. Append-only.

    A later version takes back, by mirrors that carry its own id, the dues of what it replaces, and
    appends its own. Its principal dues come to ``principal_minor`` + capitalised + added + transferred,
    where ``principal_minor`` is the principal of the dues it took back (of version 1: what was lent).
    """

    class Cause(models.TextChoices):
        DISBURSEMENT = "disbursement", _("Disbursement")
        SUPPLIED = "supplied", _("Supplied by the institution")
        PREPAYMENT = "prepayment", _("Part-prepayment")
        SETTLEMENT = "settlement", _("Full settlement")
        RESCHEDULE = "reschedule", _("Rescheduling")
        RESTRUCTURE = "restructure", _("Restructuring")
        MORATORIUM = "moratorium", _("Moratorium")
        TRANCHE = "tranche", _("Further tranche")
        RATE_CHANGE = "rate_change", _("Change of rate")
        WRITE_OFF = "write_off", _("Write-off")
        CALENDAR = "calendar", _("Change of the calendar")

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="schedules")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=16, choices=Cause)
    effective_date = models.DateField()
    terms = models.JSONField(help_text="The terms as calc.schedule takes them; empty for a supplied plan.")
    principal_minor = models.BigIntegerField(help_text="Principal the version opens with, in minor units.")
    capitalised_minor = models.BigIntegerField(
        default=0, help_text="Interest the plan adds to principal (grace added or capitalised)."
    )
    added_minor = models.BigIntegerField(
        default=0, db_default=0, help_text="Money lent on top by a further tranche, in minor units."
    )
    transferred_minor = models.BigIntegerField(
        default=0,
        db_default=0,
        help_text="Overdue principal of earlier instalments moved into this plan, in minor units.",
    )
    first_due_date = models.DateField()
    maturity_date = models.DateField()
    instalment_count = models.PositiveSmallIntegerField()
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "version"]
        constraints = [
            models.UniqueConstraint(fields=["loan", "version"], name="schedule_version_once"),
            models.CheckConstraint(
                condition=Q(version=1, principal_minor__gt=0)
                | Q(version__gt=1, principal_minor__gte=0, added_minor__gte=0, transferred_minor__gte=0),
                name="schedule_principal_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(first_due_date__lte=F("maturity_date")), name="schedule_dates_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.version}"


class Due(models.Model):
    """A fact: what falls due on a loan, by component (``calc.money.Component``). Append-only.

    The plan as of D known by K is the sum of rows with effective date ≤ D and booking ≤ K.
    ``late_date`` is the stored, holiday-adjusted due date that lateness counts from.
    """

    # Their foreign keys run over (id, institution) in SQL, and other indexes begin with them.
    loan = models.ForeignKey(
        Loan, on_delete=models.PROTECT, related_name="dues", db_constraint=False, db_index=False
    )
    institution_id = models.BigIntegerField()
    schedule = models.ForeignKey(
        Schedule, on_delete=models.PROTECT, related_name="dues", db_constraint=False, db_index=False
    )
    instalment = models.IntegerField()
    component = models.SmallIntegerField()
    nominal_date = models.DateField()
    late_date = models.DateField()
    effective_date = models.DateField()
    amount_minor = models.BigIntegerField()
    mirror_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="mirror"
    )
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "late_date", "instalment", "component", "id"]
        indexes = [models.Index(fields=["loan", "late_date"])]
        constraints = [
            models.CheckConstraint(condition=Q(component__in=[1, 2, 3, 4, 6, 7]), name="due_component_known"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, mirror_of__isnull=True)
                | Q(amount_minor__lt=0, mirror_of__isnull=False),
                name="due_negative_only_in_mirrors",
            ),
            models.UniqueConstraint(
                fields=["schedule", "instalment", "component", "late_date", "booking"],
                condition=Q(mirror_of__isnull=True),
                name="due_once_in_version",
            ),
        ]

    def __str__(self) -> str:
        return f"Loan {self.loan_id} instalment {self.instalment}: {self.amount_minor}"


class Standing(models.Model):
    """Where an institution (or one of its agreements, or tranches) stands, for decisions to lock and read.

    Written by repayments through ``lending.services.standing`` in the same transaction as each
    posting and close. Minor units. Empty agreement and tranche: the institution as a whole.
    """

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="standings")
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, related_name="standings"
    )
    tranche = models.ForeignKey(
        Tranche, null=True, blank=True, on_delete=models.PROTECT, related_name="standings"
    )
    currency = models.CharField(max_length=3, default="BDT")
    drawn_minor = models.BigIntegerField(default=0)
    principal_repaid_minor = models.BigIntegerField(default=0)
    exposure_minor = models.BigIntegerField(default=0, help_text="Principal outstanding to the foundation.")
    overdue_minor = models.BigIntegerField(default=0)
    days_past_due = models.IntegerField(default=0, help_text="Worst wholesale loan.")
    on_lent_minor = models.BigIntegerField(default=0)
    subloan_collected_minor = models.BigIntegerField(
        default=0, help_text="Funded sub-loan principal collected."
    )
    subloan_outstanding_minor = models.BigIntegerField(default=0)
    subloan_par30_minor = models.BigIntegerField(default=0)
    as_of = models.DateField(help_text="Business date of the latest posting or close that wrote this row.")

    class Meta:
        ordering = ["institution_id", "agreement_id", "tranche_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "agreement", "tranche", "currency"],
                nulls_distinct=False,
                name="standing_one_per_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"Institution {self.institution_id}: {self.exposure_minor}"
