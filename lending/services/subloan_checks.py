"""A list of sub-loans against the programme's terms, the tranches' room and what is known already."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from calc.money import to_minor
from daybook.formats import day
from daybook.selectors import business_calendar
from lending.models import Cluster, LoanIdentifier, Programme, ProgrammeTerms
from lending.models.borrowers import Activity, Gender, SizeTier
from lending.services.faults import Faults, shown
from lending.services.identity import borrows_here, digests, is_nid, known_elsewhere
from lending.services.places import branch_ids, district_ids
from lending.services.subloan_funding import (
    Split,
    named_tranches,
    split_over_tranches,
    tranches_of,
    with_contracts,
)
from lending.services.subloan_plans import FIELD_OF_TERM, make_plans
from lending.services.subloan_rows import completed
from partners.routing import check_digit_fits

REQUIRED = (
    ("account", "the loan account number"),
    ("person_name", "the borrower's name"),
    ("enterprise_name", "the enterprise's name"),
    ("disbursed_date", "the disbursement date"),
    ("amount_minor", "the amount"),
    ("annual_rate", "the rate"),
    ("cluster_code", "the cluster's code"),
)
CHOICES = (("gender", Gender), ("size_tier", SizeTier), ("activity", Activity))


def check_subloans(
    *,
    rows: pd.DataFrame,
    institution_id: int,
    business_date: date,
    agreement_id: int | None = None,
    plan: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Faults of a bank's disbursement list: index, field, severity, reason, remedy. Writes nothing.

    ``rows`` has the columns of ``subloan_rows``; missing ones count as empty. ``plan`` holds supplied
    instalments (account, n, due_date, principal_minor, interest_minor). An invalid row cannot be opened;
    a warning may be accepted by a checker.
    """
    table, faults = completed(rows), Faults()
    _check_shape(table, faults, business_date)
    _check_accounts(table, faults, institution_id)
    _check_people(table, faults, institution_id)
    _check_places(table, faults, institution_id)
    tranches = tranches_of(institution_id, agreement_id)
    split = split_over_tranches(table, tranches)
    _check_terms(table, faults, tranches, split)
    _check_plans(with_contracts(table, split, tranches), faults, plan)
    # A row that is refused anyway takes no room from the sound ones.
    sound = table.assign(amount_minor=table["amount_minor"].mask(faults.refused(table.index), 0))
    _check_funding(table, faults, tranches, split_over_tranches(sound, tranches))
    return faults.table()


def _check_shape(table: pd.DataFrame, faults: Faults, business_date: date) -> None:
    for field, noun in REQUIRED:
        empty = table[field].isna() | (table[field].astype("object") == "")
        faults.add(empty, field, f"{noun[0].upper()}{noun[1:]} is missing.", f"Fill in {noun}.")
    planned = (table["tenor_months"] > 0).fillna(False) | (table["instalment_count"] > 0).fillna(False)
    faults.add(~planned, "tenor_months", "Neither a tenor nor a number of instalments is given.", "Give one.")
    for field, choices in CHOICES:
        faults.add(
            ~table[field].isin(choices.values),
            field,
            "“" + table[field] + "” is not known here.",
            f"Write one of: {', '.join(str(label) for label in choices.labels)}.",
        )
    faults.add(
        (table["amount_minor"] <= 0).fillna(False),
        "amount_minor",
        "The amount is not above nothing.",
        "Write the amount disbursed.",
    )
    faults.add(
        table["disbursed_date"] > pd.Timestamp(business_date),
        "disbursed_date",
        f"The disbursement lies after the books' open day, {day(business_date)}.",
        "Correct the date, or send the row once it has happened.",
    )


def _check_accounts(table: pd.DataFrame, faults: Faults, institution_id: int) -> None:
    account = table["account"]
    known = set(
        LoanIdentifier.objects.filter(
            institution_id=institution_id,
            kind=LoanIdentifier.Kind.ACCOUNT,
            value__in=[value for value in account.unique() if value],
        ).values_list("value", flat=True)
    )
    faults.add(
        account.isin(known),
        "account",
        "A sub-loan with account " + account + " is in the books already.",
        "Leave the row out; each loan is reported once.",
    )
    faults.add(
        account.duplicated() & (account != ""),
        "account",
        "Account " + account + " stands in this list twice.",
        "Keep one of the rows.",
    )


