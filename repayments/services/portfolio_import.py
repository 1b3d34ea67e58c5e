"""Bring a portfolio from CSV files into the books, both tiers, through the services the screens use.

All or nothing, and repeatable: what is in the books already is left as it is, so a second run of the
same files writes nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from django.db import connection, transaction

from calc.money import from_minor
from daybook.models import Booking
from daybook.selectors import open_business_date
from daybook.services import book, record
from lending.models import LoanIdentifier, Tier
from partners.access import Role, actor_of, context_of
from repayments.models import Receipt
from repayments.services.portfolio_files import LOANS, PAYMENTS, CannotReadPortfolio, Fault, Portfolio
from repayments.services.portfolio_opening import (
    Order,
    open_agreements,
    open_institutions,
    open_planned_loans,
)
from repayments.services.posting import RECEIPT_COLUMNS, post_receipts

MAKERS = (Role.OFFICER, Role.ADMINISTRATOR, Role.FINANCE_HEAD)
IMPORT_LOCK = 7250006
APPROVERS = (Role.APPROVER, Role.FINANCE_HEAD)


class CannotImportPortfolio(Exception):
    """The people named may not do this; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What the import wrote, what stood in the books already, and what a person should look at."""

    institution_count: int
    agreement_count: int
    subloan_count: int
    wholesale_count: int
    receipt_count: int
    known_loan_count: int
    known_receipt_count: int
    left_out: pd.DataFrame
    before_disbursement: pd.DataFrame

    @property
    def changed_nothing(self) -> bool:
        return not (self.subloan_count or self.wholesale_count or self.receipt_count)


@transaction.atomic
def import_portfolio(*, portfolio: Portfolio, order: Order) -> Imported:
    """Write what of a portfolio is not in the books yet.

    New institutions take the code in the column `partner`; the new loans of each institution come
    under one new agreement, made by one person and approved by another. Raises
    ``CannotImportPortfolio``, and ``CannotReadPortfolio`` where the files contradict the books.
    """
    _one_at_a_time()
    _check_people(order, open_business_date())
    wanted = _wanted(portfolio)
    known = _known_loans(wanted)
    _refuse_contradictions(known)
    new_loans = known[known["loan_id"].isna()]
    payments = portfolio.payments.merge(known[["tier", "id", "loan_id"]], on=["tier", "id"])
    payments["is_known"] = _known_receipts(payments)
    new_payments = payments[~payments["is_known"]]

    institution_count = agreement_count = 0
    opened = pd.DataFrame({"tier": [], "id": [], "opened_id": []}, dtype=object)
    if len(new_loans) or len(new_payments):
        booking = book(
            purpose="portfolio.import",
            actor=actor_of(order.approver),
            reason=f"Made by {order.maker}, approved by {order.approver}",
        )
        if len(new_loans):
            institution_count = open_institutions(new_loans, order, booking)
            agreements = open_agreements(new_loans, portfolio.plan, order, booking)
            agreement_count = len(agreements)
            opened = open_planned_loans(new_loans, portfolio.plan, agreements, order, booking)
        _post(new_payments, opened, booking)
        _record(order, booking, len(new_loans), len(new_payments))
    return Imported(
        institution_count=institution_count,
        agreement_count=agreement_count,
        subloan_count=int((new_loans["tier"] == Tier.SUBLOAN).sum()),
        wholesale_count=int((new_loans["tier"] == Tier.WHOLESALE).sum()),
        receipt_count=len(new_payments),
        known_loan_count=len(known) - len(new_loans),
        known_receipt_count=len(payments) - len(new_payments),
        left_out=portfolio.left_out,
        before_disbursement=_before_disbursement(new_payments, wanted),
    )


def _one_at_a_time() -> None:
    """Two imports at once would each find the other's loans missing; the second waits for the first.

    Plans this session made for small tables, those of foreign keys too, are thrown away: kept, they
    made an import of 5,000 receipts take three times as long.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])
        cursor.execute("DISCARD PLANS")


def _check_people(order: Order, on: date) -> None:
    if order.maker.pk == order.approver.pk:
        raise CannotImportPortfolio("The maker and the approver must be two people.")
    for person, roles in ((order.maker, MAKERS), (order.approver, APPROVERS)):
        if not context_of(person, on=on).may(*roles):
            wanted = " or ".join(str(role.label).lower() for role in roles)
            raise CannotImportPortfolio(f"{person.username} is not a {wanted} on {on}.")


def _wanted(portfolio: Portfolio) -> pd.DataFrame:
    """The loans the books should hold: one row for each loan and tier that has a plan."""
    tiers = portfolio.plan[["id", "tier"]].drop_duplicates()
    return tiers.merge(portfolio.loans, on="id").sort_values(["tier", "row"], ignore_index=True)


