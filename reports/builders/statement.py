"""A statement of account: every due and receipt in order, running balances, ageing and class.

Two balances run side by side. *Balance* is what has fallen due less what was received: above zero the
borrower owes it now, below zero the borrower has paid ahead. *Principal* is what of the plan's principal
is not yet settled. Both end where the page of the same date stands, or the statement is not made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from django.utils.translation import gettext_lazy as _

from calc.arrears import Bucket, buckets
from calc.money import Component
from reports.builders.objects import (
    Asked,
    Bilingual,
    Cell,
    Column,
    Kind,
    Report,
    Row,
    Table,
    Words,
    column_sums,
)
from reports.builders.particulars import Particulars
from reports.builders.wording import BUCKET_LABELS, component_labels
from reports.selectors.frames import Frame

OWED = tuple(
    int(kind) for kind in (Component.CHARGE, Component.PENAL, Component.INTEREST, Component.PRINCIPAL)
)
PRINCIPAL = int(Component.PRINCIPAL)


class StatementDoesNotAgree(ArithmeticError):
    """The lines of a statement do not end at the standing of the same date: a fault to be looked into."""


@dataclass(frozen=True, slots=True)
class Account:
    """One loan's facts for a statement: its header, and frames as `reports.selectors.facts` reads them."""

    as_of: date
    header: Mapping[str, Any]
    plan: Frame
    receipts: Frame
    allocations: Frame
    standing: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[int, Words]:
        """What its components are called: no paper of a contract without interest says interest."""
        return component_labels(self.header["contract_mode"])

    @property
    def name(self) -> str:
        """The loan's number."""
        return str(self.header["number"])


