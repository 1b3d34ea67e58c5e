"""Everything one loan's page shows, from the same facts and engine as every report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from calc.allocation import Grid, Order
from calc.classification import LoanClass
from calc.money import Component
from daybook import formats
from lending.contract_words import contract_words
from lending.models import Loan, LoanIdentifier, LoanParty, LoanProfile, Security, Tier
from repayments.builders.settlement import order_label
from repayments.frames import TIERS, Scope
from repayments.models import ClassFloor, ClassFloorRelease, ClassificationPolicy, ProvisionPolicy
from repayments.selectors import measure_loans
from repayments.selectors.judging import governing_returns
from repayments.selectors.settling import orders_of
from reports.builders.account import Account, written_off_minor
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked, Bilingual, Words
from reports.builders.reasons import Held, why_class, why_provision, why_suspense
from reports.builders.schedule import Instalment, PlanTotals, build_schedule_rows, total_plan
from reports.builders.settling import build_pieces
from reports.builders.versions import Version
from reports.builders.wording import (
    BUCKET_LABELS,
    CLASS_LABELS,
    TIER_SHORT,
    component_labels,
)
from reports.selectors import facts as fact_selectors
from reports.services.plans_shown import Shown, show_plans

OVERDUE = (
    (Component.CHARGE, "overdue_charge_minor"),
    (Component.PENAL, "overdue_penal_minor"),
    (Component.INTEREST, "overdue_interest_minor"),
    (Component.PRINCIPAL, "overdue_principal_minor"),
)


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan's page. ``account`` is None before the loan was disbursed or known."""

    header: Mapping[str, Any]
    subtitle: Words
    institution: Words
    account: Account | None
    labels: Mapping[int, Words]
    rate_label: Words
    instalments: Sequence[Instalment]
    totals: PlanTotals
    overdue: Sequence[tuple[Words, int]]
    overdue_minor: int
    loan_class: int
    class_label: Words
    bucket_label: Words
    overdue_since: date | None
    why: str
    why_suspense: str
    why_provision: str
    reported_label: Words
    floors: Sequence[ClassFloor]
    securities: Sequence[Security]
    receipts: Sequence[Mapping[str, Any]]
    order: Words
    versions: Sequence[Version]
    written_off_minor: int
    terms: Sequence[tuple[Words, Words]]
    annual_rate: Decimal | None
    parties: Sequence[LoanParty]
    identifiers: Sequence[LoanIdentifier]
    profile: LoanProfile | None

    @property
    def standing(self) -> Mapping[str, Any]:
        """The row of the standings; empty before the loan was known."""
        return self.account.standing if self.account else {}


def make_loan_page(loan: Loan, asked: Asked) -> LoanView:
    """Read, measure and word one loan as of a date, known by a date."""
    header = fact_selectors.loan_headers([loan.pk]).to_dict("records")[0]
    accounts = read_accounts([loan.pk], asked)
    account = accounts[0] if accounts else None
    said = contract_words(header["contract_mode"])
    labels: Mapping[int, Words] = component_labels(header["contract_mode"])
    shown = show_plans(account, asked) if account else Shown([], header["annual_rate"], {}, [])
    rows = build_schedule_rows(account, shown.workings) if account else []
    standing = account.standing if account else {}
    since = standing.get("overdue_since")
    loan_class = int(standing.get("loan_class", -1))
    overdue = [(labels[int(kind)], int(standing.get(name, 0))) for kind, name in OVERDUE]
    why, suspense, provision = _why(loan, asked) if account else ("", "", "")
    return LoanView(
        header=header,
        subtitle=_subtitle(header),
        institution=Bilingual(header["institution"], header["institution_bn"]),
        account=account,
        labels=labels,
        rate_label=said.rate,
        instalments=rows,
        totals=total_plan(rows),
        overdue=overdue,
        overdue_minor=sum(minor for _label, minor in overdue),
        loan_class=loan_class,
        class_label=CLASS_LABELS[loan_class],
        bucket_label=BUCKET_LABELS[int(standing.get("bucket", 0))],
        overdue_since=None if since is None or since != since else since.date(),
        why=said.tell(why),
        why_suspense=said.tell(suspense),
        why_provision=said.tell(provision),
        reported_label=CLASS_LABELS[reported]
        if (reported := int(standing.get("reported_class", -1))) >= 0
        else _("not yet"),
        floors=list(floors_in_force(loan, asked).select_related("booking", "made_by", "approved_by")),
        securities=list(securities_in_force(loan, asked).select_related("booking")),
        receipts=_receipts(account, labels) if account else [],
        order=order_label(_rule(loan.pk)),
        versions=shown.versions,
        terms=shown.terms,
        annual_rate=shown.annual_rate,
        written_off_minor=written_off_minor(account) if account else 0,
        parties=fact_selectors.parties_of(loan.pk),
        identifiers=fact_selectors.identifiers_of(loan.pk),
        profile=LoanProfile.objects.filter(
            loan=loan, effective_date__lte=asked.as_of, booking_id__lte=asked.last_booking_id
        )
        .select_related("cluster", "district")
        .order_by("-effective_date", "-booking_id")
        .first(),
    )


