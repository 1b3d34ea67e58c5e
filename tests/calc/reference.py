"""The dated policies of domain.md 4.5 as the tests state them, numbered by place."""

from datetime import date
from decimal import Decimal
from typing import TypedDict

from calc.classification import (
    ClassificationPolicies,
    ClassificationPolicy,
    ClassTest,
    InstitutionKind,
    ProvisionPolicies,
    ProvisionPolicy,
    SizeTier,
    Tier,
)

BANK, COMPANY = InstitutionKind.BANK, InstitutionKind.FINANCE_COMPANY
CMS = frozenset({SizeTier.COTTAGE, SizeTier.MICRO, SizeTier.SMALL})
CMSME = CMS | {SizeTier.MEDIUM}

BANK_2012, BANK_2019, BANK_CMS_2020, BANK_2025, FC_LE5, FC_GT5, WHOLESALE = range(1, 8)

CLASSIFICATION = ClassificationPolicies.of(
    [
        ClassificationPolicy(
            policy=BANK_2012, tier=Tier.SUBLOAN, institution_kind=BANK, test=ClassTest.AMOUNT,
            effective_from=date(2012, 12, 31), effective_to=date(2019, 6, 29), sma=2, ss=3, df=6, bl=9,
        ),
        ClassificationPolicy(
            policy=BANK_2019, tier=Tier.SUBLOAN, institution_kind=BANK, test=ClassTest.TIME, lag=6,
            effective_from=date(2019, 6, 30), effective_to=date(2025, 3, 31), sma=2, ss=3, df=9, bl=12,
        ),
        ClassificationPolicy(
            policy=BANK_CMS_2020, tier=Tier.SUBLOAN, institution_kind=BANK, test=ClassTest.TIME, lag=6,
            effective_from=date(2020, 7, 21), effective_to=date(2025, 3, 31), sizes=CMS,
            ss=6, df=18, bl=30,
        ),
        ClassificationPolicy(
            policy=BANK_2025, tier=Tier.SUBLOAN, institution_kind=BANK, test=ClassTest.TIME_OR_AMOUNT,
            effective_from=date(2025, 4, 1), sma=2, ss=3, df=6, bl=12,
        ),
        ClassificationPolicy(
            policy=FC_LE5, tier=Tier.SUBLOAN, institution_kind=COMPANY, test=ClassTest.TIME,
            effective_from=date(2021, 7, 26), term_up_to=60, sma=3, ss=6, df=12, bl=18,
        ),
        ClassificationPolicy(
            policy=FC_GT5, tier=Tier.SUBLOAN, institution_kind=COMPANY, test=ClassTest.TIME,
            effective_from=date(2021, 7, 26), term_over=60, sma=6, ss=12, df=18, bl=24,
        ),
        ClassificationPolicy(
            policy=WHOLESALE, tier=Tier.WHOLESALE, test=ClassTest.TIME,
            effective_from=date(2009, 7, 1), sma=2, ss=3, df=6, bl=12,
        ),
    ]
)  # fmt: skip

P_CMS_2020, P_BANK_2025, P_CMS_OCT25, P_CMSME_DEC25, P_FC_DEC24, P_WHOLESALE = range(1, 7)


class Rates(TypedDict):
    standard: Decimal
    sma: Decimal
    ss: Decimal
    df: Decimal
    bl: Decimal


def _rates(standard: str, sma: str, ss: int = 20, df: int = 50) -> Rates:
    return Rates(
        standard=Decimal(standard), sma=Decimal(sma), ss=Decimal(ss), df=Decimal(df), bl=Decimal(100)
    )


PROVISION = ProvisionPolicies.of(
    [
        ProvisionPolicy(
            policy=P_CMS_2020, tier=Tier.SUBLOAN, institution_kind=BANK, sizes=CMS,
            effective_from=date(2020, 7, 21), effective_to=date(2025, 3, 31), **_rates("0.25", "0.25", 5, 20),
        ),
        ProvisionPolicy(
            policy=P_BANK_2025, tier=Tier.SUBLOAN, institution_kind=BANK,
            effective_from=date(2025, 4, 1), **_rates("1", "5"),
        ),
        ProvisionPolicy(
            policy=P_CMS_OCT25, tier=Tier.SUBLOAN, institution_kind=BANK, sizes=CMS,
            effective_from=date(2025, 10, 13), effective_to=date(2025, 12, 20), **_rates("1", "1"),
        ),
        ProvisionPolicy(
            policy=P_CMSME_DEC25, tier=Tier.SUBLOAN, institution_kind=BANK, sizes=CMSME,
            effective_from=date(2025, 12, 21), effective_to=date(2026, 12, 31), **_rates("0.5", "0.5"),
        ),
        ProvisionPolicy(
            policy=P_FC_DEC24, tier=Tier.SUBLOAN, institution_kind=COMPANY, sizes=CMSME,
            effective_from=date(2024, 12, 4), **_rates("0.25", "5", 5, 20),
        ),
        ProvisionPolicy(
            policy=P_WHOLESALE, tier=Tier.WHOLESALE, effective_from=date(2009, 7, 1), **_rates("1", "5"),
        ),
    ]
)  # fmt: skip
