"""Read a folder of CSV files that holds a portfolio, and find everything that is wrong with it at once.

docs/users/import.md describes the files. Cells are read as text; amounts become whole minor units
without passing through a float. Row numbers are those a spreadsheet shows (the heading is row 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from calc.schedule import SuppliedColumns, supplied_schedules
from lending.models import Tier
from lending.term_words import reason_of

LOANS, SCHEDULE, PAYMENTS = "loans.csv", "schedule.csv", "payments.csv"
REQUIRED = {
    LOANS: ("id", "status", "partner", "disb", "loan"),
    SCHEDULE: ("id", "n"),
    PAYMENTS: ("id", "payment_id", "processed", "amount"),
}
PLAN_COLUMNS = {
    Tier.SUBLOAN: ("local_due", "local_amount", "local_interest"),
    Tier.WHOLESALE: ("due", "amount", "interest"),
}
"""Of each tier: due date, principal, interest (which may be left out)."""
LOADED = ("active", "paid", "defaulted")
LEFT_OUT = {
    "refunded": "refunded: the money came back unused, which is no recovery and leaves nothing owed",
    "deleted": "deleted by its source",
    "": "without a status, so nobody knows whether it was lent",
}
DATE_REMEDY = "Write it as 2026-03-25."
AMOUNT_REMEDY = "Write digits with at most two decimals, such as 1250.00."


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where (row 0: the file as a whole), and what to do."""

    file: str
    row: int
    column: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        place = ", ".join(
            [self.file, *([f"row {self.row}"] if self.row else []), *([self.column] if self.column else [])]
        )
        return f"{place}: {self.reason} {self.remedy}"


