"""Put receipts in the books, take them back, and keep what they settle true: one path for all three.

Whatever changed on a loan (a receipt today, one that comes late, one taken back, a new plan), its
whole allocation is computed afresh in its own order from its live dues and live receipts, and only
what differs from the books is written. What was waived, written off or transferred stays as it is and
is never paid. What is written: a mirror at the original value date for each row that no longer holds,
and the rows that now do (design.md section 3, "Allocation"). Everything works on sets; how many
queries run does not depend on how many loans or receipts there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from django.db import connection, transaction
from django.utils.translation import gettext as _

from calc.allocation import difference
from calc.money import IntColumn
from daybook.columns import insert_columns
from daybook.models import Booking
from daybook.services import Actor, record
from repayments.models import Receipt
from repayments.selectors.settling import settling_facts
from repayments.services.standings import rewrite_standings

RECEIPT_COLUMNS = (
    "loan_id",
    "institution_id",
    "tier",
    "channel",
    "value_date",
    "amount_minor",
    "external_reference",
    "reported_principal_minor",
    "reported_interest_minor",
    "reported_charge_minor",
    "upload_row_id",
)
_MAY_BE_EMPTY = RECEIPT_COLUMNS[-4:]


class CannotPostReceipts(Exception):
    """The books do not allow one of the receipts; the sentence names it. Nothing of the batch is posted."""


class CannotReverseReceipts(Exception):
    """One of the receipts cannot be taken back; the sentence names it. Nothing of the batch is reversed."""


@dataclass(frozen=True, slots=True)
class Reallocated:
    """What a replay wrote: rows taken back by a mirror, and new rows."""

    loan_count: int
    mirrored_count: int
    added_count: int


@dataclass(frozen=True, slots=True)
class PostingResult:
    """Ids of the receipts written, in the order of the rows given, and what their allocation wrote."""

    receipt_ids: npt.NDArray[np.int64]
    reallocated: Reallocated


@transaction.atomic
def post_receipts(*, receipts: pd.DataFrame, booking: Booking) -> PostingResult:
    """Post receipts on any number of loans of either tier, and settle what they pay.

    `receipts` has the columns RECEIPT_COLUMNS; amounts are positive minor units of the loan's
    currency, the last four columns may be empty. A value date may lie before receipts already
    posted, or before the loan's disbursement; not after the business date. Raises
    ``CannotPostReceipts``; a database guard stands behind each refusal.
    """
    rows = receipts.loc[:, list(RECEIPT_COLUMNS)].reset_index(drop=True)
    if rows.empty:
        return PostingResult(np.empty(0, dtype=np.int64), Reallocated(0, 0, 0))
    loan_ids = np.unique(rows["loan_id"].to_numpy(dtype=np.int64))
    loans = _locked_loans(loan_ids)
    _refuse_what_does_not_fit(rows, loans, booking)
    values: dict[str, Any] = {name: _filled(rows[name]) for name in RECEIPT_COLUMNS}
    values["booking_id"] = np.full(len(rows), booking.pk, dtype=np.int64)
    receipt_ids = insert_columns("repayments_receipt", values)
    return PostingResult(receipt_ids, _reallocated(loans, booking))


@transaction.atomic
def reverse_receipts(*, receipt_ids: Sequence[int] | IntColumn, booking: Booking, reason: str) -> Reallocated:
    """Take receipts back by mirrors at their own value dates, and settle their loans without them.

    The reason goes to the audit trail. Raises ``CannotReverseReceipts`` for a receipt that is
    unknown, is itself a mirror, or was taken back before.
    """
    wanted = np.unique(np.asarray(receipt_ids, dtype=np.int64))
    if not wanted.size:
        return Reallocated(0, 0, 0)
    loan_of = dict(Receipt.objects.filter(pk__in=wanted.tolist()).values_list("pk", "loan_id"))
    loans = _locked_loans(np.unique(np.fromiter(loan_of.values(), dtype=np.int64)))
    found = pd.DataFrame.from_records(
        Receipt.objects.filter(pk__in=wanted.tolist())
        .order_by("pk")
        .values("pk", "loan_id", "institution_id", "tier", "channel", "value_date", "amount_minor",
                "external_reference", "mirror_of_id", "mirror__pk")
    )  # fmt: skip
    _refuse_to_reverse(wanted, found)
    insert_columns(
        "repayments_receipt",
        {
            **{name: found[name].tolist() for name in RECEIPT_COLUMNS[:4]},
            "value_date": found["value_date"].tolist(),
            "amount_minor": -found["amount_minor"].to_numpy(dtype=np.int64),
            "external_reference": found["external_reference"].tolist(),
            "mirror_of_id": found["pk"].to_numpy(dtype=np.int64),
            "booking_id": np.full(len(found), booking.pk, dtype=np.int64),
        },
    )
    record(
        actor=Actor(booking.actor_id, booking.actor_name),
        action="receipt.reverse",
        subject=booking,
        institution_id=booking.institution_id,
        after={"receipts": found["pk"].tolist()},
        reason=reason,
        booking=booking,
    )
    return _reallocated(loans, booking)


@transaction.atomic
def reallocate(
    *, loan_ids: Sequence[int] | IntColumn, booking: Booking, with_standings: bool = True
) -> Reallocated:
    """Settle loans afresh after their dues changed. Writes nothing where the books already say so.

    A close writes the standings itself when it ends, so it leaves them out here.
    """
    wanted = np.unique(np.asarray(loan_ids, dtype=np.int64))
    return _reallocated(_locked_loans(wanted), booking, with_standings=with_standings)


def _locked_loans(loan_ids: IntColumn) -> pd.DataFrame:
    """Lock the loans in id order until the transaction ends, and read what a receipt must agree with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_lock_loans(%s)", [loan_ids.tolist()])
        cursor.execute(
            "SELECT id, institution_id, tier, number FROM lending_loan WHERE id = ANY (%s) ORDER BY id",
            [loan_ids.tolist()],
        )
        return pd.DataFrame(cursor.fetchall(), columns=["loan_id", "institution_id", "tier", "number"])


