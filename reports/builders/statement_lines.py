"""The lines of one loan's statement: what each adds to the balance due and to outstanding principal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext_lazy as _

from calc.money import Component
from reports.builders.account import PRINCIPAL, RECOVERY, REFUND, Account
from reports.builders.particulars import Particulars
from reports.selectors.frames import Frame


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


def lines_of(account: Account) -> Iterator[Line]:
    """The lines of one loan, dues before receipts on the same day."""
    yield from _disbursement(account)
    yield from _due_lines(account)
    yield from _apart_lines(account)
    yield from _receipt_lines(account)
    yield from _other_settlements(account)


def _disbursement(account: Account) -> Iterator[Line]:
    """Money paid out, and what the plan and its later versions add to principal."""
    header, planned = account.header, account.plan
    principal = int(planned.loc[planned["component"] == PRINCIPAL, "amount_minor"].sum())
    lent, booked = int(header["principal_minor"]), int(header["booking_number"])
    opened, label = header["disbursed_date"], account.labels[int(Component.INTEREST)]
    changes: list[tuple[date, object, object, int, int]] = [
        (opened, _("Disbursed"), _("Principal"), lent, booked)
    ]
    for row in account.growth.itertuples():
        on, number = max(row.effective_date, opened), int(row.booking_number)
        changes += [
            (on, _("Added to principal by the plan"), label, int(row.capitalised_minor), number),
            (on, _("Further tranche"), _("Principal"), int(row.added_minor), number),
            (on, _("Moved into the new plan"), _("Principal"), int(row.transferred_minor), number),
        ]
    explained = sum(minor for _on, _what, _label, minor, _number in changes)
    changes.append((opened, _("Added to principal by the plan"), label, principal - explained, booked))
    for at, (on, what, part, minor, number) in enumerate(changes):
        if minor:
            particulars = Particulars(what, ((part, minor),))
            yield Line(on, (0, at), account.name, particulars, number, 0, 0, minor)


def _due_lines(account: Account) -> Iterator[Line]:
    """One line for each instalment that has fallen due; advances that met it lower the principal with it."""
    fallen = account.plan[(account.plan["late_date"] <= account.as_of) & (account.plan["instalment"] > 0)]
    penal = fallen["component"] == int(Component.PENAL)
    yield from _penal_lines(account, fallen[penal])
    fallen = fallen[~penal]
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


def _penal_lines(account: Account, penal: Frame) -> Iterator[Line]:
    """Penal interest falls due day by day: one line for the days of a month between two other events."""
    if penal.empty:
        return
    others = [
        *account.receipts["value_date"],
        *account.plan.loc[~account.plan.index.isin(penal.index), "late_date"],
    ]
    cuts = np.array(sorted(set(others)), dtype="datetime64[D]")
    days = np.array(penal["late_date"].tolist(), dtype="datetime64[D]")
    between = np.searchsorted(cuts, days)
    for at, ((_month, _between), part) in enumerate(penal.groupby([days.astype("datetime64[M]"), between])):
        particulars = Particulars(account.labels[int(Component.PENAL)])
        amount, number = int(part["amount_minor"].sum()), int(part["booking_number"].max())
        yield Line(part["late_date"].max(), (1, 10**6 + at), account.name, particulars, number, amount, 0, 0)


def _apart_lines(account: Account) -> Iterator[Line]:
    """What is owed apart from instalments: an advance paid back, a claim kept after it was written off."""
    names = {REFUND: _("Advance paid back"), RECOVERY: _("Written off, still claimed")}
    apart = account.plan[(account.plan["late_date"] <= account.as_of) & (account.plan["instalment"] == 0)]
    for row in apart.itertuples():
        particulars = Particulars(names.get(int(row.component), account.labels[int(row.component)]), ())
        order, number = (4, int(row.component)), int(row.booking_number)
        yield Line(row.late_date, order, account.name, particulars, number, int(row.amount_minor), 0, 0)


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
    """What settled dues without money: it lowers what fell due, and is no receipt."""
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
            -int(amounts.sum()),
            0,
            -int(amounts.get(PRINCIPAL, 0)),
        )
