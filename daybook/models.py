"""When the books count something, and who made them say so.

``BusinessDay`` is the open date of the books, ``Booking`` the one row that every
transaction with money facts writes, ``AuditEntry`` what a person did or saw.
Facts carry the booking's id. "Known by business date K" is one comparison,
``booking_id <= BusinessDay(K).last_booking_id``, because the database draws the
id only after it holds the lock of the business day (docs/decisions/0002).
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class BusinessDay(models.Model):
    """A date of the books. Exactly one is open; a closed one takes no booking, ever."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    date = models.DateField(primary_key=True)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)
    last_booking_id = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Highest booking id of this date and all before it; fixed by the close.",
    )

    class Meta:
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="open"), name="business_day_only_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="open", last_booking_id__isnull=True, closed_at__isnull=True)
                | Q(state="closed", last_booking_id__isnull=False, closed_at__isnull=False),
                name="business_day_closed_is_fixed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date:%d %b %Y} ({self.get_state_display().lower()})"


class Booking(models.Model):
    """One transaction that wrote money facts.

    ``id`` is drawn by the database under the shared lock of the business day, so it
    splits bookings by business date. ``number`` is given at commit, under a lock held
    to commit, so it follows commit order; it is what people quote.
    """

    number = models.BigIntegerField(null=True, unique=True, editable=False)
    business_date = models.DateField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.BigIntegerField(
        null=True, blank=True, help_text="partners.User, kept by a foreign key in SQL."
    )
    actor_name = models.TextField()
    institution_id = models.BigIntegerField(
        null=True, blank=True, help_text="Whose facts; empty for many at once."
    )
    purpose = models.CharField(max_length=40, help_text="What kind of act, e.g. tranche.disburse.")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["business_date"])]

    def __str__(self) -> str:
        return f"Booking {self.number or f'#{self.pk}'} of {self.business_date:%d %b %Y}"


class Holiday(models.Model):
    """A day declared closed, or the withdrawal of such a declaration. Append-only.

    For a date, the row with the highest booking known decides.
    """

    date = models.DateField()
    name = models.CharField(max_length=120)
    name_bn = models.CharField(max_length=120, blank=True)
    is_holiday = models.BooleanField(default=True, help_text="False withdraws an earlier declaration.")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["date", "booking_id"]
        constraints = [models.UniqueConstraint(fields=["date", "booking"], name="holiday_once_per_booking")]

    def __str__(self) -> str:
        return f"{self.name}, {self.date:%d %b %Y}"


class AuditEntry(models.Model):
    """Who did or saw what. Inserted unchained; the sealer chains entries in batches."""

    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor_name = models.TextField()
    institution_id = models.BigIntegerField(null=True, blank=True)
    action = models.CharField(max_length=60, help_text="noun.verb, e.g. application.approve")
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=60, blank=True)
    subject_label = models.CharField(max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.TextField(blank=True)
    address = models.CharField(max_length=60, blank=True, help_text="Where the request came from.")
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"]),
            models.Index(fields=["actor_id"]),
            models.Index(fields=["action"]),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action} {self.subject_label}"


class AuditSeal(models.Model):
    """One link of the hash chain: a batch of entries under one SHA-256.

    ``digest`` = sha256(previous digest ‖ the entries' digests in link order).
    """

    number = models.BigIntegerField(unique=True)
    previous_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    entry_count = models.PositiveIntegerField()
    sealed_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=Q(entry_count__gt=0), name="audit_seal_has_entries"),
        ]

    def __str__(self) -> str:
        return f"Seal {self.number}"


class AuditLink(models.Model):
    """An entry's place in the chain."""

    entry = models.OneToOneField(AuditEntry, primary_key=True, on_delete=models.PROTECT, related_name="link")
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, related_name="links")
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["entry_id"]

    def __str__(self) -> str:
        return f"Entry {self.entry_id} in seal {self.seal_id}"


class LeasedWork(models.Model):
    """Long work as a row: state, progress, error and a lease. Celery only carries it.

    A worker claims the row for a while; when the lease lapses the sweeper queues it again.
    """

    class Work(models.TextChoices):
        WAITING = "waiting", _("Waiting for a person")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    work = models.CharField(max_length=8, choices=Work, default=Work.QUEUED)
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(done_count__lte=F("total_count")), name="%(app_label)s_%(class)s_progress"
            ),
        ]

    @property
    def percent_done(self) -> int:
        """Whole percent, for the progress bar; 100 only when the work is done."""
        if self.work == self.Work.DONE:
            return 100
        return min(99, self.done_count * 100 // self.total_count) if self.total_count else 0


class Heartbeat(models.Model):
    """When something that should happen again and again last did, and how much it has found since ever.

    Pages and processes read it to notice silence: a clock that stopped, workers that are gone, a broker
    that swallows. Workers write it.
    """

    name = models.CharField(max_length=60, primary_key=True)
    beaten_at = models.DateTimeField(db_default=Now())
    found_count = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """Something people are told by e-mail, once: what kind of event, and which one.

    The row is the memory: an event noticed again finds it. Told means that the mail server took the letter.
    """

    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=80)
    noticed_at = models.DateTimeField(db_default=Now())
    told_at = models.DateTimeField(null=True, blank=True)
    told_count = models.PositiveIntegerField(default=0, help_text="How many people were written to.")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-noticed_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "about"], name="notice_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}"