def _refuse_what_does_not_fit(rows: pd.DataFrame, loans: pd.DataFrame, booking: Booking) -> None:
    """Raise ``CannotPostReceipts`` for the first receipt that contradicts its loan, the day or the books."""
    joined = rows.merge(loans, on="loan_id", how="left", suffixes=("", "_of_loan"))
    _refuse(
        joined["number"].isna(),
        joined,
        _("Receipt %(external_reference)s is for loan id %(loan_id)s, which does not exist."),
    )
    _refuse(
        (joined["institution_id"] != joined["institution_id_of_loan"])
        | (joined["tier"] != joined["tier_of_loan"]),
        joined,
        _("Receipt %(external_reference)s names another institution or tier than loan %(number)s has."),
    )
    _refuse(
        joined["amount_minor"] <= 0,
        joined,
        _("Receipt %(external_reference)s on loan %(number)s must be of more than nothing."),
    )
    _refuse(
        pd.to_datetime(joined["value_date"]) > pd.Timestamp(booking.business_date),
        joined,
        _("Receipt %(external_reference)s on loan %(number)s has a value date after the business date."),
    )
    _refuse(
        joined["external_reference"] == "",
        joined,
        _("A receipt on loan %(number)s has no reference; give it one."),
    )
    keys = ["loan_id", "external_reference"]
    _refuse(
        joined.duplicated(keys),
        joined,
        _("Reference %(external_reference)s comes twice for loan %(number)s; one of the two is too many."),
    )
    _refuse(
        joined.merge(_standing_references(rows), on=keys, how="left", indicator=True)["_merge"] == "both",
        joined,
        _("Reference %(external_reference)s already stands on loan %(number)s. If it is another payment, "
          "give it its own reference."),
    )  # fmt: skip


