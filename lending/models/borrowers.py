"""The people and firms at the end of the chain, as an institution reports them.

Rows belong to the institution that reported them; that two institutions mean the same
person is found by ``identity_digest``, in foundation context only.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from djmoney.models.fields import MoneyField

from daybook.models import Booking
from lending.models.programmes import Cluster
from partners.models import District, Institution, User


class SizeTier(models.TextChoices):
    """Tiers of SMESPD Circular 01 of 17 March 2025."""

    INFORMAL = "informal", _("Informal")
    COTTAGE = "cottage", _("Cottage")
    MICRO = "micro", _("Micro")
    SMALL = "small", _("Small")
    MEDIUM = "medium", _("Medium")


class Gender(models.TextChoices):
    FEMALE = "female", _("Woman")
    MALE = "male", _("Man")
    THIRD = "third", _("Third gender")


class Activity(models.TextChoices):
    MANUFACTURING = "manufacturing", _("Manufacturing")
    SERVICE = "service", _("Service")
    TRADING = "trading", _("Trading")


class Person(models.Model):
    """A person as one institution knows them. NID is kept whole and shown masked."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=160)
    name_bn = models.CharField(max_length=200, blank=True)
    nid = models.CharField(max_length=17, blank=True, help_text="10, 13 or 17 digits.")
    identity_digest = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="SHA-256 of the NID's last 13 digits (or 10)."
    )
    gender = models.CharField(max_length=8, choices=Gender)
    birth_date = models.DateField(null=True, blank=True)
    phone = models.CharField(max_length=11, blank=True, help_text="01XXXXXXXXX")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "people"
        constraints = [
            models.CheckConstraint(
                condition=Q(nid="") | Q(nid__regex=r"^([0-9]{10}|[0-9]{13}|[0-9]{17})$"),
                name="person_nid_digits",
            ),
            models.UniqueConstraint(
                fields=["institution", "nid"], condition=~Q(nid=""), name="person_nid_once_per_institution"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Enterprise(models.Model):
    """A firm as one institution knows it."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=160)
    trade_licence = models.CharField(max_length=60, blank=True)
    size_tier = models.CharField(max_length=10, choices=SizeTier)
    activity = models.CharField(max_length=14, choices=Activity)
    sector = models.CharField(max_length=60, blank=True)
    cluster = models.ForeignKey(Cluster, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_woman_owned = models.BooleanField(default=False)
    woman_owned_rule = models.CharField(
        max_length=40, blank=True, help_text="The definition used when the flag was set, e.g. SMESPD 01/2025."
    )

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["institution", "name"])]

    def __str__(self) -> str:
        return self.name


class Ownership(models.Model):
    """A person's share and role in a firm, from a date."""

    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ownerships")
    enterprise = models.ForeignKey(Enterprise, on_delete=models.PROTECT, related_name="ownerships")
    share_percent = models.DecimalField(max_digits=5, decimal_places=2)
    role = models.CharField(max_length=40, default="proprietor")
    from_date = models.DateField()
    to_date = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["enterprise_id", "-share_percent"]
        constraints = [
            models.CheckConstraint(
                condition=Q(share_percent__gt=0, share_percent__lte=100), name="ownership_share_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.enterprise_id}: {self.share_percent} %"


class LoanParty(models.Model):
    """Who stands behind a loan, and how."""

    class Role(models.TextChoices):
        BORROWER = "borrower", _("Borrower")
        CO_BORROWER = "co_borrower", _("Co-borrower")
        GUARANTOR = "guarantor", _("Guarantor")

    loan = models.ForeignKey("lending.Loan", on_delete=models.PROTECT, related_name="parties")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="loan_parties")
    role = models.CharField(max_length=12, choices=Role, default=Role.BORROWER)
    is_joint = models.BooleanField(default=False, help_text="Jointly liable; otherwise severally.")

    class Meta:
        ordering = ["loan_id", "role"]
        verbose_name_plural = "loan parties"
        constraints = [models.UniqueConstraint(fields=["loan", "person", "role"], name="loan_party_once")]

    def __str__(self) -> str:
        return f"{self.person_id} ({self.get_role_display()})"


class Security(models.Model):
    """What secures a loan, at a value, and how much of it counts against provision, from when to when.

    Append-only and booked, so that as of any date and as known by any other it can be told. A row that
    ``replaces`` another stands in its place from its own booking on; ``is_withdrawn`` says that the one it
    replaces never counted.
    """

    class Category(models.TextChoices):
        DEPOSIT = "deposit", _("Cash or deposit under lien")
        GOVERNMENT_PAPER = "government_paper", _("Government paper")
        GUARANTEE = "guarantee", _("Guarantee of the Government or Bangladesh Bank")
        GOLD = "gold", _("Gold")
        LAND = "land", _("Land and buildings")
        GOODS = "goods", _("Goods and machinery")
        OTHER = "other", _("Other")

    CASH_LIKE = (Category.DEPOSIT, Category.GOVERNMENT_PAPER, Category.GUARANTEE)
    """Where one of these stands, no floor of the base applies (domain.md 4.3)."""

    loan = models.ForeignKey("lending.Loan", on_delete=models.PROTECT, related_name="securities")
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=16, choices=Category)
    kind = models.CharField(max_length=60, help_text=_("What it is: deed, deposit receipt, number."))
    value = MoneyField(max_digits=19, decimal_places=2, default_currency="BDT")
    eligible_percent = models.DecimalField(max_digits=5, decimal_places=2)
    valued_date = models.DateField()
    from_date = models.DateField()
    to_date = models.DateField(
        null=True, blank=True, help_text=_("Last day the valuation counts; empty: without end.")
    )
    replaces = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="replaced_by"
    )
    is_withdrawn = models.BooleanField(default=False)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["loan_id", "from_date", "id"]
        verbose_name_plural = "securities"
        constraints = [
            models.CheckConstraint(
                condition=Q(value__gt=0, eligible_percent__gte=0, eligible_percent__lte=100),
                name="security_value_in_range",
            ),
            models.CheckConstraint(
                condition=Q(to_date__isnull=True) | Q(to_date__gte=F("from_date")),
                name="security_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(is_withdrawn=False) | Q(replaces__isnull=False), name="security_withdraws_another"
            ),
            models.CheckConstraint(
                condition=~Q(made_by=F("approved_by")), name="security_maker_is_not_checker"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"
