"""The nouns of lending: what is offered, to whom, what was decided, what is owed."""

from lending.models.agreements import Agreement, Allotment
from lending.models.applications import (
    Application,
    ApplicationLine,
    Decision,
    Facility,
    Tranche,
    TrancheLine,
)
from lending.models.borrowers import (
    Activity,
    Enterprise,
    Gender,
    LoanParty,
    Ownership,
    Person,
    Security,
    SizeTier,
)
from lending.models.cancellations import FacilityCancellation
from lending.models.loans import Due, Funding, Loan, LoanIdentifier, LoanProfile, Schedule, Standing, Tier
from lending.models.penal import PenalRate
from lending.models.programmes import Cluster, FundSource, Programme, ProgrammeTerms
from lending.models.proposals import Proposal

__all__ = [
    "Activity",
    "Agreement",
    "Allotment",
    "Application",
    "ApplicationLine",
    "Cluster",
    "Decision",
    "Due",
    "Enterprise",
    "Facility",
    "FacilityCancellation",
    "FundSource",
    "Funding",
    "Gender",
    "Loan",
    "LoanIdentifier",
    "LoanParty",
    "LoanProfile",
    "Ownership",
    "PenalRate",
    "Person",
    "Programme",
    "ProgrammeTerms",
    "Proposal",
    "Schedule",
    "Security",
    "SizeTier",
    "Standing",
    "Tier",
    "Tranche",
    "TrancheLine",
]
