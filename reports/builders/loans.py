"""The list of loans as a report: the rows that a figure of the portfolio is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from lending.models import Tier
from reports.builders.objects import Asked, Bilingual, Cell, Column, Kind, Report, Row, Table, Words
from reports.builders.portfolio import overdue_of
from reports.builders.wording import CLASS_LABELS, TIER_LABELS
from reports.selectors.frames import Frame

# Column of the list → column of the standings that it is sorted by.
SORTABLE = {
    "number": "number",
    "disbursed": "disbursed_minor",
    "outstanding": "outstanding_minor",
    "overdue": "overdue_minor",
    "days": "days_past_due",
    "class": "loan_class",
    "provision": "provision_minor",
}
DEFAULT_SORT = "-days"


def loan_columns(tier: str) -> tuple[Column, ...]:
    """The columns of the list of one tier."""
    borrower = (Column("borrower", _("Borrower")),) if tier == Tier.SUBLOAN else ()
    return (
        Column("number", _("Loan")),
        *borrower,
        Column("institution", _("Institution")),
        Column("programme", _("Programme")),
        Column("account", _("Account number")),
        Column("disbursed_date", _("Disbursed on"), Kind.DATE),
        Column("disbursed", _("Disbursed"), Kind.MONEY),
        Column("outstanding", _("Outstanding"), Kind.MONEY),
        Column("overdue", _("Overdue"), Kind.MONEY),
        Column("days", _("Days past due"), Kind.COUNT),
        Column("class", _("Class (indicative)")),
        Column("provision", _("Provision"), Kind.MONEY),
    )


def sorted_loans(standings: Frame, sort: str) -> Frame:
    """In the order asked for, ties by number."""
    frame = standings.assign(overdue_minor=overdue_of(standings))
    column = SORTABLE.get(sort.removeprefix("-"), SORTABLE[DEFAULT_SORT.removeprefix("-")])
    descending = sort.startswith("-")
    if column == "number":
        return frame.sort_values("number", ascending=not descending, kind="stable")
    return frame.sort_values([column, "number"], ascending=[not descending, True], kind="stable")


def build_loans(
    *,
    asked: Asked,
    currency: str,
    tier: str,
    standings: Frame,
    headers: Frame,
    parameters: Sequence[tuple[Words, Cell]],
    facts: Mapping[str, Any],
) -> Report:
    """A list of the loans of one tier. ``headers`` may be of fewer loans than ``standings`` (one page of
    them); rows are made for those that have one, the total is of all."""
    named = {int(row["loan_id"]): row for row in headers.to_dict("records")}
    shown = standings[standings["loan_id"].isin(list(named))]
    rows = tuple(_row(tier, named[int(row["loan_id"])], row) for row in shown.to_dict("records"))
    sums = {
        name: int(standings[name].to_numpy(np.int64).sum())
        for name in ("disbursed_minor", "outstanding_minor", "overdue_minor", "provision_minor")
    }
    blanks: tuple[Cell, ...] = ("",) * (4 if tier == Tier.SUBLOAN else 3)
    total = Row(
        (
            *(_("Total"), *blanks, None),
            *(sums["disbursed_minor"], sums["outstanding_minor"], sums["overdue_minor"]),
            *(None, "", sums["provision_minor"]),
        )
    )
    table = Table("loans", TIER_LABELS[tier], loan_columns(tier), rows, total)
    return Report(
        name="loans",
        title=_("Loans"),
        asked=asked,
        currency=currency,
        parameters=tuple(parameters),
        facts=facts,
        tables=(table,),
    )


def _row(tier: str, header: Mapping[str, Any], standing: Mapping[str, Any]) -> Row:
    borrower: tuple[Cell, ...] = ()
    if tier == Tier.SUBLOAN:
        who = header["borrower"] or header["enterprise"]
        borrower = (Bilingual(who, header["borrower_bn"]),)
    return Row(
        (
            header["number"],
            *borrower,
            Bilingual(header["institution"], header["institution_bn"]),
            header["programme_code"],
            header["account"],
            header["disbursed_date"],
            int(standing["disbursed_minor"]),
            int(standing["outstanding_minor"]),
            int(standing["overdue_minor"]),
            int(standing["days_past_due"]),
            CLASS_LABELS[int(standing["loan_class"])],
            int(standing["provision_minor"]),
        ),
        key=str(header["loan_id"]),
    )
