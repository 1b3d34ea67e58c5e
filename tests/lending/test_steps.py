"""From application to disbursement: who may take which step, and what each leaves behind."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from djmoney.money import Money

from daybook.models import AuditEntry
from lending.models import Agreement, Application, Decision, Due, Facility, Loan, Standing, Tranche
from lending.services.agreements import (
    CannotApproveAgreement,
    CannotDraftAgreement,
    approve_agreement,
    draft_agreement,
)
from lending.services.application_lines import CannotReplaceLines
from lending.services.applications import (
    CannotDecideApplication,
    CannotDraftApplication,
    CannotSubmitApplication,
    CannotWithdrawApplication,
    appraise_application,
    decide_application,
    draft_application,
    replace_lines,
    submit_application,
    withdraw_application,
)
from lending.services.proposals import CannotAllot
from lending.services.tranches import (
    CannotApproveTranche,
    CannotClearTranche,
    CannotDisburseTranche,
    CannotRequestTranche,
    approve_tranche,
    cancel_tranche,
    clear_tranche,
    disburse_tranche,
    request_tranche,
)
from partners.models import ExposureLimit, Membership
from tests.lending.world import CRORE, SINCE, TODAY, World, subloan_rows


def check_constraints() -> None:
    """Run now what the database would check at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def test_an_application_becomes_a_facility_by_four_people(world: World) -> None:
    application = world.application(upto="decide")
    steps = list(Decision.objects.filter(application=application).values_list("step", "outcome", "by_name"))
    assert steps == [
        ("draft", "done", "maker"),
        ("submit", "done", "checker"),
        ("appraise", "done", "officer"),
        ("decide", "approved", "approver"),
    ]
    facility = Facility.objects.get(application=application)
    assert facility.amount == Money(CRORE, "BDT")
    check_constraints()


def test_every_step_leaves_before_after_and_why_in_the_trail(world: World) -> None:
    world.application(upto="decide")
    entries = AuditEntry.objects.filter(action__startswith="application.").order_by("id")
    assert [entry.action for entry in entries] == [
        "application.draft",
        "application.submit",
        "application.appraise",
        "application.decide.approved",
    ]
    appraised = entries[2]
    assert appraised.before is not None
    assert appraised.after is not None
    assert (appraised.before["state"], appraised.after["state"]) == ("submitted", "appraised")
    assert (appraised.reason, appraised.institution_id) == ("Sound", world.bank.pk)


def test_the_maker_does_not_submit(world: World) -> None:
    application = world.application()
    Membership.objects.create(
        user=world.people["maker"], institution=world.bank, role="checker", from_date=SINCE
    )
    with pytest.raises(CannotSubmitApplication, match="needs another person"):
        submit_application(application=application, **world.act("maker"))


def test_the_appraiser_does_not_decide(world: World) -> None:
    application = world.application(upto="appraise")
    Membership.objects.create(user=world.people["officer"], role="finance_head", from_date=SINCE)
    with pytest.raises(CannotDecideApplication, match="appraised the application"):
        decide_application(application=application, outcome="approved", reason="", **world.act("officer"))


def test_an_amount_above_the_approvers_authority_needs_someone_with_more(world: World) -> None:
    application = world.application(amount=6 * CRORE, upto="appraise")
    with pytest.raises(CannotDecideApplication, match="your authority reaches"):
        decide_application(application=application, outcome="approved", reason="", **world.act("approver"))
    decide_application(application=application, outcome="approved", reason="", **world.act("finance_head"))


def test_a_role_counts_from_its_first_day_only(world: World) -> None:
    application = world.application(upto="appraise")
    with pytest.raises(CannotDecideApplication, match="holds none of these roles on 31"):
        decide_application(
            application=application,
            outcome="approved",
            reason="",
            actor=world.people["approver"],
            business_date=date(2014, 12, 31),
        )


@pytest.mark.parametrize("role", ["officer", "administrator", "auditor", "maker", "checker"])
def test_only_deciders_decide(world: World, role: str) -> None:
    application = world.application(upto="appraise")
    with pytest.raises(CannotDecideApplication):
        decide_application(application=application, outcome="approved", reason="", **world.act(role))


def test_an_application_is_decided_once(world: World) -> None:
    application = world.application(upto="decide")
    with pytest.raises(CannotDecideApplication, match="is approved"):
        decide_application(
            application=application, outcome="rejected", reason="no", **world.act("finance_head")
        )


def test_a_returned_application_comes_back_and_keeps_its_history(world: World) -> None:
    application = world.application(upto="appraise")
    decide_application(application=application, outcome="returned", reason="List?", **world.act("approver"))
    submit_application(application=application, **world.act("checker"))
    appraise_application(
        application=application, recommended_amount=CRORE, reason="Now yes", **world.act("officer")
    )
    decide_application(application=application, outcome="approved", reason="", **world.act("approver"))
    assert [step.outcome for step in application.decisions.filter(step="decide")] == ["returned", "approved"]


