"""The quarter-end return: one person drafts it from the books, a second one checks and locks it for ever.

Its three coordinates (date, knowledge, policies then known) are fixed when it is asked for. A worker writes
its lines, some thousand loans at a time, each lot in a transaction of its own under the return's lease.
Whoever takes over a lapsed lease begins anew, so killing a worker costs time only.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import numpy as np
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from calc.calendar import add_months
from calc.classification import Basis
from calc.money import IntColumn
from daybook.columns import copy_unordered
from daybook.formats import day
from daybook.models import BusinessDay
from daybook.selectors import known_by
from daybook.services import book, record
from partners.access import actor_of
from partners.models import User
from repayments.frames import Scope, unpack_currency
from repayments.models import ClassificationReturn, ReturnLine
from repayments.selectors.measuring import FAILED, Measured, measure_loans
from repayments.selectors.policies import PolicySet, policies_on, policy_codes
from repayments.services.leases import claim, fail

LOANS_AT_ONCE = 20_000
QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))

LINE_FIGURES = (
    "days_past_due",
    "months_overdue",
    "outstanding_minor",
    "interest_due_minor",
    "suspense_minor",
    "security_minor",
    "base_minor",
    "provision_minor",
    "classification_policy_id",
    "provision_policy_id",
    "loan_class",
)
OVERDUE = ("overdue_charge_minor", "overdue_penal_minor", "overdue_interest_minor", "overdue_principal_minor")


class CannotDraftReturn(Exception):
    """The return cannot be drafted for that date, knowledge or scope; the sentence says why."""


class CannotLockReturn(Exception):
    """The return is not this person's to lock or discard, or not in a state to be."""


@transaction.atomic
def draft_return(
    *, tier: str, institution_id: int | None, as_of: date, known_by_date: date, reason: str, actor: User
) -> ClassificationReturn:
    """Ask for a return of a tier, of one institution or of all, at a quarter's end as known by a closed day.

    A worker writes its lines (``compute_return``). Raises ``CannotDraftReturn``.
    """
    if (as_of.month, as_of.day) not in QUARTER_ENDS:
        raise CannotDraftReturn(_("Returns are made at the end of a quarter: 31 March, 30 June and so on."))
    closed = BusinessDay.objects.filter(date=known_by_date, state=BusinessDay.State.CLOSED).exists()
    if not closed:
        raise CannotDraftReturn(
            _("%(date)s is not a closed business date; only what a closed date knew stays the same.")
            % {"date": day(known_by_date)}
        )
    if known_by_date < as_of:
        raise CannotDraftReturn(_("A return cannot be known before its own date."))
    _refuse_twin(tier, institution_id, as_of)
    knowledge = known_by(known_by_date)
    rules = policies_on(as_of, last_booking_id=knowledge.last_booking_id)
    try:
        with transaction.atomic():
            made = ClassificationReturn.objects.create(
                tier=tier,
                institution_id=institution_id,
                as_of=as_of,
                known_by=known_by_date,
                last_booking_id=knowledge.last_booking_id,
                policies=policy_codes(rules),
                reason=reason.strip(),
                made_by=actor,
            )
    except IntegrityError as error:  # another was drafted at the same moment
        if "classification_return_once" not in str(error):
            raise
        _refuse_twin(tier, institution_id, as_of)
        raise
    _record("return.draft", made, actor, reason=made.reason)
    return made


def _refuse_twin(tier: str, institution_id: int | None, as_of: date) -> None:
    twin = _standing(tier, institution_id, as_of).first()
    if twin is not None:
        raise CannotDraftReturn(
            _("There is a return of %(date)s already (number %(number)s).")
            % {"date": day(as_of), "number": twin.pk}
        )


def compute_return(*, return_id: int, claimed_by: str) -> bool:
    """Write the lines of a drafted return. False: nothing to do, or in other hands."""
    if not claim(
        ClassificationReturn, return_id, claimed_by=claimed_by, state=ClassificationReturn.State.DRAFT
    ):
        return False
    try:
        _write(return_id, claimed_by)
    except LostReturn:
        return False
    except Exception as error:  # a bug or a fault of the database: on the row for people to read, and raised
        fail(ClassificationReturn, return_id, claimed_by=claimed_by, error=f"{type(error).__name__}: {error}")
        raise
    return True


class LostReturn(Exception):
    """Another worker holds the return now, or somebody discarded it."""


