from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from calc.classification import (
    NO_POLICY,
    Chosen,
    InstitutionKind,
    LoanClass,
    ProvisionPolicies,
    ProvisionPolicy,
    Provisions,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
    provision,
)
from calc.money import DOWN, HALF_UP, Rounding, from_rate_units
from tests.calc.reference import (
    P_BANK_2025,
    P_CMS_2020,
    P_CMS_OCT25,
    P_CMSME_DEC25,
    P_FC_DEC24,
    P_WHOLESALE,
    PROVISION,
)
from tests.calc.test_classification import traits

STANDARD, SMA, SS, DF, BL = (LoanClass(n) for n in range(5))
COMPANY = InstitutionKind.FINANCE_COMPANY
LAKH = 1_00_000_00


def set_aside(
    number: int,
    loan_class: int,
    outstanding: int = 5 * LAKH,
    suspense: int = 0,
    security: int = 0,
    policies: ProvisionPolicies = PROVISION,
    floor_waived: bool = False,
    rounding: Rounding = HALF_UP,
) -> Provisions:
    return provision(
        outstanding=np.array([outstanding]),
        suspense=np.array([suspense]),
        security=np.array([security]),
        loan_class=np.array([loan_class], dtype=np.int8),
        policies=policies,
        chosen=Chosen(np.array([number]), np.array([number - 1])),
        floor_waived=np.array([floor_waived]),
        rounding=rounding,
    )


@pytest.mark.parametrize(
    ("on", "loan", "policy"),
    [
        (date(2020, 7, 20), traits(), NO_POLICY),
        (date(2020, 7, 21), traits(), P_CMS_2020),
        (date(2025, 3, 31), traits(), P_CMS_2020),
        (date(2025, 3, 31), traits(size=SizeTier.MEDIUM), NO_POLICY),
        (date(2025, 4, 1), traits(), P_BANK_2025),
        (date(2025, 10, 12), traits(), P_BANK_2025),
        (date(2025, 10, 13), traits(), P_CMS_OCT25),
        (date(2025, 10, 13), traits(size=SizeTier.MEDIUM), P_BANK_2025),
        (date(2025, 12, 20), traits(), P_CMS_OCT25),
        (date(2025, 12, 21), traits(), P_CMSME_DEC25),
        (date(2025, 12, 21), traits(size=SizeTier.MEDIUM), P_CMSME_DEC25),
        (date(2026, 12, 31), traits(), P_CMSME_DEC25),
        (date(2027, 1, 1), traits(), P_BANK_2025),
        (date(2024, 12, 3), traits(COMPANY), NO_POLICY),
        (date(2024, 12, 4), traits(COMPANY), P_FC_DEC24),
        (date(2024, 12, 4), traits(COMPANY, size=SizeTier.LARGE), NO_POLICY),
        (date(2010, 1, 1), traits(tier=Tier.WHOLESALE), P_WHOLESALE),
    ],
)
def test_provision_rates_begin_and_end_on_their_dates(on: date, loan: Traits, policy: int) -> None:
    chosen = choose_policies(PROVISION.scopes, loan, on)
    assert chosen.policy.tolist() == [policy]


@pytest.mark.parametrize(
    ("policy", "percents"),
    [
        (P_CMS_2020, ["0.25", "0.25", "5", "20", "100"]),
        (P_BANK_2025, ["1", "5", "20", "50", "100"]),
        (P_CMS_OCT25, ["1", "1", "20", "50", "100"]),
        (P_CMSME_DEC25, ["0.5", "0.5", "20", "50", "100"]),
        (P_FC_DEC24, ["0.25", "5", "5", "20", "100"]),
        (P_WHOLESALE, ["1", "5", "20", "50", "100"]),
    ],
)
def test_every_class_takes_its_own_percentage(policy: int, percents: list[str]) -> None:
    for loan_class, percent in enumerate(percents):
        result = set_aside(policy, loan_class)
        assert from_rate_units(int(result.rate[0])) == Decimal(percent)
        assert result.amount.tolist() == [int(Decimal(5 * LAKH) * Decimal(percent) / 100)]


def test_the_worked_example_of_domain_4_3() -> None:
    result = set_aside(P_BANK_2025, DF, suspense=18_000_00)
    assert result.base.tolist() == [4_82_000_00]
    assert result.amount.tolist() == [2_41_000_00]


def test_an_unclassified_loan_is_provided_on_its_outstanding_less_suspense() -> None:
    result = set_aside(P_BANK_2025, SMA, suspense=18_000_00, security=5 * LAKH)
    assert result.base.tolist() == [4_82_000_00]


def test_security_beyond_the_loan_leaves_a_base_of_nothing() -> None:
    assert set_aside(P_BANK_2025, BL, security=6 * LAKH).amount.tolist() == [0]


def test_a_floor_keeps_part_of_the_outstanding_in_the_base_unless_the_security_is_cash_like() -> None:
    floored = ProvisionPolicies.of(
        [
            ProvisionPolicy(
                policy=1,
                tier=Tier.SUBLOAN,
                effective_from=date(2012, 12, 31),
                standard=Decimal("0.25"),
                sma=Decimal("0.25"),
                ss=Decimal(20),
                df=Decimal(50),
                bl=Decimal(100),
                floor=Decimal(15),
            )
        ]
    )
    assert set_aside(1, SS, security=5 * LAKH, policies=floored).base.tolist() == [75_000_00]
    waived = set_aside(1, SS, security=5 * LAKH, policies=floored, floor_waived=True)
    assert waived.base.tolist() == [0]


def test_the_rounding_is_the_one_named() -> None:
    assert set_aside(P_CMSME_DEC25, STANDARD, outstanding=101).amount.tolist() == [1]
    assert set_aside(P_CMSME_DEC25, STANDARD, outstanding=199, rounding=DOWN).amount.tolist() == [0]


@pytest.mark.parametrize("policies", [PROVISION, ProvisionPolicies.of([])])
def test_no_policy_is_an_exception_and_not_a_zero(policies: ProvisionPolicies) -> None:
    chosen = Chosen(np.array([NO_POLICY]), np.array([-1]))
    column = np.array([LAKH], dtype=np.int64)
    result = provision(column, column, column, np.array([BL], dtype=np.int8), policies, chosen)
    assert result.known.tolist() == [False]
    assert result.policy.tolist() == [NO_POLICY]


def test_a_loan_without_a_class_has_no_provision_either() -> None:
    assert set_aside(P_BANK_2025, LoanClass.UNCLASSIFIED).known.tolist() == [False]
    assert set_aside(P_BANK_2025, STANDARD).known.tolist() == [True]