def _check_people(table: pd.DataFrame, faults: Faults, institution_id: int) -> None:
    given = table["nid"] != ""
    faults.add(
        given & ~is_nid(table["nid"]),
        "nid",
        "The national identity number has " + table["nid"].str.len().astype(str) + " characters.",
        "Write its 10, 13 or 17 digits.",
    )
    faults.add(
        ~given, "nid", "No national identity number is given.", "Add it when it is known.", severity="warning"
    )
    marks = digests(table["nid"])
    faults.add(
        marks.duplicated(keep=False) & (marks != ""),
        "nid",
        "The same person stands in this list more than once.",
        "Check that these are different loans.",
        severity="warning",
    )
    faults.add(
        borrows_here(marks, institution_id=institution_id),
        "nid",
        "This person has a sub-loan here already.",
        "Check that this is another loan.",
        severity="warning",
    )
    faults.add(
        known_elsewhere(marks, institution_id=institution_id),
        "nid",
        "Match elsewhere: another institution reports this person too.",
        "Ask the borrower about other loans under the programme.",
        severity="warning",
    )
    faults.add(
        (table["phone_given"] != "") & (table["phone"] == ""),
        "phone",
        "“" + table["phone_given"] + "” is no mobile number.",
        "Write 01 and nine more digits; the row is taken without it.",
        severity="warning",
    )


def _check_places(table: pd.DataFrame, faults: Faults, institution_id: int) -> None:
    clusters = set(Cluster.objects.values_list("code", flat=True))
    faults.add(
        (table["cluster_code"] != "") & ~table["cluster_code"].isin(clusters),
        "cluster_code",
        "There is no cluster " + table["cluster_code"] + ".",
        "Use a code from the list of clusters.",
    )
    faults.add(
        (table["district"] != "") & district_ids(table["district"]).isna(),
        "district",
        "The district “" + table["district"] + "” is not known.",
        "Write one of the 64 districts.",
        severity="warning",
    )
    routing = table["routing_number"]
    unknown = (routing != "") & branch_ids(routing, institution_id=institution_id).isna()
    fits = routing.map(check_digit_fits).astype(bool)
    faults.add(
        unknown & ~fits,
        "routing_number",
        "The check digit of routing number " + routing + " does not fit.",
        "Compare it with the cheque book.",
        severity="warning",
    )
    faults.add(
        unknown & fits,
        "routing_number",
        "No branch of yours with routing number " + routing + " is known.",
        "Ask the foundation to add the branch.",
        severity="warning",
    )


def _check_funding(table: pd.DataFrame, faults: Faults, tranches: pd.DataFrame, split: Split) -> None:
    text = table["tranche_number"]
    known = set(tranches.index)
    strange = text.map({value: not set(named_tranches(value)) <= known for value in text.unique()})
    faults.add(
        strange.astype(bool),
        "tranche_number",
        "“" + text + "” is no disbursed tranche of yours.",
        "Write the number of a disbursed tranche, or leave the cell empty.",
    )
    cluster_of = tranches["cluster_code"].to_dict()
    elsewhere = text.map(
        {value: {cluster_of[number] for number in named_tranches(value) if number in known} for value in text}
    )
    wrong = [
        bool(clusters) and clusters != {code}
        for clusters, code in zip(elsewhere, table["cluster_code"], strict=True)
    ]
    faults.add(
        pd.Series(wrong, index=table.index),
        "cluster_code",
        "The tranche's facility is for another cluster than " + table["cluster_code"] + ".",
        "Correct the cluster or the tranche.",
    )
    none = split.first_tranche == ""
    short = (split.short > 0) & ~strange.astype(bool)
    faults.add(
        short & none & (text == ""),
        "tranche_number",
        "No disbursed tranche for cluster " + table["cluster_code"] + " has room left.",
        "Draw a tranche for this cluster first, or name the tranche.",
    )
    faults.add(
        short & ~(none & (text == "")),
        "amount_minor",
        "The tranche lacks " + shown(split.short) + " for this sub-loan.",
        "Name another tranche, or correct the amount.",
    )
    sent = split.first_tranche.map(tranches["value_date"].to_dict())
    faults.add(
        pd.to_datetime(sent) > table["disbursed_date"],
        "disbursed_date",
        "The sub-loan was disbursed before its tranche was sent.",
        "Check the date.",
        severity="warning",
    )


def _check_terms(table: pd.DataFrame, faults: Faults, tranches: pd.DataFrame, split: Split) -> None:
    """The programme's terms in force on the day of each disbursement."""
    programme = split.first_tranche.map(tranches["programme_id"].to_dict()).astype("Int64")
    found = programme.notna() & table["disbursed_date"].notna()
    terms = _terms_frame()
    for programme_id in programme[found].unique():
        mine = found & (programme == programme_id)
        offered = terms[terms["programme_id"] == programme_id].reset_index(drop=True)
        at = (
            np.searchsorted(
                offered["effective_date"].to_numpy(dtype="datetime64[D]"),
                table.loc[mine, "disbursed_date"].to_numpy().astype("datetime64[D]"),
                side="right",
            )
            - 1
        )
        rows = table[mine]
        early = pd.Series(at < 0, index=rows.index)
        faults.add(
            early,
            "disbursed_date",
            "The programme had no terms on that day yet.",
            "Check the date, or the tranche named.",
        )
        kept = rows[~early]
        _compare(kept, faults, offered.iloc[at[at >= 0]].set_axis(kept.index))


