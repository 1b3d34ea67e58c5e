"""What people decide about classes beside the figures: floors, freezes, and the proposals for either.

Every row is appended, dated, booked and signed by two people. A class held up (``ClassFloor``) may worsen
the objective class and never flatters; a freeze (``ClassFreeze``) stops worsening and never improves.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from daybook.models import Booking
from lending.models import Loan, Programme, Tier
from lending.models.borrowers import SizeTier
from partners.models import District, Institution, User
from repayments.models.policies import DatedPolicy


class LoanClassName(models.IntegerChoices):
    """Classes as people choose them; the numbers of ``calc.classification.LoanClass``."""

    STANDARD = 0, pgettext_lazy("class", "Standard")
    SMA = 1, _("SMA")
    SS = 2, _("SS")
    DF = 3, _("DF")
    BL = 4, _("BL")


class Judgement(models.Model):
    """What every judgement carries: why, two people, and the booking from which it is known."""

    reason = models.TextField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="%(class)s_has_a_reason"),
            models.CheckConstraint(
                condition=~Q(made_by=F("approved_by")), name="%(class)s_maker_is_not_checker"
            ),
        ]


class ClassFloor(Judgement):
    """A loan's class is at least this from a date on, until released. Append-only."""

    class Kind(models.TextChoices):
        JUDGEMENT = "judgement", _("Qualitative judgement")
        RESCHEDULED = "rescheduled", _("Held since rescheduling")

    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="class_floors")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=11, choices=Kind)
    at_least = models.SmallIntegerField(choices=LoanClassName)
    from_date = models.DateField()

    class Meta(Judgement.Meta):
        ordering = ["loan_id", "from_date", "id"]
        constraints = [
            *Judgement.Meta.constraints,
            models.CheckConstraint(
                condition=Q(at_least__gte=0, at_least__lte=4), name="classfloor_class_known"
            ),
            models.UniqueConstraint(fields=["id", "institution"], name="classfloor_id_institution"),
        ]

    def __str__(self) -> str:
        return f"At least {self.get_at_least_display()} from {self.from_date:%-d %b %Y}"


class ClassFloorRelease(Judgement):
    """A floor ends: from this date on it no longer holds. Append-only, one a floor."""

    floor = models.OneToOneField(ClassFloor, on_delete=models.PROTECT, related_name="release")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    from_date = models.DateField()

    class Meta(Judgement.Meta):
        ordering = ["floor_id"]

    def __str__(self) -> str:
        return f"Released from {self.from_date:%-d %b %Y}"


class ClassFreeze(Judgement):
    """From one date to another no class of its scope is worse than on the evening before. Append-only.

    Days past due go on. An empty part of the scope means all. A row that ``replaces`` another stands in
    its place from its own booking on; ``is_withdrawn`` says that the one it replaces never applied.
    """

    reference = models.CharField(max_length=120, help_text=_("Circular or decision."))
    tier = models.CharField(max_length=9, choices=Tier, blank=True)
    applies_to = models.CharField(
        max_length=16, choices=DatedPolicy.AppliesTo, default=DatedPolicy.AppliesTo.ANY
    )
    institution = models.ForeignKey(
        Institution, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    programme = models.ForeignKey(
        Programme, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sizes = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    from_date = models.DateField()
    to_date = models.DateField()
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    is_withdrawn = models.BooleanField(default=False)

    class Meta(Judgement.Meta):
        ordering = ["-from_date", "-id"]
        constraints = [
            *Judgement.Meta.constraints,
            models.CheckConstraint(
                condition=Q(to_date__gte=F("from_date")), name="classfreeze_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(is_withdrawn=False) | Q(replaces__isnull=False),
                name="classfreeze_withdraws_another",
            ),
            models.CheckConstraint(condition=~Q(reference=""), name="classfreeze_names_its_source"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}, {self.from_date:%-d %b %Y} to {self.to_date:%-d %b %Y}"

    @property
    def size_names(self) -> list[str]:
        """The sizes it is limited to, in the reader's language."""
        return [str(SizeTier(size).label) for size in self.sizes]


class RulingProposal(models.Model):
    """A floor, its release, a freeze, a security or a policy, waiting for a second person.

    ``parameters`` are what the maker filled in, as text; ``services.rulings`` knows each kind. A decided
    proposal never changes.
    """

    class Kind(models.TextChoices):
        FLOOR = "floor", _("Hold a class")
        RELEASE = "release", _("Release a held class")
        FREEZE = "freeze", _("Freeze classes")
        SECURITY = "security", _("Security of a loan")
        CLASS_POLICY = "class_policy", _("Policy of class")
        PROVISION_POLICY = "provision_policy", _("Policy of provision")

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for a second person")
        APPROVED = "approved", _("Approved and booked")
        REJECTED = "rejected", _("Rejected")

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    loan = models.ForeignKey(Loan, null=True, blank=True, on_delete=models.PROTECT, related_name="rulings")
    institution = models.ForeignKey(
        Institution, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    parameters = models.JSONField(default=dict)
    reason = models.TextField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.TextField(blank=True)
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="ruling_has_a_reason"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("made_by")),
                name="ruling_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True, booking__isnull=True)
                | Q(state="approved", decided_by__isnull=False, booking__isnull=False)
                | Q(state="rejected", decided_by__isnull=False, booking__isnull=True),
                name="ruling_decided_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
