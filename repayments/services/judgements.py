"""Hold a class, release it, freeze classes. Each takes a booking that two people stand behind.

Nothing here decides who may: ``services.rulings`` has the proposals of people, ``services.events`` those of
a loan's events.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext as _

from daybook.models import Booking
from lending.models import Loan
from partners.models import User
from repayments.models import ClassFloor, ClassFloorRelease, ClassFreeze
from repayments.models.judgements import LoanClassName


class CannotHoldClass(Exception):
    """The class cannot be held, released or frozen as asked; the sentence says why."""


@transaction.atomic
def hold_class(
    *,
    loan_ids: Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int64]],
    at_least: int | Sequence[int] | np.ndarray[tuple[int], np.dtype[np.int8]],
    from_date: date,
    kind: str,
    reason: str,
    booking: Booking,
    made_by: User,
    approved_by: User,
) -> list[ClassFloor]:
    """Let the class of each loan be no better than ``at_least`` from a date on, until released.

    ``at_least`` is one class for all, or one for each loan in the order of ``loan_ids``
    (``calc.classification.LoanClass``, Standard to BL). ``kind`` is a ``ClassFloor.Kind``. The loans are
    locked, sorted. Raises ``CannotHoldClass``.
    """
    ids = [int(loan_id) for loan_id in loan_ids]
    grades = [int(grade) for grade in np.broadcast_to(np.asarray(at_least), len(ids))]
    _refuse_people(made_by, approved_by, reason)
    if any(grade not in LoanClassName.values for grade in grades):
        raise CannotHoldClass(_("A class is held at Standard, SMA, SS, DF or BL."))
    loans = {loan.pk: loan for loan in _locked(ids)}
    early = [loan for loan in loans.values() if loan.disbursed_date > from_date]
    if early:
        raise CannotHoldClass(
            _("%(loan)s was disbursed on %(date)s, after the day from which its class would be held.")
            % {"loan": early[0].number, "date": early[0].disbursed_date}
        )
    return ClassFloor.objects.bulk_create(
        ClassFloor(
            loan_id=loan_id,
            institution_id=loans[loan_id].institution_id,
            kind=kind,
            at_least=grade,
            from_date=from_date,
            reason=reason.strip(),
            made_by=made_by,
            approved_by=approved_by,
            booking=booking,
        )
        for loan_id, grade in zip(ids, grades, strict=True)
    )


@transaction.atomic
def release_class(
    *,
    floor_ids: Sequence[int],
    from_date: date,
    reason: str,
    booking: Booking,
    made_by: User,
    approved_by: User,
) -> list[ClassFloorRelease]:
    """Let floors end: from the date on they no longer hold. Raises ``CannotHoldClass``."""
    _refuse_people(made_by, approved_by, reason)
    floors = list(
        ClassFloor.objects.filter(pk__in=list(floor_ids)).select_related("release").order_by("loan_id", "pk")
    )
    _locked([floor.loan_id for floor in floors])
    for floor in floors:
        if ClassFloorRelease.objects.filter(floor=floor).exists():
            raise CannotHoldClass(_("This class is released already."))
        if from_date < floor.from_date:
            raise CannotHoldClass(
                _("The class is held from %(date)s; it cannot be released before.")
                % {"date": floor.from_date}
            )
    return ClassFloorRelease.objects.bulk_create(
        ClassFloorRelease(
            floor=floor,
            institution_id=floor.institution_id,
            from_date=from_date,
            reason=reason.strip(),
            made_by=made_by,
            approved_by=approved_by,
            booking=booking,
        )
        for floor in floors
    )


@transaction.atomic
def freeze_classes(
    *,
    freeze: ClassFreeze,
    booking: Booking,
    made_by: User,
    approved_by: User,
) -> ClassFreeze:
    """Put a freeze (scope, dates, reference, reason filled in) in the books. Raises ``CannotHoldClass``."""
    _refuse_people(made_by, approved_by, freeze.reason)
    if freeze.to_date < freeze.from_date:
        raise CannotHoldClass(_("A freeze ends on or after the day it begins."))
    if freeze.replaces_id is not None and ClassFreeze.objects.filter(replaces_id=freeze.replaces_id).exists():
        raise CannotHoldClass(_("Another freeze already stands in the place of that one."))
    freeze.made_by, freeze.approved_by, freeze.booking = made_by, approved_by, booking
    freeze.save(force_insert=True)
    return freeze


def _locked(loan_ids: Sequence[int]) -> list[Loan]:
    """The loans, locked in the order of their ids, so that two judgements of one loan queue."""
    wanted = sorted(set(loan_ids))
    with connection.cursor() as cursor:
        cursor.execute("SELECT repayments_lock_loans(%s)", [wanted])
    found = list(Loan.objects.filter(pk__in=wanted).order_by("pk"))
    if len(found) != len(wanted):
        raise CannotHoldClass(_("A loan named here does not exist."))
    return found


def _refuse_people(made_by: User, approved_by: User, reason: str) -> None:
    if made_by.pk == approved_by.pk:
        raise CannotHoldClass(_("Two people: who proposes it cannot approve it."))
    if not reason.strip():
        raise CannotHoldClass(_("Say why; it stands in the books with the class."))
