"""A file an institution sends, and each of its rows, raw cells kept, every row in a named state."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from daybook.models import Booking, LeasedWork
from lending.models import Agreement, Application, Loan
from partners.models import Institution, User


class Upload(LeasedWork):
    """One file. ``work`` and the lease belong to whichever step (reading or posting) is under way."""

    class Kind(models.TextChoices):
        REPAYMENTS = "repayments", _("Sub-loan repayments")
        SUBLOANS = "subloans", _("Sub-loan disbursements")
        BORROWERS = "borrowers", _("Intended borrowers of an application")
        POSITIONS = "positions", _("Positions of sub-loans as stated")

    class State(models.TextChoices):
        RECEIVED = "received", _("Received, being read")
        UNREADABLE = "unreadable", _("Could not be read")
        PREVIEW = "preview", _("Read, waiting for confirmation")
        CONFIRMED = "confirmed", _("Confirmed, being posted")
        POSTED = "posted", _("Posted")
        DISCARDED = "discarded", _("Discarded")

    class DateOrder(models.TextChoices):
        DAY_FIRST = "dmy", _("Day first (25/03/2026)")
        MONTH_FIRST = "mdy", _("Month first (03/25/2026)")

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="uploads")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    application = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.PROTECT, related_name="uploads"
    )
    agreement = models.ForeignKey(
        Agreement,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Under which the sub-loans of a disbursement list are opened.",
    )
    date_order = models.CharField(
        max_length=3,
        choices=DateOrder,
        default=DateOrder.DAY_FIRST,
        help_text="How dates written in digits are read.",
    )
    file_name = models.CharField(max_length=200)
    content = models.BinaryField(help_text="The file as it came.")
    size_bytes = models.PositiveIntegerField()
    content_sha256 = models.CharField(max_length=64, help_text="Of the file's bytes.")
    rows_sha256 = models.CharField(
        max_length=64,
        blank=True,
        help_text="Of its normalised rows: the same rows in another file are the same file.",
    )
    sheet_name = models.CharField(max_length=120, blank=True)
    header_row = models.PositiveIntegerField(null=True, blank=True)
    columns = models.JSONField(
        default=dict, blank=True, help_text="Field name → column letter and heading found."
    )
    stated_total_minor = models.BigIntegerField(
        null=True, blank=True, help_text="The total row of the file, when it has one."
    )
    messages = models.JSONField(
        default=list, blank=True, help_text="Faults and warnings about the file as a whole."
    )
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    accepts_warnings = models.BooleanField(
        default=False, help_text="The checker accepted rows with warnings."
    )
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta(LeasedWork.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(done_count__lte=F("total_count")), name="upload_progress"),
            models.UniqueConstraint(
                fields=["institution", "kind", "rows_sha256"],
                condition=~Q(state__in=["discarded", "unreadable"]) & ~Q(rows_sha256=""),
                name="upload_same_rows_once",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("made_by")),
                name="upload_maker_is_not_checker",
            ),
            models.UniqueConstraint(fields=["id", "institution"], name="upload_id_institution"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_kind_display()})"


class UploadRow(models.Model):
    """One row of a file: raw cells as text, what was understood, its state and why."""

    class State(models.TextChoices):
        READY = "ready", _("Ready")
        AMBIGUOUS = "ambiguous", _("Ambiguous")
        UNMATCHED = "unmatched", _("Unmatched")
        INVALID = "invalid", _("Invalid")
        DUPLICATE = "duplicate", _("Duplicate")
        POSTED = "posted", _("Posted")
        DISCARDED = "discarded", _("Discarded")

    # The foreign keys run over (id, institution) in SQL.
    upload = models.ForeignKey(
        Upload, on_delete=models.PROTECT, related_name="rows", db_constraint=False, db_index=False
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    row_number = models.PositiveIntegerField(help_text="As the sheet numbers it, from 1.")
    cells = models.JSONField(help_text="Column letter → text of the cell, untouched.")
    state = models.CharField(max_length=10, choices=State)
    column = models.CharField(max_length=4, blank=True, help_text="Column letter the reason speaks of.")
    reason = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    fault = models.JSONField(
        default=dict,
        blank=True,
        help_text=(
            "Code and parameters of the reason (repayments.faults), to say it in the reader's language."
        ),
    )
    warnings = models.JSONField(
        default=list, blank=True, help_text="Each as a fault, with its column letter."
    )
    marks = models.JSONField(
        default=dict, blank=True, help_text="Column letter → what is the matter with the cell, e.g. formula."
    )
    corrections = models.JSONField(
        default=dict,
        blank=True,
        help_text="Column letter → text put in its place by a person; loan → the loan a person chose.",
    )
    changed_by = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who last corrected, resolved or discarded the row; does not confirm the upload.",
    )
    loan = models.ForeignKey(
        Loan, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    value_date = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=80, blank=True)
    values = models.JSONField(
        default=dict, blank=True, help_text="The other fields understood, by field name."
    )

    class Meta:
        ordering = ["upload_id", "row_number"]
        constraints = [
            models.UniqueConstraint(fields=["upload", "row_number"], name="upload_row_once"),
            models.CheckConstraint(
                condition=~Q(state__in=["ambiguous", "unmatched", "invalid", "duplicate"]) | ~Q(reason=""),
                name="upload_row_fault_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number}: {self.get_state_display()}"