def _subtitle(header: Mapping[str, Any]) -> Words:
    owner = header["borrower"] or header["enterprise"]
    if header["tier"] == Tier.SUBLOAN and owner:
        return Bilingual(
            f"{TIER_SHORT[header['tier']]} · {owner}",
            f"{TIER_SHORT[header['tier']]} · {header['borrower_bn'] or owner}",
        )
    name = Bilingual(header["institution"], header["institution_bn"])
    return f"{TIER_SHORT[header['tier']]} · {name}"


def _why(loan: Loan, asked: Asked) -> tuple[str, str, str]:
    """Class, suspense and provision in words, measured from the facts."""
    measured = measure_loans(
        Scope.of_loans([loan.pk]), as_of=asked.as_of, last_booking_id=asked.last_booking_id
    )
    names = {
        row.pk: f"{row.code} ({row.reference})"
        for row in ClassificationPolicy.objects.filter(pk=int(measured.chosen.policy[0]))
    }
    row = measured.rows[0]
    policy = ProvisionPolicy.objects.filter(pk=int(row["provision_policy_id"])).first()
    base, provision = int(row["base_minor"]), int(row["provision_minor"])
    rate = _rate_of(policy, int(row["loan_class"]))
    held = held_by(loan, asked)
    returns = governing_returns(as_of=asked.as_of, last_booking_id=asked.last_booking_id)
    covering = [
        one.as_of
        for one in returns
        if one.tier == TIERS[loan.tier] and one.institution_id in (0, loan.institution_id)
    ]
    return (
        why_class(
            measured,
            0,
            names,
            held=Held(held.from_date, LoanClass(held.at_least), held.kind == ClassFloor.Kind.RESCHEDULED)
            if held
            else None,
        ),
        why_suspense(measured, 0, covering[-1] if covering else None),
        why_provision(
            base_minor=base,
            provision_minor=provision,
            outstanding_minor=int(row["outstanding_minor"]),
            interest_minor=int(row["interest_due_minor"]),
            suspense_minor=int(row["suspense_minor"]),
            security_minor=int(row["security_minor"]),
            rate_percent=formats.percent(rate),
            policy_name=f"{policy.code} ({policy.reference})" if policy else "",
        ),
    )


def held_by(loan: Loan, asked: Asked) -> ClassFloor | None:
    """The floor that holds the loan's class as of the date and known then: the worst, then the oldest."""
    return floors_in_force(loan, asked).order_by("-at_least", "from_date", "pk").first()


def floors_in_force(loan: Loan, asked: Asked) -> QuerySet[ClassFloor]:
    """Floors of a loan that hold on the date and were known then."""
    released = ClassFloorRelease.objects.filter(
        floor=OuterRef("pk"), from_date__lte=asked.as_of, booking_id__lte=asked.last_booking_id
    )
    return ClassFloor.objects.filter(
        ~Exists(released),
        loan=loan,
        from_date__lte=asked.as_of,
        booking_id__lte=asked.last_booking_id,
    )


def securities_in_force(loan: Loan, asked: Asked) -> QuerySet[Security]:
    """Securities of a loan that count on the date and were known then."""
    replaced = Security.objects.filter(replaces=OuterRef("pk"), booking_id__lte=asked.last_booking_id)
    return Security.objects.filter(
        Q(to_date__isnull=True) | Q(to_date__gte=asked.as_of),
        ~Exists(replaced),
        loan=loan,
        from_date__lte=asked.as_of,
        booking_id__lte=asked.last_booking_id,
        is_withdrawn=False,
    )


def _rate_of(policy: ProvisionPolicy | None, loan_class: int) -> Decimal | None:
    """Percent of the base that a policy asks for a class."""
    if policy is None or loan_class < 0:
        return None
    rates = (
        policy.standard_percent,
        policy.sma_percent,
        policy.ss_percent,
        policy.df_percent,
        policy.bl_percent,
    )
    return rates[loan_class]


def _receipts(account: Account, labels: Mapping[int, Words]) -> list[Mapping[str, Any]]:
    """Receipts, newest first, each with what it settled, one line an instalment, and how it went."""
    owed = account.allocations[account.allocations["receipt_id"] > 0]
    lines: dict[int, dict[int, list[str]]] = {}
    for (receipt, instalment, component), minor in (
        owed.groupby(["receipt_id", "instalment", "component"])["amount_minor"].sum().items()
    ):
        if minor:
            piece = f"{labels[int(component)]} {formats.taka_minor(int(minor))}"
            lines.setdefault(int(receipt), {}).setdefault(int(instalment), []).append(piece)
    pieces = build_pieces(account)
    return [
        {
            **row,
            "settled": [
                _line(number, parts) for number, parts in sorted(lines.get(int(row["id"]), {}).items())
            ],
            "pieces": pieces.get(int(row["id"]), []),
            "upload_id": _whole(row["upload_id"]),
        }
        for row in reversed(account.receipts.to_dict("records"))
    ]


def _rule(loan_id: int) -> Order | Grid:
    """The order in which money settles the loan."""
    orders = orders_of(np.array([loan_id], dtype=np.int64))
    return orders.rules[0] if orders.rules else Order.OLDEST_FIRST


def _line(instalment: int, pieces: Sequence[str]) -> str:
    """What one receipt settled of one instalment; an advance belongs to none."""
    settled = " · ".join(pieces)
    if not instalment:
        return settled
    return _("instalment %(number)s") % {"number": formats.number(instalment)} + f": {settled}"


def _whole(value: Any) -> int | None:
    """A database id that may be absent (and then came as NaN)."""
    return None if value is None or value != value else int(value)