def recompute_checksum(made: ClassificationReturn) -> str:
    """The checksum of the lines as the facts give them today: of a locked return it never changes."""
    rules = policies_on(made.as_of, last_booking_id=made.last_booking_id)
    digest = hashlib.sha256()
    for first, last in _ranges(made):
        digest.update(_bytes(_lines(made, first, last, rules)))
    return digest.hexdigest()


@transaction.atomic
def lock_return(*, return_id: int, reason: str, actor: User) -> ClassificationReturn:
    """Lock a drafted return: from its booking on its classes are the reported ones.

    Two who lock at once queue at the row; the second is refused. Raises ``CannotLockReturn``.
    """
    made = _locked_row(return_id)
    if made.state != ClassificationReturn.State.DRAFT:
        raise CannotLockReturn(
            _("This return is %(state)s already.") % {"state": made.get_state_display().lower()}
        )
    if made.work != ClassificationReturn.Work.DONE:
        raise CannotLockReturn(_("Its lines are not written yet."))
    if made.made_by_id == actor.pk:
        raise CannotLockReturn(_("You drafted this return; somebody else must check and lock it."))
    booking = book(
        purpose="return.lock",
        actor=actor_of(actor),
        institution_id=made.institution_id,
        reason=reason.strip(),
    )
    ClassificationReturn.objects.filter(pk=made.pk).update(
        state=ClassificationReturn.State.LOCKED,
        decided_by=actor,
        decided_at=Now(),
        decision_reason=reason.strip(),
        booking=booking,
    )
    made.refresh_from_db()
    _record("return.lock", made, actor, reason=reason.strip())
    return made


@transaction.atomic
def discard_return(*, return_id: int, reason: str, actor: User) -> ClassificationReturn:
    """Give a draft up; its lines stay to be read, its date may be drafted again.

    Raises ``CannotLockReturn``.
    """
    made = _locked_row(return_id)
    if made.state != ClassificationReturn.State.DRAFT:
        raise CannotLockReturn(
            _("This return is %(state)s already.") % {"state": made.get_state_display().lower()}
        )
    if not reason.strip():
        raise CannotLockReturn(_("Say why the draft is given up."))
    ClassificationReturn.objects.filter(pk=made.pk).update(
        state=ClassificationReturn.State.DISCARDED,
        decided_by=actor,
        decided_at=Now(),
        decision_reason=reason.strip(),
    )
    made.refresh_from_db()
    _record("return.discard", made, actor, reason=reason.strip())
    return made


def latest_quarter_end(on: date) -> date:
    """The last quarter's end on or before a day."""
    month = 3 * ((on.month - 1) // 3) + 3
    end = next(date(on.year, m, d) for m, d in QUARTER_ENDS if m == month)
    return end if end <= on else previous_quarter_end(end)


def previous_quarter_end(end: date) -> date:
    """The quarter's end before one: of 31 March, 31 December."""
    return add_months(end, -3, seed_day=31)


def _standing(tier: str, institution_id: int | None, as_of: date) -> QuerySet[ClassificationReturn]:
    """Returns of that tier, scope and date that are not discarded."""
    of_date = ClassificationReturn.objects.filter(tier=tier, as_of=as_of).exclude(
        state=ClassificationReturn.State.DISCARDED
    )
    if institution_id is None:
        return of_date.filter(institution__isnull=True)
    return of_date.filter(institution_id=institution_id)


def _locked_row(return_id: int) -> ClassificationReturn:
    return ClassificationReturn.objects.select_for_update(of=("self",)).get(pk=return_id)


def _write(return_id: int, claimed_by: str) -> None:
    made = ClassificationReturn.objects.get(pk=return_id)
    rules = policies_on(made.as_of, last_booking_id=made.last_booking_id)
    ranges = _ranges(made)
    with transaction.atomic():
        _hold(return_id, claimed_by, done=0, total=0)
        ReturnLine.objects.filter(classification_return_id=return_id).delete()
    digest, count = hashlib.sha256(), 0
    for first, last in ranges:
        with transaction.atomic():
            lines = _lines(made, first, last, rules)
            if len(lines["loan_id"]):
                copy_unordered("repayments_returnline", lines)
            count += len(lines["loan_id"])
            _hold(
                return_id, claimed_by, done=count, total=count if (first, last) == ranges[-1] else count + 1
            )
        digest.update(_bytes(lines))
    with transaction.atomic():
        total = ReturnLine.objects.filter(classification_return_id=return_id).aggregate(
            provision=Sum("provision_minor", default=0)
        )
        _hold(return_id, claimed_by, done=count, total=count)
        ClassificationReturn.objects.filter(pk=return_id).update(
            work=ClassificationReturn.Work.DONE,
            claimed_until=None,
            finished_at=Now(),
            loan_count=count,
            provision_minor=int(total["provision"]),
            checksum=digest.hexdigest(),
        )


def _hold(return_id: int, claimed_by: str, *, done: int, total: int) -> None:
    """Renew the lease and show progress; ``LostReturn`` where somebody else has the work now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE repayments_classificationreturn
               SET done_count = %s, total_count = %s,
                   claimed_until = clock_timestamp() + make_interval(secs => 120)
             WHERE id = %s AND state = 'draft' AND work = 'running' AND claimed_by = %s
            """,
            [done, total, return_id, claimed_by],
        )
        if cursor.rowcount != 1:
            raise LostReturn


