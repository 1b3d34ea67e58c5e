"""What an import opens: institutions that are missing, an agreement for each, the loans of both tiers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from calc.money import Component, from_minor
from daybook.models import Booking
from lending.models import Agreement, FundSource, Loan, LoanIdentifier, Programme, Schedule
from lending.services.loans import open_loans
from lending.services.numbers import next_numbers
from lending.services.steps import note_step
from partners.models import Institution, InstitutionStatus, User


@dataclass(frozen=True, slots=True)
class Order:
    """How an import is to be booked: by whom, in which currency, under which programme.

    `institution_kind` is the kind of institutions that are not in the books yet.
    """

    maker: User
    approver: User
    currency: str
    programme_code: str
    institution_kind: str


def open_institutions(loans: pd.DataFrame, order: Order, booking: Booking) -> int:
    """Add the institutions that are missing, with their kind from the first loan on."""
    codes = loans.groupby("partner").agg(name=("partner_name", "first"), first=("disb", "min"))
    known = set(Institution.objects.filter(code__in=list(codes.index)).values_list("code", flat=True))
    missing = codes[~codes.index.isin(known)]
    made = Institution.objects.bulk_create(
        Institution(code=str(code), name=name or f"Imported institution {code}")
        for code, name in missing["name"].items()
    )
    InstitutionStatus.objects.bulk_create(
        InstitutionStatus(
            institution=institution,
            effective_date=first.date(),
            kind=order.institution_kind,
            ownership=InstitutionStatus.Ownership.PRIVATE,
            booking=booking,
        )
        for institution, first in zip(made, missing["first"], strict=True)
    )
    return len(made)


def open_agreements(
    loans: pd.DataFrame, plan: pd.DataFrame, order: Order, booking: Booking
) -> dict[str, Agreement]:
    """One agreement for the new loans of each institution, by the institution's code.

    Its limit is what the loans of the larger tier come to: the tiers are one money lent twice.
    """
    programme = _programme(order.programme_code, loans)
    institutions = {
        institution.code: institution
        for institution in Institution.objects.filter(code__in=loans["partner"].unique().tolist())
    }
    groups = loans.groupby("partner").agg(first=("disb", "min"), last=("disb", "max"))
    groups["limit"] = loans.groupby(["partner", "tier"])["principal_minor"].sum().groupby("partner").max()
    groups["instalments"] = plan.merge(loans[["id", "partner"]], on="id").groupby("partner")["n"].max()
    agreements = Agreement.objects.bulk_create(
        Agreement(
            number=number,
            institution=institutions[code],
            programme=programme,
            state=Agreement.State.ACTIVE,
            signed_date=first.date(),
            from_date=first.date(),
            to_date=last.date(),
            limit=from_minor(limit),
            limit_currency=order.currency,
            annual_rate=0,
            instalment_count=instalments,
            made_by=order.maker,
            approved_by=order.approver,
            booking=booking,
        )
        for number, (code, first, last, limit, instalments) in zip(
            next_numbers("agreement", len(groups)), groups.itertuples(name=None), strict=True
        )
    )
    for agreement in agreements:
        for step, person in (("draft", order.maker), ("approve", order.approver)):
            note_step(
                agreement,
                step=step,
                actor=person,
                business_date=booking.business_date,
                before=None,
                after={"state": agreement.state, "limit": str(agreement.limit.amount)},
                amount=agreement.limit,
                reason="Portfolio import",
                booking=booking,
            )
    return {agreement.institution.code: agreement for agreement in agreements}


def _programme(code: str, loans: pd.DataFrame) -> Programme:
    """The programme named, or a new one that only says that its loans were imported."""
    known = Programme.objects.filter(code=code).first()
    if known is not None:
        return known
    fund, _ = FundSource.objects.get_or_create(code="IMPORT", defaults={"name": "Imported portfolios"})
    return Programme.objects.create(
        code=code, name="Imported portfolio", fund_source=fund, from_date=loans["disb"].min().date()
    )


def open_planned_loans(
    loans: pd.DataFrame,
    plan: pd.DataFrame,
    agreements: dict[str, Agreement],
    order: Order,
    booking: Booking,
) -> pd.DataFrame:
    """Open the loans of both tiers; returns tier, id and loan_id of each."""
    rows = pd.DataFrame(
        {
            "key": loans["tier"] + " " + loans["id"],
            "tier": loans["tier"],
            "origin": Loan.Origin.IMPORT.value,
            "institution_id": [agreements[code].institution_id for code in loans["partner"]],
            "agreement_id": [agreements[code].pk for code in loans["partner"]],
            "programme_id": [agreements[code].programme_id for code in loans["partner"]],
            "currency": order.currency,
            "principal_minor": loans["principal_minor"],
            "disbursed_date": loans["disb"],
            "purpose": loans["sector"].str.slice(0, 120),
            "identifier_kind": LoanIdentifier.Kind.IMPORTED.value,
            "identifier": loans["id"],
            "cause": Schedule.Cause.SUPPLIED.value,
            "sector": loans["sector"].str.slice(0, 60),
        }
    )
    mine = plan.merge(loans[["tier", "id"]], on=["tier", "id"])
    dues = pd.concat(
        [
            pd.DataFrame(
                {
                    "key": mine["tier"] + " " + mine["id"],
                    "instalment": mine["n"],
                    "component": int(component),
                    "nominal_date": mine["due"],
                    "late_date": mine["due"],
                    "amount_minor": mine[amount],
                }
            )
            for component, amount in (
                (Component.PRINCIPAL, "principal_minor"),
                (Component.INTEREST, "interest_minor"),
            )
        ],
        ignore_index=True,
    )
    ids = open_loans(loans=rows, plan=dues, booking=booking)
    return pd.DataFrame({"tier": loans["tier"].to_numpy(), "id": loans["id"].to_numpy(), "opened_id": ids})
