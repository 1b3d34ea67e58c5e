"""Sub-loans as a bank reports them: its disbursement list checked, then opened in one batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import transaction
from django.utils.translation import gettext as _

from daybook.columns import insert_columns
from daybook.models import Booking
from daybook.selectors import business_calendar
from daybook.services import Actor, record
from lending.models import Agreement, Cluster, Funding, Loan, LoanIdentifier, LoanParty, Tier
from lending.services.borrowers import enterprises_of, people_of
from lending.services.loans import open_loans
from lending.services.locks import lock_agreement
from lending.services.places import branch_ids, district_ids
from lending.services.standing import add_to_standings
from lending.services.subloan_checks import check_subloans
from lending.services.subloan_funding import Split, split_over_tranches, tranches_of, with_contracts
from lending.services.subloan_plans import make_plans
from lending.services.subloan_rows import completed
from lending.term_words import reason_of
from partners.services.refusals import Refused

__all__ = ["CannotOpenSubloans", "check_subloans", "open_subloans"]


class CannotOpenSubloans(Refused):
    """A row became invalid since it was checked: a tranche used up, an account opened. None is opened."""


@transaction.atomic
def open_subloans(
    *,
    rows: pd.DataFrame,
    institution_id: int,
    booking: Booking,
    agreement: Agreement | None = None,
    plan: pd.DataFrame | None = None,
) -> npt.NDArray[np.int64]:
    """Open the sub-loans of a checked list; return loan ids in row order.

    Writes people, enterprises, ownerships, loans with account numbers, profiles, parties, plans and
    fundings, and raises the standings. Agreements are locked in id order first, so that two lists
    never share the same room. Without ``agreement`` the tranches decide. Raises ``CannotOpenSubloans``.
    """
    if rows.empty:
        return np.empty(0, dtype=np.int64)
    agreement_id = agreement.pk if agreement is not None else None
    for held in sorted(set(tranches_of(institution_id, agreement_id)["agreement_id"])):
        lock_agreement(int(held))
    table = completed(rows.reset_index(drop=True))
    tranches = tranches_of(institution_id, agreement_id)
    split = split_over_tranches(table, tranches)
    _refuse_what_changed(table, split, institution_id)

    table["cluster_id"] = table["cluster_code"].map(dict(Cluster.objects.values_list("code", "pk")))
    table["district_id"] = district_ids(table["district"])
    people = people_of(table, institution_id=institution_id)
    told = with_contracts(table, split, tranches)
    plans = make_plans(told, plan, business_calendar(last_booking_id=booking.pk))
    for position, why in plans.refused.items():
        raise CannotOpenSubloans(
            _("The plan of account %(account)s does not work: %(reason)s.")
            % {"account": table["account"][position], "reason": reason_of(why)}
        )
    loans = table.assign(
        key=table["account"],
        tier=Tier.SUBLOAN.value,
        origin=Loan.Origin.UPLOAD.value,
        institution_id=institution_id,
        agreement_id=split.first_tranche.map(tranches["agreement_id"].to_dict()),
        programme_id=split.first_tranche.map(tranches["programme_id"].to_dict()),
        currency=split.first_tranche.map(tranches["currency"].to_dict()),
        branch_id=branch_ids(table["routing_number"], institution_id=institution_id),
        enterprise_id=enterprises_of(table, people, institution_id=institution_id),
        principal_minor=table["amount_minor"].astype("int64"),
        identifier_kind=LoanIdentifier.Kind.ACCOUNT.value,
        identifier=table["account"],
        cause=plans.causes,
        terms=pd.Series(plans.terms, index=table.index, dtype="object"),
        capitalised_minor=plans.capitalised,
    )
    dues = plans.plan.assign(key=table["account"].to_numpy()[plans.plan["position"]])
    ids = open_loans(loans=loans, plan=dues, booking=booking)
    _add_parties(ids, people, institution_id)
    _add_fundings(ids, split, table, institution_id, booking)
    _raise_standings(loans, split, tranches, booking)
    record(
        actor=Actor(booking.actor_id, booking.actor_name),
        action="subloan.open",
        subject=booking,
        institution_id=institution_id,
        after={"loans": len(ids), "principal_minor": int(loans["principal_minor"].sum())},
        reason=booking.reason,
        booking=booking,
    )
    return ids


def _refuse_what_changed(table: pd.DataFrame, split: Split, institution_id: int) -> None:
    taken = LoanIdentifier.objects.filter(
        institution_id=institution_id,
        kind=LoanIdentifier.Kind.ACCOUNT,
        value__in=table["account"].tolist(),
    ).values_list("value", flat=True)
    for account in taken[:1]:
        raise CannotOpenSubloans(f"A sub-loan with account {account} is in the books already.")
    doubled = table.loc[table["account"].duplicated(), "account"]
    if len(doubled):
        raise CannotOpenSubloans(f"Account {doubled.iloc[0]} stands in the list twice.")
    short = split.short > 0
    if short.any():
        account = table.loc[short, "account"].iloc[0]
        raise CannotOpenSubloans(f"No tranche has room for the sub-loan of account {account}.")


def _add_parties(ids: npt.NDArray[np.int64], people: np.ndarray, institution_id: int) -> None:
    insert_columns(
        "lending_loanparty",
        {
            "loan_id": ids,
            "institution_id": np.full(len(ids), institution_id, dtype=np.int64),
            "person_id": people,
            "role": [LoanParty.Role.BORROWER.value] * len(ids),
            "is_joint": np.zeros(len(ids), dtype=bool),
        },
    )


def _add_fundings(
    ids: npt.NDArray[np.int64], split: Split, table: pd.DataFrame, institution_id: int, booking: Booking
) -> None:
    count = len(split.position)
    insert_columns(
        "lending_funding",
        {
            "loan_id": ids[split.position],
            "institution_id": np.full(count, institution_id, dtype=np.int64),
            "tranche_id": split.tranche_id,
            "kind": [Funding.Kind.FIRST_USE.value] * count,
            "amount_minor": split.amount,
            "value_date": table["disbursed_date"].to_numpy().astype("datetime64[D]")[split.position],
            "booking_id": np.full(count, booking.pk, dtype=np.int64),
        },
    )


def _raise_standings(loans: pd.DataFrame, split: Split, tranches: pd.DataFrame, booking: Booking) -> None:
    """On-lent and outstanding of the institution, of each agreement and of each tranche."""
    agreement_of = dict(zip(tranches["id"], tranches["agreement_id"], strict=True))
    parts = pd.DataFrame(
        {
            "institution_id": loans["institution_id"].to_numpy()[split.position],
            "currency": loans["currency"].to_numpy()[split.position],
            "agreement_id": pd.Series(split.tranche_id).map(agreement_of),
            "tranche_id": split.tranche_id,
            "on_lent_minor": split.amount,
        }
    )
    scopes = [
        parts.groupby(["institution_id", "currency", *more])["on_lent_minor"].sum().reset_index()
        for more in ([], ["agreement_id"], ["agreement_id", "tranche_id"])
    ]
    rows = pd.concat(scopes, ignore_index=True)
    rows["subloan_outstanding_minor"] = rows["on_lent_minor"]
    add_to_standings(rows=rows, as_of=booking.business_date)