class Line(NamedTuple):
    """One line before the balances run: what it adds to the balance due and to outstanding principal."""

    on: date
    order: tuple[int, int]
    loan: str
    particulars: Particulars
    booking: int
    due_minor: int
    received_minor: int
    principal_change_minor: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A report with what its paper shows around the lines. Minor units."""

    report: Report
    heading: Words
    details: tuple[tuple[Words, Words], ...]
    accounts: tuple[Account, ...]
    period_from: date
    opening_minor: int
    opening_principal_minor: int
    closing_minor: int
    outstanding_minor: int
    overdue_minor: int
    due_minor: int
    received_minor: int

    @property
    def is_paid_ahead(self) -> bool:
        """Whether more was received than has fallen due."""
        return self.closing_minor < 0


def build_statement(
    *,
    name: str,
    title: Words,
    heading: Words,
    details: Sequence[tuple[Words, Words]],
    asked: Asked,
    currency: str,
    accounts: Sequence[Account],
    period_from: date,
    facts: Mapping[str, Any],
    classes: Mapping[int, Words],
) -> Statement:
    """Put the lines of one or more loans in order, run the balances, and prove where they end.

    ``classes`` names the class of each loan by loan id. Raises `StatementDoesNotAgree`.
    """
    several = len(accounts) > 1
    lines = sorted((line for account in accounts for line in _lines(account)), key=lambda line: line[:3])
    rows: list[Row] = []
    balance = principal = fell_due = received = 0
    opening = opening_principal = 0
    for line in lines:
        balance += line.due_minor - line.received_minor
        principal += line.principal_change_minor
        if line.on < period_from:
            opening, opening_principal = balance, principal
            continue
        fell_due += line.due_minor
        received += line.received_minor
        loan: tuple[Cell, ...] = (line.loan,) if several else ()
        rows.append(
            Row(
                (
                    *(line.on, *loan, line.particulars, line.booking or None),
                    *(line.due_minor or None, line.received_minor or None, balance, principal),
                )
            )
        )
    blank: tuple[Cell, ...] = ("",) if several else ()
    first = Row((period_from, *blank, _("Opening balance"), None, None, None, opening, opening_principal))
    table = Table(
        key="account",
        title=_("Account"),
        columns=_columns(several=several),
        rows=(first, *rows),
        total=Row((asked.as_of, *blank, _("Closing balance"), None, fell_due, received, balance, principal)),
    )
    for account in accounts:
        _agree(account)
    overdue = sum(_overdue_minor(account.standing) for account in accounts)
    report = Report(
        name=name,
        title=title,
        asked=asked,
        currency=currency,
        parameters=(),
        facts={**facts, "from": period_from.isoformat()},
        tables=(table, _standing_table(accounts, classes), _ageing_table(accounts)),
    )
    return Statement(
        report=report,
        heading=heading,
        details=tuple(details),
        accounts=tuple(accounts),
        period_from=period_from,
        opening_minor=opening,
        opening_principal_minor=opening_principal,
        closing_minor=balance,
        outstanding_minor=principal,
        overdue_minor=overdue,
        due_minor=fell_due,
        received_minor=received,
    )


def _columns(*, several: bool) -> tuple[Column, ...]:
    loan = (Column("loan", _("Loan")),) if several else ()
    return (
        Column("date", _("Value date"), Kind.DATE),
        *loan,
        Column("particulars", _("Particulars")),
        Column("booking", _("Booking"), Kind.COUNT),
        Column("due", _("Fell due"), Kind.MONEY),
        Column("received", _("Received"), Kind.MONEY),
        Column("balance", _("Balance due"), Kind.MONEY),
        Column("principal", _("Principal outstanding"), Kind.MONEY),
    )


def _lines(account: Account) -> Iterator[Line]:
    """The lines of one loan, dues before receipts on the same day."""
    yield from _disbursement(account)
    yield from _due_lines(account)
    yield from _receipt_lines(account)
    yield from _other_settlements(account)


def _disbursement(account: Account) -> Iterator[Line]:
    """Money paid out, and what the plan adds to principal (grace added or capitalised)."""
    header, planned = account.header, account.plan
    principal = int(planned.loc[planned["component"] == PRINCIPAL, "amount_minor"].sum())
    lent = int(header["principal_minor"])
    yield Line(
        header["disbursed_date"],
        (0, 0),
        account.name,
        Particulars(_("Disbursed"), ((_("Principal"), lent),)),
        int(header["booking_number"]),
        0,
        0,
        lent,
    )
    if principal > lent:
        label = account.labels[int(Component.INTEREST)]
        yield Line(
            header["disbursed_date"],
            (0, 1),
            account.name,
            Particulars(_("Added to principal by the plan"), ((label, principal - lent),)),
            int(header["booking_number"]),
            0,
            0,
            principal - lent,
        )


def _due_lines(account: Account) -> Iterator[Line]:
    """One line for each instalment that has fallen due; advances that met it lower the principal with it."""
    fallen = account.plan[account.plan["late_date"] <= account.as_of]
    met = account.allocations[
        (account.allocations["source"] == 2) & (account.allocations["component"] == PRINCIPAL)
    ]
    advances = met.groupby(["instalment", "value_date"])["amount_minor"].sum().to_dict()
    for (on, instalment), part in fallen.groupby(["late_date", "instalment"], sort=True):
        amounts = part.groupby("component")["amount_minor"].sum()
        advance = int(advances.pop((instalment, on), 0))
        yield Line(
            on,
            (1, int(instalment)),
            account.name,
            Particulars(
                _("Instalment"),
                tuple((account.labels[int(kind)], int(minor)) for kind, minor in amounts.items()),
                number=int(instalment),
                nominal=part["nominal_date"].iloc[0] if part["nominal_date"].iloc[0] != on else None,
            ),
            int(part["booking_number"].max()),
            int(amounts.sum()),
            0,
            -advance,
        )
    for (instalment, on), minor in sorted(advances.items()):
        yield Line(
            on,
            (1, int(instalment)),
            account.name,
            Particulars(_("Advance applied to instalment"), (), number=int(instalment)),
            0,
            0,
            0,
            -int(minor),
        )


def _receipt_lines(account: Account) -> Iterator[Line]:
    """Every receipt and every reversal, with what the receipt settled when it came."""
    direct = account.allocations[account.allocations["source"] == 1]
    settled = direct.groupby(["receipt_id", "component"])["amount_minor"].sum()
    known = set(settled.index.get_level_values(0))
    references = account.receipts.set_index("id")["external_reference"].to_dict()
    for row in account.receipts.itertuples():
        parts = settled[row.id] if row.id in known else settled.iloc[:0]
        if row.is_mirror:
            what = Particulars(
                _("Reversal of receipt"),
                (),
                reference=str(references.get(row.mirror_of_id, row.external_reference)),
            )
        elif row.mirrored:
            what = Particulars(_("Receipt, since reversed"), (), reference=str(row.external_reference))
        else:
            what = Particulars(
                _("Receipt"),
                tuple((account.labels[int(kind)], int(minor)) for kind, minor in parts.items()),
                reference=str(row.external_reference),
            )
        yield Line(
            row.value_date,
            (2, int(row.id)),
            account.name,
            what,
            int(row.booking_number),
            0,
            int(row.amount_minor),
            -int(parts.get(PRINCIPAL, 0)) if len(parts) else 0,
        )


def _other_settlements(account: Account) -> Iterator[Line]:
    """What settled dues without money: waivers, write-offs, transfers."""
    others = account.allocations[account.allocations["source"] >= 3]
    names = {3: _("Waived"), 4: _("Written off"), 5: _("Transferred")}
    for (on, source, booking), part in others.groupby(["value_date", "source", "booking_number"], sort=True):
        amounts = part.groupby("component")["amount_minor"].sum()
        yield Line(
            on,
            (3, int(booking)),
            account.name,
            Particulars(
                names[int(source)],
                tuple((account.labels[int(kind)], int(minor)) for kind, minor in amounts.items()),
            ),
            int(booking),
            0,
            int(amounts.sum()),
            -int(amounts.get(PRINCIPAL, 0)),
        )


def unpaid(account: Account) -> Frame:
    """What of each due is not settled, with its late date: instalment, component, late_date, unpaid_minor.

    A key due on several dates is filled from the oldest, as `calc.arrears` does.
    """
    planned = account.plan.groupby(["instalment", "component", "late_date"], as_index=False)[
        "amount_minor"
    ].sum()
    owed = account.allocations[account.allocations["component"].isin(OWED)]
    settled = owed.groupby(["instalment", "component"])["amount_minor"].sum()
    keys = pd.MultiIndex.from_frame(planned[["instalment", "component"]])
    paid = settled.reindex(keys, fill_value=0).to_numpy(np.int64)
    before = planned.groupby(["instalment", "component"])["amount_minor"].cumsum() - planned["amount_minor"]
    covered = np.clip(paid - before.to_numpy(np.int64), 0, planned["amount_minor"].to_numpy(np.int64))
    planned["unpaid_minor"] = planned["amount_minor"].to_numpy(np.int64) - covered
    return planned


def _agree(account: Account) -> None:
    """Raise unless the unpaid dues are what the standing of the date says."""
    if account.standing.get("state") == "failed":
        return
    left = unpaid(account)
    principal = int(left.loc[left["component"] == PRINCIPAL, "unpaid_minor"].sum())
    overdue = int(left.loc[left["late_date"] < account.as_of, "unpaid_minor"].sum())
    stands = int(account.standing["outstanding_minor"]), _overdue_minor(account.standing)
    if (principal, overdue) != stands:
        raise StatementDoesNotAgree(
            f"loan {account.name}: the lines end at principal {principal}, overdue {overdue} minor units, "
            f"the standing of {account.as_of} at {stands[0]} and {stands[1]}"
        )


def _overdue_minor(standing: Mapping[str, Any]) -> int:
    return sum(
        int(standing[f"overdue_{kind}_minor"]) for kind in ("charge", "penal", "interest", "principal")
    )


def _standing_table(accounts: Sequence[Account], classes: Mapping[int, Words]) -> Table:
    """Where each loan stands on the date."""
    columns = (
        Column("loan", _("Loan")),
        Column("borrower", _("Borrower")),
        Column("disbursed", _("Disbursed"), Kind.MONEY),
        Column("outstanding", _("Principal outstanding"), Kind.MONEY),
        Column("overdue", _("Overdue"), Kind.MONEY),
        Column("advance", _("Advance held"), Kind.MONEY),
        Column("days", _("Days past due"), Kind.COUNT),
        Column("class", _("Class (indicative)")),
    )
    rows = tuple(
        Row(
            (
                account.name,
                Bilingual(account.header["borrower"], account.header["borrower_bn"])
                if account.header["borrower"]
                else Bilingual(account.header["institution"], account.header["institution_bn"]),
                int(account.header["principal_minor"]),
                int(account.standing["outstanding_minor"]),
                _overdue_minor(account.standing),
                int(account.standing["advance_minor"]),
                int(account.standing["days_past_due"]),
                classes[int(account.header["loan_id"])],
            )
        )
        for account in accounts
    )
    summed = column_sums(rows, range(2, 6))
    worst = max((int(account.standing["days_past_due"]) for account in accounts), default=0)
    total = Row((_("Total"), "", *summed, worst, "")) if len(rows) > 1 else None
    return Table("standing", _("Standing"), columns, rows, total)


def _ageing_table(accounts: Sequence[Account]) -> Table:
    """Overdue amounts by how many days each due is late: one row a component, one column a bucket."""
    late = list(Bucket)[1:]
    table = np.zeros((len(OWED), len(late)), dtype=np.int64)
    for account in accounts:
        left = unpaid(account)
        left = left[(left["late_date"] < account.as_of) & (left["unpaid_minor"] > 0)]
        if left.empty:
            continue
        days = np.array([(account.as_of - on).days for on in left["late_date"]], dtype=np.int64)
        kinds = np.searchsorted(OWED, left["component"].to_numpy(np.int64))
        np.add.at(table, (kinds, buckets(days).astype(np.int64) - 1), left["unpaid_minor"].to_numpy(np.int64))
    labels = _shared_labels(accounts)
    columns = (
        Column("component", _("Overdue by age")),
        *(Column(f"bucket{bucket}", BUCKET_LABELS[bucket], Kind.MONEY) for bucket in late),
        Column("total", _("Total"), Kind.MONEY),
    )
    rows = tuple(
        Row((labels[kind], *(int(minor) for minor in table[at]), int(table[at].sum())))
        for at, kind in enumerate(OWED)
        if table[at].any() or kind >= Component.INTEREST
    )
    total = Row((_("Total"), *(int(minor) for minor in table.sum(axis=0)), int(table.sum())))
    return Table("ageing", _("Ageing of what is overdue"), columns, rows, total)


def _shared_labels(accounts: Sequence[Account]) -> Mapping[int, Words]:
    """The component names of the accounts' contract mode; where modes are mixed, those of the first."""
    return accounts[0].labels if accounts else component_labels("interest")
