"""A sub-loan under the bank's own plan: paid early by a stated rule, or by the new plan the bank gives."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lending.models import Agreement, Loan, Schedule
from repayments.models import Receipt
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import approve, propose, see
from tests.lending.world import World, make_world
from tests.repayments.events.books import go_to, live_plan, made, wanted
from tests.repayments.posting.books import check_guards

pytestmark = pytest.mark.django_db

LENT = date(2025, 1, 1)
E = date(2025, 2, 12)
SUPPLIED = (
    (1, date(2025, 1, 31), 30_000_00, 1_200_00),
    (2, date(2025, 3, 2), 30_000_00, 900_00),
    (3, date(2025, 4, 1), 30_000_00, 600_00),
    (4, date(2025, 5, 1), 30_000_00, 300_00),
)
INTEREST, PRINCIPAL = 3, 4


def supplied(world: World, rows: tuple[tuple[int, date, int, int], ...] = SUPPLIED) -> Loan:
    """A sub-loan in the bank's book, its plan as the bank gave it; the books stand open on 12 February."""
    booking = world.booking()
    total = sum(row[2] for row in rows)
    loan = Loan.objects.create(
        number="S-77", tier="subloan", origin="import", institution=world.bank, agreement=world.agreement,
        programme=world.programme, principal_minor=total, disbursed_date=LENT, booking=booking,
    )  # fmt: skip
    plan = Schedule.objects.create(
        loan=loan, institution=world.bank, version=1, cause="supplied", effective_date=LENT, terms={},
        principal_minor=total, first_due_date=rows[0][1], maturity_date=rows[-1][1],
        instalment_count=len(rows), booking=booking,
    )  # fmt: skip
    for number, on, principal, interest in rows:
        for component, minor in ((INTEREST, interest), (PRINCIPAL, principal)):
            if minor:
                loan.dues.create(
                    institution_id=world.bank.pk, schedule=plan, instalment=number, component=component,
                    nominal_date=on, late_date=on, effective_date=LENT, amount_minor=minor, booking=booking,
                )  # fmt: skip
    check_guards()
    go_to(E)
    return loan


def told(amount: int, effect: str, **more: Any) -> dict[str, Any]:
    return {"amount_minor": amount, "effect": effect, "reference": "BANK 1", **more}


def plan_after(loan: Loan) -> list[tuple[int, date, int, int]]:
    """Instalment, date, principal, interest of what falls due on the day and later."""
    rows: dict[int, list[Any]] = {}
    for number, component, on, minor in live_plan(loan):
        if on >= E:
            row = rows.setdefault(number, [on, 0, 0])
            row[1 if component == PRINCIPAL else 2] += minor
    return [(number, *row) for number, row in sorted(rows.items())]


