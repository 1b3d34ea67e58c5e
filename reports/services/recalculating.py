"""The auditor's workbook of one loan: gather raw rows, hand them to the sheet, record the run."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from django.utils.translation import override

from calc.allocation import Order, Source
from calc.daycount import year_fraction
from calc.money import Component, from_rate_units
from calc.schedule import GraceKind, Method, Terms
from calc.schedule import Schedule as Plan
from daybook import formats
from lending.contract_words import contract_words
from partners.models import User
from repayments.builders.settlement import order_label
from repayments.models import Allocation
from repayments.selectors.settling import orders_of
from reports.builders.account import OWED, Account
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.statements import loan_statement
from reports.render.recalculation import render_recalculation
from reports.render.recalculation_walk import AllocationRow, DueRow, PeriodRow, Recalculation
from reports.render.xlsx import CONTENT_TYPE
from reports.selectors import facts as fact_selectors
from reports.services.making import CannotMake
from reports.services.plans_shown import rebuilt
from reports.services.runs import record_run
from reports.services.statements import Paper

INTEREST, PRINCIPAL = int(Component.INTEREST), int(Component.PRINCIPAL)
APART = (int(Component.REFUND), int(Component.RECOVERY))


def make_recalculation(asked: Asked, *, loan_id: int, lang: str, made_by: User, address: str) -> Paper:
    """The workbook, recorded under the checksum of the statement whose figures it recomputes."""
    accounts = read_accounts([loan_id], asked)
    if not accounts:
        raise CannotMake("The loan was not disbursed by that date, or not known then.")
    account = accounts[0]
    report = loan_statement(account, asked, period_from=None).report
    with override(lang):
        content = render_recalculation(_gathered(account, asked, report.checksum))
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


def _gathered(account: Account, asked: Asked, checksum: str) -> Recalculation:
    loan_id, on, last = int(account.header["loan_id"]), asked.as_of, asked.last_booking_id
    schedules = fact_selectors.schedule_versions([loan_id], as_of=on, last_booking_id=last)
    history = fact_selectors.plan_history(loan_id, as_of=on, last_booking_id=last)
    fitting = rebuilt(schedules, history).get(schedules[-1].version if schedules else 0)
    terms = fitting[0] if fitting else None
    principal = int(
        account.plan.loc[account.plan["component"] == int(Component.PRINCIPAL), "amount_minor"].sum()
    )
    rule = orders_of(np.array([loan_id], dtype=np.int64)).rules
    order = rule[0] if rule else Order.OLDEST_FIRST
    standing = account.standing
    overdue = sum(
        int(standing[f"overdue_{kind}_minor"]) for kind in ("charge", "penal", "interest", "principal")
    )
    return Recalculation(
        number=account.name,
        said=contract_words(account.header["contract_mode"]),
        as_of=asked.as_of,
        parameters=[
            ("Institution", str(account.header["institution"])),
            ("Agreement", str(account.header["agreement"])),
            ("Order of settlement", str(order_label(order))),
            ("Known by", formats.day(asked.known_by)),
            ("Books up to booking", f"#{asked.last_booking_number}"),
        ],
        principal_minor=terms.principal_minor if terms else principal,
        annual_rate=terms.annual_rate if terms else account.header["annual_rate"],
        day_count=str(terms.day_count) if terms else "",
        is_flat=terms is not None and terms.method is Method.FLAT,
        periods=_periods(account, *fitting) if fitting else [],
        dues=_dues(account),
        receipts=[
            (
                *(int(row.id), row.value_date, int(row.amount_minor)),
                *(str(row.external_reference), int(row.booking_number)),
            )
            for row in account.receipts.itertuples()
        ],
        allocations=_allocations(account),
        apart_minor=int(
            account.allocations.loc[account.allocations["component"].isin(APART), "amount_minor"].sum()
        ),
        is_oldest_first=order is Order.OLDEST_FIRST,
        reported={
            "outstanding": int(standing["outstanding_minor"]),
            "overdue": overdue,
            "advance": int(standing["advance_minor"]),
            "days": int(standing["days_past_due"]),
            "interest": 0,
        },
        checksum=checksum,
    )


def _dues(account: Account) -> list[DueRow]:
    """The dues of the plan in the order of their dates; what was settled without money, oldest first."""
    plan = account.plan[account.plan["component"].isin(OWED)]
    plan = plan.groupby(["late_date", "instalment", "component"], as_index=False)["amount_minor"].sum()
    plan = plan.sort_values(["late_date", "instalment", "component"], kind="stable")
    other = account.allocations[account.allocations["source"] >= int(Source.WAIVER)]
    waived = other.groupby(["instalment", "component"])["amount_minor"].sum().to_dict()
    rows = []
    for due in plan.itertuples():
        key = (int(due.instalment), int(due.component))
        taken = min(int(due.amount_minor), int(waived.get(key, 0)))
        waived[key] = int(waived.get(key, 0)) - taken
        label = str(account.labels[key[1]])
        rows.append(DueRow(*key, label, due.late_date, int(due.amount_minor), taken))
    return rows


def _allocations(account: Account) -> list[AllocationRow]:
    """Live rows of settlement, with the reference of the receipt."""
    references = account.receipts.set_index("id")["external_reference"].to_dict()
    sources = dict(Allocation.Source.choices)
    return [
        AllocationRow(
            on=row.value_date,
            reference=str(references.get(row.receipt_id, "")),
            source=str(sources[int(row.source)]),
            instalment=int(row.instalment),
            component=int(row.component),
            label=str(account.labels[int(row.component)]),
            minor=int(row.amount_minor),
            booking=int(row.booking_number),
        )
        for row in account.allocations.itertuples()
    ]


def _periods(account: Account, terms: Terms, plan: Plan) -> list[PeriodRow]:
    """The stretches of the plan. Their dates are inputs, their amounts those of the books.

    Of a period's stretches the last goes on from the balance of the plan; those before it were owed when
    the plan began, on balances of their own.
    """
    booked = account.plan.groupby(["instalment", "component"])["amount_minor"].sum()
    puts_off = terms.grace_kind is GraceKind.INTEREST_DEFERRED
    rows = []
    for period in plan.periods:
        for at, part in enumerate(period.segments, start=1):
            is_last = at == len(period.segments)
            said = Fraction(part.numerator, part.denominator)
            by_days = year_fraction(part.from_on, part.to_on, terms.day_count)
            number = period.instalment
            rows.append(
                PeriodRow(
                    instalment=number,
                    from_on=part.from_on,
                    to_on=part.to_on,
                    principal_minor=int(booked.get((number, PRINCIPAL), 0)) if is_last else 0,
                    interest_minor=int(booked.get((number, INTEREST), 0)) if is_last else 0,
                    capitalised_minor=period.capitalised_minor if is_last else 0,
                    rate=from_rate_units(part.rate_units),
                    balance_minor=None if is_last else part.balance_minor,
                    is_put_off=puts_off and is_last and not number,
                    part=None if said == by_days else said,
                )
            )
    return rows
