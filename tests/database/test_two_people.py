"""Two people, whatever SQL says: every step that needs them, tried by one as each role."""

from __future__ import annotations

import pytest

from tests.conftest import set_role
from tests.database.attacks import names, refused
from tests.lending.world import World


def test_every_two_person_table_has_its_guard(world: World) -> None:
    """The steps that need two people, as the database calls them; a new one is added here with an attack."""
    assert set(
        names("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conname ~ 'maker_is_not' ORDER BY 1")
    ) == {
        "agreement_maker_is_not_checker",
        "allotment_maker_is_not_checker",
        "application_maker_is_not_decider",
        "application_maker_is_not_submitter",
        "charge_policy_maker_is_not_checker",
        "classfloor_maker_is_not_checker",
        "classfloorrelease_maker_is_not_checker",
        "classfreeze_maker_is_not_checker",
        "classification_policy_maker_is_not_checker",
        "classification_return_maker_is_not_checker",
        "facility_cancellation_maker_is_not_checker",
        "loan_event_maker_is_not_checker",
        "penal_rate_maker_is_not_checker",
        "proposal_maker_is_not_checker",
        "provision_policy_maker_is_not_checker",
        "receipt_proposal_maker_is_not_checker",
        "reschedule_policy_maker_is_not_checker",
        "ruling_maker_is_not_checker",
        "security_maker_is_not_checker",
        "tranche_maker_is_not_checker",
        "upload_maker_is_not_checker",
        "write_off_policy_maker_is_not_checker",
    }


@pytest.mark.parametrize("kind", ["classification", "provision"])
@pytest.mark.parametrize("role", ["paikar_foundation", "paikar_worker", "paikar_owner"])
def test_nobody_approves_a_policy_of_their_own(world: World, kind: str, role: str) -> None:
    set_role(role)
    refused(
        f"{kind}_policy_maker_is_not_checker",
        f"INSERT INTO repayments_{kind}policy SELECT n.* FROM repayments_{kind}policy p,"
        " LATERAL jsonb_populate_record(p, jsonb_build_object('id', 1000000000, 'code', 'mine',"
        " 'approved_by_id', p.proposed_by_id)) n LIMIT 1",
    )


def test_nobody_changes_a_plan_alone(world: World) -> None:
    made_by = world.people["officer"].pk
    for role in ("paikar_foundation", "paikar_worker", "paikar_owner"):
        set_role(role)
        refused(
            "loan_event_maker_is_not_checker",
            "INSERT INTO repayments_loanevent (kind, state, tier, institution_id, loan_id, effective_date,"
            " parameters, preview, preview_digest, reason, made_by_id, made_at, decided_by_id,"
            " decision_reason, amount_minor, made_by_name, decided_by_name)"
            " SELECT 'write_off', 'rejected', tier,"
            " institution_id, id, disbursed_date, '{}', '{}', '', 'r', %s, now(), %s, '', 0, '', ''"
            " FROM lending_loan LIMIT 1",
            made_by,
            made_by,
        )


def test_nobody_posts_or_reverses_money_alone(world: World) -> None:
    made_by = world.people["officer"].pk
    for role in ("paikar_foundation", "paikar_worker", "paikar_owner"):
        set_role(role)
        refused(
            "receipt_proposal_maker_is_not_checker",
            "INSERT INTO repayments_receiptproposal (kind, state, institution_id, loan_id, amount,"
            " amount_currency, value_date, external_reference, reason, made_by_id, decided_by_id,"
            " decision_reason, made_at) SELECT 'post', 'approved', institution_id, id, 1, 'BDT',"
            " disbursed_date, 'R', '', %s, %s, '', now() FROM lending_loan LIMIT 1",
            made_by,
            made_by,
        )
