"""The same date as known at two business dates: what differs, on which loans, by which bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daybook.acts import act_words
from reports.builders.objects import Asked, Cell, Column, Kind, Row, Table
from reports.builders.portfolio import NOTHING as NO_FIGURES
from reports.builders.portfolio import TIERS, figures_by, overdue_of
from reports.builders.wording import TIER_SHORT
from reports.selectors.frames import Frame

SHOWN = 20
"""Rows of a list on the portfolio page; the lists themselves are pages of their own."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``earlier`` knew less. Totals of each tier; the first loans that differ and bookings between as tables.

    ``changed`` and ``between`` are the whole lists.
    """

    earlier: Asked
    later: Asked
    totals: Table
    loans: Table
    bookings: Table
    changed: Frame
    between: Frame


def build_comparison(*, earlier: Asked, later: Asked, then: Frame, now: Frame, bookings: Frame) -> Comparison:
    """``then`` and ``now`` are standings of the same loans and date; ``bookings`` lie between the two."""
    changed = _changed(then, now)
    return Comparison(
        earlier=earlier,
        later=later,
        totals=_totals(then, now),
        loans=_loans(changed.head(SHOWN)),
        bookings=_bookings(bookings.head(SHOWN)),
        changed=changed,
        between=bookings,
    )


def _totals(then: Frame, now: Frame) -> Table:
    columns = (
        Column("tier", _("Tier")),
        Column("figure", _("Figure")),
        Column("then", _("As known then"), Kind.MONEY),
        Column("now", _("As known now"), Kind.MONEY),
        Column("change", _("Difference"), Kind.MONEY),
    )
    rows = []
    for tier in TIERS:
        old = figures_by(then[then["tier"] == tier]).get(None, NO_FIGURES)
        new = figures_by(now[now["tier"] == tier]).get(None, NO_FIGURES)
        pairs: Sequence[tuple[str | Promise, int, int]] = (
            (_("Outstanding"), old.outstanding_minor, new.outstanding_minor),
            (_("Overdue"), old.overdue_minor, new.overdue_minor),
            (_("At risk over 30 days"), old.at_risk_minor[30], new.at_risk_minor[30]),
            (_("Provision"), old.provision_minor, new.provision_minor),
        )
        rows += [Row((TIER_SHORT[tier], label, a, b, b - a)) for label, a, b in pairs]
    return Table("totals", _("Totals"), columns, tuple(rows))


def _changed(then: Frame, now: Frame) -> Frame:
    """Loans whose outstanding, overdue or days past due differ; largest change of overdue first."""
    same = ["loan_id", "number", "tier", "institution_id"]
    keep = [*same, "outstanding_minor", "overdue_minor", "days_past_due"]
    old = then.assign(overdue_minor=overdue_of(then))[keep].astype({"tier": str})
    new = now.assign(overdue_minor=overdue_of(now))[keep].astype({"tier": str})
    both = old.merge(new, on=same, how="outer", suffixes=("_then", "_now"))
    figures = [
        f"{name}_{when}"
        for name in ("outstanding_minor", "overdue_minor", "days_past_due")
        for when in ("then", "now")
    ]
    both[figures] = both[figures].fillna(0).astype(np.int64)
    differs = np.zeros(len(both), dtype=bool)
    for name in ("outstanding_minor", "overdue_minor", "days_past_due"):
        differs |= (both[f"{name}_then"] != both[f"{name}_now"]).to_numpy()
    both = both[differs]
    size = (both["overdue_minor_now"] - both["overdue_minor_then"]).abs()
    return both.assign(size=size).sort_values(["size", "loan_id"], ascending=[False, True], kind="stable")


def _loans(changed: Frame) -> Table:
    columns = (
        Column("loan", _("Loan")),
        Column("tier", _("Tier")),
        Column("outstanding_then", _("Outstanding then"), Kind.MONEY),
        Column("outstanding_now", _("Outstanding now"), Kind.MONEY),
        Column("overdue_then", _("Overdue then"), Kind.MONEY),
        Column("overdue_now", _("Overdue now"), Kind.MONEY),
        Column("days_then", _("Days then"), Kind.COUNT),
        Column("days_now", _("Days now"), Kind.COUNT),
    )
    rows = tuple(
        Row(
            (
                row["number"],
                TIER_SHORT[row["tier"]],
                int(row["outstanding_minor_then"]),
                int(row["outstanding_minor_now"]),
                int(row["overdue_minor_then"]),
                int(row["overdue_minor_now"]),
                int(row["days_past_due_then"]),
                int(row["days_past_due_now"]),
            ),
            key=str(row["loan_id"]),
        )
        for row in changed.to_dict("records")
    )
    return Table("loans", _("Loans whose figures differ"), columns, rows)


def _bookings(bookings: Frame) -> Table:
    columns = (
        Column("booking", _("Booking"), Kind.COUNT),
        Column("business_date", _("Business date"), Kind.DATE),
        Column("purpose", _("What")),
        Column("by", _("By")),
        Column("loans", _("Loans"), Kind.COUNT),
        Column("received", _("Received"), Kind.MONEY),
        Column("reversed", _("Reversed"), Kind.MONEY),
        Column("disbursed", _("Disbursed"), Kind.MONEY),
        Column("earliest", _("Earliest value date"), Kind.DATE),
    )
    rows = tuple(
        Row(
            (
                int(row["number"]),
                row["business_date"],
                act_words(row["purpose"]),
                row["actor_name"],
                int(row["loans"]),
                *_amounts(row["received_minor"], row["reversed_minor"], row["disbursed_minor"]),
                row["earliest"],
            ),
            key=str(row["id"]),
        )
        for row in bookings.to_dict("records")
    )
    return Table("bookings", _("Bookings between the two dates that count by the date asked"), columns, rows)


def _amounts(*amounts: int) -> tuple[Cell, ...]:
    return tuple(int(minor) or None for minor in amounts)
