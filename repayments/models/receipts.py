"""Money received and what it settled. Facts in minor units of the loan's currency; append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from lending.models import Loan, Tier
from partners.models import Institution, User
from repayments.models.uploads import UploadRow


class Receipt(models.Model):
    """Money received on a loan. A mistake is taken back by a mirror at the same value date."""

    class Channel(models.TextChoices):
        UPLOAD = "upload", _("Institution's file")
        SCREEN = "screen", _("Entered by the foundation")
        IMPORT = "import", _("Portfolio import")

    # The foreign key runs over (loan, institution) in SQL, and other indexes begin with the loan.
    loan = models.ForeignKey(
        Loan, on_delete=models.PROTECT, related_name="receipts", db_constraint=False, db_index=False
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    tier = models.CharField(max_length=9, choices=Tier)
    channel = models.CharField(max_length=6, choices=Channel)
    value_date = models.DateField()
    amount_minor = models.BigIntegerField()
    external_reference = models.CharField(max_length=80)
    reported_principal_minor = models.BigIntegerField(
        null=True, blank=True, help_text="The institution's own split, kept beside ours."
    )
    reported_interest_minor = models.BigIntegerField(null=True, blank=True)
    reported_charge_minor = models.BigIntegerField(null=True, blank=True)
    upload_row = models.OneToOneField(
        UploadRow, null=True, blank=True, on_delete=models.PROTECT, related_name="receipt"
    )
    mirror_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="mirror"
    )
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["loan_id", "value_date", "id"]
        indexes = [
            models.Index(fields=["loan", "value_date"]),
            models.Index(fields=["loan", "external_reference"]),
            models.Index(fields=["booking"]),
        ]
        # One reference per loan among unreversed receipts: the guard receipt_reference_once.
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, mirror_of__isnull=True)
                | Q(amount_minor__lt=0, mirror_of__isnull=False),
                name="receipt_negative_only_in_mirrors",
            ),
            models.UniqueConstraint(fields=["id", "institution"], name="receipt_id_institution"),
        ]

    def __str__(self) -> str:
        return f"Receipt {self.external_reference} on loan {self.loan_id}"


class Allocation(models.Model):
    """What settled which component of which instalment, from a value date. Append-only.

    Rows of one receipt always sum to it; component ADVANCE (``calc.money.Component``) holds
    what has met no due yet, and an advance meeting its due is a pair of rows on the due date.
    """

    class Source(models.IntegerChoices):
        RECEIPT = 1, _("Receipt")
        ADVANCE = 2, _("Advance")
        WAIVER = 3, _("Waiver")
        WRITE_OFF = 4, _("Write-off")
        TRANSFER = 5, _("Transfer")

    loan = models.ForeignKey(
        Loan, on_delete=models.PROTECT, related_name="allocations", db_constraint=False, db_index=False
    )
    institution_id = models.BigIntegerField()
    receipt = models.ForeignKey(
        Receipt,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="allocations",
        db_constraint=False,  # SQL keeps it, with the institution
    )
    source = models.SmallIntegerField(choices=Source, default=Source.RECEIPT)
    instalment = models.IntegerField(help_text="0 for an advance.")
    component = models.SmallIntegerField()
    value_date = models.DateField()
    amount_minor = models.BigIntegerField()
    mirror_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="mirror"
    )
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "value_date", "id"]
        # A loan's settlements lie scattered over the days that brought them; a close reads them from the
        # first index alone. The others find what came into its date, and what settled without money.
        indexes = [
            models.Index(
                fields=["loan", "value_date"],
                include=["instalment", "component", "amount_minor", "booking"],
                name="allocation_of_loan",
            ),
            models.Index(fields=["value_date"], name="allocation_by_date"),
            models.Index(fields=["loan"], condition=Q(source__gte=3), name="allocation_without_money"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(component__in=[1, 2, 3, 4, 6, 7, 8, 9]), name="allocation_component_known"
            ),
            models.CheckConstraint(condition=~Q(amount_minor=0), name="allocation_amount_not_zero"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0) | Q(mirror_of__isnull=False) | Q(component=8),
                name="allocation_negative_only_in_mirrors",
            ),
            models.CheckConstraint(
                condition=Q(component__in=[6, 7, 8, 9], instalment=0) | Q(component__lt=6, instalment__gt=0),
                name="allocation_advance_has_no_instalment",
            ),
            models.CheckConstraint(
                condition=Q(source__in=[1, 2], receipt__isnull=False) | Q(source__in=[3, 4, 5]),
                name="allocation_money_has_a_receipt",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_minor} of receipt {self.receipt_id}"


class ReceiptProposal(models.Model):
    """A foundation receipt to be posted, or any receipt to be reversed, waiting for a second person."""

    class Kind(models.TextChoices):
        POST = "post", _("Post a receipt")
        REVERSE = "reverse", _("Reverse a receipt")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved and posted")
        REJECTED = "rejected", _("Rejected")

    kind = models.CharField(max_length=7, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="receipt_proposals")
    receipt = models.ForeignKey(
        Receipt,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        help_text="The receipt to reverse; after posting, the receipt made.",
    )
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    value_date = models.DateField()
    external_reference = models.CharField(max_length=80)
    reason = models.TextField(blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decision_reason = models.TextField(blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="receipt_proposal_amount_positive"),
            models.CheckConstraint(
                condition=Q(kind="post") | (Q(receipt__isnull=False) & ~Q(reason="")),
                name="receipt_proposal_reversal_names_receipt",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="receipt_proposal_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_by__isnull=False),
                name="receipt_proposal_decided_by_someone",
            ),
            models.UniqueConstraint(
                fields=["receipt"],
                condition=Q(kind="reverse", state="proposed"),
                name="receipt_proposal_one_open_reversal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.external_reference}"
