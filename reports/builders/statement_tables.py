"""The tables under a statement's lines: where each loan stands, and how old what is overdue is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calc.arrears import Bucket, buckets
from calc.money import Component
from reports.builders.account import OWED, Account, overdue_minor, unpaid
from reports.builders.objects import (
    Bilingual,
    Column,
    Kind,
    Row,
    Table,
    Words,
    column_sums,
)
from reports.builders.wording import BUCKET_LABELS, component_labels


def standing_table(accounts: Sequence[Account], classes: Mapping[int, Words]) -> Table:
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
                overdue_minor(account.standing),
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
    return Table("standing", pgettext_lazy("of a loan", "Standing"), columns, rows, total)


def ageing_table(accounts: Sequence[Account]) -> Table:
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