def _refuse(wrong: pd.Series[bool], rows: pd.DataFrame, sentence: str) -> None:
    if wrong.any():
        raise CannotPostReceipts(sentence % rows[wrong.to_numpy()].iloc[0].to_dict())


def _standing_references(rows: pd.DataFrame) -> pd.DataFrame:
    """Which of the references already stand on their loans, unreversed; each pair once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT r.loan_id, r.external_reference
              FROM unnest(%s::bigint[], %s::text[]) AS n (loan_id, external_reference)
              JOIN repayments_receipt r USING (loan_id, external_reference)
             WHERE r.mirror_of_id IS NULL
               AND NOT EXISTS (SELECT FROM repayments_receipt m WHERE m.mirror_of_id = r.id)
            """,
            [rows["loan_id"].tolist(), rows["external_reference"].tolist()],
        )
        return pd.DataFrame(cursor.fetchall(), columns=["loan_id", "external_reference"]).astype(
            {"loan_id": np.int64, "external_reference": object}
        )


def _refuse_to_reverse(wanted: IntColumn, found: pd.DataFrame) -> None:
    known = set(found["pk"]) if len(found) else set()
    for missing in (int(pk) for pk in wanted if int(pk) not in known):
        raise CannotReverseReceipts(_("There is no receipt with the id %(id)s.") % {"id": missing})
    mirrors = found[found["mirror_of_id"].notna()]
    if len(mirrors):
        raise CannotReverseReceipts(
            _("Receipt %(reference)s is itself a reversal. To bring the money back, post it again.")
            % {"reference": mirrors["external_reference"].iloc[0]}
        )
    gone = found[found["mirror__pk"].notna()]
    if len(gone):
        raise CannotReverseReceipts(
            _("Receipt %(reference)s was already reversed.")
            % {"reference": gone["external_reference"].iloc[0]}
        )


def _reallocated(loans: pd.DataFrame, booking: Booking, *, with_standings: bool = True) -> Reallocated:
    """Settle the (locked) loans afresh, write what differs from the books, and where it leaves them."""
    ids = loans["loan_id"].to_numpy(dtype=np.int64)
    facts = settling_facts(ids)
    old, old_ids, new = facts.written, facts.written_ids, facts.afresh()
    changed = difference(old, new)
    taken_back, added = old.take(changed.mirror), new.take(changed.add)
    count = len(taken_back) + len(added)
    if count:
        mirror_of: list[int | None] = [*old_ids[changed.mirror].tolist(), *([None] * len(added))]
        loan_ids = np.concatenate([taken_back.loan, added.loan])
        institutions = loans["institution_id"].to_numpy(dtype=np.int64)
        insert_columns(
            "repayments_allocation",
            {
                "loan_id": loan_ids,
                "institution_id": institutions[np.searchsorted(ids, loan_ids)],
                "receipt_id": np.concatenate([taken_back.receipt, added.receipt]),
                "source": np.concatenate([taken_back.source, added.source]),
                "instalment": np.concatenate([taken_back.instalment, added.instalment]),
                "component": np.concatenate([taken_back.component, added.component]),
                "value_date": np.concatenate([taken_back.value_date, added.value_date]),
                "amount_minor": np.concatenate([-taken_back.amount, added.amount]),
                "mirror_of_id": mirror_of,
                "booking_id": np.full(count, booking.pk, dtype=np.int64),
            },
        )
    if with_standings:
        institutions_touched = loans["institution_id"].unique().tolist()
        rewrite_standings(institution_ids=institutions_touched, as_of=booking.business_date)
    return Reallocated(len(ids), len(taken_back), len(added))


def _filled(column: pd.Series[Any]) -> list[Any]:
    """A column as the database takes it: plain values, None where it is empty."""
    if column.name in _MAY_BE_EMPTY:
        return column.astype(object).where(column.notna(), None).tolist()
    return column.tolist()
