"""The auditor's workbook of one loan: gather raw rows, hand them to the sheet, record the run."""

from __future__ import annotations

from django.utils.translation import override

from calc.money import Component
from calc.schedule import Method
from calc.schedule import Schedule as Plan
from daybook import formats
from lending.contract_words import contract_words
from partners.models import User
from reports.builders.account import OWED, Account
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.statements import loan_statement
from reports.render.recalculation import render_recalculation
from reports.render.recalculation_walk import PeriodRow, Recalculation
from reports.render.xlsx import CONTENT_TYPE
from reports.selectors import facts as fact_selectors
from reports.services.loan_page import plan_of
from reports.services.making import CannotMake
from reports.services.runs import record_run
from reports.services.statements import Paper


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
    schedules = fact_selectors.schedule_versions(
        [int(account.header["loan_id"])], as_of=asked.as_of, last_booking_id=asked.last_booking_id
    )
    fitting = plan_of(account, schedules)
    terms = fitting[0] if fitting else None
    plan = account.plan.groupby(["late_date", "instalment", "component"], as_index=False)[
        "amount_minor"
    ].sum()
    plan = plan.sort_values(["late_date", "instalment", "component"], kind="stable")
    principal = int(plan.loc[plan["component"] == int(Component.PRINCIPAL), "amount_minor"].sum())
    other = account.allocations[
        (account.allocations["source"] >= 3) & account.allocations["component"].isin(OWED)
    ]
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
            ("Known by", formats.day(asked.known_by)),
            ("Books up to booking", f"#{asked.last_booking_number}"),
        ],
        principal_minor=terms.principal_minor if terms else principal,
        annual_rate=terms.annual_rate if terms else account.header["annual_rate"],
        day_count=str(terms.day_count) if terms else "",
        is_flat=terms is not None and terms.method is Method.FLAT,
        periods=_periods(account, fitting[1]) if fitting else [],
        dues=[
            (
                *(int(row.instalment), int(row.component), str(account.labels[int(row.component)])),
                *(row.late_date, int(row.amount_minor)),
            )
            for row in plan.itertuples()
        ],
        receipts=[
            (
                *(int(row.id), row.value_date, int(row.amount_minor)),
                *(str(row.external_reference), int(row.booking_number)),
            )
            for row in account.receipts.itertuples()
        ],
        waived_minor=int(other["amount_minor"].sum()),
        reported={
            "outstanding": int(standing["outstanding_minor"]),
            "overdue": overdue,
            "advance": int(standing["advance_minor"]),
            "days": int(standing["days_past_due"]),
            "interest": 0,
        },
        checksum=checksum,
    )


def _periods(account: Account, plan: Plan) -> list[PeriodRow]:
    """The periods of the plan. Their dates are inputs, their amounts those of the books."""
    booked = account.plan.groupby(["instalment", "component"])["amount_minor"].sum()
    return [
        PeriodRow(
            instalment=period.instalment,
            from_on=period.segments[0].from_on,
            to_on=period.segments[-1].to_on,
            principal_minor=int(booked.get((period.instalment, int(Component.PRINCIPAL)), 0)),
            interest_minor=int(booked.get((period.instalment, int(Component.INTEREST)), 0)),
            capitalised_minor=period.capitalised_minor,
        )
        for period in plan.periods
        if period.segments
    ]