def test_a_rejection_says_why(world: World) -> None:
    application = world.application(upto="appraise")
    with pytest.raises(CannotDecideApplication, match="Say why"):
        decide_application(application=application, outcome="rejected", reason=" ", **world.act("approver"))


def test_an_application_stays_within_its_allotment_and_dates(world: World) -> None:
    with pytest.raises(CannotDraftApplication, match="still free"):
        world.application(amount=11 * CRORE)
    with pytest.raises(CannotDraftApplication, match="open from"):
        draft_application(
            allotment=world.allotment,
            cluster=world.cluster,
            amount=CRORE,
            purpose="",
            actor=world.people["maker"],
            business_date=date(2027, 1, 1),
        )


def test_another_institution_gets_nowhere(world: World) -> None:
    application = world.application()
    with pytest.raises(CannotDraftApplication, match="another institution"):
        draft_application(
            allotment=world.allotment,
            cluster=world.cluster,
            amount=CRORE,
            purpose="",
            **world.act("other_maker"),
        )
    with pytest.raises(CannotSubmitApplication, match="another institution"):
        submit_application(application=application, **world.act("other_checker"))
    with pytest.raises(CannotRequestTranche, match="another institution"):
        request_tranche(facility=world.facility(), amount=CRORE, **world.act("other_maker"))


def test_a_decided_application_is_not_withdrawn(world: World) -> None:
    withdraw_application(application=world.application(), reason="Not needed", **world.act("maker"))
    with pytest.raises(CannotWithdrawApplication, match="is approved"):
        withdraw_application(
            application=world.application(upto="decide"), reason="Too late", **world.act("maker")
        )


def test_a_tranche_takes_four_steps_and_four_people(world: World) -> None:
    facility = world.facility()
    tranche = request_tranche(facility=facility, amount=CRORE, **world.act("maker"))
    with pytest.raises(CannotApproveTranche, match="is requested"):
        approve_tranche(tranche=tranche, **world.act("approver"))
    Membership.objects.create(user=world.people["officer"], role="approver", from_date=SINCE)
    clear_tranche(tranche=tranche, **world.act("officer"))
    with pytest.raises(CannotApproveTranche, match="cleared the tranche"):
        approve_tranche(tranche=tranche, **world.act("officer"))
    Membership.objects.create(user=world.people["approver"], role="officer", from_date=SINCE)
    approve_tranche(tranche=tranche, amount=CRORE / 2, **world.act("approver"))
    with pytest.raises(CannotDisburseTranche, match="approved the tranche"):
        disburse_tranche(tranche=tranche, value_date=TODAY, bank_reference="R", **world.act("approver"))
    with pytest.raises(CannotDisburseTranche, match="cleared the tranche"):
        disburse_tranche(tranche=tranche, value_date=TODAY, bank_reference="R", **world.act("officer"))
    loan = disburse_tranche(
        tranche=tranche, value_date=TODAY, bank_reference="R", **world.act("finance_head")
    )
    assert loan.principal_minor == int(CRORE) * 50


def test_a_disbursed_tranche_opens_a_loan_on_the_agreements_terms(world: World) -> None:
    loan = world.loan()
    schedule = loan.schedules.get()
    # Six months of grace in which interest is paid, then eight quarterly instalments of equal principal.
    assert (schedule.instalment_count, schedule.first_due_date, schedule.maturity_date) == (
        10,
        date(2025, 4, 1),
        date(2027, 7, 1),
    )
    principal = Due.objects.filter(loan=loan, component=4).order_by("late_date")
    assert [due.amount_minor for due in principal] == [125_000_000] * 8
    # ACT/360 at 2 % on one crore: 90 days from 1 January to 1 April.
    first = Due.objects.filter(loan=loan, component=3).order_by("late_date")[0]
    assert first.amount_minor == 1_000_000_000 * 2 * 90 // 36_000
    # 1 November 2025 is a Saturday; 1 October is not; a due date on a weekend moves to Sunday.
    assert {due.late_date.weekday() for due in principal} <= {6, 0, 1, 2, 3}
    scopes = Standing.objects.filter(institution=world.bank).values_list("drawn_minor", "exposure_minor")
    assert list(scopes) == [(1_000_000_000, 1_000_000_000)] * 3
    check_constraints()


def test_the_plan_follows_the_holidays_known_when_it_is_booked(world: World) -> None:
    from daybook.services import Actor, declare_holidays

    declare_holidays(days=[(date(2025, 4, 1), "Eid", "ঈদ")], actor=Actor(None, "Test"))
    loan = world.loan()
    first = Due.objects.filter(loan=loan).order_by("nominal_date")[0]
    assert (first.nominal_date, first.late_date) == (date(2025, 4, 1), date(2025, 4, 2))


def test_money_is_not_sent_before_it_was_asked_for_nor_tomorrow(world: World) -> None:
    tranche = world.tranche(world.facility(), amount=CRORE, upto="approve")
    for day in (date(2024, 12, 31), date(2025, 1, 2)):
        with pytest.raises(CannotDisburseTranche, match="must count as sent"):
            disburse_tranche(tranche=tranche, value_date=day, bank_reference="R", **world.act("finance_head"))


