"""A report run: what was asked, of which books, and the file that came out."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from daybook.models import LeasedWork
from partners.models import Institution, User


class ReportRun(LeasedWork):
    """One report or one bulk of statements. The same question of the same books gives the same checksum."""

    name = models.CharField(max_length=60, help_text="Catalogue name, e.g. loan_statement.")
    title = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict)
    institution = models.ForeignKey(
        Institution,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose; empty: all.",
    )
    as_of = models.DateField()
    known_by = models.DateField()
    last_booking_id = models.BigIntegerField(help_text="The books it was read from.")
    language = models.CharField(max_length=2, default="en")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200, blank=True)
    content_type = models.CharField(max_length=80, blank=True)
    content = models.BinaryField(null=True, blank=True)
    checksum = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the figures reported.")

    class Meta(LeasedWork.Meta):
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(done_count__lte=F("total_count")), name="report_run_progress"),
        ]

    def __str__(self) -> str:
        return self.title


class ReportPart(models.Model):
    """One file of a bulk run, written when it is ready, so that a run resumes where it stopped."""

    run = models.ForeignKey(ReportRun, on_delete=models.CASCADE, related_name="parts")
    institution_id = models.BigIntegerField(null=True, blank=True)
    position = models.PositiveIntegerField()
    loan_id = models.BigIntegerField(null=True, blank=True)
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    checksum = models.CharField(max_length=64)

    class Meta:
        ordering = ["run_id", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="report_part_once")]

    def __str__(self) -> str:
        return self.file_name
