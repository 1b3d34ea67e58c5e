"""A bank's maker and the bank's own sub-loans: proposed over HTTP, another bank's do not exist for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from calc.classification import LoanClass
from daybook.selectors import latest_booking_id
from lending.models import Loan, LoanProfile, Schedule
from partners.models import Institution, InstitutionStatus, User
from repayments.frames import Scope
from repayments.models import Allocation, LoanEvent
from repayments.selectors import measure_loans
from repayments.services.events.asked import CannotMakeEvent
from repayments.services.events.steps import approve, propose, see
from repayments.services.policies import load_policies
from tests.lending.world import World
from tests.repayments.events.books import go_to, pay, wanted
from tests.repayments.posting.books import check_guards

TODAY = date(2026, 2, 10)
LATER = date(2026, 11, 10)
SignIn = Callable[[User], Any]


def lend_on(world: World, bank: Institution, number: str, *days: date) -> Loan:
    """A sub-loan of 2,000.00 with a supplied plan of 1,000.00 a day named."""
    booking = world.booking()
    lent = date(2025, 1, 1)
    loan = Loan.objects.create(
        number=number, tier="subloan", origin="import", institution=bank, agreement=world.agreement,
        programme=world.programme, principal_minor=100_000 * len(days), disbursed_date=lent,
        booking=booking,
    )  # fmt: skip
    schedule = Schedule.objects.create(
        loan=loan, institution=bank, version=1, cause="supplied", effective_date=lent, terms={},
        principal_minor=100_000 * len(days), first_due_date=days[0], maturity_date=days[-1],
        instalment_count=len(days), booking=booking,
    )  # fmt: skip
    LoanProfile.objects.create(
        loan=loan, institution=bank, effective_date=lent, size_tier="small", gender="female", booking=booking
    )
    for at, on in enumerate(days, start=1):
        loan.dues.create(
            institution_id=bank.pk, schedule=schedule, instalment=at, component=4, nominal_date=on,
            late_date=on, effective_date=lent, amount_minor=100_000, booking=booking,
        )  # fmt: skip
    return loan


def test_a_maker_proposes_over_http_for_its_own_sub_loan_only(world: World, sign_in: SignIn) -> None:
    go_to(TODAY)
    own = lend_on(world, world.bank, "S-1", date(2026, 3, 1), date(2026, 4, 1))
    told = {"effective_date": "10/02/2026", "valid_until": "12/02/2026", "reason": "The borrower asks"}
    maker, other = sign_in(world.people["maker"]), sign_in(world.people["other_maker"])
    page = reverse("repayments:event-new", args=["settlement", own.pk])
    seen = maker.post(page, told | {"preview": "1"})
    assert len(seen.context["preview"].days) == 3
    digest = seen.context["form"]["shown"].value()
    assert other.get(page).status_code == 404
    assert other.post(page, told | {"propose": "1", "shown": digest}).status_code == 404
    assert not LoanEvent.objects.exists()
    maker.post(page, told | {"propose": "1", "shown": digest})
    event = LoanEvent.objects.get()
    assert (event.tier, event.state, event.amount_minor) == ("subloan", "proposed", 200_000)
    assert (event.made_by, event.institution) == (world.people["maker"], world.bank)
    shown = reverse("repayments:event", args=[event.pk])
    assert maker.get(shown).status_code == 200
    assert other.get(shown).status_code == 404
    assert other.post(shown, {"withdraw": "1"}).status_code == 404
    assert maker.post(shown, {"approve": "1"}).status_code == 403
    event.refresh_from_db()
    assert event.state == "proposed"
    with pytest.raises(CannotMakeEvent, match="another institution"):
        see(wanted("settlement", own, TODAY, valid_until=TODAY), actor=world.people["other_maker"])


def test_a_sub_loan_is_written_off_after_notice_and_what_comes_later_is_a_recovery(world: World) -> None:
    loan = lend_on(world, world.bank, "S-2", date(2025, 3, 2), date(2025, 4, 1))
    InstitutionStatus.objects.create(
        institution=world.bank, effective_date=date(2010, 1, 1), kind="bank", ownership="private",
        booking=world.booking(),
    )  # fmt: skip
    load_policies(
        booking=world.booking(), proposed_by=world.people["officer"], approved_by=world.people["approver"]
    )
    go_to(LATER)

    def standing() -> Any:
        rows = measure_loans(Scope.of_loans([loan.pk]), as_of=LATER, last_booking_id=latest_booking_id())
        return rows.rows[0]

    assert standing()["loan_class"] == LoanClass.BL
    maker, asked = world.people["maker"], wanted("write_off", loan, LATER, extent="whole")
    with pytest.raises(CannotMakeEvent, match="Give this date") as refusal:
        see(asked, actor=maker)
    assert refusal.value.term == "notice_date"
    asked = wanted("write_off", loan, LATER, extent="whole", notice_date="2026-10-01")
    event = propose(asked, actor=maker, reason="Nothing to be had")
    approve(event_id=event.pk, actor=world.people["finance_head"])
    now = standing()
    assert (now["outstanding_minor"], now["days_past_due"], now["provision_minor"]) == (0, 0, 0)
    assert now["written_off_minor"] == 200_000
    pay(world, loan, LATER, 50_000, "LATE MONEY")
    (row,) = Allocation.objects.filter(receipt__external_reference="LATE MONEY")
    assert (row.instalment, row.component, row.amount_minor) == (0, 7, 50_000)
    assert standing()["written_off_minor"] == 150_000
    check_guards()