class CannotReadPortfolio(Exception):
    """The files have faults; ``faults`` holds every one. Nothing was imported."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))


@dataclass(frozen=True)
class Portfolio:
    """A portfolio without faults. Money in minor units, dates as datetime64; `row` as the spreadsheet shows.

    loans: row, id, partner, partner_name, sector, disb, principal_minor. plan: id, tier, n, due,
    principal_minor, interest_minor. payments: row, id, tier, payment_id, processed, amount_minor.
    left_out: row, id, reason.
    """

    tiers: tuple[str, ...]
    loans: pd.DataFrame
    plan: pd.DataFrame
    payments: pd.DataFrame
    left_out: pd.DataFrame


@dataclass
class _Faults:
    """Gathers faults; rows are told by a mask over a table."""

    found: list[Fault] = field(default_factory=list)

    def whole(self, file: str, reason: str, remedy: str) -> None:
        self.found.append(Fault(file, 0, "", reason, remedy))

    def where(
        self, wrong: pd.Series[bool], table: pd.DataFrame, column: str, reason: str, remedy: str
    ) -> None:
        """`reason` may name columns of the table in braces."""
        for row in table[wrong.to_numpy()].to_dict("records"):
            told = reason.format_map({str(name): value for name, value in row.items()})
            self.found.append(Fault(table.attrs["file"], int(row["row"]), column, told, remedy))

    def stop_if_any(self) -> None:
        if self.found:
            raise CannotReadPortfolio(self.found)


def read_portfolio(folder: Path, *, business_date: date) -> Portfolio:
    """Read and check loans.csv, schedule.csv and payments.csv. Raises ``CannotReadPortfolio``."""
    faults = _Faults()
    tables = {file: _table(folder / file, faults) for file in REQUIRED}
    faults.stop_if_any()
    tiers = tuple(
        tier for tier, (due, amount, _) in PLAN_COLUMNS.items() if {due, amount} <= set(tables[SCHEDULE])
    )
    if not tiers:
        faults.whole(
            SCHEDULE,
            "there is neither a column pair local_due, local_amount (sub-loans) nor due, amount (wholesale).",
            "Name the columns as docs/users/import.md says.",
        )
        faults.stop_if_any()
    loans = _loans(tables[LOANS], business_date, faults)
    plan = _plan(tables[SCHEDULE], tiers, loans, faults)
    payments = _payments(tables[PAYMENTS], tiers, loans, business_date, faults)
    faults.stop_if_any()
    for tier in tiers:
        _refuse_bad_plans(plan[plan["tier"] == tier], loans, PLAN_COLUMNS[Tier(tier)], faults)
    faults.stop_if_any()

    is_loaded = loans["status"].isin(LOADED)
    unplanned = is_loaded & ~loans["id"].isin(plan["id"])
    reason = loans["status"].map(LEFT_OUT).where(~unplanned, "without a schedule")
    left_out = loans.assign(reason=reason)[~is_loaded | unplanned]
    kept = loans[is_loaded & ~unplanned]
    return Portfolio(
        tiers=tiers,
        loans=kept.reset_index(drop=True),
        plan=plan[plan["id"].isin(kept["id"])].reset_index(drop=True),
        payments=payments[payments["id"].isin(kept["id"])].reset_index(drop=True),
        left_out=left_out[["row", "id", "reason"]].reset_index(drop=True),
    )


def _table(path: Path, faults: _Faults) -> pd.DataFrame:
    """A file as text, with its row numbers; an empty frame when it cannot be used."""
    try:
        table = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False
        )
    except FileNotFoundError:
        faults.whole(path.name, "the file is missing.", f"Put it into {path.parent}.")
        return pd.DataFrame()
    except pd.errors.EmptyDataError:
        faults.whole(path.name, "the file is empty.", "Put a heading and rows into it.")
        return pd.DataFrame()
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        faults.whole(path.name, f"the file cannot be read ({error}).", "Save it as CSV in UTF-8.")
        return pd.DataFrame()
    table.columns = table.columns.str.strip().str.lower()
    missing = [name for name in REQUIRED[path.name] if name not in table]
    if missing:
        faults.whole(path.name, f"the columns {', '.join(missing)} are missing.", "Add them to the heading.")
        return pd.DataFrame()
    table = table.fillna("").apply(lambda column: column.str.strip())
    table.insert(0, "row", np.arange(2, len(table) + 2))
    table = table[(table.drop(columns="row") != "").any(axis=1)]
    if table.empty:
        faults.whole(path.name, "there are headings and no rows.", "Add the rows.")
    table.attrs["file"] = path.name
    return table


def _loans(table: pd.DataFrame, business_date: date, faults: _Faults) -> pd.DataFrame:
    faults.where(table["id"] == "", table, "id", "the loan has no id.", "Give every loan its own id.")
    faults.where(
        (table["id"] != "") & table["id"].duplicated(), table, "id", "the id {id} comes twice.",
        "Give every loan its own id.",
    )  # fmt: skip
    faults.where(
        table["partner"] == "", table, "partner", "the loan names no institution.", "Write its code."
    )  # fmt: skip
    faults.where(
        (table["id"].str.len() > 60) | (table["partner"].str.len() > 20), table, "id",
        "the id or the institution's code is too long.", "An id has at most 60 characters, a code 20.",
    )  # fmt: skip
    table = table.assign(status=table["status"].str.lower())
    faults.where(
        ~table["status"].isin([*LOADED, *LEFT_OUT]), table, "status", "the status {status} is not known.",
        f"Use one of {', '.join([*LOADED, 'refunded', 'deleted'])}, or leave it empty.",
    )  # fmt: skip
    disbursed = _dates(table, "disb", faults)
    _refuse_future(table, disbursed, "disb", business_date, faults)
    return table.assign(
        disb=disbursed,
        principal_minor=_amounts(table, "loan", faults),
        partner_name=table.get("partner_name", ""),
        sector=table.get("sector", ""),
    )


def _plan(table: pd.DataFrame, tiers: Sequence[str], loans: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    _refuse_unknown(table, loans, faults)
    numbered = table["n"].str.fullmatch(r"[1-9]\d{0,3}")
    faults.where(~numbered, table, "n", "the instalment number “{n}” is not a whole number.", "Count from 1.")
    faults.where(
        table.duplicated(["id", "n"]), table, "n", "instalment {n} of loan {id} comes twice.", "Count from 1."
    )
    parts = []
    for tier in tiers:
        due, amount, interest = PLAN_COLUMNS[Tier(tier)]
        part = pd.DataFrame(
            {
                "row": table["row"],
                "id": table["id"],
                "tier": tier,
                "n": table["n"].where(numbered, "0").astype("int32"),
                "due": _dates(table, due, faults),
                "principal_minor": _amounts(table, amount, faults, may_be_nothing=True),
                "interest_minor": _amounts(table, interest, faults, may_be_nothing=True)
                if interest in table
                else 0,
            }
        )
        _refuse_wrong_sums(part, loans, amount, faults)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _refuse_wrong_sums(part: pd.DataFrame, loans: pd.DataFrame, column: str, faults: _Faults) -> None:
    """The principal of a plan is the loan's, to the cent; loans without a plan are left out elsewhere."""
    sums = part.groupby("id")["principal_minor"].sum()
    told = loans.assign(planned=loans["id"].map(sums))
    wrong = told["planned"].notna() & (told["planned"] != told["principal_minor"])
    told["in_plan"] = (told["planned"].fillna(0).astype("int64") / 100).map("{:.2f}".format)
    faults.where(
        wrong, told, "loan", "the instalments of loan {id} come to {in_plan} in " + f"{SCHEDULE}, {column}.",
        "Instalments must add up to the loan exactly.",
    )  # fmt: skip


