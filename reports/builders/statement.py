"""A statement of account: every due and receipt in order, running balances, ageing and class.

Two balances run side by side. *Balance* is what has fallen due less what was received: above zero the
borrower owes it now, below zero the borrower has paid ahead. *Principal* is what of the plan's principal
is not yet settled. Both end where the page of the same date stands, or the statement is not made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from reports.builders.account import PRINCIPAL, Account, overdue_minor, unpaid
from reports.builders.objects import (
    Asked,
    Cell,
    Column,
    Kind,
    Report,
    Row,
    Table,
    Words,
)
from reports.builders.statement_lines import lines_of
from reports.builders.statement_tables import ageing_table, standing_table


class StatementDoesNotAgree(ArithmeticError):
    """The lines of a statement do not end at the standing of the same date: a fault to be looked into."""


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
    lines = sorted((line for account in accounts for line in lines_of(account)), key=lambda line: line[:3])
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
    overdue = sum(overdue_minor(account.standing) for account in accounts)
    report = Report(
        name=name,
        title=title,
        asked=asked,
        currency=currency,
        parameters=(),
        facts={**facts, "from": period_from.isoformat()},
        tables=(table, standing_table(accounts, classes), ageing_table(accounts)),
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


def _agree(account: Account) -> None:
    """Raise unless the unpaid dues are what the standing of the date says."""
    if account.standing.get("state") == "failed":
        return
    left = unpaid(account)
    principal = int(left.loc[left["component"] == PRINCIPAL, "unpaid_minor"].sum())
    overdue = int(left.loc[left["late_date"] < account.as_of, "unpaid_minor"].sum())
    stands = int(account.standing["outstanding_minor"]), overdue_minor(account.standing)
    if (principal, overdue) != stands:
        raise StatementDoesNotAgree(
            f"loan {account.name}: the lines end at principal {principal}, overdue {overdue} minor units, "
            f"the standing of {account.as_of} at {stands[0]} and {stands[1]}"
        )
