"""A bank's disbursement list: checked against the programme's terms, opened in one batch."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lending.models import Due, Enterprise, Funding, Loan, LoanParty, Person, Standing
from lending.services.subloans import CannotOpenSubloans, check_subloans, open_subloans
from tests.lending.world import CRORE, TODAY, World, subloan_rows


def faults(world: World, rows: pd.DataFrame, **more: Any) -> list[tuple[str, str]]:
    """(field, severity) of every fault found."""
    found = check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY, **more)
    return sorted(zip(found["field"], found["severity"], strict=True))


def test_a_sound_list_has_no_fault(world: World) -> None:
    world.loan()
    assert faults(world, subloan_rows(3)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"annual_rate": [Decimal("6.01")]}, "annual_rate"),
        ({"amount_minor": [9_999_999]}, "amount_minor"),
        ({"amount_minor": [250_000_001]}, "amount_minor"),
        ({"amount_minor": [-5]}, "amount_minor"),
        ({"tenor_months": [49]}, "tenor_months"),
        ({"grace_months": [7]}, "grace_months"),
        ({"sector": ["Tobacco leaf"]}, "sector"),
        ({"gender": ["x"]}, "gender"),
        ({"nid": ["123"]}, "nid"),
        ({"account": [""]}, "account"),
        ({"cluster_code": ["CL9"]}, "cluster_code"),
        ({"tranche_number": ["TR-999999"]}, "tranche_number"),
        ({"disbursed_date": [date(2025, 1, 2)]}, "disbursed_date"),
        ({"has_collateral": [True]}, "has_collateral"),
        ({"method": ["balloon"]}, "method"),
        ({"first_due_date": [date(2024, 12, 31)]}, "first_due_date"),
    ],
)
def test_a_row_outside_the_terms_is_invalid(world: World, changes: dict[str, Any], field: str) -> None:
    world.loan()
    assert (field, "invalid") in faults(world, subloan_rows(1, **changes))


def test_machinery_may_be_dearer(world: World) -> None:
    world.loan()
    rows = subloan_rows(1, amount_minor=[500_000_000], is_machinery=[True])
    assert faults(world, rows) == []


def test_another_clusters_tranche_does_not_pay(world: World) -> None:
    number = world.loan().tranche.number  # type: ignore[union-attr]
    rows = subloan_rows(1, cluster_code=["CL2"], tranche_number=[number])
    assert ("cluster_code", "invalid") in faults(world, rows)


def test_the_same_account_twice_is_invalid_once(world: World) -> None:
    world.loan()
    rows = subloan_rows(2, account=["1", "1"])
    found = check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY)
    assert found[["index", "field"]].to_numpy().tolist() == [[1, "account"]]


def test_what_a_tranche_lacks_is_said_of_the_row_it_lacks_it_for(world: World) -> None:
    world.loan(amount=Decimal(1_200_000))
    found = check_subloans(rows=subloan_rows(3), institution_id=world.bank.pk, business_date=TODAY)
    assert found[["index", "field", "reason"]].to_numpy().tolist() == [
        [2, "amount_minor", "The tranche lacks 300000.00 for this sub-loan."]
    ]


def test_a_person_at_another_institution_is_a_match_elsewhere_and_never_whose(world: World) -> None:
    world.loan()
    rows = subloan_rows(1)
    from lending.services.identity import identity_digest

    Person.objects.create(
        institution=world.other_bank, name="X", nid="5000000000", gender="male",
        identity_digest=identity_digest("5000000000"),
    )  # fmt: skip
    found = check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY)
    assert found["severity"].tolist() == ["warning"]
    assert "Match elsewhere" in found["reason"][0]
    assert world.other_bank.name not in found["reason"][0]


def test_opening_writes_everything_the_list_says(world: World) -> None:
    wholesale = world.loan()
    ids = open_subloans(rows=subloan_rows(3), institution_id=world.bank.pk, booking=world.booking())
    loans = Loan.objects.filter(pk__in=ids.tolist()).order_by("pk")
    assert [loan.identifiers.get().value for loan in loans] == ["1002000000", "1002000001", "1002000002"]
    assert {loan.agreement_id for loan in loans} == {wholesale.agreement_id}
    assert LoanParty.objects.filter(loan__in=loans).count() == 3
    assert Enterprise.objects.filter(is_woman_owned=True).count() == 1
    profile = loans[1].profiles.get()
    assert (profile.gender, profile.cluster, profile.district_id) == ("female", world.cluster, "26")
    assert sum(Funding.objects.values_list("amount_minor", flat=True)) == 150_000_000
    plan = Due.objects.filter(loan=loans[0])
    assert sum(due.amount_minor for due in plan if due.component == 4) == 50_000_000
    assert plan.filter(component=4).count() == 21
    assert plan.filter(component=3).count() == 24
    standing = Standing.objects.get(institution=world.bank, agreement=None, tranche=None)
    assert (standing.drawn_minor, standing.on_lent_minor) == (1_000_000_000, 150_000_000)


def test_one_sub_loan_may_be_paid_by_two_tranches(world: World) -> None:
    facility = world.facility()
    from lending.services.tranches import disburse_tranche

    for amount in (Decimal(300_000), Decimal(400_000)):
        disburse_tranche(
            tranche=world.tranche(facility, amount=amount, upto="approve"),
            value_date=TODAY,
            bank_reference="R",
            **world.act("finance_head"),
        )
    open_subloans(rows=subloan_rows(1), institution_id=world.bank.pk, booking=world.booking())
    assert sorted(Funding.objects.values_list("amount_minor", flat=True)) == [20_000_000, 30_000_000]


def test_a_bought_out_tranche_refuses_the_list(world: World) -> None:
    world.loan(amount=Decimal(600_000))
    with pytest.raises(CannotOpenSubloans, match="1002000001"):
        open_subloans(rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking())


def test_the_banks_own_plan_is_kept_as_supplied(world: World) -> None:
    world.loan()
    plan = pd.DataFrame(
        {
            "account": ["1002000000"] * 2,
            "n": [1, 2],
            "due_date": [date(2025, 2, 1), date(2025, 3, 1)],
            "principal_minor": [20_000_000, 30_000_000],
            "interest_minor": [250_000, 150_000],
        }
    )
    assert faults(world, subloan_rows(2), plan=plan) == []
    ids = open_subloans(
        rows=subloan_rows(2), institution_id=world.bank.pk, booking=world.booking(), plan=plan
    )
    own, generated = (Loan.objects.get(pk=pk).schedules.get() for pk in ids.tolist())
    assert (own.cause, own.instalment_count, own.terms) == ("supplied", 2, {})
    assert (generated.cause, generated.instalment_count) == ("disbursement", 24)
    # 1 February 2025 is a Saturday: a supplied date stands as supplied.
    assert own.dues.order_by("late_date")[0].late_date == date(2025, 2, 1)


def test_a_supplied_plan_that_does_not_repay_the_loan_is_invalid(world: World) -> None:
    world.loan()
    plan = pd.DataFrame(
        {
            "account": ["1002000000"],
            "n": [1],
            "due_date": [date(2025, 2, 1)],
            "principal_minor": [49_999_999],
            "interest_minor": [0],
        }
    )
    assert ("amount_minor", "invalid") in faults(world, subloan_rows(1), plan=plan)


def test_queries_do_not_grow_with_the_list(world: World) -> None:
    world.loan()

    def queries(rows: pd.DataFrame) -> int:
        with CaptureQueriesContext(connection) as seen:
            check_subloans(rows=rows, institution_id=world.bank.pk, business_date=TODAY)
            open_subloans(rows=rows, institution_id=world.bank.pk, booking=booking)
        return len(seen)

    booking = world.booking()
    few = queries(subloan_rows(1))
    shift = {"account": [f"9{n}" for n in range(15)], "nid": [f"60000000{n:02d}" for n in range(15)]}
    many = queries(subloan_rows(15, trade_licence=[f"Z{n}" for n in range(15)], **shift))
    assert many == few


def test_a_crore_has_seven_zeros(world: World) -> None:
    assert world.loan().principal_minor == int(CRORE) * 100
