"""Where the one loan stands: its class, provision and what is outstanding, measured as every report does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from calc.classification import InstitutionKind, LoanClass
from daybook.selectors import latest_booking_id
from partners.models import InstitutionStatus
from repayments.frames import Scope
from repayments.selectors import measure_loans
from repayments.services.events.facts import Facts


@dataclass(frozen=True)
class LoanStanding:
    """Money in minor units; ``loan_class`` as calc numbers it."""

    loan_class: int
    outstanding_minor: int
    provision_minor: int
    suspense_minor: int

    @property
    def is_classified(self) -> bool:
        """Substandard or worse."""
        return self.loan_class >= LoanClass.SS


def standing_of(facts: Facts, on: date) -> LoanStanding:
    """The loan's standing at the close of a date, as known now."""
    rows = measure_loans(Scope.of_loans(facts.ids), as_of=on, last_booking_id=latest_booking_id()).rows
    if not len(rows):
        return LoanStanding(int(LoanClass.UNCLASSIFIED), 0, 0, 0)
    return LoanStanding(
        loan_class=int(rows["loan_class"][0]),
        outstanding_minor=int(rows["outstanding_minor"][0]),
        provision_minor=int(rows["provision_minor"][0]),
        suspense_minor=int(rows["suspense_minor"][0]),
    )


def kind_of_institution(institution_id: int, on: date) -> str:
    """Bank or finance company on a date; any where the books do not say."""
    row = (
        InstitutionStatus.objects.filter(institution_id=institution_id, effective_date__lte=on)
        .order_by("-effective_date", "-booking_id", "-id")
        .first()
    )
    return row.kind if row else InstitutionKind.ANY.name.lower()
