"""Class and provision of loans side by side, by dated policies."""

from calc.classification.classify import Classes, Ground, classify, explain
from calc.classification.policies import (
    AMBIGUOUS_POLICY,
    NO_BOUND,
    NO_POLICY,
    Chosen,
    ClassificationPolicies,
    ClassificationPolicy,
    ClassTest,
    InstitutionKind,
    LoanClass,
    ProvisionPolicies,
    ProvisionPolicy,
    Scope,
    Scopes,
    SizeTier,
    Tier,
    Traits,
    choose_policies,
)
from calc.classification.provision import Provisions, provision

__all__ = [
    "AMBIGUOUS_POLICY",
    "NO_BOUND",
    "NO_POLICY",
    "Chosen",
    "ClassTest",
    "Classes",
    "ClassificationPolicies",
    "ClassificationPolicy",
    "Ground",
    "InstitutionKind",
    "LoanClass",
    "ProvisionPolicies",
    "ProvisionPolicy",
    "Provisions",
    "Scope",
    "Scopes",
    "SizeTier",
    "Tier",
    "Traits",
    "choose_policies",
    "classify",
    "explain",
    "provision",
]
