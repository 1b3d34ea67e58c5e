"""What the foundation keeps about an institution: status, limit, ratios, branches; dated, all of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _
from djmoney.money import Money

from daybook.services import book, record
from partners.access import Role, actor_of, context_of
from partners.models import (
    ApprovalAuthority,
    Branch,
    District,
    ExposureLimit,
    Institution,
    InstitutionRatio,
    InstitutionStatus,
    User,
)
from partners.routing import check_digit_fits, is_routing_number
from partners.selectors import status_on
from partners.services.refusals import Refused


class CannotChangeInstitution(Refused):
    """The actor may not, or the date or figure does not fit."""


class CannotAddBranch(Refused):
    """The routing number is taken, or looks wrong and nobody confirmed it."""


def _require(actor: User, on: date, *roles: str, refusal: type[Refused] = CannotChangeInstitution) -> None:
    if not context_of(actor, on=on).may(*roles):
        wanted = ", ".join(str(Role(role).label) for role in roles)
        raise refusal(_("This is for: %(roles)s.") % {"roles": wanted})


@transaction.atomic
def add_institution(
    *,
    code: str,
    name: str,
    name_bn: str,
    bank_code: str,
    kind: str,
    ownership: str,
    is_islamic: bool,
    actor: User,
    business_date: date,
) -> Institution:
    """Take in a new partner, active from the business date on."""
    _require(actor, business_date, Role.ADMINISTRATOR, Role.FINANCE_HEAD)
    if Institution.objects.filter(code=code).exists() or Institution.objects.filter(name=name).exists():
        raise CannotChangeInstitution(_("There is an institution with this code or name already."))
    institution = Institution.objects.create(code=code, name=name, name_bn=name_bn, bank_code=bank_code)
    booking = book(purpose="institution.add", actor=actor_of(actor), institution_id=institution.pk)
    InstitutionStatus.objects.create(
        institution=institution,
        effective_date=business_date,
        kind=kind,
        ownership=ownership,
        is_islamic=is_islamic,
        booking=booking,
    )
    record(
        actor=actor_of(actor),
        action="institution.add",
        subject=institution,
        institution_id=institution.pk,
        after={"code": code, "name": name, "kind": kind, "ownership": ownership, "is_islamic": is_islamic},
        booking=booking,
    )
    return institution


@transaction.atomic
def change_status(
    *,
    institution: Institution,
    effective_date: date,
    kind: str,
    ownership: str,
    is_islamic: bool,
    status: str,
    reason: str,
    actor: User,
    business_date: date,
) -> InstitutionStatus:
    """Book a new status from a date on; earlier reports keep the earlier one."""
    _require(actor, business_date, Role.ADMINISTRATOR, Role.FINANCE_HEAD)
    earlier = status_on(institution.pk, business_date)
    booking = book(
        purpose="institution.status", actor=actor_of(actor), institution_id=institution.pk, reason=reason
    )
    row = InstitutionStatus.objects.create(
        institution=institution,
        effective_date=effective_date,
        kind=kind,
        ownership=ownership,
        is_islamic=is_islamic,
        status=status,
        booking=booking,
    )
    record(
        actor=actor_of(actor),
        action="institution.status",
        subject=institution,
        institution_id=institution.pk,
        before=_status(earlier),
        after=_status(row),
        reason=reason,
        booking=booking,
    )
    return row


def _status(row: InstitutionStatus | None) -> dict[str, str | bool] | None:
    if row is None:
        return None
    return {
        "from": row.effective_date.isoformat(),
        "kind": row.kind,
        "ownership": row.ownership,
        "is_islamic": row.is_islamic,
        "status": row.status,
    }


@transaction.atomic
def set_exposure_limit(
    *,
    institution: Institution,
    effective_date: date,
    amount: Decimal,
    reason: str,
    actor: User,
    business_date: date,
) -> ExposureLimit:
    """Set what may be outstanding with the institution from a date on (taka). The finance head does it."""
    _require(actor, business_date, Role.FINANCE_HEAD)
    booking = book(
        purpose="exposure_limit.set", actor=actor_of(actor), institution_id=institution.pk, reason=reason
    )
    earlier = (
        ExposureLimit.objects.filter(institution=institution, effective_date__lte=effective_date)
        .order_by("-effective_date", "-booking_id")
        .first()
    )
    row = ExposureLimit.objects.create(
        institution=institution, effective_date=effective_date, amount=amount, reason=reason, booking=booking
    )
    record(
        actor=actor_of(actor),
        action="exposure_limit.set",
        subject=institution,
        institution_id=institution.pk,
        before={"amount": str(earlier.amount.amount)} if earlier is not None else None,
        after={"amount": str(amount), "from": effective_date.isoformat()},
        reason=reason,
        booking=booking,
    )
    return row


@transaction.atomic
def add_ratio(
    *,
    institution: Institution,
    name: str,
    as_of: date,
    percent: Decimal,
    source: str,
    actor: User,
    business_date: date,
) -> InstitutionRatio:
    """Note a ratio of the institution (NPL, capital, …) in percent with its source."""
    _require(actor, business_date, Role.OFFICER, Role.FINANCE_HEAD, Role.ADMINISTRATOR)
    if as_of > business_date:
        raise CannotChangeInstitution(_("A ratio is of a date that has passed."))
    booking = book(purpose="ratio.add", actor=actor_of(actor), institution_id=institution.pk, reason=source)
    row = InstitutionRatio.objects.create(
        institution=institution, name=name, as_of=as_of, percent=percent, source=source, booking=booking
    )
    record(
        actor=actor_of(actor),
        action="ratio.add",
        subject=institution,
        institution_id=institution.pk,
        after={"name": name, "as_of": as_of.isoformat(), "percent": str(percent), "source": source},
        booking=booking,
    )
    return row


def doubts_about_routing(institution: Institution, routing_number: str) -> list[str]:
    """What looks wrong about a routing number of nine digits: warnings to be confirmed, not refusals."""
    doubts = []
    if not check_digit_fits(routing_number):
        doubts.append(_("its check digit does not fit"))
    if institution.bank_code and not routing_number.startswith(institution.bank_code):
        doubts.append(_("it does not begin with the bank's code %(code)s") % {"code": institution.bank_code})
    known = {
        code for row in District.objects.values_list("routing_codes", flat=True) for code in row.split(";")
    }
    if known and routing_number[3:5] not in known:
        doubts.append(_("its digits 4 and 5 name no district"))
    return doubts


@transaction.atomic
def add_branch(
    *,
    institution: Institution,
    name: str,
    routing_number: str,
    district: District | None,
    is_confirmed: bool,
    actor: User,
    business_date: date,
) -> Branch:
    """Add a branch. A routing number that looks wrong needs the tick that it was compared with the bank."""
    roles = (Role.OFFICER, Role.ADMINISTRATOR, Role.FINANCE_HEAD)
    _require(actor, business_date, *roles, refusal=CannotAddBranch)
    doubts: list[str] = []
    if routing_number:
        if not is_routing_number(routing_number):
            raise CannotAddBranch(_("A routing number has nine digits."))
        if Branch.objects.filter(routing_number=routing_number).exists():
            raise CannotAddBranch(_("A branch with this routing number is known already."))
        doubts = doubts_about_routing(institution, routing_number)
        if doubts and not is_confirmed:
            raise CannotAddBranch(
                _("Routing number %(number)s looks wrong: %(doubts)s. Compare it, then confirm.")
                % {"number": routing_number, "doubts": "; ".join(doubts)}
            )
    branch = Branch.objects.create(
        institution=institution,
        name=name,
        routing_number=routing_number,
        district=district,
        check_digit_confirmed=bool(doubts),
    )
    record(
        actor=actor_of(actor),
        action="branch.add",
        subject=branch,
        institution_id=institution.pk,
        after={"name": name, "routing_number": routing_number, "confirmed_despite": doubts},
    )
    return branch


@transaction.atomic
def set_authority(
    *, role: str, effective_date: date, amount: Decimal, reason: str, actor: User, business_date: date
) -> ApprovalAuthority:
    """Set up to what amount (taka) a role may decide from a date on. Only an administrator does."""
    _require(actor, business_date, Role.ADMINISTRATOR)
    if role not in (Role.APPROVER, Role.FINANCE_HEAD):
        raise CannotChangeInstitution(_("Only an approver and the finance head decide."))
    booking = book(purpose="authority.set", actor=actor_of(actor), reason=reason)
    row = ApprovalAuthority.objects.create(
        role=role, effective_date=effective_date, amount=amount, reason=reason, booking=booking
    )
    record(
        actor=actor_of(actor),
        action="authority.set",
        subject=row,
        after={
            "role": role,
            "amount": str(Money(amount, "BDT").amount),
            "from": effective_date.isoformat(),
        },
        reason=reason,
        booking=booking,
    )
    return row
