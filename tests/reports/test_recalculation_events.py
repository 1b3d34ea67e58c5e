"""The auditor's workbook after every kind of event, and of what closes raise by the day.

Real books made through the services; what the formulas come to is computed by LibreOffice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import transaction

from daybook.selectors import Knowledge, latest_booking_id, open_business_date
from lending.models import Loan
from repayments.models import Receipt, WriteOffPolicy
from repayments.services.policies import load_policies
from repayments.services.posting import reverse_receipts
from reports.builders.accounts import read_accounts
from reports.builders.objects import Asked
from reports.builders.recalculation_rows import Recalculation
from reports.render.recalculation import render_recalculation
from reports.services.plans_shown import show_plans
from reports.services.recalculating import gather_recalculation
from tests.lending.world import CRORE, World, make_world
from tests.repayments.events import test_bad_loans as bad_loans
from tests.repayments.events import test_raised as raised
from tests.repayments.events.books import go_to, made, pay, pay_all_due, wanted
from tests.reports.spreadsheet import computed, differing

E = date(2026, 2, 10)
LATER = date(2027, 6, 30)
Story = Callable[[], list[tuple[str, Recalculation]]]


def gathered(loan: Loan, on: date) -> Recalculation:
    """What the workbook of a loan is made of, as of a date and by all that is booked.

    The page of the loan finds every version as its terms give it, and can say how each interest came about.
    """
    asked = Asked(on, Knowledge(open_business_date(), latest_booking_id(), False))
    account = read_accounts([loan.pk], asked)[0]
    for version in show_plans(account, asked).versions:
        assert list(version.differing) == []
        if version.schedule.terms and not version.schedule.terms.get("accruals"):
            assert all(row.working for row in version.rows if row.interest_minor)
    return gather_recalculation(account, asked, "")


def prepaid(**told: Any) -> Callable[[World, Loan], None]:
    return lambda world, loan: _make(
        world, "prepayment", loan, amount_minor=200_000_000, reference="RTGS 7", **told
    )


def paused(grace_kind: str, dates: str) -> Callable[[World, Loan], None]:
    return lambda world, _loan: _make(
        world, "moratorium", None, until="2026-08-31", grace_kind=grace_kind, dates=dates,
        programme=world.programme.pk, tier="wholesale",
    )  # fmt: skip


def settled(world: World, loan: Loan) -> None:
    _make(world, "settlement", loan, valid_until=E, reference="RTGS 8")


def restructured(world: World, loan: Loan) -> None:
    told = {"method": "equal_principal", "frequency": "quarterly", "instalments": 12, "annual_rate": "3"}
    _make(world, "restructure", loan, **told)


def repriced(world: World, loan: Loan) -> None:
    _make(world, "rate_change", loan, annual_rate="3", effect="instalment")


def refunded(world: World, loan: Loan) -> None:
    pay(world, loan, date(2026, 2, 9), 7_000_000, "OVER-1")
    _make(world, "refund", loan, amount_minor=6_000_000, reference="BFT 3")


def refunded_and_bounced(world: World, loan: Loan) -> None:
    refunded(world, loan)
    _bounce(world, Receipt.objects.get(external_reference="OVER-1"))


def waived(world: World, loan: Loan) -> None:
    last = Receipt.objects.filter(loan=loan).order_by("value_date").last()
    assert last is not None
    _bounce(world, last)
    due = loan.dues.filter(late_date=last.value_date, component=3).get()
    _make(world, "waiver", loan, component="interest", amount_minor=due.amount_minor)


def one_after_the_other(world: World, loan: Loan) -> None:
    """Prepaid, repriced, prepaid again with the interest of its day, restructured; paid in part meanwhile."""
    prepaid(effect="instalment")(world, loan)
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("rate_change", {"annual_rate": "4.5", "effect": "instalment"}),
        (
            "prepayment",
            {"amount_minor": 90_000_000, "effect": "term", "interest": "due", "reference": "E-2"},
        ),
        (
            "restructure",
            {"method": "equal_principal", "frequency": "quarterly", "instalments": 5, "annual_rate": "3",
             "moves_overdue": True, "capitalise": True},
        ),
    )  # fmt: skip
    for at, (kind, told) in enumerate(steps, start=1):
        day = E + timedelta(days=45 * at)
        go_to(day)
        made(world, wanted(kind, loan, day, **told))
        pay(world, loan, day - timedelta(days=11), 7_700_000 * at, f"PART-{at}")


def _make(world: World, kind: str, loan: Loan | None, **told: Any) -> None:
    made(world, wanted(kind, loan, E, **told))


def _bounce(world: World, receipt: Receipt) -> None:
    reverse_receipts(receipt_ids=[receipt.pk], booking=world.booking(), reason="Bounced")


EVENTS: dict[str, Callable[[World, Loan], None]] = {
    "prepaid-term": prepaid(effect="term"),
    "prepaid-instalment": prepaid(effect="instalment"),
    "prepaid-with-interest": prepaid(effect="instalment", interest="due"),
    "settled": settled,
    "restructured": restructured,
    "repriced": repriced,
    "paused-paid": paused("interest_paid", "shifted"),
    "paused-deferred": paused("interest_deferred", "shifted"),
    "paused-deferred-kept": paused("interest_deferred", "kept"),
    "paused-added": paused("interest_added", "shifted"),
    "paused-capitalised": paused("interest_capitalised", "kept"),
    "paused-waived": paused("interest_waived", "shifted"),
    "refunded": refunded,
    "refunded-and-bounced": refunded_and_bounced,
    "waived": waived,
    "one-after-the-other": one_after_the_other,
}


class _Undo(Exception):
    """Takes back what a story wrote."""


def told_in_turn(
    stories: Iterable[tuple[str, Story]],
) -> dict[str, bytes]:
    """Each story from the same books, undone before the next; its workbooks by name."""
    found: dict[str, bytes] = {}
    for name, tell in stories:
        try:
            with transaction.atomic():
                for which, sheet in tell():
                    found[f"{name}-{which}"] = render_recalculation(sheet)
                raise _Undo
        except _Undo:
            continue
    return found


def agree(workbooks: dict[str, bytes]) -> dict[str, openpyxl.Workbook]:
    """Computed, and nothing differs."""
    sheets = computed(workbooks)
    assert {name: differing(sheet) for name, sheet in sheets.items() if differing(sheet)} == {}
    assert [name for name, sheet in sheets.items() if sheet["Result"]["B4"].value != 0] == []
    return sheets


def test_after_every_kind_of_event(db: None) -> None:
    world = make_world()
    loan = world.loan()
    go_to(E)
    pay_all_due(world, loan, E)

    def story(tell: Callable[[World, Loan], None]) -> Story:
        def told() -> list[tuple[str, Recalculation]]:
            tell(world, loan)
            return [(f"{on:%Y%m%d}", gathered(loan, on)) for on in (E, LATER)]

        return told

    sheets = agree(told_in_turn((name, story(tell)) for name, tell in EVENTS.items()))
    for name, sheet in sheets.items():
        versions = [row[0].value for row in sheet["Versions"].iter_rows(min_row=2) if row[0].value]
        if not name.startswith(("refunded", "waived")):
            assert len(versions) >= 2, name
        periods = sheet["Periods"]
        booked = [row for row in periods.iter_rows(min_row=2) if row[10].value]
        assert booked
        assert all(row[9].value is not None for row in booked), f"{name}: interest without its formula"


def test_bad_loans(db: None) -> None:
    world = make_world()
    loan, on = world.loan(), bad_loans.E
    load_policies(
        booking=world.booking(), proposed_by=world.people["officer"], approved_by=world.people["approver"]
    )
    go_to(on)

    def moved() -> list[tuple[str, Recalculation]]:
        bad_loans.limit(world)
        made(world, wanted("reschedule", loan, on, **bad_loans.TERMS, moves_overdue=True, reference="DP 1",
                           down_payment_minor=loan.principal_minor // 50))  # fmt: skip
        return [("now", gathered(loan, on)), ("later", gathered(loan, LATER))]

    def written_off() -> list[tuple[str, Recalculation]]:
        made(world, wanted("write_off", loan, on, extent="whole"))
        pay(world, loan, on, 30_000_000, "LATE MONEY")
        return [("now", gathered(loan, on))]

    def partly() -> list[tuple[str, Recalculation]]:
        WriteOffPolicy.objects.create(
            code="T-WO", reference="Board", tier="wholesale", applies_to="any", from_date=date(2020, 1, 1),
            confidence="K", is_partial_allowed=True, provision_percent=100,
            proposed_by=world.people["officer"], approved_by=world.people["approver"],
            booking=world.booking(),
        )  # fmt: skip
        interest = int(bad_loans.standing(loan)["overdue_interest_minor"])
        made(world, wanted("write_off", loan, on, extent="part", amount_minor=interest + 1_000_000))
        return [("now", gathered(loan, on))]

    stories = {"moved": moved, "written-off": written_off, "partly": partly}
    agree(told_in_turn(stories.items()))


def test_a_sale_at_a_fixed_price(db: None) -> None:
    world = make_world(contract_mode="murabaha")
    loan = world.loan()
    go_to(E)
    pay_all_due(world, loan, E)
    settled(world, loan)
    sheets = agree({"sale": render_recalculation(gathered(loan, E))})
    words = " ".join(str(c.value) for page in sheets["sale"] for row in page.iter_rows() for c in row)
    assert "interest" not in words.lower()
    assert "Profit" in words


TERMS: dict[str, dict[str, Any]] = {
    "usual": {},
    "half-even-taka": {"interest_rounding": "half_even", "interest_quantum_minor": 100},
    "up-five": {"interest_rounding": "up", "interest_quantum_minor": 500},
    "30E360": {"day_count": "30E/360"},
    "ACTACT": {"day_count": "ACT/ACT"},
    "by-component": {"allocation_order": "by_component"},
    "principal-first": {"allocation_order": "principal_first"},
}


@pytest.mark.parametrize("interest_basis", ["daily_product", "scheduled"])
def test_what_closes_raise_by_the_day(db: None, interest_basis: str) -> None:
    """Penal interest night by night, of daily-product loans the interest of each period too; then money turns
    up late, and what was raised is raised anew."""

    def story(terms: dict[str, Any]) -> Story:
        def told() -> list[tuple[str, Recalculation]]:
            world = raised.opened(interest_basis=interest_basis, **terms)
            loan = world.loan(amount=CRORE)
            raised.go_to(date(2025, 4, 1))
            pay(world, loan, date(2025, 4, 1), 26_50_000_00, "FIRST")
            raised.go_to(date(2025, 10, 20))
            pay(world, loan, date(2025, 8, 1), 7_777_777_77, "SECOND")
            raised.go_to(date(2025, 10, 21))
            raised.go_to(date(2025, 10, 22))
            return [("now", gathered(loan, date(2025, 10, 21))), ("then", gathered(loan, date(2025, 8, 15)))]

        return told

    sheets = agree(told_in_turn((name, story(terms)) for name, terms in TERMS.items()))
    for name, sheet in sheets.items():
        assert sheet["Penal"].max_row > 10, name
        assert ("Daily" in sheet.sheetnames) == (interest_basis == "daily_product")
    assert Decimal(str(sheets["usual-now"]["Penal"]["M2"].value)) > 0


@pytest.mark.parametrize("event", ["settlement", "prepayment", "rate_change"])
def test_events_on_interest_raised_by_the_day(db: None, event: str) -> None:
    told: dict[str, dict[str, Any]] = {
        "settlement": {"valid_until": date(2025, 5, 15), "reference": "x"},
        "prepayment": {"amount_minor": 200_000_000, "effect": "instalment", "interest": "due",
                       "reference": "x"},
        "rate_change": {"annual_rate": "5", "effect": "instalment"},
    }  # fmt: skip
    world, loan = raised.TestDailyProduct().lent()
    made(world, wanted(event, loan, date(2025, 5, 15), **told[event]))
    workbooks = {"then": render_recalculation(gathered(loan, date(2025, 5, 15)))}
    raised.go_to(date(2025, 9, 2))
    workbooks["later"] = render_recalculation(gathered(loan, date(2025, 9, 1)))
    agree(workbooks)