def _compare(rows: pd.DataFrame, faults: Faults, terms: pd.DataFrame) -> None:
    amount = rows["amount_minor"].fillna(0)
    rate = pd.Series([_number(value) for value in rows["annual_rate"]], index=rows.index, dtype="object")
    over = [a is not None and a > cap for a, cap in zip(rate, terms["cap"], strict=True)]
    faults.add(
        pd.Series(over, index=rows.index),
        "annual_rate",
        "The rate of " + rate.astype(str) + " % exceeds the cap of " + terms["cap"].astype(str) + " %.",
        "Charge at most the cap.",
    )
    is_dearer = rows["is_machinery"] & (terms["max_machinery"] > 0)
    ceiling = terms["max"].mask(is_dearer, terms["max_machinery"])
    faults.add(
        amount < terms["min"],
        "amount_minor",
        "The amount is below the programme's smallest, " + shown(terms["min"]) + ".",
        "Fund it from elsewhere.",
    )
    faults.add(
        amount > ceiling,
        "amount_minor",
        "The amount is above the programme's largest, " + shown(ceiling) + ".",
        "Fund the rest from elsewhere and report the programme's part.",
    )
    faults.add(
        rows["has_collateral"] & (amount <= terms["collateral_free_to"]),
        "has_collateral",
        "Up to " + shown(terms["collateral_free_to"]) + " no collateral may be taken.",
        "Release the collateral.",
    )
    faults.add(
        rows["tenor_months"] > terms["tenor"],
        "tenor_months",
        "The tenor exceeds " + terms["tenor"].astype(str) + " months.",
        "Shorten it.",
    )
    faults.add(
        rows["grace_months"] > terms["grace"],
        "grace_months",
        "The grace exceeds " + terms["grace"].astype(str) + " months.",
        "Shorten it.",
    )
    excluded = [
        any(word.casefold() in sector.casefold() for word in words)
        for sector, words in zip(rows["sector"], terms["excluded"], strict=True)
    ]
    faults.add(
        pd.Series(excluded, index=rows.index),
        "sector",
        "The sector “" + rows["sector"] + "” is excluded from the programme.",
        "Fund it from elsewhere.",
    )
    faults.add(
        rows["disbursed_date"] > terms["to_date"],
        "disbursed_date",
        "The programme had ended by then.",
        "Check the date.",
        severity="warning",
    )


def _terms_frame() -> pd.DataFrame:
    """All terms, by programme and date; where two start together the later booking rules."""
    ends = dict(Programme.objects.values_list("pk", "to_date"))
    rows = [
        {
            "programme_id": terms.programme_id,
            "effective_date": np.datetime64(terms.effective_date, "D"),
            "cap": terms.borrower_rate_cap.normalize(),
            "min": to_minor(terms.min_amount.amount),
            "max": to_minor(terms.max_amount.amount),
            "max_machinery": _minor(terms.max_machinery_amount),
            "collateral_free_to": _minor(terms.collateral_free_to),
            "tenor": terms.tenor_months,
            "grace": terms.grace_months,
            "excluded": tuple(terms.excluded_sectors),
            "to_date": pd.NaT if (end := ends[terms.programme_id]) is None else pd.Timestamp(end),
        }
        for terms in ProgrammeTerms.objects.order_by("programme_id", "effective_date", "booking_id", "id")
    ]
    table = pd.DataFrame(rows)
    return table.drop_duplicates(["programme_id", "effective_date"], keep="last") if rows else table


def _check_plans(table: pd.DataFrame, faults: Faults, plan: pd.DataFrame | None) -> None:
    """Only for rows that are otherwise complete: a missing amount has been named already."""
    whole = table[
        table["disbursed_date"].notna()
        & (table["amount_minor"] > 0).fillna(False)
        & table["annual_rate"].notna()
        & ((table["tenor_months"] > 0).fillna(False) | (table["instalment_count"] > 0).fillna(False))
    ]
    if whole.empty:
        return
    for position, why in make_plans(whole, plan, business_calendar()).refused.items():
        wrong = pd.Series(np.arange(len(whole)) == position, index=whole.index)
        faults.add(
            wrong,
            FIELD_OF_TERM.get(why.term, why.term),
            f"The repayment plan does not work: {why.reason}.",
            "Correct the terms.",
        )


def _minor(money: Any) -> int:
    return to_minor(money.amount) if money is not None else 0


def _number(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value