def _ranges(made: ClassificationReturn) -> list[tuple[int, int]]:
    """Ranges of loan ids with equally many loans of the tier."""
    scope = _scope(made)
    where, params = scope.where("l", key="id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT min(id), max(id) FROM (
                SELECT l.id, (row_number() OVER (ORDER BY l.id) - 1) / %s AS part FROM lending_loan l
                 WHERE {where} AND l.booking_id <= %s AND l.disbursed_date <= %s) AS numbered
             GROUP BY part ORDER BY part
            """,
            [LOANS_AT_ONCE, *params, made.last_booking_id, made.as_of],
        )
        return cursor.fetchall()


def _scope(made: ClassificationReturn, first: int | None = None, last: int | None = None) -> Scope:
    return Scope(first_id=first, last_id=last, institution_id=made.institution_id, tier=made.tier)


def _lines(made: ClassificationReturn, first: int, last: int, rules: PolicySet) -> dict[str, Any]:
    """The lines of a range of loans as columns, in the order of their ids."""
    measured: Measured = measure_loans(
        _scope(made, first, last),
        as_of=made.as_of,
        last_booking_id=made.last_booking_id,
        policies=rules,
        drafting=True,
    )
    rows, count = measured.rows, len(measured.rows)
    lines: dict[str, Any] = {
        "classification_return_id": np.full(count, made.pk, dtype=np.int64),
        "loan_id": np.ascontiguousarray(rows["loan_id"]),
        "institution_id": np.ascontiguousarray(rows["institution_id"]),
        "programme_id": np.ascontiguousarray(rows["programme_id"]),
        "size_tier": measured.profiles["size_tier"].astype(np.int16),
        "currency": _currencies(rows["currency"]),
        "objective_class": measured.classes.objective.astype(np.int16),
        "class_basis": np.ascontiguousarray(rows["class_basis"]),
        "is_carried": rows["state"] == FAILED,
        "overdue_minor": _sum([rows[name] for name in OVERDUE]),
    }
    for name in LINE_FIGURES:
        lines[name] = np.ascontiguousarray(rows[name])
    lines["class_basis"] = np.where(lines["is_carried"], Basis.OBJECTIVE, lines["class_basis"]).astype(
        np.int16
    )
    return lines


def _currencies(packed: IntColumn) -> Any:
    codes = np.unique(packed)
    names = np.array([unpack_currency(int(code)).encode() for code in codes], dtype="S3")
    return names[np.searchsorted(codes, packed)]


def _sum(columns: list[IntColumn]) -> IntColumn:
    return np.sum(np.stack(columns), axis=0)


def _bytes(lines: dict[str, Any]) -> bytes:
    """The lines loan by loan in whole numbers, the same on every machine and in lots of any size."""
    columns = {name: lines[name] for name in lines if name not in ("classification_return_id", "currency")}
    columns["currency"] = np.array(
        [int.from_bytes(code, "big") for code in lines["currency"].tolist()], dtype=np.int64
    )
    return np.column_stack([np.asarray(columns[name]).astype(">i8") for name in sorted(columns)]).tobytes()


def _record(action: str, made: ClassificationReturn, actor: User, *, reason: str) -> None:
    record(
        actor=actor_of(actor),
        action=action,
        subject=made,
        institution_id=made.institution_id,
        after={
            "tier": made.tier,
            "as_of": made.as_of.isoformat(),
            "known_by": made.known_by.isoformat(),
            "last_booking": made.last_booking_id,
            "policies": made.policies,
            "state": made.state,
            "loans": made.loan_count,
            "provision_minor": made.provision_minor,
            "checksum": made.checksum,
        },
        reason=reason,
        booking=made.booking,
    )