class TestPrepayment:
    def test_lowers_the_instalment_by_the_banks_own_figures(self) -> None:
        """360.00 accrued in 12 of 30 days; 540.00 left of the period falls to 72,000/90,000: 432.00."""
        world = make_world()
        loan = supplied(world)
        event = made(world, wanted("prepayment", loan, E, **told(18_000_00, "instalment")))
        assert plan_after(loan) == [
            (2, E, 18_000_00, 360_00),
            (3, date(2025, 3, 2), 24_000_00, 432_00),
            (4, date(2025, 4, 1), 24_000_00, 480_00),
            (5, date(2025, 5, 1), 24_000_00, 240_00),
        ]
        version = Schedule.objects.get(loan=loan, version=2)
        assert (version.cause, version.terms, version.principal_minor) == ("prepayment", {}, 90_000_00)
        receipt = Receipt.objects.get(loan=loan)
        # the first instalment, 31,200.00, was never reported as paid: what is overdue is paid first
        assert receipt.amount_minor == 31_200_00 + 18_000_00 + 360_00
        assert "prepayment.supplied" in {row["say"] for row in event.preview["says"]}

    def test_shortens_the_term_and_goes_on_from_there(self) -> None:
        """Then the rest, 14,370.00 and 143.70 from 2 March on, is settled half way through its period."""
        world = make_world()
        loan = supplied(world)
        made(world, wanted("prepayment", loan, E, **told(45_000_00, "term")))
        assert plan_after(loan) == [
            (2, E, 45_000_00, 360_00),
            (3, date(2025, 3, 2), 30_630_00, 270_00),
            (4, date(2025, 4, 1), 14_370_00, 143_70),
        ]
        go_to(date(2025, 3, 17))
        event = propose(
            wanted("settlement", loan, date(2025, 3, 17), valid_until=date(2025, 3, 17), reference="END"),
            actor=world.people["officer"], reason="Closed",
        )  # fmt: skip
        assert event.amount_minor == 30_900_00 + 14_370_00 + 71_85
        approve(event_id=event.pk, actor=world.people["finance_head"])
        check_guards()
        assert Schedule.objects.filter(loan=loan).count() == 3

    def test_the_banks_own_new_plan_stands_as_it_is(self) -> None:
        world = make_world()
        loan = supplied(world)
        rows = [
            {"instalment": 1, "due_on": "2025-04-01", "principal_minor": 40_000_00, "interest_minor": 900_00},
            {"instalment": 2, "due_on": "2025-06-01", "principal_minor": 32_000_00, "interest_minor": 0},
        ]
        event = propose(
            wanted("prepayment", loan, E, **told(18_000_00, "term", rows=rows)),
            actor=world.people["maker"], reason="Agreed with the borrower",
        )  # fmt: skip
        assert [row["new"] for row in event.preview["rows"] if row["new"] and row["on"] > E.isoformat()] == [
            {"number": 3, "principal": 40_000_00, "interest": 900_00, "charge": 0, "total": 40_900_00},
            {"number": 4, "principal": 32_000_00, "interest": 0, "charge": 0, "total": 32_000_00},
        ]
        approve(event_id=event.pk, actor=world.people["finance_head"])
        check_guards()
        assert plan_after(loan)[1:] == [
            (3, date(2025, 4, 1), 40_000_00, 900_00),
            (4, date(2025, 6, 1), 32_000_00, 0),
        ]

    @pytest.mark.parametrize(
        ("rows", "match"),
        [
            ([{"instalment": 1, "due_on": "2025-04-01", "principal_minor": 1, "interest_minor": 0}], "repay"),
            ([{"instalment": 1, "due_on": "someday", "principal_minor": 1, "interest_minor": 0}], "line"),
            ([{"due_on": "2025-04-01"}], "line"),
            (["x"], "line"),
        ],
    )
    def test_a_plan_that_does_not_fit_is_refused_beside_the_rows(self, rows: list[Any], match: str) -> None:
        world = make_world()
        loan = supplied(world)
        with pytest.raises(CannotMakeEvent, match=match) as refusal:
            see(
                wanted("prepayment", loan, E, **told(18_000_00, "term", rows=rows)),
                actor=world.people["maker"],
            )
        assert refusal.value.term in ("rows", "principal")

    def test_of_a_sale_the_bank_says_how_its_profit_falls_due(self) -> None:
        world = make_world(contract_mode=Agreement.ContractMode.MURABAHA, grace_kind="none", grace_months=0)
        loan = supplied(world)
        maker = world.people["maker"]
        with pytest.raises(CannotMakeEvent, match="own new plan") as refusal:
            see(wanted("prepayment", loan, E, **told(18_000_00, "term")), actor=maker)
        assert refusal.value.term == "rows"
        dear = [
            {
                "instalment": 1,
                "due_on": "2025-04-01",
                "principal_minor": 72_000_00,
                "interest_minor": 1_440_01,
            }
        ]
        with pytest.raises(CannotMakeEvent, match="price of a murabaha"):
            see(wanted("prepayment", loan, E, **told(18_000_00, "term", rows=dear)), actor=maker)
        fair = [dear[0] | {"interest_minor": 1_440_00}]
        seen = see(wanted("prepayment", loan, E, **told(18_000_00, "term", rows=fair)), actor=maker)
        assert seen.outcome.totals["new"]["interest"] == 1_200_00 + 1_800_00

    def test_interest_that_stands_on_no_balance_needs_the_banks_plan(self) -> None:
        world = make_world()
        at_the_end = (
            (1, date(2025, 3, 2), 60_000_00, 0),
            (2, date(2025, 4, 1), 60_000_00, 0),
            (3, date(2025, 5, 1), 0, 3_000_00),
        )
        loan = supplied(world, at_the_end)
        with pytest.raises(CannotMakeEvent) as refusal:
            see(wanted("prepayment", loan, E, **told(18_000_00, "instalment")), actor=world.people["maker"])
        assert refusal.value.term == "rows"


def test_the_foundation_makes_the_plan_of_its_own_loan() -> None:
    world = make_world()
    loan = world.loan()
    rows = [{"instalment": 1, "due_on": "2025-04-01", "principal_minor": 1, "interest_minor": 0}]
    with pytest.raises(CannotMakeEvent) as refusal:
        see(
            wanted("prepayment", loan, date(2025, 1, 1), **told(1_00, "term", rows=rows)),
            actor=world.people["officer"],
        )
    assert refusal.value.term == "rows"
