"""Who takes part: institutions, their branches and limits, people and what they may do."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking


class District(models.Model):
    """One of the 64 districts. ``routing_codes`` are digits 4-5 of a branch routing number."""

    code = models.CharField(max_length=2, primary_key=True, help_text="Statistical (BBS) code.")
    name = models.CharField(max_length=40, unique=True)
    name_bn = models.CharField(max_length=60)
    division = models.CharField(max_length=40)
    routing_codes = models.CharField(max_length=20, help_text="Separated by ;")
    aliases = models.CharField(max_length=120, blank=True, help_text="Other spellings, separated by ;")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Institution(models.Model):
    """A partner financial institution. What may change by date is in ``InstitutionStatus``."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120, unique=True)
    name_bn = models.CharField(max_length=160, blank=True)
    bank_code = models.CharField(
        max_length=3, blank=True, help_text="First three digits of its routing numbers."
    )
    address = models.TextField(blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class InstitutionStatus(models.Model):
    """Kind, ownership, Islamic window and status from a date on. Append-only."""

    class Kind(models.TextChoices):
        BANK = "bank", _("Bank")
        FINANCE_COMPANY = "finance_company", _("Finance company")

    class Ownership(models.TextChoices):
        STATE = "state", _("State-owned")
        STATE_SPECIALISED = "state_specialised", _("State-owned, specialised")
        PRIVATE = "private", _("Private")
        FOREIGN = "foreign", _("Foreign")

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        CLOSED = "closed", _("Closed")

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="statuses")
    effective_date = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind)
    ownership = models.CharField(max_length=20, choices=Ownership)
    is_islamic = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["institution_id", "effective_date", "booking_id"]
        verbose_name_plural = "institution statuses"

    def __str__(self) -> str:
        return f"{self.institution_id}: {self.get_kind_display()} from {self.effective_date}"


class Branch(models.Model):
    """A branch. A routing number whose check digit fails is kept and flagged, not refused."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="branches")
    name = models.CharField(max_length=120)
    routing_number = models.CharField(max_length=9, blank=True)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    check_digit_confirmed = models.BooleanField(
        default=False, help_text="A person confirmed a number whose check digit does not fit."
    )

    class Meta:
        ordering = ["institution_id", "name"]
        verbose_name_plural = "branches"
        constraints = [
            models.UniqueConstraint(
                fields=["routing_number"], condition=~Q(routing_number=""), name="branch_routing_number_once"
            ),
            models.CheckConstraint(
                condition=Q(routing_number="") | Q(routing_number__regex=r"^[0-9]{9}$"),
                name="branch_routing_number_nine_digits",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ExposureLimit(models.Model):
    """What may be outstanding with an institution, from a date, and why. Append-only."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="exposure_limits")
    effective_date = models.DateField()
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    reason = models.TextField()
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["institution_id", "effective_date", "booking_id"]
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="exposure_limit_not_negative")]

    def __str__(self) -> str:
        return f"{self.amount} from {self.effective_date}"


class InstitutionRatio(models.Model):
    """A dated ratio of an institution (NPL, capital, …) in percent, with its source. Append-only."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="ratios")
    name = models.CharField(max_length=40)
    as_of = models.DateField()
    percent = models.DecimalField(max_digits=7, decimal_places=3)
    source = models.CharField(max_length=200)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["institution_id", "name", "as_of"]

    def __str__(self) -> str:
        return f"{self.name} {self.percent} % on {self.as_of}"


class PasswordField(models.CharField):
    """A password's hash: reads as empty for a database role that may not read the column.

    Pages join people to what they did, by whole rows. Asked for the bare column, PostgreSQL would refuse
    the whole row to a page's role; ``partners_password`` gives the hash to whoever may read it.
    """

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:  # noqa: ARG002
        """``"partners_user"."password"`` becomes a call with the same row's id."""
        table, _dot, _column = sql.rpartition(".")
        return f'partners_password({table}."id")', params


class User(AbstractUser):
    """A person who signs in. What the person may do is in ``Membership``."""

    password = PasswordField(max_length=128)
    full_name = models.CharField(max_length=120)
    full_name_bn = models.CharField(max_length=160, blank=True)
    language = models.CharField(max_length=2, choices=[("en", "English"), ("bn", "বাংলা")], default="en")

    class Meta:
        ordering = ["full_name"]

    def __str__(self) -> str:
        return self.full_name or self.username


class Membership(models.Model):
    """A role held between two dates, at the foundation or at one institution.

    ``stands_in_for`` names the person whose chair is kept while they are away.
    """

    class Role(models.TextChoices):
        OFFICER = "officer", _("Foundation officer")
        APPROVER = "approver", _("Foundation approver")
        FINANCE_HEAD = "finance_head", _("Foundation finance head")
        ADMINISTRATOR = "administrator", _("Foundation administrator")
        AUDITOR = "auditor", _("Auditor")
        MAKER = "maker", _("Institution maker")
        CHECKER = "checker", _("Institution checker")
        VIEWER = "viewer", _("Institution viewer")

    FOUNDATION_ROLES = (Role.OFFICER, Role.APPROVER, Role.FINANCE_HEAD, Role.ADMINISTRATOR, Role.AUDITOR)
    INSTITUTION_ROLES = (Role.MAKER, Role.CHECKER, Role.VIEWER)

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    institution = models.ForeignKey(
        Institution, null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role)
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)
    stands_in_for = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["user_id", "from_date"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    institution__isnull=True,
                    role__in=["officer", "approver", "finance_head", "administrator", "auditor"],
                )
                | Q(institution__isnull=False, role__in=["maker", "checker", "viewer"]),
                name="membership_role_fits_side",
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")),
                name="membership_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.get_role_display()}"


class ApprovalAuthority(models.Model):
    """Up to what amount a foundation role may decide, from a date. Append-only; the latest row rules."""

    role = models.CharField(max_length=16, choices=Membership.Role)
    effective_date = models.DateField()
    amount = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    reason = models.TextField()
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["role", "effective_date", "booking_id"]
        verbose_name_plural = "approval authorities"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="approval_authority_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} up to {self.amount}"