def _refuse_bad_plans(
    plan: pd.DataFrame, loans: pd.DataFrame, columns: tuple[str, str, str], faults: _Faults
) -> None:
    """What lending would refuse of a plan: numbers with gaps, dates out of order, instalments of nothing."""
    known = loans[loans["id"].isin(plan["id"])].reset_index(drop=True)
    rows = plan.assign(at=plan["id"].map(pd.Series(known.index, index=known["id"]))).sort_values(["at", "n"])
    refused = supplied_schedules(
        known["principal_minor"].to_numpy(dtype=np.int64),
        known["disb"].to_numpy().astype("datetime64[D]"),
        SuppliedColumns(
            loan=rows["at"].to_numpy(dtype=np.int64),
            instalment=rows["n"].to_numpy(dtype=np.int32),
            due_on=rows["due"].to_numpy().astype("datetime64[D]"),
            principal=rows["principal_minor"].to_numpy(dtype=np.int64),
            interest=rows["interest_minor"].to_numpy(dtype=np.int64),
        ),
    ).refused
    due, amount, _interest = columns
    for position, why in refused.items():
        mine = rows[rows["at"] == position]
        behind = mine[mine["due"] < mine["due"].shift()]
        place = (behind if why.term == "due_on" and len(behind) else mine).iloc[0]
        column = {"due_on": due, "instalment": "n"}.get(why.term, amount)
        faults.found.append(
            Fault(
                SCHEDULE,
                int(place["row"]),
                column,
                f"of loan {known['id'].tolist()[position]} {reason_of(why)}.",
                "Correct the plan; instalments count from 1 and fall due one after the other.",
            )
        )


def _payments(
    table: pd.DataFrame, tiers: Sequence[str], loans: pd.DataFrame, business_date: date, faults: _Faults
) -> pd.DataFrame:
    _refuse_unknown(table, loans, faults)
    faults.where(
        (table["payment_id"] == "") | (table["payment_id"].str.len() > 80), table, "payment_id",
        "the payment has no reference, or one of over 80 characters.",
        "Give each payment of a loan its own reference: it keeps the payment from being posted twice.",
    )  # fmt: skip
    tier = table["tier"].str.lower() if "tier" in table else pd.Series("", index=table.index)
    faults.where(
        ~tier.isin(["", *tiers]), table, "tier", "the tier is none of those the schedule has.",
        f"Use {' or '.join(tiers)}, or leave it empty for {'both' if len(tiers) > 1 else 'that'}.",
    )  # fmt: skip
    processed = _dates(table, "processed", faults)
    _refuse_future(table, processed, "processed", business_date, faults)
    rows = table.assign(processed=processed, amount_minor=_amounts(table, "amount", faults), told=tier)
    both = pd.concat(
        [rows[rows["told"].isin(["", name])].assign(tier=name) for name in tiers], ignore_index=True
    )
    both.attrs["file"] = PAYMENTS
    faults.where(
        (both["payment_id"] != "") & both.duplicated(["tier", "id", "payment_id"]), both, "payment_id",
        "the reference {payment_id} comes twice for loan {id}.", "Give each payment its own reference.",
    )  # fmt: skip
    return both


def _refuse_unknown(table: pd.DataFrame, loans: pd.DataFrame, faults: _Faults) -> None:
    faults.where(
        ~table["id"].isin(loans["id"]), table, "id", "there is no loan “{id}” in " + f"{LOANS}.",
        "Add the loan there, or remove the row.",
    )  # fmt: skip


def _refuse_future(
    table: pd.DataFrame, days: pd.Series, column: str, business_date: date, faults: _Faults
) -> None:
    faults.where(
        days > pd.Timestamp(business_date), table, column,
        f"the date {{{column}}} is after the business date {business_date}.",
        "Correct it, or import when the books have come to that day.",
    )  # fmt: skip


def _dates(table: pd.DataFrame, column: str, faults: _Faults) -> pd.Series:
    days = pd.to_datetime(table[column], format="%Y-%m-%d", errors="coerce")
    faults.where(days.isna(), table, column, f"the date “{{{column}}}” cannot be read.", DATE_REMEDY)
    return days


def _amounts(
    table: pd.DataFrame, column: str, faults: _Faults, *, may_be_nothing: bool = False
) -> pd.Series[int]:
    """Minor units; a fault for anything unreadable, negative, finer than a cent, or nothing."""
    parts = table[column].str.replace(",", "").str.extract(r"^(\d{1,13})(?:\.(\d{1,2})0*)?$")
    unreadable = parts[0].isna()
    faults.where(
        unreadable, table, column, f"the amount “{{{column}}}” cannot be read or is negative.", AMOUNT_REMEDY
    )  # fmt: skip
    minor = parts[0].fillna("0").astype("int64") * 100 + parts[1].fillna("0").str.ljust(2, "0").astype(
        "int64"
    )
    if not may_be_nothing:
        faults.where(~unreadable & (minor == 0), table, column, "the amount is nothing.", "Remove the row.")
    return minor