def test_tranches_stay_within_the_facility_and_a_cancelled_one_frees_its_room(world: World) -> None:
    facility = world.facility()
    tranche = world.tranche(facility, amount=CRORE)
    with pytest.raises(CannotRequestTranche, match="can still be drawn"):
        world.tranche(facility, amount=Decimal(1))
    cancel_tranche(tranche=tranche, reason="Postponed", **world.act("maker"))
    assert world.tranche(facility, amount=CRORE).state == Tranche.State.REQUESTED


def test_a_tranche_beyond_the_exposure_limit_is_refused(world: World) -> None:
    ExposureLimit.objects.create(
        institution=world.bank,
        effective_date=SINCE,
        amount=CRORE,
        reason="Board",
        booking=world.booking(),
    )
    world.loan(amount=CRORE / 2)
    with pytest.raises(CannotDecideApplication, match="pass its limit"):
        world.facility(amount=CRORE)


def test_the_requester_does_not_clear(world: World) -> None:
    tranche = world.tranche(world.facility(), amount=CRORE)
    with pytest.raises(CannotClearTranche, match="holds none of these roles"):
        clear_tranche(tranche=tranche, **world.act("maker"))


def _terms(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "institution": world.bank,
        "programme": world.programme,
        "limit": CRORE,
        "signed_date": TODAY,
        "from_date": TODAY,
        "to_date": date(2026, 1, 1),
        "annual_rate": Decimal(2),
        "instalment_count": 4,
        **world.act("officer"),
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"annual_rate": Decimal("6.5")},
        {"grace_months": 6, "grace_kind": "none"},
        {"grace_months": 5, "grace_kind": "interest_paid"},
        {"limit": Decimal(0)},
        {"to_date": date(2024, 1, 1)},
    ],
)
def test_terms_that_contradict_each_other_make_no_agreement(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotDraftAgreement):
        draft_agreement(**_terms(world, **changes))


def test_who_drafts_an_agreement_does_not_approve_it(world: World) -> None:
    agreement = draft_agreement(**_terms(world))
    Membership.objects.create(user=world.people["officer"], role="approver", from_date=SINCE)
    with pytest.raises(CannotApproveAgreement, match="drafted the agreement"):
        approve_agreement(agreement=agreement, **world.act("officer"))
    assert approve_agreement(agreement=agreement, **world.act("approver")).state == Agreement.State.ACTIVE


def test_an_agreement_above_the_approvers_authority_needs_someone_with_more(world: World) -> None:
    agreement = draft_agreement(**_terms(world, limit=6 * CRORE))
    with pytest.raises(CannotApproveAgreement, match="your authority reaches"):
        approve_agreement(agreement=agreement, **world.act("approver"))
    approved = approve_agreement(agreement=agreement, **world.act("finance_head"))
    assert approved.state == Agreement.State.ACTIVE


def test_allotments_stay_within_the_limit(world: World) -> None:
    with pytest.raises(CannotAllot, match="not yet allotted"):
        world.allot(world.agreement, Decimal(1))


def test_numbers_rise(world: World) -> None:
    first, second = (int(world.application().number.removeprefix("APP-")) for _ in range(2))
    assert second == first + 1
    assert Application.objects.count() == 2
    assert Loan.objects.count() == 0


def test_the_list_of_borrowers_is_replaced_as_a_whole_and_keeps_its_warnings(world: World) -> None:
    application = world.application()
    rows = subloan_rows(
        3, amount_minor=[50_000_000, 9_000, 40_000_000], sector=["Footwear", "Footwear", "Tobacco"]
    )
    assert replace_lines(application=application, rows=rows.iloc[:1], actor=world.people["maker"]) == 1
    assert replace_lines(application=application, rows=rows, actor=world.people["maker"]) == 3
    lines = list(application.lines.order_by("row_number"))
    assert [bool(line.warnings) for line in lines] == [False, True, True]
    assert lines[1].amount == Money(90, "BDT")
    assert lines[2].warnings == ["The sector “Tobacco” is excluded from the programme."]


def test_a_list_over_the_amount_is_not_submitted_and_a_submitted_list_stays(world: World) -> None:
    application = world.application(amount=Decimal(600_000))
    maker = world.people["maker"]
    replace_lines(application=application, rows=subloan_rows(2), actor=maker)
    with pytest.raises(CannotSubmitApplication, match="more than the application"):
        submit_application(application=application, **world.act("checker"))
    replace_lines(application=application, rows=subloan_rows(1), actor=maker)
    submit_application(application=application, **world.act("checker"))
    with pytest.raises(CannotReplaceLines, match="can no longer be changed"):
        replace_lines(application=application, rows=subloan_rows(1), actor=maker)


def test_a_borrower_without_a_name_names_the_row(world: World) -> None:
    rows = subloan_rows(2, person_name=["A", ""], row_number=[7, 8])
    with pytest.raises(CannotReplaceLines, match="Row 8: The name is missing"):
        replace_lines(application=world.application(), rows=rows, actor=world.people["maker"])