def _known_loans(wanted: pd.DataFrame) -> pd.DataFrame:
    """The wanted loans with what the books hold under their institution and id; empty where nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT p.code, i.value, l.tier, l.id, l.principal_minor, l.disbursed_date
              FROM lending_loanidentifier i
              JOIN lending_loan l ON l.id = i.loan_id
              JOIN partners_institution p ON p.id = i.institution_id
             WHERE i.kind = %s AND p.code = ANY (%s) AND i.value = ANY (%s)
            """,
            [
                LoanIdentifier.Kind.IMPORTED,
                wanted["partner"].unique().tolist(),
                wanted["id"].unique().tolist(),
            ],
        )
        names = ["partner", "id", "tier", "loan_id", "known_principal", "known_disbursed"]
        found = pd.DataFrame(cursor.fetchall(), columns=names).astype({"loan_id": "Int64"})
    return wanted.merge(found, on=["partner", "id", "tier"], how="left")


def _refuse_contradictions(known: pd.DataFrame) -> None:
    """A loan in the books under the same id must be the same loan."""
    held = known[known["loan_id"].notna()]
    other = (held["known_principal"] != held["principal_minor"]) | (
        pd.to_datetime(held["known_disbursed"]) != held["disb"]
    )
    if other.any():
        raise CannotReadPortfolio(
            [
                Fault(
                    LOANS,
                    int(row["row"]),
                    "loan",
                    f"loan {row['id']} is in the books with {from_minor(row['known_principal'])}, "
                    f"disbursed {row['known_disbursed']}.",
                    "Correct the row, or give the other loan its own id.",
                )
                for row in held[other].to_dict("records")
            ]
        )


def _known_receipts(payments: pd.DataFrame) -> pd.Series[bool]:
    """Whether a payment was posted before, reversed since or not; refused if it was another payment."""
    held = payments[payments["loan_id"].notna()]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (r.loan_id, r.external_reference)
                   r.loan_id, r.external_reference, r.amount_minor, r.value_date
              FROM repayments_receipt r
             WHERE r.loan_id = ANY (%s) AND r.mirror_of_id IS NULL
             ORDER BY r.loan_id, r.external_reference, r.id DESC
            """,
            [held["loan_id"].unique().tolist()],
        )
        names = ["loan_id", "payment_id", "known_amount", "known_date"]
        found = pd.DataFrame(cursor.fetchall(), columns=names).astype(
            {"loan_id": "Int64", "payment_id": object}
        )
    both = payments[["row", "loan_id", "payment_id", "amount_minor", "processed"]].merge(
        found, on=["loan_id", "payment_id"], how="left"
    )
    is_known = both["known_amount"].notna()
    other = is_known & (
        (both["known_amount"] != both["amount_minor"])
        | (pd.to_datetime(both["known_date"]) != both["processed"])
    )
    if other.any():
        raise CannotReadPortfolio(
            [
                Fault(
                    PAYMENTS,
                    int(row["row"]),
                    "payment_id",
                    f"reference {row['payment_id']} is in the books with {from_minor(row['known_amount'])} "
                    f"on {row['known_date']}.",
                    "Give the other payment its own reference, or reverse the receipt on its page.",
                )
                for row in both[other].drop_duplicates("row").to_dict("records")
            ]
        )
    return is_known


def _post(payments: pd.DataFrame, opened: pd.DataFrame, booking: Booking) -> None:
    """Post the new payments at their value dates."""
    rows = payments.merge(opened, on=["tier", "id"], how="left")
    loan_ids = rows["loan_id"].fillna(rows["opened_id"].astype("Int64")).to_numpy(dtype=np.int64)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, institution_id FROM lending_loan WHERE id = ANY (%s)", [loan_ids.tolist()])
        institutions = dict(cursor.fetchall())
    post_receipts(
        receipts=pd.DataFrame(
            {
                "loan_id": loan_ids,
                "institution_id": pd.Series(loan_ids).map(institutions),
                "tier": rows["tier"].to_numpy(),
                "channel": Receipt.Channel.IMPORT.value,
                "value_date": rows["processed"].dt.date.to_numpy(),
                "amount_minor": rows["amount_minor"].to_numpy(),
                "external_reference": rows["payment_id"].to_numpy(),
            }
        ).reindex(columns=list(RECEIPT_COLUMNS)),
        booking=booking,
    )


def _before_disbursement(payments: pd.DataFrame, wanted: pd.DataFrame) -> pd.DataFrame:
    """Payments older than their loan: accepted, and listed for a person to look at."""
    loans = wanted[["id", "disb"]].drop_duplicates("id")
    rows = payments.merge(loans, on="id", suffixes=("", "_of_loan")).sort_values("row")
    early = rows[rows["processed"] < rows["disb"]].drop_duplicates("row")
    return early[["row", "id", "payment_id", "processed", "disb", "amount_minor"]].reset_index(drop=True)


def _record(order: Order, booking: Booking, loan_count: int, receipt_count: int) -> None:
    for person, action in ((order.maker, "portfolio.propose"), (order.approver, "portfolio.import")):
        record(
            actor=actor_of(person),
            action=action,
            subject=booking,
            after={"loans": loan_count, "receipts": receipt_count},
            booking=booking,
        )
