"""The auditor's workbook of one loan: gather raw rows, hand them to the sheet, record the run."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import override

from calc.allocation import Order, Source
from calc.daycount import DayCount
from calc.money import Rounding, RoundingMode, from_rate_units
from daybook import formats
from lending.contract_words import contract_words
from lending.models import Agreement, Tier
from partners.models import User
from repayments.builders.settlement import order_label
from repayments.models import Allocation
from repayments.selectors.penal import penal_terms
from repayments.selectors.settling import orders_of
from reports.builders.account import Account, overdue_minor
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.recalculated import periods_raised, plan_rows, plan_versions, rates_by_date
from reports.builders.recalculation_rows import AllocationRow, PenalRow, PlanRow, Recalculation, ReceiptRow
from reports.builders.statements import loan_statement
from reports.render.recalculation import render_recalculation
from reports.render.xlsx import CONTENT_TYPE
from reports.selectors import facts as fact_selectors
from reports.selectors.frames import Frame
from reports.selectors.recalculating import closed_up_to, every_due
from reports.services.making import CannotMake
from reports.services.runs import record_run
from reports.services.statements import Paper


def make_recalculation(asked: Asked, *, loan_id: int, lang: str, made_by: User, address: str) -> Paper:
    """The workbook, recorded under the checksum of the statement whose figures it recomputes."""
    accounts = read_accounts([loan_id], asked)
    if not accounts:
        raise CannotMake(_("The loan was not disbursed by that date, or not known then."))
    account = accounts[0]
    report = loan_statement(account, asked, period_from=None).report
    with override(lang):
        content = render_recalculation(gather_recalculation(account, asked, report.checksum))
    number = account.header["number"]
    name = f"recalculation_{number}_{asked.as_of.isoformat()}.xlsx"
    record_run(
        report,
        subject=number,
        file_name=name,
        content_type=CONTENT_TYPE,
        lang=lang,
        institution_id=int(account.header["institution_id"]),
        made_by=made_by,
        address=address,
    )
    return Paper(name, content, report.checksum)


def gather_recalculation(account: Account, asked: Asked, checksum: str) -> Recalculation:
    """What the workbook needs, as known by the booking asked for.

    Dues and what was settled without money are read whatever day they count from: a receipt settles what
    stands in the plan for good.
    """
    loan_id, last = int(account.header["loan_id"]), asked.last_booking_id
    agreement = Agreement.objects.get(pk=int(account.header["agreement_id"]))
    is_wholesale = account.header["tier"] == Tier.WHOLESALE
    is_daily = is_wholesale and agreement.interest_basis == Agreement.InterestBasis.DAILY_PRODUCT
    dues = every_due(loan_id, last_booking_id=last)
    schedules = fact_selectors.schedule_versions([loan_id], as_of=date.max, last_booking_id=last)
    by_then = [one for one in schedules if one.effective_date <= asked.as_of]
    rules = orders_of(np.array([loan_id], dtype=np.int64)).rules
    rule = rules[0] if rules else Order.OLDEST_FIRST
    plan = plan_rows(dues)
    standing = account.standing
    return Recalculation(
        number=account.name,
        said=contract_words(account.header["contract_mode"]),
        as_of=asked.as_of,
        parameters=[
            (_("Institution"), str(account.header["institution"])),
            (_("Agreement"), str(account.header["agreement"])),
            (_("Order of settlement"), str(order_label(rule))),
            (_("Known by"), formats.day(asked.known_by)),
            (_("Books up to booking"), f"#{asked.last_booking_number}"),
        ],
        rule=rule,
        labels={component: str(label) for component, label in account.labels.items()},
        plan=plan,
        receipts=_receipts(account.receipts),
        allocations=_allocations(loan_id, asked),
        versions=plan_versions(account.header, schedules, plan),
        is_daily=is_daily,
        periods=periods_raised(account.header, agreement, by_then, plan, asked.as_of) if is_daily else [],
        rates=rates_by_date(by_then, account.header["annual_rate"]),
        penal=_penal(agreement, account, asked) if is_wholesale else [],
        day_count=DayCount(agreement.day_count),
        rounding=Rounding(RoundingMode(agreement.interest_rounding), agreement.interest_quantum_minor),
        raised_to=_raised_to(plan, last) if is_wholesale else None,
        reported={
            "outstanding": int(standing["outstanding_minor"]),
            "overdue": overdue_minor(standing),
            "advance": int(standing["advance_minor"]),
            "days": int(standing["days_past_due"]),
        },
        checksum=checksum,
    )


def _receipts(receipts: Frame) -> list[ReceiptRow]:
    return [
        ReceiptRow(
            pk=int(row.id),
            on=row.value_date,
            minor=int(row.amount_minor),
            reference=str(row.external_reference),
            booking=int(row.booking_number),
            stands=not (row.is_mirror or row.mirrored),
        )
        for row in receipts.itertuples()
    ]


def _allocations(loan_id: int, asked: Asked) -> list[AllocationRow]:
    """Live rows of settlement by the date, those alike but for their booking as one; and whatever was settled
    without money, whenever it counts from."""
    rows = fact_selectors.allocations([loan_id], as_of=date.max, last_booking_id=asked.last_booking_id)
    sources: dict[int, Any] = dict(Allocation.Source.choices)
    found: dict[tuple[Any, ...], tuple[int, list[str]]] = {}
    for row in rows.itertuples():
        source = int(row.source)
        if row.value_date > asked.as_of and source < Source.WAIVER:
            continue
        key = (row.value_date, int(row.receipt_id), source, int(row.instalment), int(row.component))
        minor, bookings = found.get(key, (0, []))
        number = str(int(row.booking_number))
        found[key] = (minor + int(row.amount_minor), bookings if number in bookings else [*bookings, number])
    return [
        AllocationRow(
            on, receipt, source, str(sources[source]), instalment, component, minor, ", ".join(names)
        )
        for (on, receipt, source, instalment, component), (minor, names) in found.items()
    ]


def _penal(agreement: Agreement, account: Account, asked: Asked) -> list[PenalRow]:
    """What late money bears, from the day the loan was disbursed."""
    lent: date = account.header["disbursed_date"]
    terms = penal_terms([agreement.pk], asked.as_of, last_booking_id=asked.last_booking_id)[agreement.pk]
    begun = [term for term in terms if term.from_date <= lent][-1:]
    return [
        PenalRow(
            max(term.from_date, lent),
            Decimal(from_rate_units(term.agreed)),
            Decimal(from_rate_units(term.cap)) if term.policy_id else None,
        )
        for term in [*begun, *(term for term in terms if term.from_date > lent)]
    ]


def _raised_to(plan: list[PlanRow], last_booking_id: int) -> date | None:
    """The last day up to which what is raised by the day stands: of a close, or of an event after it."""
    days = [due.from_on for due in plan if due.is_raised and due.back_on is None]
    closed = closed_up_to(last_booking_id)
    return max([*days, closed]) if closed else max(days, default=None)
