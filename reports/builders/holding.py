"""The money an institution holds, and what falls due next."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from calc.money import Component
from reports.builders.objects import Column, Kind, Row, Table, column_sums
from reports.selectors.frames import Frame


@dataclass(frozen=True, slots=True)
class Holding:
    """Where the drawn money is. Minor units.

    held = drawn + principal collected from funded sub-loans - lent on - principal repaid
    (design.md section 2). Below zero the institution has paid ahead of what it collected.
    """

    drawn_minor: int
    collected_minor: int
    on_lent_minor: int
    repaid_minor: int

    @property
    def held_minor(self) -> int:
        """What the institution holds."""
        return self.drawn_minor + self.collected_minor - self.on_lent_minor - self.repaid_minor

    @property
    def is_paid_ahead(self) -> bool:
        """Whether the institution has repaid more than it had at hand."""
        return self.held_minor < 0


def build_holding(flows: Frame) -> Holding:
    """From the flows of one institution (no row: it never drew)."""
    names = ("drawn_minor", "collected_minor", "on_lent_minor", "repaid_minor")
    return Holding(*(int(flows[name].sum()) for name in names))


def build_next_dues(dues: Frame) -> Table:
    """One row a date: interest, principal and their sum."""
    columns = (
        Column("date", _("Due on"), Kind.DATE),
        Column("loans", _("Loans"), Kind.COUNT),
        Column("principal", _("Principal"), Kind.MONEY),
        Column("other", _("Besides principal"), Kind.MONEY),
        Column("total", _("Total"), Kind.MONEY),
    )
    rows = []
    for on, part in dues.groupby("late_date", sort=True):
        principal = int(part.loc[part["component"] == int(Component.PRINCIPAL), "amount_minor"].sum())
        total = int(part["amount_minor"].sum())
        rows.append(Row((on, int(part["loans"].max()), principal, total - principal, total)))
    sums = column_sums(rows, (2, 3, 4))
    return Table(
        "next_dues",
        _("Falls due in the next twelve months"),
        columns,
        tuple(rows),
        Row((_("Total"), None, *sums)) if rows else None,
    )
