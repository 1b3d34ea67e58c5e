"""The words reports use for what the books hold as codes."""

from __future__ import annotations

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from calc.arrears import Bucket
from calc.classification import LoanClass
from calc.money import Component
from lending.contract_words import Text, contract_words
from lending.models import Tier


class Dimension(StrEnum):
    """By what a portfolio is broken down; also the names of the filters of the loan list."""

    INSTITUTION = "institution"
    PROGRAMME = "programme"
    CLUSTER = "cluster"
    CLASS = "class"
    BUCKET = "bucket"
    GENDER = "gender"
    SIZE = "size"
    DISTRICT = "district"


DIMENSION_LABELS: dict[str, Promise] = {
    Dimension.INSTITUTION: _("Institution"),
    Dimension.PROGRAMME: _("Programme"),
    Dimension.CLUSTER: _("Cluster"),
    Dimension.CLASS: _("Class (indicative)"),
    Dimension.BUCKET: _("Days past due"),
    Dimension.GENDER: _("Gender"),
    Dimension.SIZE: _("Size of enterprise"),
    Dimension.DISTRICT: _("District"),
}
TIER_LABELS: dict[str, Promise] = {
    str(Tier.WHOLESALE): _("Wholesale: owed by institutions"),
    str(Tier.SUBLOAN): _("Sub-loans: owed by entrepreneurs"),
}
TIER_SHORT: dict[str, Promise] = {
    str(Tier.WHOLESALE): _("Wholesale"),
    str(Tier.SUBLOAN): _("Sub-loan"),
}
CLASS_LABELS: dict[int, Promise] = {
    LoanClass.STANDARD: _("Standard"),
    LoanClass.SMA: _("Special mention (SMA)"),
    LoanClass.SS: _("Substandard (SS)"),
    LoanClass.DF: _("Doubtful (DF)"),
    LoanClass.BL: _("Bad and loss (BL)"),
    LoanClass.UNCLASSIFIED: _("No policy"),
}
CLASS_BADGES: dict[int, str] = {
    LoanClass.STANDARD: "standard",
    LoanClass.SMA: "sma",
    LoanClass.SS: "substandard",
    LoanClass.DF: "doubtful",
    LoanClass.BL: "bad",
    LoanClass.UNCLASSIFIED: "invalid",
}
CLASS_CODES: dict[int, str] = {loan_class: loan_class.name.lower() for loan_class in LoanClass}
BUCKET_LABELS: dict[int, Promise] = {
    Bucket.CURRENT: _("Not late"),
    Bucket.DAYS_1_30: _("1–30 days"),
    Bucket.DAYS_31_60: _("31–60 days"),
    Bucket.DAYS_61_90: _("61–90 days"),
    Bucket.DAYS_91_180: _("91–180 days"),
    Bucket.DAYS_181_365: _("181–365 days"),
    Bucket.OVER_365: _("Over 365 days"),
}
COMPONENT_LABELS: dict[int, Text] = {
    Component.CHARGE: _("Charges"),
    Component.PENAL: _("Penal interest"),
    Component.INTEREST: _("Interest"),
    Component.PRINCIPAL: _("Principal"),
    Component.REFUND: _("Refund"),
    Component.RECOVERY: _("Recovery"),
    Component.ADVANCE: _("Advance"),
    Component.SUSPENSE: _("Suspense"),
}


def component_labels(contract_mode: str) -> dict[int, Text]:
    """What the components are called on the papers of a contract mode."""
    said = contract_words(contract_mode)
    return {
        **COMPONENT_LABELS,
        int(Component.INTEREST): said.interest,
        int(Component.PENAL): said.penal,
    }
